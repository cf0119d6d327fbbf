//! A folder's files into a store: one after the other, each streamed in constant memory and there whole or not at all.
//!
//! Memory is what the names in the largest folder take, and the paths of folders that are still to come.

use super::source::Source;
use super::{FolderReport, ImportOptions, SkipReason};
use crate::backing::Backing;
use crate::backing::tree::{Folder, Identity, Kind, bytes_of, name_of};
use crate::bucket::Bucket;
use crate::error::{Error, Result};
use crate::store::Store;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What stores a file: its key, its length, its bytes.
type Put<'p> = dyn FnMut(&[u8], u64, &mut dyn Read) -> Result<()> + 'p;
/// What is told of a file that was not stored, and may end the import.
type Skip<'s> = dyn FnMut(&[u8], SkipReason) -> Result<()> + 's;

impl<B: Backing> Store<B> {
    /// Stores every file below the folder at `path` as a plain entry, its path there with `/` being the key.
    ///
    /// Names keep their bytes on Unix; elsewhere one that is no Unicode is reported. Links to files in the folder are read as those files,
    /// all other links are skipped. `progress` is told how many files and bytes are done, and must not use the store: a file may be on its way into it. An error of the store ends the import, with
    /// the files before it stored; so does a folder that is not there.
    pub fn import_folder(
        &self,
        path: impl AsRef<Path>,
        options: &ImportOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<FolderReport> {
        let mut put = |key: &[u8], len, mut source: &mut dyn Read| {
            self.write_file(key, len, &mut source).map(drop)
        };
        import_reporting(path.as_ref(), options, &mut put, progress)
    }
}

impl<B: Backing> Bucket<'_, B> {
    /// Stores every file below the folder at `path`, empty ones too, its path there with `/` being the key.
    ///
    /// Otherwise as [`Store::import_folder`].
    pub fn import_folder(
        &self,
        path: impl AsRef<Path>,
        options: &ImportOptions,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<FolderReport> {
        let mut put = |key: &[u8], len, mut source: &mut dyn Read| {
            self.set_sized(key, len, &mut source).map(drop)
        };
        import_reporting(path.as_ref(), options, &mut put, progress)
    }
}

fn import_reporting(
    path: &Path,
    options: &ImportOptions,
    put: &mut Put<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<FolderReport> {
    let mut report = FolderReport::default();
    let mut skip = |name: &[u8], reason| match reason {
        SkipReason::Failed(error) if options.stops => Err(error),
        reason => {
            report.skip(name, reason);
            Ok(())
        }
    };
    let (files, bytes) = import(path, options, put, &mut skip, progress)?;
    Ok(FolderReport {
        files,
        bytes,
        ..report
    })
}

/// Hands every file below `path` to `put`, or says why not; returns how many files and bytes were stored.
pub(crate) fn import(
    path: &Path,
    options: &ImportOptions,
    put: &mut Put<'_>,
    skip: &mut Skip<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(u64, u64)> {
    let opened = Folder::open(path).and_then(|root| Ok((root, std::fs::canonicalize(path)?)));
    let (root, real) = opened.map_err(Error::io("open the folder to import"))?;
    let left_out = options.left_out.as_deref();
    let mut import = Import {
        root,
        real,
        prefix: &options.prefix,
        left_out: left_out.and_then(|path| Identity::of(path).ok()),
        put,
        skip,
        progress,
        files: 0,
        bytes: 0,
    };
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        import.take_folder(&folder, &mut folders)?;
    }
    Ok((import.files, import.bytes))
}

/// The key of a file by its path below the folder; `None` if the system's name for it has no bytes.
pub(crate) fn key_of(path: &Path) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    for (at, part) in path.components().enumerate() {
        if at > 0 {
            key.push(b'/');
        }
        key.extend_from_slice(bytes_of(part.as_os_str())?);
    }
    Some(key)
}

/// How a path is shown that has no key.
fn shown(path: &Path) -> Vec<u8> {
    key_of(path).unwrap_or_else(|| path.to_string_lossy().into_owned().into_bytes())
}

struct Import<'a> {
    root: Folder,
    /// Where the folder lies, without links.
    real: PathBuf,
    prefix: &'a [u8],
    left_out: Option<Identity>,
    put: &'a mut Put<'a>,
    skip: &'a mut Skip<'a>,
    progress: &'a mut dyn FnMut(u64, u64),
    files: u64,
    bytes: u64,
}

