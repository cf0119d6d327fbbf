//! Whole folders through one session: every file put under its path, or read back and compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::session::Session;

/// What was done with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Files that have a value in the store.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The time spent in the session's calls, without reading the files.
    pub spent: Duration,
}

/// Puts every regular file below `folder` into the store, under its path from there with `/` between the names.
pub fn import(session: &mut Session, folder: &Path) -> Result<Tally> {
    each_file(folder, |key, content| {
        let begun = Instant::now();
        session.put(key.as_bytes(), content)?;
        Ok(begun.elapsed())
    })
}

/// Reads back what [`import`] put and compares it with the files; [`Error::Differs`] names the first that is not the same.
pub fn check(session: &mut Session, folder: &Path) -> Result<Tally> {
    each_file(folder, |key, content| {
        let begun = Instant::now();
        let value = session.get(key.as_bytes())?;
        let spent = begun.elapsed();
        if value.as_deref() == Some(content) {
            Ok(spent)
        } else {
            Err(Error::Differs(key.to_owned()))
        }
    })
}

fn each_file(
    folder: &Path,
    mut handle: impl FnMut(&str, &[u8]) -> Result<Duration>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current).map_err(Error::io("list a folder"))? {
            let entry = entry.map_err(Error::io("list a folder"))?;
            // Of the entry itself: links are not followed, since they may lead out of the folder or around in it.
            let kind = entry.file_type().map_err(Error::io("look at a file"))?;
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let content = fs::read(&path).map_err(Error::io("read a file"))?;
                let key = key_of(path.strip_prefix(folder).unwrap_or(&path));
                tally.spent += handle(&key, &content)?;
                tally.files += 1;
                tally.bytes += content.len() as u64;
            }
        }
    }
    Ok(tally)
}

fn key_of(path: &Path) -> String {
    let names = path
        .components()
        .map(|name| name.as_os_str().to_string_lossy());
    names.collect::<Vec<_>>().join("/")
}
