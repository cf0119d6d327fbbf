//! What the handles stand for that a guest holds.

use std::sync::Arc;

use tailstone_interface::Result;
use wasmtime::component::{Resource, ResourceTable};

use super::context::KeyValue;
use super::meter::Granted;

/// An open bucket: `bucket` of both drafts and `store` of ours.
#[derive(Clone)]
pub struct OpenBucket(pub Arc<Granted>);

/// A key as it was: `cas`.
#[derive(Clone)]
pub struct Cas {
    pub bucket: OpenBucket,
    pub key: String,
    /// The version that a swap compares with.
    pub version: Option<u64>,
}

impl std::fmt::Debug for Cas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cas")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl Cas {
    /// Sets the key if it still is as it was; else how it is now.
    pub fn swap(self, value: &[u8]) -> Result<Option<Self>> {
        let bucket = &self.bucket.0;
        if bucket.put_if(self.key.as_bytes(), value, self.version)? {
            return Ok(None);
        }
        Self::new(self.bucket, self.key).map(Some)
    }

    /// Looks at a key.
    pub fn new(bucket: OpenBucket, key: String) -> Result<Self> {
        let stat = bucket.0.stat(key.as_bytes())?;
        Ok(Self {
            bucket,
            key,
            version: stat.map(|stat| stat.version),
        })
    }
}

/// The bucket behind a handle. A handle that is none ends the instance: guests cannot make them up.
pub fn bucket_of(
    view: &KeyValue<'_>,
    handle: &Resource<OpenBucket>,
) -> wasmtime::Result<Arc<Granted>> {
    Ok(Arc::clone(&view.table.get(handle)?.0))
}

/// A handle for what was opened; a table that is full refuses it.
pub fn push<R: Send + 'static>(table: &mut ResourceTable, entry: R) -> Result<Resource<R>> {
    table.push(entry).map_err(|_| {
        tailstone_interface::Refusal::QuotaExceeded("too many handles are open".to_owned())
    })
}
