//! fjall: a log-structured merge tree.
//!
//! Buffered is an insert or a batch alone, whose journal is handed to the system each time. Durable is the same and `persist(SyncData)`,
//! one `fdatasync`. Nothing is compressed, as of all others; the block cache holds all of the data, and long values are kept apart from
//! keys, as its documentation advises.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable,
};
use std::path::Path;

const CACHE_BYTES: u64 = 1 << 30;

/// The store.
pub struct FjallPeer {
    store: Database,
    records: Keyspace,
    syncs: bool,
}

impl Peer for FjallPeer {
    type Reads<'a> = &'a Self;
    type Writes<'a> = &'a Self;

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        let store = Database::builder(folder).cache_size(CACHE_BYTES).open()?;
        let records = store.keyspace("records", || {
            let apart = KvSeparationOptions::default();
            KeyspaceCreateOptions::default().with_kv_separation(Some(apart))
        })?;
        Ok(Self {
            store,
            records,
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
        self.records.rotate_memtable_and_wait()?;
        self.records.major_compact()?;
        Ok(true)
    }
}

impl FjallPeer {
    fn sync_if_asked(&self) -> Outcome {
        if self.syncs {
            self.store.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }
}

impl Reads for &FjallPeer {
    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let value = self.records.get(key)?;
        Ok(see(value.as_deref()))
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for item in self.records.iter() {
            see(&item.value()?)?;
        }
        Ok(())
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(self.store.snapshot().len(&self.records)? as u64)
    }
}

impl Writes for &FjallPeer {
    #[inline]
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        self.records.insert(key, value)?;
        self.sync_if_asked()
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        let mut batch = self.store.batch();
        for (key, value) in pairs {
            batch.insert(&self.records, *key, *value);
        }
        batch.commit()?;
        self.sync_if_asked()
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        let mut batch = self.store.batch();
        for key in keys {
            batch.remove(&self.records, *key);
        }
        batch.commit()?;
        self.sync_if_asked()
    }
}
