//! Opening: recovery and the building of the index, in one walk.

use super::snapshot::{self, TakenSnapshot};
use super::{Generation, Store, span_of};
use crate::backing::{Backing, PREPARES};
use crate::error::{Error, Result};
use crate::format::{
    Entry, EntryMetadata, METADATA_SIZE, SNAPSHOT_HASH, align_to_payload, is_reserved_hash,
};
use crate::index::{BulkLoader, Extent, IndexWriter, LENGTHS_KEPT_BELOW};
use crate::options::Options;
use crate::recovery::{Outcome, Step, recover};
use std::ops::ControlFlow;

impl<B: Backing> Store<B> {
    /// Opens the store on `backing`: recovers it, builds its index, and cuts a torn tail off unless it is read-only.
    ///
    /// Costs what was written since the last [snapshot of the index](Store::snapshot_index), or what is stored if there is none. Fails with
    /// [`Error::NotAStore`] or [`Error::Corrupt`], the medium untouched, if what is there is no store or is
    /// damaged before its end.
    pub fn open_with(backing: B, options: &Options) -> Result<Self> {
        let mut builder = Builder::new(&backing, options.snapshots);
        let mut report = recover(&backing, |step| match step {
            Step::Entry(entry) => builder.visit(entry),
            Step::Again => {
                builder = Builder::new(&backing, options.snapshots);
                Ok(ControlFlow::Continue(()))
            }
        })?;
        let built = builder.finish()?;
        let snapshot = built.snapshot;
        report.index_snapshot = snapshot.as_ref().map(|(taken, _)| taken.tail);
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
        let index = built.index;
        let mut generation = Generation::new(backing, index.index().clone(), tail, built.live_span);
        let (taken, end) = snapshot.unwrap_or_default();
        generation.snapshot = taken;
        let store = Self::assemble(generation, index, options.clone(), report);
        store.lock_writer().snapshot_end = end;
        Ok(store)
    }
}

/// Entries after which a walk is a long one, for which the medium is [made ready](Backing::before_random_reads).
const MANY: u32 = 64;
/// Snapshots that seem to be whole and turn out not to be, before the others are not tried any more.
const SNAPSHOTS_TRIED: u32 = 3;

/// Builds the index from entries that come newest first.
struct Builder<'b, B> {
    backing: &'b B,
    loader: BulkLoader,
    /// Where values lie that are too long for the index to keep their lengths, and these; from the end of the file on.
    long: Vec<(u64, u64)>,
    /// Where the first entry that came ends.
    tail: u64,
    /// How many more entries come before the medium is made ready.
    until_ready: u32,
    /// How many more snapshots are tried; each costs what was written since.
    snapshots_left: u32,
    built: Option<Built>,
}

/// An index, and what the live values would take in a store of their own.
struct Built {
    index: IndexWriter,
    live_span: u64,
    /// Where the snapshot lies that it was taken from, and where that ends.
    snapshot: Option<(TakenSnapshot, u64)>,
}

impl<'b, B: Backing> Builder<'b, B> {
    fn new(backing: &'b B, uses_snapshots: bool) -> Self {
        Self {
            backing,
            loader: BulkLoader::new(),
            long: Vec::new(),
            tail: 0,
            until_ready: MANY,
            snapshots_left: if uses_snapshots { SNAPSHOTS_TRIED } else { 0 },
            built: None,
        }
    }

