//! This store.
//!
//! Buffered is `Durability::Buffered`: bytes are in the page cache when a write returns. Durable is a write and `sync()` behind it for
//! `tailstone`, and `Durability::Sync`, in which threads share a sync, for `tailstone-sync`. `tailstone-reader` reads by a pinned view.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use std::path::Path;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, EntryHandle, Options, Reader};

/// The name of its file.
pub const FILE: &str = "store.tsl";

/// By the store itself.
pub struct ByStore(Store);

/// By a pinned view.
pub struct ByReader(Store);

/// By the store, each write as durable as it can make it on its own.
pub struct BySync(Store);

/// The store, and what makes its writes durable.
pub struct Store {
    store: DataStore,
    /// Whether each write is followed by a sync.
    syncs: bool,
}

impl Store {
    fn open(folder: &Path, durability: tailstone::Durability, syncs: bool) -> Outcome<Self> {
        let options = Options::new().durability(durability);
        let store = options.open(folder.join(FILE))?;
        Ok(Self { store, syncs })
    }
}

macro_rules! peer {
    ($name:ident, $reads:ty, $view:ident => $reader:expr, $sync:ident => $settings:expr) => {
        impl Peer for $name {
            type Reads<'a> = $reads;
            type Writes<'a> = &'a Store;

            fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
                let $sync = settings.durability;
                let (durability, syncs) = $settings;
                Ok(Self(Store::open(folder, durability, syncs)?))
            }

            fn reading<T>(
                &self,
                work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>,
            ) -> Outcome<T> {
                let $view = &self.0.store;
                let mut reads = $reader;
                work(&mut reads)
            }

            fn writing<T>(
                &self,
                work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>,
            ) -> Outcome<T> {
                work(&mut &self.0)
            }

            fn compact(&mut self) -> Outcome<bool> {
                self.0.store.compact()?;
                Ok(true)
            }

            fn close(self) -> Outcome {
                Ok(self.0.store.close()?)
            }
        }
    };
}

peer!(ByStore, &'a DataStore, store => store, sync => (tailstone::Durability::Buffered, sync == Durability::Durable));
peer!(BySync, &'a DataStore, store => store, sync => match sync {
    Durability::Buffered => (tailstone::Durability::Buffered, false),
    Durability::Durable => (tailstone::Durability::Sync, false),
});
peer!(ByReader, Pinned<'a>, store => Pinned { view: store.reader(), store }, sync => (tailstone::Durability::Buffered, sync == Durability::Durable));

impl Reads for &DataStore {
    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let value = DataStoreReader::read(*self, key)?;
        Ok(see(value.as_ref().map(EntryHandle::as_slice)))
    }

    fn read_many(
        &mut self,
        keys: &[&[u8]],
        mut see: impl FnMut(usize, Option<&[u8]>) -> Outcome,
    ) -> Outcome {
        let values = self.batch_read(keys)?;
        for (at, value) in values.iter().enumerate() {
            see(at, value.as_ref().map(EntryHandle::as_slice))?;
        }
        Ok(())
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        self.iter_entries().try_for_each(|value| see(&value))
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(DataStoreReader::len(*self)? as u64)
    }
}

/// A pinned view, with the store for what only that has.
pub struct Pinned<'a> {
    view: Reader<tailstone::backing::MmapBacking>,
    store: &'a DataStore,
}

impl Reads for Pinned<'_> {
    fn refresh(&mut self) -> Outcome {
        self.view.refresh(self.store);
        Ok(())
    }

    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        Ok(see(self.view.get(key)))
    }

    fn each(&mut self, see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        Reads::each(&mut self.store, see)
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(self.view.len())
    }
}

impl Store {
    fn sync_if_asked(&self) -> Outcome {
        if self.syncs {
            self.store.sync()?;
        }
        Ok(())
    }
}

impl Writes for &Store {
    #[inline]
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        self.store.write(key, value)?;
        self.sync_if_asked()
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        self.store.batch_write(pairs)?;
        self.sync_if_asked()
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        self.store.batch_delete(keys)?;
        self.sync_if_asked()
    }
}
