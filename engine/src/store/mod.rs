//! The store: one chain of entries on one backing, and what can be done with it.

mod ahead;
mod append;
mod batch;
mod changes;
mod commit;
mod entry_writer;
mod generation;
mod group;
mod handle;
mod history;
#[cfg(all(test, loom))]
mod interleavings;
mod iterate;
mod live;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]
mod lost_values;
mod mark;
mod milestones;
mod open;
mod plan;
mod range;
mod read;
mod reader;
mod snapshot;
mod stats;
mod stream;
mod syncs;
mod view;
mod write;

pub use batch::Batch;
pub use changes::{ChangePage, LoggedChange};
pub use entry_writer::{EntryWriter, STREAM_BUFFER_BYTES};
pub use handle::EntryHandle;
pub use history::{History, Version};
pub use iterate::{Entries, EntryIterator};
pub use read::DataStoreReader;
pub use reader::Reader;
pub use stats::{Stats, Usage};
pub use stream::EntryStream;
pub use view::ReadView;
pub use write::DataStoreWriter;

pub(crate) use ahead::Ahead;
pub(crate) use generation::{
    Copied, Generation, Located, Placed, no_entry, payload_offset, span_of,
};
pub(crate) use group::{Judge, Request};
pub(crate) use history::{newest_before, newest_first};
pub(crate) use live::changes_since;
pub(crate) use plan::Change;
pub(crate) use read::verified_if;

use crate::backing::{Backing, MemoryBacking};
use crate::bucket::Directory;
use crate::error::{Error, Result};
use crate::index::{Index, IndexWriter};
use crate::options::Options;
use crate::pin::Current;
use crate::recovery::{Outcome, RecoveryReport};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An append-only key-value store on one backing.
///
/// All methods take `&self`. One writer at a time goes on, the others wait; readers wait for nobody.
/// Dropping it cuts preallocated space off; [`close`](Self::close) does the same and reports what went wrong.
pub struct Store<B: Backing> {
    pub(crate) current: Current<Generation<B>>,
    pub(crate) writer: Mutex<Writer>,
    /// Writers who share a sync.
    group: group::Queue<B>,
    /// Those who sync while others write.
    syncs: syncs::Syncs,
    /// Held by a compaction from its first read to its last write, so that there is one at a time.
    pub(crate) compaction: Mutex<()>,
    /// How many of them there were.
    pub(crate) compactions: AtomicU64,
    /// The keys of buckets in their order, once somebody has asked for them.
    pub(crate) directory: Directory,
    /// Set for good by a failed sync, and where part of a batch could not be cut off: what the medium holds is then unknown.
    latched: AtomicBool,
    options: Options,
    report: RecoveryReport,
}

/// A store in a memory-mapped file.
#[cfg(any(unix, windows))]
pub type DataStore = Store<crate::backing::MmapBacking>;

/// A store on the heap, gone with its last handle.
pub type MemoryStore = Store<MemoryBacking>;

/// What only the holder of the writer lock touches.
pub(crate) struct Writer {
    pub(crate) index: IndexWriter,
    /// There may be bytes behind the tail that do not belong there: a failed append left them, or they are `ahead`.
    must_cut: bool,
    /// Where the last index snapshot ends, 0 if there is none.
    pub(crate) snapshot_end: u64,
    /// A marker behind the tail for the next group.
    ahead: Option<group::Ahead>,
    /// Where a batch keeps its entries while it is at work.
    appended: plan::Appended,
}

impl<B: Backing> Store<B> {
    /// What opening found, kept and cut.
    #[must_use]
    pub const fn recovery_report(&self) -> &RecoveryReport {
        &self.report
    }

    /// Where the next entry goes, in bytes from the start of the store.
    #[must_use]
    pub fn tail(&self) -> u64 {
        self.current.load().tail()
    }

    /// Returns once every write that has returned before is on stable storage. Threads that ask at the same time share one sync;
    /// on a mapped file others read and write meanwhile.
    ///
    /// After a failure the store refuses writes until it is reopened.
    pub fn sync(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        let asked = self.current.load_full();
        let tail = asked.tail();
        let is_done = || (1..=asked.synced_tail()).contains(&tail);
        if B::WRITES_BESIDE_SYNCS {
            // A compaction has a turn of its own for the switch.
            return match self.syncs.shared_turn(is_done) {
                Some(_turn) => self.sync_in_turn(&self.current.load()),
                None => self.check_not_latched(),
            };
        }
        // Under the writer lock, so that the medium never syncs and grows at once and a compaction is not half-way.
        let _writer = self.lock_writer();
        let generation = self.current.load();
        // Who held the lock before synced for this thread too.
        if ptr::from_ref(&*asked) == ptr::from_ref(&*generation) && is_done() {
            return self.check_not_latched();
        }
        self.sync_in_turn(&generation)
    }

