//! emdb: an append-only journal with an index in memory.
//!
//! Buffered is an insert alone, which returns once the bytes are in the page cache. Durable is an insert and `flush()`, which is one
//! `fdatasync` that threads share. Reads borrow from its mapping (`get_zerocopy`), the fastest that it has; sorted keys are off.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use emdb::{Emdb, ValueRef};
use std::path::Path;

/// The store.
pub struct EmdbPeer {
    store: Emdb,
    syncs: bool,
}

impl Peer for EmdbPeer {
    type Reads<'a> = &'a Self;
    type Writes<'a> = &'a Self;

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        Ok(Self {
            store: Emdb::open(folder.join("store.emdb"))?,
            syncs: settings.durability == Durability::Durable,
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &*self)
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &*self)
    }

    fn compact(&mut self) -> Outcome<bool> {
        self.store.compact()?;
        Ok(true)
    }
}

impl EmdbPeer {
    fn sync_if_asked(&self) -> Outcome {
        if self.syncs {
            self.store.flush()?;
        }
        Ok(())
    }
}

impl Reads for &EmdbPeer {
    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let value = self.store.get_zerocopy(key)?;
        Ok(see(value.as_ref().map(ValueRef::as_slice)))
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        self.store.iter()?.try_for_each(|(_, value)| see(&value))
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(self.store.len()? as u64)
    }
}

impl Writes for &EmdbPeer {
    #[inline]
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        self.store.insert(key, value)?;
        self.sync_if_asked()
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        self.store.insert_many(pairs.iter().copied())?;
        self.sync_if_asked()
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        self.store.transaction(|changes| {
            keys.iter()
                .try_for_each(|key| changes.remove(*key).map(drop))
        })?;
        self.sync_if_asked()
    }
}
