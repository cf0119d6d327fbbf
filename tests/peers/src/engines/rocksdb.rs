//! `RocksDB`: a log-structured merge tree.
//!
//! Buffered is a write with its log and without a sync, durable with `sync`, which threads share. Nothing is compressed, as of all
//! others; the block cache holds all of the data, and a Bloom filter keeps misses from the tables.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use rocksdb::{
    BlockBasedOptions, Cache, CompactOptions, DB, DBCompressionType, IteratorMode, Options,
    WriteBatch, WriteOptions,
};
use std::path::Path;

const CACHE_BYTES: usize = 1 << 30;
/// What all keys lie in; only who names it is given several values in one call that copies none.
const FAMILY: &str = "default";

/// The store.
pub struct RocksPeer {
    store: DB,
    durability: Durability,
}

impl Peer for RocksPeer {
    type Reads<'a> = &'a DB;
    type Writes<'a> = Writing<'a>;

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&Cache::new_lru_cache(CACHE_BYTES));
        blocks.set_bloom_filter(10.0, false);
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_block_based_table_factory(&blocks);
        options.set_compression_type(DBCompressionType::None);
        Ok(Self {
            store: DB::open_cf(&options, folder, [FAMILY])?,
            durability: settings.durability,
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &self.store)
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut options = WriteOptions::default();
        options.set_sync(self.durability == Durability::Durable);
        work(&mut Writing {
            store: &self.store,
            options,
        })
    }

    fn compact(&mut self) -> Outcome<bool> {
        self.store.flush()?;
        self.store
            .compact_range_opt(None::<&[u8]>, None::<&[u8]>, &CompactOptions::default());
        Ok(true)
    }
}

impl Reads for &DB {
    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        let value = self.get_pinned(key)?;
        Ok(see(value.as_deref()))
    }

    fn read_many(
        &mut self,
        keys: &[&[u8]],
        mut see: impl FnMut(usize, Option<&[u8]>) -> Outcome,
    ) -> Outcome {
        let family = self.cf_handle(FAMILY).ok_or("no column family")?;
        let values = self.batched_multi_get_cf(family, keys.iter().copied(), false);
        for (at, value) in values.into_iter().enumerate() {
            see(at, value?.as_deref())?;
        }
        Ok(())
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for item in self.iterator(IteratorMode::Start) {
            see(&item?.1)?;
        }
        Ok(())
    }

    fn len(&mut self) -> Outcome<u64> {
        let mut count = 0;
        self.each(|_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }
}

/// What one thread writes with.
pub struct Writing<'s> {
    store: &'s DB,
    options: WriteOptions,
}

impl Writes for Writing<'_> {
    #[inline]
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        Ok(self.store.put_opt(key, value, &self.options)?)
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        let mut batch = WriteBatch::default();
        for (key, value) in pairs {
            batch.put(key, value);
        }
        Ok(self.store.write_opt(batch, &self.options)?)
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        let mut batch = WriteBatch::default();
        for key in keys {
            batch.delete(key);
        }
        Ok(self.store.write_opt(batch, &self.options)?)
    }
}
