//! The reference, whose file format this store shares.
//!
//! Buffered: each write flushes its buffer to the system. It has no call that syncs, so there is no durable mode.

use crate::peer::{Outcome, Pair, Peer, Reads, Settings, Writes};
use simd_r_drive::traits::{DataStoreReader, DataStoreWriter};
use simd_r_drive::{DataStore, EntryHandle};
use std::path::Path;

/// The name of its file.
pub const FILE: &str = "store.bin";

/// The store.
pub struct SimdRDrive(DataStore);

impl Peer for SimdRDrive {
    type Reads<'a> = &'a DataStore;
    type Writes<'a> = &'a DataStore;

    const DURABLE: bool = false;

    fn open(folder: &Path, _: Settings) -> Outcome<Self> {
        Ok(Self(DataStore::open(&folder.join(FILE))?))
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &self.0)
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        work(&mut &self.0)
    }

    fn compact(&mut self) -> Outcome<bool> {
        self.0.compact()?;
        Ok(true)
    }
}

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
        self.iter_entries()
            .try_for_each(|value| see(value.as_slice()))
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(DataStoreReader::len(*self)? as u64)
    }
}

impl Writes for &DataStore {
    #[inline]
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        DataStoreWriter::write(*self, key, value)?;
        Ok(())
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        self.batch_write(pairs)?;
        Ok(())
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        self.batch_delete(keys)?;
        Ok(())
    }
}
