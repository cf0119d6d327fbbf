//! Folders as plain entries: the path below the folder is the key.

use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::folder::{self, ImportOptions, SkipReason};
use crate::store::{DataStoreReader, EntryHandle, EntryStream, Store};
use crate::utils::NamespaceHasher;
use std::io::Read;
use std::path::Path;

/// Folders of files as plain entries, as [`Store::import_folder`] makes them too.
pub trait StorageFileImportExt {
    /// What a file's bytes lie in.
    type View: AsRef<[u8]>;

    /// Stores every file below `base_dir` and returns their keys, each with the tail behind it, folder by folder, in the order of the names.
    ///
    /// A key is the path below `base_dir` with `/`, with a namespace its [`NamespaceHasher`] key of 16 bytes. What a plain entry cannot hold is left
    /// out: files that are empty or one zero byte. So is what
    /// [`import_folder`](Store::import_folder) skips: links out of the folder, what is no file. A file that cannot be read ends the call with its error;
    /// those before it are stored.
    fn import_dir_recursively<P: AsRef<Path>>(
        &self,
        base_dir: P,
        namespace: Option<&[u8]>,
    ) -> Result<Vec<(Vec<u8>, u64)>>;

    /// The bytes of the file that was imported from this path below its folder. Reads the store, not the folder.
    fn read_file_entry<P: AsRef<Path>>(
        &self,
        rel_path: P,
        namespace: Option<&[u8]>,
    ) -> Result<Option<EntryHandle<Self::View>>>;

    /// The same as a stream.
    fn open_file_stream<P: AsRef<Path>>(
        &self,
        rel_path: P,
        namespace: Option<&[u8]>,
    ) -> Result<Option<EntryStream<Self::View>>>;
}

impl<B: Backing> StorageFileImportExt for Store<B> {
    type View = B::View;

    fn import_dir_recursively<P: AsRef<Path>>(
        &self,
        base_dir: P,
        namespace: Option<&[u8]>,
    ) -> Result<Vec<(Vec<u8>, u64)>> {
        let namespace = namespace.map(NamespaceHasher::new);
        let mut stored = Vec::new();
        let mut put = |path: &[u8], len, mut file: &mut dyn Read| {
            let key = key_of(path, namespace.as_ref());
            let tail = self.write_file(&key, len, &mut file)?;
            stored.push((key, tail));
            Ok(())
        };
        let mut skip = |_: &[u8], reason| match reason {
            SkipReason::Failed(error) => Err(error),
            _ => Ok(()),
        };
        let (options, mut progress) = (ImportOptions::new(), |_, _| {});
        folder::import(
            base_dir.as_ref(),
            &options,
            &mut put,
            &mut skip,
            &mut progress,
        )?;
        Ok(stored)
    }

    fn read_file_entry<P: AsRef<Path>>(
        &self,
        rel_path: P,
        namespace: Option<&[u8]>,
    ) -> Result<Option<EntryHandle<Self::View>>> {
        let path = folder::key_of(rel_path.as_ref()).ok_or(Error::KeyNotFound)?;
        let namespace = namespace.map(NamespaceHasher::new);
        self.read(&key_of(&path, namespace.as_ref()))
    }

    fn open_file_stream<P: AsRef<Path>>(
        &self,
        rel_path: P,
        namespace: Option<&[u8]>,
    ) -> Result<Option<EntryStream<Self::View>>> {
        let entry = self.read_file_entry(rel_path, namespace)?;
        Ok(entry.map(EntryStream::from))
    }
}

fn key_of(path: &[u8], namespace: Option<&NamespaceHasher>) -> Vec<u8> {
    namespace.map_or_else(|| path.to_vec(), |namespace| namespace.namespace(path))
}
