//! Where the bytes of a store lie: the contract every medium keeps, and the media that keep it.
//!
//! The engine above knows one growing run of bytes and this trait; files, mappings, browsers and sandboxes stay below.

mod clock;
pub mod conformance;
pub mod device;
#[cfg(any(unix, windows))]
mod file;
mod memory;
mod private;

pub(crate) use clock::milliseconds_since_epoch;
#[cfg(any(unix, windows))]
pub use file::FileDevice;
pub use memory::{MemoryBacking, MemoryView};
pub use private::PrivatePages;
#[cfg(any(unix, windows))]
pub mod mmap;
#[cfg(any(unix, windows))]
pub(crate) mod tree;

#[cfg(any(unix, windows))]
pub use mmap::{MmapBacking, OpenMode};

/// The backing of [`DataStore`](crate::DataStore) where there are files to map, else of [`MemoryStore`](crate::MemoryStore).
#[cfg(any(unix, windows))]
pub type DefaultBacking = MmapBacking;
/// The backing of [`DataStore`](crate::DataStore) where there are files to map, else of [`MemoryStore`](crate::MemoryStore).
#[cfg(not(any(unix, windows)))]
pub type DefaultBacking = MemoryBacking;

/// What values are seen through in a store on the [`DefaultBacking`].
pub type DefaultView = <DefaultBacking as Backing>::View;

use std::io;
use std::ops::Range;

/// What [`Backing::before_random_reads`] has done; dropped if nobody reads so.
pub type BeforeReads = Box<dyn FnOnce() + Send>;

/// Whether there is a medium here that has anything to do then.
pub(crate) const PREPARES: bool = cfg!(any(unix, windows));

/// One growing run of bytes that holds a store.
///
/// The contract, which `backing::conformance` checks for every implementation:
///
/// * Bytes below the end of the last successful [`write`](Self::write) never change, and a [`View`](Self::View) of
///   them keeps its address and its bytes until it is dropped, through growth, compaction and the drop of the backing.
/// * The engine writes only at or past its tail. A failed write leaves every byte below `at` as it was; what lies
///   past `at` is then undefined until it is written again. After a good one, what lies past its end is undefined.
/// * [`truncate`](Self::truncate) to a greater length extends with zeros; space that was given up or skipped never shows
///   what was there before.
/// * One caller writes, truncates or syncs at a time, but for [`WRITES_BESIDE_SYNCS`](Self::WRITES_BESIDE_SYNCS); any number read meanwhile.
/// * A range that reaches past [`len`](Self::len) is an [`io::ErrorKind::UnexpectedEof`], never a short answer.
#[expect(
    clippy::len_without_is_empty,
    reason = "emptiness has no meaning for an implementer"
)]
pub trait Backing {
    /// The bytes of one range, readable for as long as it is held. A view of a range that starts at a multiple of 64
    /// has an address that is one too.
    type View: AsRef<[u8]> + Clone;

    /// Whether the bytes lie in memory, so that reading what was written cannot fail and costs little.
    const IN_MEMORY: bool = false;

    /// Whether only one thread ever reaches the store, so that there are never two writers who could share a sync.
    const ONE_THREAD: bool = false;

    /// Whether the medium may be written to and cut while it syncs. If not, writers wait for a sync that is asked for.
    const WRITES_BESIDE_SYNCS: bool = false;

    /// How long the medium is in bytes; it may be longer than the store (preallocated space).
    fn len(&self) -> io::Result<u64>;

    /// Fills `buf` with the bytes that start at `at`.
    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()>;

    /// The bytes of `range`, without a copy where the medium allows it.
    fn view(&self, range: Range<u64>) -> io::Result<Self::View>;

    /// The bytes of `range` in pages of the caller's own, without reading them yet; `None` where that cannot be had.
    fn private_pages(&self, range: Range<u64>) -> io::Result<Option<PrivatePages>> {
        let _ = range;
        Ok(None)
    }

    /// The bytes of `range` where they lie, for media that lie in memory: at once or not at all. `None` does not mean that there are none.
    #[inline]
    fn peek(&self, range: Range<u64>) -> Option<&[u8]> {
        let _ = range;
        None
    }

    /// Tells that all of `range` is about to be read, if by short pieces. A hint, for media that fetch what is touched.
    fn will_read(&self, range: Range<u64>) {
        let _ = range;
    }

    /// Brings the byte at `at`, if there is one, nearer to the processor. A hint, for media that lie in memory.
    fn prefetch(&self, at: u64) {
        let _ = at;
    }

    /// What is to be done, once, before many entries are read here and there, where that takes too long to be part of opening.
    fn before_random_reads(&self) -> Option<BeforeReads> {
        None
    }

    /// Puts the concatenation of `parts` at `at`, growing the medium as needed; all of it or an error.
    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()>;

    /// Cuts the medium to `len` bytes.
    fn truncate(&self, len: u64) -> io::Result<()>;

    /// Returns once all that was written is on stable storage.
    fn sync(&self) -> io::Result<()>;

    /// Scratch space for a stream whose length is not known yet, gone when it is dropped; `None` where there is no place
    /// but memory.
    fn spool(&self) -> io::Result<Option<Box<dyn Spool>>> {
        Ok(None)
    }
}

/// Scratch space: written from its start to its end, then read from its start.
pub trait Spool: io::Read + io::Write + io::Seek + Send {}

impl<T: io::Read + io::Write + io::Seek + Send> Spool for T {}

/// A backing whose bytes lie in memory, so that they can be borrowed without a view.
pub trait Resident: Backing {
    /// The bytes of `range`, or `None` when it reaches past what was written.
    ///
    /// Meant for single entries. Scans take views: a backing may have to join the pieces of a long range, once.
    fn bytes(&self, range: Range<u64>) -> Option<&[u8]>;
}

/// A backing that compaction can rewrite: it can make an empty one beside itself and put that in its own place.
pub trait Rewrite: Backing + Sized {
    /// An empty backing beside this one; what an earlier attempt left there is discarded.
    fn create_replacement(&self) -> io::Result<Self>;

    /// Puts `replacement`, which is synced, in the place of `self`, durably and atomically: after a crash either the
    /// old bytes or the new ones are found. Views of `self` stay valid.
    fn commit_replacement(&self, replacement: &Self) -> io::Result<()>;
}
