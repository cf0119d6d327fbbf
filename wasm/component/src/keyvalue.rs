//! `wasi:keyvalue` in both drafts: the same calls on bucket `default` of a store, under two names.

use tailstone_interface::keyvalue::{self, BUCKET};
use tailstone_interface::{Change, Refusal};

use crate::bindings::exports::tailstone::store::stores::Access;
use crate::bindings::exports::wasi::{
    keyvalue0_2_0_draft as draft, keyvalue0_2_0_draft2 as draft2,
};
use crate::open_stores::Handle;

/// The store that the empty name means.
const UNNAMED: &str = "default";

/// An open bucket of either draft.
pub struct Bucket(Handle);

/// A key as it was.
pub struct Cas {
    handle: Handle,
    key: String,
    /// The version that a swap compares with.
    version: std::cell::Cell<Option<u64>>,
}

fn open(identifier: String) -> Result<Bucket, Refusal> {
    let name = if identifier.is_empty() {
        UNNAMED.to_owned()
    } else {
        identifier
    };
    let open = |access| Handle::open(name.clone(), BUCKET.to_vec(), access);
    let opened = match open(Access::Create) {
        // A directory that was granted for reading.
        Err(Refusal::ReadOnly | Refusal::AccessDenied) => open(Access::Read),
        // What can be no name was granted to nobody.
        Err(Refusal::InvalidArgument(_)) => Err(Refusal::AccessDenied),
        other => other,
    };
    opened.map(Bucket)
}

/// Keys with their values, where they have one.
type Found = Vec<Option<(String, Vec<u8>)>>;

impl Bucket {
    fn get_many(&self, keys: Vec<String>) -> Result<Found, Refusal> {
        let table = self.0.table()?;
        let mut bytes = 0_usize;
        let mut found = Vec::new();
        for key in keys {
            let len = table.stat(key.as_bytes())?.map_or(0, |stat| stat.len);
            bytes = bytes.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
            tailstone_interface::check_together(bytes)?;
            let value = table.get(key.as_bytes())?;
            found.push(value.map(|value| (key, value)));
        }
        Ok(found)
    }

    fn set_many(&self, pairs: &[(String, Vec<u8>)]) -> Result<(), Refusal> {
        let puts = pairs.iter();
        self.0
            .writable()?
            .append_batch(puts.map(|(key, value)| Change::Put(key.as_bytes(), value)))
    }

    fn delete_many(&self, keys: &[String]) -> Result<(), Refusal> {
        let deletions = keys.iter().map(|key| Change::Delete(key.as_bytes()));
        self.0.writable()?.append_batch(deletions)
    }
}

/// What is alike in both drafts.
macro_rules! draft {
    ($draft:ident, $cursor:ty, $delta:ty, $list:expr) => {
        impl $draft::store::Guest for crate::Component {
            type Bucket = Bucket;

            fn open(identifier: String) -> Result<$draft::store::Bucket, $draft::store::Error> {
                Ok($draft::store::Bucket::new(open(identifier)?))
            }
        }

        impl $draft::store::GuestBucket for Bucket {
            fn get(&self, key: String) -> Result<Option<Vec<u8>>, $draft::store::Error> {
                Ok(self.0.table()?.get(key.as_bytes())?)
            }

            fn set(&self, key: String, value: Vec<u8>) -> Result<(), $draft::store::Error> {
                Ok(self.0.writable()?.put(key.as_bytes(), &value)?)
            }

            fn delete(&self, key: String) -> Result<(), $draft::store::Error> {
                self.0.writable()?.delete(key.as_bytes())?;
                Ok(())
            }

            fn exists(&self, key: String) -> Result<bool, $draft::store::Error> {
                Ok(self.0.table()?.stat(key.as_bytes())?.is_some())
            }

            fn list_keys(
                &self,
                cursor: Option<$cursor>,
            ) -> Result<$draft::store::KeyResponse, $draft::store::Error> {
                let (keys, cursor) = $list(&self.0, cursor)?;
                Ok($draft::store::KeyResponse { keys, cursor })
            }
        }

        impl $draft::batch::Guest for crate::Component {
            fn get_many(
                bucket: $draft::store::BucketBorrow<'_>,
                keys: Vec<String>,
            ) -> Result<Found, $draft::store::Error> {
                Ok(bucket.get::<Bucket>().get_many(keys)?)
            }

            fn set_many(
                bucket: $draft::store::BucketBorrow<'_>,
                pairs: Vec<(String, Vec<u8>)>,
            ) -> Result<(), $draft::store::Error> {
                Ok(bucket.get::<Bucket>().set_many(&pairs)?)
            }

            fn delete_many(
                bucket: $draft::store::BucketBorrow<'_>,
                keys: Vec<String>,
            ) -> Result<(), $draft::store::Error> {
                Ok(bucket.get::<Bucket>().delete_many(&keys)?)
            }
        }

        fn $draft(
            bucket: &Bucket,
            key: &str,
            delta: $delta,
        ) -> Result<$delta, $draft::store::Error> {
            let range = <$delta>::MIN.into()..=<$delta>::MAX.into();
            let table = bucket.0.writable()?;
            let sum = keyvalue::increment(&table, key.as_bytes(), delta.into(), range)?;
            // It lies in the range.
            Ok(<$delta>::try_from(sum).unwrap_or_default())
        }
    };
}

