//! The resource `store` of `tailstone:store`.

use tailstone_interface as interface;

use crate::bindings::exports::tailstone::store::stores::{
    Access, Change, ChangePage, Changed, Error, Extent, GuestStore, Info, KeyPage, Packed, Stat,
    Store as Resource,
};
use crate::open_stores::Handle;

/// An open bucket.
pub struct Session(Handle);

impl GuestStore for Session {
    fn open(name: String, bucket: Vec<u8>, access: Access) -> Result<Resource, Error> {
        let handle = Handle::open(name, bucket, access)?;
        handle.table()?;
        Ok(Resource::new(Self(handle)))
    }

    fn get(&self, key: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.table()?.get(&key)?)
    }

    fn get_range(&self, key: Vec<u8>, offset: u64, len: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.table()?.get_range(&key, offset, len)?)
    }

    fn stat(&self, key: Vec<u8>) -> Result<Option<Stat>, Error> {
        let stat = self.0.table()?.stat(&key)?;
        Ok(stat.map(|stat| Stat {
            len: stat.len,
            version: stat.version,
            expires_at: stat.expires_at,
        }))
    }

    fn get_packed(&self, keys: Vec<Vec<u8>>) -> Result<Packed, Error> {
        let packed = self.0.table()?.get_packed(&keys)?;
        let extents = packed.extents.into_iter();
        Ok(Packed {
            bytes: packed.bytes,
            extents: extents
                .map(|extent| extent.map(|(offset, len)| Extent { offset, len }))
                .collect(),
        })
    }

    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Error> {
        Ok(self.0.writable()?.put(&key, &value)?)
    }

    fn put_if(&self, key: Vec<u8>, value: Vec<u8>, expected: Option<u64>) -> Result<bool, Error> {
        Ok(self.0.writable()?.put_if(&key, &value, expected)?)
    }

    fn delete(&self, key: Vec<u8>) -> Result<bool, Error> {
        Ok(self.0.writable()?.delete(&key)?)
    }

    fn append_batch(&self, changes: Vec<Change>) -> Result<(), Error> {
        let changes = changes.iter().map(|change| match change {
            Change::Put(entry) => interface::Change::Put(&entry.key, &entry.value),
            Change::Delete(key) => interface::Change::Delete(key),
        });
        Ok(self.0.writable()?.append_batch(changes)?)
    }

    fn scan(&self, prefix: Vec<u8>, cursor: Option<Vec<u8>>, max: u32) -> Result<KeyPage, Error> {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let page = self.0.table()?.scan(&prefix, cursor.as_deref(), max)?;
        Ok(KeyPage {
            keys: page.keys,
            cursor: page.cursor,
        })
    }

    fn changes(&self, since: u64, max: u32) -> Result<ChangePage, Error> {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let page = self.0.table()?.changes(since, max)?;
        let changes = page.changes.into_iter().map(|change| Changed {
            key: change.key,
            tail: change.tail,
            is_deletion: change.is_deletion,
        });
        Ok(ChangePage {
            changes: changes.collect(),
            tail: page.tail,
            is_last: page.is_last,
        })
    }

    fn sync(&self) -> Result<(), Error> {
        Ok(self.0.table()?.sync()?)
    }

    fn compact(&self) -> Result<(), Error> {
        Ok(self.0.writable()?.compact()?)
    }

    fn info(&self) -> Result<Info, Error> {
        let info = self.0.table()?.info()?;
        Ok(Info {
            keys: info.keys,
            live_entries: info.live_entries,
            store_bytes: info.store_bytes,
            savings_bytes: info.savings_bytes,
            index_bytes: info.index_bytes,
            cut_bytes: info.cut_bytes,
            tail: info.tail,
            recovery: info.recovery,
        })
    }

    fn close(store: Resource) -> Result<(), Error> {
        let Self(handle) = store.into_inner();
        Ok(handle.close()?)
    }
}