    /// Takes an entry in; breaks off once the index is built.
    #[inline]
    fn visit(&mut self, entry: &Entry) -> Result<ControlFlow<()>> {
        let key_hash = entry.metadata.key_hash;
        self.tail = self.tail.max(entry.end());
        if is_reserved_hash(key_hash) {
            if key_hash == SNAPSHOT_HASH && self.snapshots_left > 0 {
                self.built = self.take_up(entry)?;
            }
            return Ok(match self.built {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            });
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
            .add(key_hash, extent, |other, hash| is_of(backing, other, hash))?;
        if PREPARES && self.until_ready > 0 {
            self.until_ready -= 1;
            if self.until_ready == 0 {
                self.make_ready();
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    #[cold]
    fn make_ready(&mut self) {
        self.until_ready = 0;
        if let Some(before_reads) = self.backing.before_random_reads() {
            before_reads();
        }
    }

    /// The index that the snapshot with this head gives, with what came since. `None` without a snapshot that is whole.
    #[cold]
    fn take_up(&mut self, head: &Entry) -> Result<Option<Built>> {
        let Some(since) = self.loader.gathered() else {
            return Ok(None);
        };
        let is_ready = self.until_ready == 0;
        let Some(loaded) = snapshot::load(self.backing, head, is_ready)? else {
            return Ok(None);
        };
        self.snapshots_left -= 1;
        let mut index = loaded.index;
        let mut live_span = loaded.live_span;
        for &(key_hash, extent) in since.iter().rev() {
            if !index.index().is_awake(key_hash) {
                return Ok(None);
            }
            // What the index says and the file does not have: the error of reading it, or that of having to.
            let (mut before, mut failure) = (0, None);
            let same = |other: Extent| match self.span_if_of(other, key_hash) {
                Ok(span) => {
                    before = span.unwrap_or(0);
                    span.is_some()
                }
                Err(error) => {
                    failure = Some(error);
                    false
                }
            };
            if extent.is_deletion() {
                index.remove(key_hash, same);
            } else {
                index.put(key_hash, extent, same);
                live_span = live_span.saturating_add(self.length(extent).map_or(0, span_of));
            }
            match failure {
                Some(Error::Corrupt { .. }) => return Ok(None),
                Some(error) => return Err(error),
                None => live_span = live_span.saturating_sub(before),
            }
        }
        Ok(Some(Built {
            index,
            live_span,
            snapshot: Some((loaded.taken, loaded.end)),
        }))
    }

    /// What the entry at `extent` takes if it is of the key with this hash.
    fn span_if_of(&self, extent: Extent, key_hash: u64) -> Result<Option<u64>> {
        let offset = extent.metadata_offset();
        let corrupt = Error::Corrupt {
            offset,
            what: "the index snapshot names an entry that is not there",
        };
        if offset.saturating_add(METADATA_SIZE) > self.tail {
            return Err(corrupt);
        }
        let metadata = metadata_at(self.backing, offset)?;
        if metadata.key_hash != key_hash {
            return Ok(None);
        }
        let len = extent.payload_len().or_else(|| {
            let start = metadata.prev_offset;
            let start = (start < offset).then(|| align_to_payload(start))?;
            offset.checked_sub(start)
        });
        len.map(|len| Some(span_of(len))).ok_or(corrupt)
    }

    /// The payload's length of an entry that came.
    fn length(&self, extent: Extent) -> Option<u64> {
        extent.payload_len().or_else(|| {
            let offset = extent.metadata_offset();
            let at = self.long.binary_search_by(|(other, _)| offset.cmp(other));
            self.long.get(at.ok()?).map(|(_, len)| *len)
        })
    }

    fn finish(mut self) -> Result<Built> {
        if let Some(built) = self.built.take() {
            return Ok(built);
        }
        if self.until_ready > 0 {
            self.make_ready();
        }
        let backing = self.backing;
        let loader = std::mem::take(&mut self.loader);
        let mut live_span = 0;
        let count = |extent: Extent| live_span += self.length(extent).map_or(0, span_of);
        let index = loader.finish(|other, hash| is_of(backing, other, hash), count)?;
        Ok(Built {
            index,
            live_span,
            snapshot: None,
        })
    }
}

/// Whether the entry at `extent` is of a key with this hash.
fn is_of<B: Backing>(backing: &B, extent: Extent, hash: u64) -> Result<bool> {
    Ok(metadata_at(backing, extent.metadata_offset())?.key_hash == hash)
}

fn metadata_at<B: Backing>(backing: &B, offset: u64) -> Result<EntryMetadata> {
    let mut metadata = [0; 20];
    backing
        .read(offset, &mut metadata)
        .map_err(Error::io("read an entry"))?;
    Ok(EntryMetadata::deserialize(&metadata))
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
