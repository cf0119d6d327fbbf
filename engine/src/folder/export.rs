//! A bucket's keys as files: every key is a path below the folder, or is refused.
//!
//! Invariant: a key is taken apart at `/`, and each part is one name that leads one step down a folder which is open; a link in the way
//! is a file in the way. A file that is not whole is taken away again.

use super::{ExportOptions, FolderReport, SkipReason};
use crate::backing::Backing;
use crate::backing::tree::{Folder, Identity, Kind, name_of};
use crate::bucket::{Bucket, Value};
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Bytes that are written at a time, between two words of progress.
const PIECE_BYTES: usize = 1 << 20;
/// How many names are tried for a file beside another one.
const MAX_ATTEMPTS: u32 = 1000;

impl<B: Backing> Bucket<'_, B> {
    /// Writes the value of every key to a file below the folder at `path`, which is made if it is not there: `a/b` becomes the file `b` in
    /// the folder `a`.
    ///
    /// A key that is no path is reported, as is one in the way of another (`a` and `a/b`: whichever comes second), one whose file exists,
    /// and one whose value no longer has its checksum. `progress` is told how many files and bytes are done. Files have the permissions that new
    /// files get, and are not synced. A disk that is full, or an error of the store, ends the export.
    pub fn export_folder(
        &self,
        path: impl AsRef<Path>,
        options: &ExportOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<FolderReport> {
        let path = path.as_ref();
        let root = std::fs::create_dir_all(path)
            .and_then(|()| Folder::open(path))
            .map_err(Error::io("open the folder to export to"))?;
        let mut report = FolderReport::default();
        let mut export = Export {
            root,
            overwrites: options.overwrites,
            made: HashSet::new(),
            beside: 0,
        };
        self.each_live(&options.prefix, |key, value| {
            let name = key.get(options.prefix.len()..).unwrap_or_default();
            let (files, bytes) = (report.files, report.bytes);
            let mut tell = |done: u64| progress(files, bytes.saturating_add(done));
            match export.put(name, value, &mut tell) {
                Ok(written) => {
                    report.files = files.saturating_add(1);
                    report.bytes = bytes.saturating_add(written);
                    progress(report.files, report.bytes);
                }
                Err(SkipReason::Failed(error))
                    if options.stops || error.kind() == ErrorKind::StorageFull =>
                {
                    return Err(error);
                }
                Err(reason) => report.skip(name, reason),
            }
            Ok(())
        })?;
        Ok(report)
    }
}

struct Export {
    root: Folder,
    overwrites: bool,
    /// The files that were written, if those that exist are replaced: a file system may take two names for one.
    made: HashSet<Identity>,
    /// Counts files that are written beside others.
    beside: u32,
}

impl Export {
    /// Writes one file; returns its length.
    fn put<V: AsRef<[u8]>>(
        &mut self,
        key: &[u8],
        value: &Value<V>,
        tell: &mut dyn FnMut(u64),
    ) -> std::result::Result<u64, SkipReason> {
        let names: Option<Vec<OsString>> = key.split(|&byte| byte == b'/').map(name_of).collect();
        let names = names.ok_or(SkipReason::Name)?;
        let (name, above) = names.split_last().ok_or(SkipReason::Name)?;
        if !value.is_valid_checksum() {
            return Err(SkipReason::Failed(Error::Corrupt {
                offset: value.start_offset(),
                what: "a value has another checksum than stored",
            }));
        }
        let mut inner: Option<Folder> = None;
        for name in above {
            let outer = inner.as_ref().unwrap_or(&self.root);
            let made = outer.make_folder(name);
            inner = Some(made.map_err(|error| match error.kind() {
                ErrorKind::NotADirectory => SkipReason::Conflict,
                _ => failed(error),
            })?);
        }
        // A descriptor of its own, so that the rest may change what is noted.
        let folder = match inner {
            Some(folder) => folder,
            None => self.root.folder(OsStr::new(".")).map_err(failed)?,
        };
        if self.overwrites {
            self.replace(&folder, name, value.as_slice(), tell)
        } else {
            create(&folder, name, value.as_slice(), tell)
        }
    }

    /// Writes a file beside `name` and puts it in its place.
    fn replace(
        &mut self,
        folder: &Folder,
        name: &OsStr,
        value: &[u8],
        tell: &mut dyn FnMut(u64),
    ) -> std::result::Result<u64, SkipReason> {
        if let Ok(there) = folder.identity(name) {
            let is_folder = folder.kind(name).is_ok_and(|kind| kind == Kind::Folder);
            if is_folder || self.made.contains(&there) {
                return Err(SkipReason::Conflict);
            }
        }
        let (mut file, beside) = self.make_beside(folder).map_err(failed)?;
        let replaced = write(&mut file, value, tell).and_then(|()| {
            drop(file);
            folder.replace(&beside, name)
        });
        if let Err(error) = replaced {
            let _ = folder.remove(&beside);
            return Err(failed(error));
        }
        self.made.extend(folder.identity(name).ok());
        Ok(length_of(value))
    }

    fn make_beside(&mut self, folder: &Folder) -> io::Result<(File, OsString)> {
        for _ in 0..MAX_ATTEMPTS {
            self.beside = self.beside.wrapping_add(1);
            let name = format!(".{}-{}.tailstone-export", std::process::id(), self.beside);
            let name = OsString::from(name);
            match folder.make_file(&name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return Ok((made?, name)),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

/// Makes the file, which nothing has the name of.
fn create(
    folder: &Folder,
    name: &OsStr,
    value: &[u8],
    tell: &mut dyn FnMut(u64),
) -> std::result::Result<u64, SkipReason> {
    let mut file = folder.make_file(name).map_err(|error| {
        let is_there = error.kind() == ErrorKind::AlreadyExists;
        match folder.kind(name) {
            Ok(Kind::Folder) if is_there => SkipReason::Conflict,
            _ if is_there => SkipReason::Exists,
            _ => failed(error),
        }
    })?;
    write(&mut file, value, tell).map_err(|error| {
        let _ = folder.remove(name);
        failed(error)
    })?;
    Ok(length_of(value))
}

fn write(file: &mut File, value: &[u8], tell: &mut dyn FnMut(u64)) -> io::Result<()> {
    let mut done = 0_u64;
    for piece in value.chunks(PIECE_BYTES) {
        file.write_all(piece)?;
        done = done.saturating_add(length_of(piece));
        tell(done);
    }
    Ok(())
}

fn failed(source: io::Error) -> SkipReason {
    SkipReason::Failed(Error::Io {
        doing: "write a file",
        source,
    })
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
