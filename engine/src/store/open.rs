//! Opening: recovery and the building of the index, in one walk.

use super::{Generation, Store, span_of};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{Entry, EntryMetadata, is_reserved_hash};
use crate::index::{BulkLoader, Extent, IndexWriter, LENGTHS_KEPT_BELOW};
use crate::options::Options;
use crate::recovery::{Outcome, Step, recover};

impl<B: Backing> Store<B> {
    /// Opens the store on `backing`: recovers it, builds its index, and cuts a torn tail off unless it is read-only.
    ///
    /// Fails with [`Error::NotAStore`] or [`Error::Corrupt`], the medium untouched, if what is there is no store or is
    /// damaged before its end.
    pub fn open_with(backing: B, options: &Options) -> Result<Self> {
        let mut builder = Builder::new(&backing);
        let report = recover(&backing, |step| match step {
            Step::Entry(entry) => builder.visit(entry),
            Step::Again => {
                builder = Builder::new(&backing);
                Ok(())
            }
        })?;
        let (index, live_span) = builder.finish()?;
        let tail = report.tail;
        if report.cut_bytes > 0 && !options.read_only {
            let cut = backing.truncate(tail).and_then(|()| {
                // Of a torn batch whole entries were cut off, which must not come back behind what is written next.
                if report.outcome == Outcome::TornBatch {
                    backing.sync()
                } else {
                    Ok(())
                }
            });
            cut.map_err(Error::io("cut a torn tail off"))?;
        }
        let generation = Generation::new(backing, index.index().clone(), tail, live_span);
        Ok(Self::assemble(generation, index, options.clone(), report))
    }
}

/// Builds the index from entries that come newest first.
struct Builder<'b, B> {
    backing: &'b B,
    loader: BulkLoader,
    /// Where values lie that are too long for the index to keep their lengths, and these; from the end of the file on.
    long: Vec<(u64, u64)>,
}

impl<'b, B: Backing> Builder<'b, B> {
    fn new(backing: &'b B) -> Self {
        Self {
            backing,
            loader: BulkLoader::new(),
            long: Vec::new(),
        }
    }

    #[inline]
    fn visit(&mut self, entry: &Entry) -> Result<()> {
        let key_hash = entry.metadata.key_hash;
        if is_reserved_hash(key_hash) {
            return Ok(());
        }
        let offset = entry.metadata_offset;
        let extent = if entry.is_tombstone {
            Extent::deletion(offset)
        } else {
            Extent::new(offset, entry.payload_len())
        };
        if entry.payload_len() >= LENGTHS_KEPT_BELOW && !entry.is_tombstone {
            self.long.push((offset, entry.payload_len()));
        }
        let backing = self.backing;
        self.loader
            .add(key_hash, extent, |other, hash| is_of(backing, other, hash))
    }

    /// The index, and what the live values would take in a store of their own.
    fn finish(self) -> Result<(IndexWriter, u64)> {
        let Self {
            backing,
            loader,
            long,
        } = self;
        let mut live_span = 0;
        let count = |extent: Extent| {
            let offset = extent.metadata_offset();
            let len = extent.payload_len().or_else(|| {
                let at = long.binary_search_by(|(other, _)| offset.cmp(other)).ok()?;
                long.get(at).map(|(_, len)| *len)
            });
            live_span += len.map_or(0, span_of);
        };
        let index = loader.finish(|other, hash| is_of(backing, other, hash), count)?;
        Ok((index, live_span))
    }
}

/// Whether the entry at `extent` is of a key with this hash.
fn is_of<B: Backing>(backing: &B, extent: Extent, hash: u64) -> Result<bool> {
    let mut metadata = [0; 20];
    backing
        .read(extent.metadata_offset(), &mut metadata)
        .map_err(Error::io("read an entry"))?;
    Ok(EntryMetadata::deserialize(&metadata).key_hash == hash)
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