impl Import<'_> {
    /// Takes the files of one folder, and notes the folders in it.
    fn take_folder(&mut self, path: &Path, folders: &mut Vec<PathBuf>) -> Result<()> {
        let listed = self
            .folder_at(path)
            .and_then(|folder| Ok((folder.list()?, folder)));
        let (entries, folder) = match listed {
            Ok(listed) => listed,
            Err(source) => return self.failed(path, "read a folder", source),
        };
        let below = folders.len();
        for (name, kind) in entries {
            let inner = path.join(&name);
            match kind {
                Kind::Folder => folders.push(inner),
                Kind::File => self.take(&inner, &folder, &name)?,
                Kind::Link => match self.target_of(&inner) {
                    Some((folder, name)) => self.take(&inner, &folder, &name)?,
                    None => (self.skip)(&shown(&inner), SkipReason::Link)?,
                },
                Kind::Other => (self.skip)(&shown(&inner), SkipReason::NotAFile)?,
            }
        }
        // The last one is taken first.
        if let Some(below) = folders.get_mut(below..) {
            below.reverse();
        }
        Ok(())
    }

    /// Stores the file called `name` in `folder` under the key of `path`.
    fn take(&mut self, path: &Path, folder: &Folder, name: &OsStr) -> Result<()> {
        let Some(key) = key_of(path) else {
            return (self.skip)(&shown(path), SkipReason::Name);
        };
        if self.left_out.is_some() && folder.identity(name).ok() == self.left_out {
            return Ok(());
        }
        let (files, bytes) = (self.files, self.bytes);
        let progress = &mut self.progress;
        let mut tell = |done: u64| progress(files, bytes.saturating_add(done));
        let opened = folder
            .file(name)
            .and_then(|file| Source::new(file, &mut tell));
        let (mut source, len) = match opened {
            Ok(opened) => opened,
            Err(source) => return self.failed(path, "read a file", source),
        };
        let stored = (self.put)(&[self.prefix, &key].concat(), len, &mut source);
        let is_files_fault = source.failed;
        match stored {
            Ok(()) => {
                self.files = self.files.saturating_add(1);
                self.bytes = self.bytes.saturating_add(len);
                (self.progress)(self.files, self.bytes);
                Ok(())
            }
            Err(Error::EmptyPayload | Error::ReservedPayload) => {
                (self.skip)(&key, SkipReason::NotAPlainValue)
            }
            Err(
                error @ (Error::KeyTooLong { .. }
                | Error::HashCollision { .. }
                | Error::ReservedKey { .. }),
            ) => (self.skip)(&key, SkipReason::Failed(error)),
            Err(error) if is_files_fault => (self.skip)(&key, SkipReason::Failed(error)),
            Err(error) => Err(error),
        }
    }

    fn failed(&mut self, path: &Path, doing: &'static str, source: io::Error) -> Result<()> {
        (self.skip)(
            &shown(path),
            SkipReason::Failed(Error::Io { doing, source }),
        )
    }

    /// The folder at `path` below the root, by steps that follow no link.
    fn folder_at(&self, path: &Path) -> io::Result<Folder> {
        path.iter()
            .try_fold(self.root.folder(OsStr::new("."))?, |folder, name| {
                folder.folder(name)
            })
    }

    /// Where the file lies that a link leads to, if that is in the tree. Only the way there is taken from the link; it is then gone by
    /// steps that follow none.
    fn target_of(&self, link: &Path) -> Option<(Folder, OsString)> {
        let target = std::fs::canonicalize(self.real.join(link)).ok()?;
        let inner = target.strip_prefix(&self.real).ok()?;
        let name = name_of(bytes_of(inner.file_name()?)?)?;
        let folder = self.folder_at(inner.parent()?).ok()?;
        (folder.kind(&name).ok()? == Kind::File).then_some((folder, name))
    }
}