draft!(draft, u64, u64, |handle: &Handle, cursor| {
    keyvalue::list_keys_by_number(&handle.table()?, cursor)
});

draft!(
    draft2,
    String,
    i64,
    |handle: &Handle, cursor: Option<String>| {
        let page = keyvalue::list_keys(&handle.table()?, cursor.as_deref())?;
        Ok::<_, Refusal>((page.keys, page.cursor))
    }
);

impl draft::atomics::Guest for crate::Component {
    fn increment(
        bucket: draft::store::BucketBorrow<'_>,
        key: String,
        delta: u64,
    ) -> Result<u64, draft::store::Error> {
        draft(bucket.get(), &key, delta)
    }
}

impl draft2::atomics::Guest for crate::Component {
    type Cas = Cas;

    fn increment(
        bucket: draft2::store::BucketBorrow<'_>,
        key: String,
        delta: i64,
    ) -> Result<i64, draft2::store::Error> {
        draft2(bucket.get(), &key, delta)
    }

    fn swap(cas: draft2::atomics::Cas, value: Vec<u8>) -> Result<(), draft2::atomics::CasError> {
        let cas: Cas = cas.into_inner();
        match cas.swap(&value) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let again = Cas::look(cas.handle, cas.key).map_err(store_error)?;
                let again = draft2::atomics::Cas::new(again);
                Err(draft2::atomics::CasError::CasFailed(again))
            }
            Err(refusal) => Err(store_error(refusal)),
        }
    }
}

fn store_error(refusal: Refusal) -> draft2::atomics::CasError {
    draft2::atomics::CasError::StoreError(refusal.into())
}

impl Cas {
    fn look(handle: Handle, key: String) -> Result<Self, Refusal> {
        let stat = handle.table()?.stat(key.as_bytes())?;
        let version = stat.map(|stat| stat.version).into();
        Ok(Self {
            handle,
            key,
            version,
        })
    }

    fn swap(&self, value: &[u8]) -> Result<bool, Refusal> {
        let table = self.handle.writable()?;
        table.put_if(self.key.as_bytes(), value, self.version.get())
    }
}

impl draft2::atomics::GuestCas for Cas {
    fn new(
        bucket: draft2::store::BucketBorrow<'_>,
        key: String,
    ) -> Result<draft2::atomics::Cas, draft2::store::Error> {
        let handle = bucket.get::<Bucket>().0.clone();
        Ok(draft2::atomics::Cas::new(Self::look(handle, key)?))
    }

    fn current(&self) -> Result<Option<Vec<u8>>, draft2::store::Error> {
        let table = self.handle.table()?;
        let value = table
            .bucket()
            .get(self.key.as_bytes())
            .map_err(Refusal::from)?;
        self.version.set(
            value
                .as_ref()
                .map(|value| table.version_of(value.version())),
        );
        Ok(value.map(|value| value.to_vec()))
    }
}
