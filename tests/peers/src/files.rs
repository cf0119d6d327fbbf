//! The files of a store: how long they are, copies of them, and whether the system holds them in memory.

use crate::peer::Outcome;
use rustix::fs::{Advice, SeekFrom as Find, fadvise, seek};
use std::fs::{self, DirEntry, File};
use std::io::{Read, Seek, SeekFrom, Take};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Calls `visit` for every file in `folder` and below.
fn walk(folder: &Path, visit: &mut dyn FnMut(&DirEntry) -> Outcome) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), visit)?;
        } else {
            visit(&entry)?;
        }
    }
    Ok(())
}

/// Bytes of all files in `folder`; of a file with holes, those that are there.
pub fn bytes(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    walk(folder, &mut |entry| {
        let file = entry.metadata()?;
        sum += file.len().min(file.blocks() * 512);
        Ok(())
    })?;
    Ok(sum)
}

/// Makes `target` an empty folder.
pub fn empty(target: &Path) -> Outcome {
    remove(target)?;
    Ok(fs::create_dir_all(target)?)
}

/// Removes a folder, if it is there.
pub fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Makes `target` a copy of the folder `source`, on stable storage, so that nobody else's writing falls into what is measured.
pub fn copy(source: &Path, target: &Path) -> Outcome {
    empty(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let copy = target.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            self::copy(&entry.path(), &copy)?;
        } else {
            copy_file(&entry.path(), &copy)?;
        }
    }
    Ok(())
}

fn copy_file(source: &Path, target: &Path) -> Outcome {
    let (source, mut target) = (File::open(source)?, File::create(target)?);
    target.set_len(source.metadata()?.len())?;
    for_each_written(&source, |mut written, start| {
        target.seek(SeekFrom::Start(start))?;
        std::io::copy(&mut written, &mut target)?;
        Ok(())
    })?;
    Ok(target.sync_all()?)
}

/// Hands `visit` each part of a file that is there, and where it starts: one of them may be 64 GiB of holes.
fn for_each_written(
    mut file: &File,
    mut visit: impl FnMut(Take<&File>, u64) -> Outcome,
) -> Outcome {
    let mut at = 0;
    // Behind the last byte there is nothing to find.
    while let Ok(start) = seek(file, Find::Data(at)) {
        at = seek(file, Find::Hole(start))?;
        file.seek(SeekFrom::Start(start))?;
        visit(file.take(at - start), start)?;
    }
    Ok(())
}

/// Has the system hold all files in `folder` in memory, so that nothing waits for the disk.
pub fn fetch(folder: &Path) -> Outcome {
    walk(folder, &mut |entry| {
        for_each_written(&File::open(entry.path())?, |mut written, _| {
            std::io::copy(&mut written, &mut std::io::sink())?;
            Ok(())
        })
    })
}

/// Has the system forget what it holds of all files in `folder`, so that the next reads come from the disk.
pub fn forget(folder: &Path) -> Outcome {
    walk(folder, &mut |entry| {
        let file = File::open(entry.path())?;
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
    })
}
