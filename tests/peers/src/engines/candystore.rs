//! candystore: append-only files with a mapped index.
//!
//! Buffered is a `set` alone, with the background checkpoints switched off, which would sync. Durable is a `set` and `flush()`, which
//! syncs the index and the data. It has no batches, compacts in the background at a rate of its own, and cuts values of 64 KiB and
//! more into pieces (`set_big`).

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use candystore::{CandyStore, Config, MAX_USER_VALUE_SIZE};
use std::path::Path;

/// The store.
pub struct CandyPeer {
    store: CandyStore,
    syncs: bool,
    /// Whether its values are of the kind that is cut into pieces.
    big: bool,
}

impl Peer for CandyPeer {
    type Reads<'a> = &'a Self;
    type Writes<'a> = &'a Self;

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        let config = Config {
            checkpoint_interval: None,
            checkpoint_delta_bytes: None,
            ..Config::default()
        };
        Ok(Self {
            store: CandyStore::open(folder, config)?,
            syncs: settings.durability == Durability::Durable,
            big: settings.value_bytes > MAX_USER_VALUE_SIZE,
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &*self)
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &*self)
    }
}

impl CandyPeer {
    fn set(&self, key: &[u8], value: &[u8]) -> Outcome {
        if self.big {
            self.store.set_big(key, value)?;
        } else {
            self.store.set(key, value)?;
        }
        Ok(())
    }

    fn sync_if_asked(&self) -> Outcome {
        if self.syncs {
            self.store.flush()?;
        }
        Ok(())
    }
}

impl Reads for &CandyPeer {
    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let value = if self.big {
            self.store.get_big(key)?
        } else {
            self.store.get(key)?
        };
        Ok(see(value.as_deref()))
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for item in self.store.iter_items() {
            see(&item?.1)?;
        }
        Ok(())
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(self.store.num_items() as u64)
    }
}

impl Writes for &CandyPeer {
    #[inline]
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        self.set(key, value)?;
        self.sync_if_asked()
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        pairs
            .iter()
            .try_for_each(|(key, value)| self.set(key, value))?;
        self.sync_if_asked()
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        for key in keys {
            self.store.remove(key)?;
        }
        self.sync_if_asked()
    }
}
