//! The resource `store`: an open store, the lock on it, and the calls it answers.
//!
//! Invariant: the engine is let go before the lock is, so nobody can open a store that is still being trimmed.

use tailstone::backing::device::DeviceBacking;
use tailstone::{DataStoreReader, DataStoreWriter, Options, Store};

use crate::bindings::exports::tailstone::store::stores::{
    Access, Error, GuestStore, Info, Offset, Store as Handle,
};
use crate::directory::{self, Name};
use crate::file::WasiFile;
use crate::lock::Lock;

/// What a store keeps in memory beside its index.
const CACHE_BYTES: usize = 4 << 20;

/// An open store. Its fields are dropped in this order.
pub struct Session {
    engine: Store<DeviceBacking<WasiFile>>,
    _lock: Option<Lock>,
}

impl GuestStore for Session {
    fn open(name: String, access: Access) -> Result<Handle, Error> {
        let name = Name::new(name)?;
        let directory = directory::granted()?;
        // The file first: asking for a store that is not there shall leave no lock file behind.
        let file = directory::open(&directory, &name, access)?;
        let read_only = access == Access::Read;
        let lock = if read_only {
            Lock::check(&directory, &name)?;
            None
        } else {
            Some(Lock::take(directory, &name)?)
        };
        let backing = DeviceBacking::new(file, CACHE_BYTES)?;
        let engine = Store::open_with(backing, &Options::new().read_only(read_only))?;
        Ok(Handle::new(Self {
            engine,
            _lock: lock,
        }))
    }

    fn get(&self, key: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        let Some(length) = self.engine.value_len(&key)? else {
            return Ok(None);
        };
        // Straight from the file into what is handed over: a long value is in memory once.
        let mut value = Vec::new();
        let too_long = || {
            Error::Other(format!(
                "a value of {length} bytes does not fit in memory here"
            ))
        };
        let addressable = usize::try_from(length).map_err(|_| too_long())?;
        value
            .try_reserve_exact(addressable)
            .map_err(|_| too_long())?;
        value.resize(addressable, 0);
        let read = self.engine.read_range(&key, 0, &mut value)?;
        Ok(read.map(|read| {
            value.truncate(read);
            value
        }))
    }

    fn exists(&self, key: Vec<u8>) -> Result<bool, Error> {
        Ok(self.engine.exists(&key)?)
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> Result<Offset, Error> {
        Ok(self.engine.write(&key, &value)?)
    }

    fn delete(&self, key: Vec<u8>) -> Result<bool, Error> {
        // Deleting what is not there leaves the tail where it is, and nobody else writes between the two calls.
        let before = self.engine.tail();
        Ok(self.engine.delete(&key)? != before)
    }

    fn info(&self) -> Result<Info, Error> {
        let stats = self.engine.stats();
        let report = self.engine.recovery_report();
        Ok(Info {
            live_keys: stats.live_keys,
            store_bytes: stats.file_bytes,
            savings_bytes: stats.compaction_savings,
            index_bytes: stats.index_bytes,
            cut_bytes: report.cut_bytes,
            recovery: report.to_string(),
        })
    }

    fn sync(&self) -> Result<(), Error> {
        Ok(self.engine.sync()?)
    }

    fn close(store: Handle) -> Result<(), Error> {
        let Self { engine, _lock } = store.into_inner();
        Ok(engine.close()?)
    }
}
