//! What a plugin is granted: which store under which name, to do what, and how much of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backend::Backend;
use super::embedded::Embedded;

/// What may be done with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Reading what is there. The file is left as it is, a torn tail included.
    ReadOnly,
    /// Reading, and adding keys. A key that has a value keeps it.
    AppendOnly,
    /// Reading and writing.
    ReadWrite,
}

/// How much a plugin may store and ask for; everything is as good as unbounded unless said.
///
/// An entry is charged with its value, its key, some 50 bytes and the pad to a multiple of 64. What a limit refuses is a
/// `quota-exceeded` to the plugin, before anything is written. Deleting is never refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// Bytes of entries in use.
    pub live_bytes: u64,
    /// Bytes of the file. Before a write would go past it, the store is compacted if an eighth of that is dead and it makes room.
    pub file_bytes: u64,
    /// Entries in use.
    pub entries: u64,
    /// Bytes of one key.
    pub key_bytes: u64,
    /// Bytes of one value.
    pub value_bytes: u64,
    /// Buckets open at a time.
    pub handles: usize,
    /// Keys or changes on a page.
    pub page_entries: usize,
    /// Bytes written a second, after a burst of as many.
    pub write_bytes_per_second: u64,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            live_bytes: u64::MAX,
            file_bytes: u64::MAX,
            entries: u64::MAX,
            key_bytes: u64::MAX,
            value_bytes: u64::MAX,
            handles: 256,
            page_entries: usize::MAX,
            write_bytes_per_second: u64::MAX,
        }
    }
}

impl Quota {
    /// This quota with another bound on the bytes in use, and twice as much for the file.
    #[must_use]
    pub const fn with_bytes(mut self, bytes: u64) -> Self {
        self.live_bytes = bytes;
        self.file_bytes = bytes.saturating_mul(2);
        self
    }

    /// This quota with another bound on the file.
    #[must_use]
    pub const fn with_file_bytes(mut self, bytes: u64) -> Self {
        self.file_bytes = bytes;
        self
    }

    /// This quota with another bound on entries.
    #[must_use]
    pub const fn with_entries(mut self, entries: u64) -> Self {
        self.entries = entries;
        self
    }

    /// This quota with other bounds on a key and a value.
    #[must_use]
    pub const fn with_sizes(mut self, key_bytes: u64, value_bytes: u64) -> Self {
        self.key_bytes = key_bytes;
        self.value_bytes = value_bytes;
        self
    }

    /// This quota with another bound on open buckets.
    #[must_use]
    pub const fn with_handles(mut self, handles: usize) -> Self {
        self.handles = handles;
        self
    }

    /// This quota with another bound on what a page holds.
    #[must_use]
    pub const fn with_page_entries(mut self, entries: usize) -> Self {
        self.page_entries = entries;
        self
    }

    /// This quota with another bound on the bytes written a second.
    #[must_use]
    pub const fn with_write_rate(mut self, bytes_per_second: u64) -> Self {
        self.write_bytes_per_second = bytes_per_second;
        self
    }
}

/// A store that a plugin may open.
#[derive(Clone)]
pub struct Grant {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) access: Access,
    pub(super) quota: Quota,
}

impl Grant {
    /// The store in the file at `path`, which is created when a plugin opens it for the first time, and stays open from then on for as long
    /// as the grant, or the context that has it, is there.
    ///
    /// The name that the plugin knows it by is never a part of a path: this is the only one.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path: PathBuf = path.as_ref().to_path_buf();
        Self::backend(Arc::new(Embedded::new(path)))
    }

    /// A store in this host's memory, gone with the last grant of it.
    #[must_use]
    pub fn memory() -> Self {
        Self::backend(Arc::new(super::embedded::Memory::default()))
    }

    /// A store that something else keeps.
    #[must_use]
    pub fn backend(backend: Arc<dyn Backend>) -> Self {
        Self {
            backend,
            access: Access::ReadWrite,
            quota: Quota::default(),
        }
    }

    /// For this only; for reading and writing unless said.
    #[must_use]
    pub const fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// No more than this.
    #[must_use]
    pub const fn quota(mut self, quota: Quota) -> Self {
        self.quota = quota;
        self
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("access", &self.access)
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}