    /// Writes a [snapshot of the index](Self::snapshot_index) if one is due, syncs, cuts preallocated space off and releases the backing.
    pub fn close(self) -> Result<()> {
        if !self.options.read_only {
            // What fails of it costs the next opening time. A failed sync shows below.
            let _optional = self.snapshot_if_due();
            self.sync()?;
            self.trim()
                .map_err(Error::io("cut preallocated space off"))?;
        }
        Ok(())
    }

    pub(crate) const fn settings(&self) -> &Options {
        &self.options
    }

    /// The entry of a key of a bucket, checked if that was asked for.
    pub(crate) fn read_for_bucket(&self, key_hash: u64) -> Result<Option<EntryHandle<B::View>>> {
        self.read_with_key_hash(key_hash)
    }

    /// The writer's state. A panic of another writer left it whole: it is only changed by calls that cannot panic half-way.
    pub(crate) fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what may not be written to.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.options.read_only {
            Err(Error::ReadOnly)
        } else {
            self.check_not_latched()
        }
    }

    /// Refuses all writes from now on.
    fn latch(&self) {
        self.latched.store(true, Ordering::Release);
    }

    fn check_not_latched(&self) -> Result<()> {
        if self.latched.load(Ordering::Acquire) {
            Err(Error::Latched)
        } else {
            Ok(())
        }
    }

    /// Syncs for who holds the writer lock.
    pub(crate) fn sync_generation(&self, generation: &Generation<B>) -> Result<()> {
        let _turn = self.turn_to_sync();
        self.sync_in_turn(generation)
    }

    /// While this is held nobody syncs.
    pub(crate) fn turn_to_sync(&self) -> Option<impl Sized + '_> {
        B::WRITES_BESIDE_SYNCS.then(|| self.syncs.turn())
    }

    /// The one place that syncs a store's medium, and latches the store when that fails.
    fn sync_in_turn(&self, generation: &Generation<B>) -> Result<()> {
        self.check_not_latched()?;
        let tail = generation.tail();
        let mut unsure = Unsure(Some(&self.latched));
        let synced = generation.backing.sync();
        if synced.is_ok() {
            unsure.0 = None;
            generation.note_synced(tail);
        }
        synced.map_err(Error::io("reach stable storage"))
    }

    fn trim(&self) -> std::io::Result<()> {
        let generation = self.current.load();
        let tail = generation.tail();
        if generation.backing.len()? > tail {
            generation.backing.truncate(tail)?;
        }
        Ok(())
    }

    fn assemble(
        generation: Generation<B>,
        index: IndexWriter,
        options: Options,
        report: RecoveryReport,
    ) -> Self {
        Self {
            current: Current::new(Arc::new(generation)),
            writer: Mutex::new(Writer {
                index,
                must_cut: false,
                snapshot_end: 0,
                ahead: None,
                appended: plan::Appended::default(),
            }),
            group: group::Queue::default(),
            syncs: syncs::Syncs::default(),
            compaction: Mutex::new(()),
            compactions: AtomicU64::new(0),
            directory: Directory::default(),
            latched: AtomicBool::new(false),
            options,
            report,
        }
    }
}

/// Latches the store when it goes, which it also does in a panic of the medium.
struct Unsure<'s>(Option<&'s AtomicBool>);

impl Drop for Unsure<'_> {
    fn drop(&mut self) {
        if let Some(latched) = self.0 {
            latched.store(true, Ordering::Release);
        }
    }
}

impl MemoryStore {
    /// An empty store on the heap.
    #[must_use]
    pub fn new() -> Self {
        let (_, index) = Index::create();
        let generation = Generation::new(MemoryBacking::new(), Arc::clone(index.index()), 0, 0);
        let report = RecoveryReport {
            outcome: Outcome::Empty,
            file_len: 0,
            tail: 0,
            cut_bytes: 0,
            entries: 0,
            damaged_entries: 0,
            first_damaged: None,
            index_snapshot: None,
        };
        Self::assemble(generation, index, Options::new(), report)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backing> Drop for Store<B> {
    fn drop(&mut self) {
        // A failure leaves zeros behind the tail, which the next open cuts; `close` is there for those who want to know.
        if !self.options.read_only && !self.latched.load(Ordering::Acquire) {
            let _trimmed = self.trim();
        }
    }
}

impl<B: Backing> std::fmt::Debug for Store<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("tail", &self.tail())
            .field("options", &self.options)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
