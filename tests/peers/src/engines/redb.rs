//! redb: a copy-on-write B-tree.
//!
//! Buffered is one transaction for each write or batch with `Durability::None`, durable the same with `Durability::Immediate`. Its cache
//! may hold all of the data, as the system's holds that of the others.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use redb::{
    Database, ReadOnlyTable, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition,
};
use std::path::Path;

const CACHE_BYTES: usize = 4 << 30;
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");

/// What one thread reads with.
pub struct Reading<'s> {
    store: &'s Database,
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

/// The store.
pub struct RedbPeer {
    store: Database,
    durability: redb::Durability,
}

impl Peer for RedbPeer {
    type Reads<'a> = Reading<'a>;
    type Writes<'a> = &'a Self;

    const OUTLIVES: bool = false;
    const NOTE: Option<&'static str> = Some(
        "what it wrote stays in its own memory: it can only be handed over by a durable commit",
    );

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        let store = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(folder.join("store.redb"))?;
        let peer = Self {
            store,
            durability: match settings.durability {
                Durability::Buffered => redb::Durability::None,
                Durability::Durable => redb::Durability::Immediate,
            },
        };
        let fresh = peer.store.begin_read()?.list_tables()?.next().is_none();
        if fresh {
            peer.commit(|_| Ok(()))?;
        }
        Ok(peer)
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut Reading {
            store: &self.store,
            table: self.store.begin_read()?.open_table(TABLE)?,
        })
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &*self)
    }

    fn compact(&mut self) -> Outcome<bool> {
        self.store.compact()?;
        Ok(true)
    }
}

impl RedbPeer {
    fn commit(&self, change: impl FnOnce(&mut Table<'_, &[u8], &[u8]>) -> Outcome) -> Outcome {
        let mut transaction = self.store.begin_write()?;
        transaction.set_durability(self.durability)?;
        change(&mut transaction.open_table(TABLE)?)?;
        transaction.commit()?;
        Ok(())
    }
}

impl Reads for Reading<'_> {
    fn refresh(&mut self) -> Outcome {
        self.table = self.store.begin_read()?.open_table(TABLE)?;
        Ok(())
    }

    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let value = self.table.get(key)?;
        Ok(see(value.as_ref().map(redb::AccessGuard::value)))
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for item in self.table.iter()? {
            see(item?.1.value())?;
        }
        Ok(())
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(self.table.len()?)
    }
}

impl Writes for &RedbPeer {
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        self.commit(|table| {
            table.insert(key, value)?;
            Ok(())
        })
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        self.commit(|table| {
            for (key, value) in pairs {
                table.insert(key, value)?;
            }
            Ok(())
        })
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        self.commit(|table| {
            for key in keys {
                table.remove(key)?;
            }
            Ok(())
        })
    }
}
