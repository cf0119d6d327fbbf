//! Opening: recovery and the building of the index, in one walk.

use super::{Generation, Store, span_of};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{Entry, EntryMetadata, is_reserved_hash};
use crate::index::{Extent, Index, IndexWriter};
use crate::options::Options;
use crate::recovery::recover;

impl<B: Backing> Store<B> {
    /// Opens the store on `backing`: recovers it, builds its index, and cuts a torn tail off unless it is read-only.
    ///
    /// Fails with [`Error::NotAStore`] or [`Error::Corrupt`], the medium untouched, if what is there is no store or is
    /// damaged before its end.
    pub fn open_with(backing: B, options: &Options) -> Result<Self> {
        let (_, mut index) = Index::create();
        index.grow_in_leaps();
        let mut builder = Builder {
            backing: &backing,
            index,
            live_span: 0,
            pending: Vec::with_capacity(PENDING),
        };
        let report = recover(&backing, |entry| builder.visit(entry))?;
        let (index, live_span) = builder.finish()?;
        let tail = report.tail;
        if report.cut_bytes > 0 && !options.read_only {
            backing
                .truncate(tail)
                .map_err(Error::io("cut a torn tail off"))?;
        }
        let generation = Generation::new(backing, index.index().clone(), tail, live_span);
        Ok(Self::assemble(generation, index, options.clone(), report))
    }
}

/// Entries whose index lines are fetched before the first of them is looked up.
const PENDING: usize = 32;

/// Builds the index from entries that come newest first: the first one of a key decides.
struct Builder<'b, B> {
    backing: &'b B,
    index: IndexWriter,
    live_span: u64,
    pending: Vec<(u64, Extent, u64)>,
}

impl<B: Backing> Builder<'_, B> {
    fn visit(&mut self, entry: &Entry) -> Result<()> {
        let key_hash = entry.metadata.key_hash;
        if is_reserved_hash(key_hash) {
            return Ok(());
        }
        let (extent, span) = if entry.is_tombstone {
            (Extent::deletion(entry.metadata_offset), 0)
        } else {
            let len = entry.payload_len();
            (Extent::new(entry.metadata_offset, len), span_of(len))
        };
        self.index.index().prefetch(key_hash);
        self.pending.push((key_hash, extent, span));
        if self.pending.len() == PENDING {
            self.settle()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        for (key_hash, extent, span) in self.pending.drain(..) {
            let inserted = self.index.put_if_absent(key_hash, extent, |other| {
                let mut metadata = [0; 20];
                self.backing
                    .read(other.metadata_offset(), &mut metadata)
                    .map_err(Error::io("read an entry"))?;
                Ok::<_, Error>(EntryMetadata::deserialize(&metadata).key_hash == key_hash)
            })?;
            if inserted {
                self.live_span += span;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(IndexWriter, u64)> {
        self.settle()?;
        let settled = self.index.settled(|extent| !extent.is_deletion());
        Ok((settled, self.live_span))
    }
}

#[cfg(any(unix, windows))]
mod file {
    //! Stores in files.

    use crate::backing::{MmapBacking, OpenMode};
    use crate::error::{Error, Result};
    use crate::options::Options;
    use crate::store::DataStore;
    use std::path::{Path, PathBuf};

    impl Options {
        /// Opens the store in the file at `path`.
        pub fn open(&self, path: impl AsRef<Path>) -> Result<DataStore> {
            let mode = match *self {
                Self {
                    read_only: true, ..
                } => OpenMode::ReadOnly,
                Self {
                    create_new: true, ..
                } => OpenMode::CreateNew,
                Self { create: true, .. } => OpenMode::Create,
                _ => OpenMode::Existing,
            };
            DataStore::open_with(MmapBacking::open(path, mode)?, self)
        }
    }

    impl DataStore {
        /// Opens the store in the file at `path`, which is created if it is not there.
        pub fn open(path: &Path) -> Result<Self> {
            Options::new().open(path)
        }

        /// Opens the store in the file at `path`: [`Error::NoSuchFile`] if there is none, [`Error::NotAFile`] if it
        /// is something else than a regular file.
        pub fn open_existing(path: &Path) -> Result<Self> {
            Options::new().create(false).open(path)
        }

        /// What a store can be opened with, to be changed and then opened.
        #[must_use]
        pub const fn options() -> Options {
            Options::new()
        }

        /// The path that the store was opened by.
        #[must_use]
        pub fn path(&self) -> PathBuf {
            self.current.load().backing.path().to_path_buf()
        }

        /// The path that the store was opened by; the same as [`path`](Self::path).
        #[must_use]
        pub fn get_path(&self) -> PathBuf {
            self.path()
        }
    }

    impl From<PathBuf> for DataStore {
        /// Opens the store in the file at `path`.
        ///
        /// # Panics
        ///
        /// If it cannot be opened; [`DataStore::open`] returns the error instead.
        fn from(path: PathBuf) -> Self {
            #[expect(
                clippy::panic,
                reason = "documented: the conversion has no way to return an error"
            )]
            Self::open(&path)
                .unwrap_or_else(|error: Error| panic!("could not open {}: {error}", path.display()))
        }
    }
}
