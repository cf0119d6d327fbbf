//! `tailstone:store`, as functions of a linker.

use bytes::Bytes;
use tailstone_interface::{Change, ChangePage, Info, KeyPage, Packed, Stat};

use super::context::{Opening, open};
use super::functions::{Answer, Functions, Handle, Question};
use super::handles::{OpenBucket, push};
use super::meter::Asked;
use super::words::{
    AccessWord, ChangePageWord, ChangeWord, ChangedWord, ExtentWord, InfoWord, KeyPageWord,
    PackedWord, StatWord, StoreError,
};

const STORES: &str = "tailstone:store/stores@0.1.0";

/// Adds the interface.
pub fn add(to: &mut impl Functions) -> wasmtime::Result<()> {
    to.resource::<OpenBucket>(STORES, "store")?;
    to.call(
        STORES,
        "[static]store.open",
        |view, (name, bucket, access): (String, Vec<u8>, AccessWord)| {
            let asked = match access {
                AccessWord::Read => Asked::Reading,
                AccessWord::Write => Asked::Writing,
                AccessWord::Create => Asked::Creating,
            };
            Ok(view.opening(&name, bucket, asked))
        },
        |opening: Opening| opening.and_then(open),
        |view, opened| -> wasmtime::Result<Answer<Handle, StoreError>> {
            let handle = opened.and_then(|bucket| push(view.table, OpenBucket(bucket.into())));
            Ok((handle.map_err(Into::into),))
        },
    )?;
    to.call(
        STORES,
        "[static]store.close",
        |view, (handle,): (Handle,)| {
            let OpenBucket(bucket) = view.table.delete(handle)?;
            Ok(Question {
                is_remote: bucket.is_remote(),
                asked: bucket,
            })
        },
        |bucket| bucket.sync(),
        |_, synced| -> wasmtime::Result<Answer<(), StoreError>> {
            Ok((synced.map_err(Into::into),))
        },
    )?;
    reads(to)?;
    writes(to)?;
    method(to, "sync", |bucket, (_,): (Handle,)| bucket.sync())?;
    method(to, "compact", |bucket, (_,): (Handle,)| bucket.compact())?;
    method(to, "info", |bucket, (_,): (Handle,)| {
        Ok(InfoWord::from(bucket.info()?))
    })
}

/// Adds a method of the resource.
fn method<P, R>(
    to: &mut impl Functions,
    name: &str,
    ask: impl Fn(&super::meter::Granted, P) -> tailstone_interface::Result<R>
    + Copy
    + Send
    + Sync
    + 'static,
) -> wasmtime::Result<()>
where
    P: super::functions::OfBucket
        + wasmtime::component::ComponentNamedList
        + wasmtime::component::Lift
        + Send
        + 'static,
    R: wasmtime::component::Lower + Send + 'static,
{
    to.method::<_, _, StoreError>(STORES, &format!("[method]store.{name}"), ask)
}

fn reads(to: &mut impl Functions) -> wasmtime::Result<()> {
    to.get_bytes::<StoreError>(STORES, "[method]store.get")?;
    method(
        to,
        "get-range",
        |bucket, (_, key, offset, len): (Handle, Vec<u8>, u64, u64)| {
            bucket.get_range(&key, offset, len)
        },
    )?;
    method(to, "stat", |bucket, (_, key): (Handle, Vec<u8>)| {
        Ok(bucket.stat(&key)?.map(StatWord::from))
    })?;
    method(
        to,
        "get-packed",
        |bucket, (_, keys): (Handle, Vec<Vec<u8>>)| Ok(PackedWord::from(bucket.get_packed(&keys)?)),
    )?;
    method(
        to,
        "scan",
        |bucket, (_, prefix, cursor, max): (Handle, Vec<u8>, Option<Vec<u8>>, u32)| {
            let page = bucket.scan(&prefix, cursor.as_deref(), max as usize)?;
            Ok(KeyPageWord::from(page))
        },
    )?;
    method(
        to,
        "changes",
        |bucket, (_, since, max): (Handle, u64, u32)| {
            Ok(ChangePageWord::from(bucket.changes(since, max as usize)?))
        },
    )
}

fn writes(to: &mut impl Functions) -> wasmtime::Result<()> {
    to.put_bytes::<StoreError>(STORES, "[method]store.put")?;
    method(
        to,
        "put-if",
        |bucket, (_, key, value, expected): (Handle, Vec<u8>, Vec<u8>, Option<u64>)| {
            bucket.put_if(&key, &value, expected)
        },
    )?;
    method(to, "delete", |bucket, (_, key): (Handle, Vec<u8>)| {
        bucket.delete(&key)
    })?;
    method(
        to,
        "append-batch",
        |bucket, (_, changes): (Handle, Vec<ChangeWord>)| {
            let changes = changes.iter().map(|change| match change {
                ChangeWord::Put(entry) => Change::Put(&entry.key, &entry.value),
                ChangeWord::Delete(key) => Change::Delete(key),
            });
            bucket.change(&changes.collect::<Vec<_>>())
        },
    )
}

impl From<Stat> for StatWord {
    fn from(stat: Stat) -> Self {
        Self {
            len: stat.len,
            version: stat.version,
            expires_at: stat.expires_at,
        }
    }
}

impl From<Packed> for PackedWord {
    fn from(packed: Packed) -> Self {
        let extents = packed.extents.into_iter();
        Self {
            bytes: packed.bytes.into(),
            extents: extents
                .map(|extent| extent.map(|(offset, len)| ExtentWord { offset, len }))
                .collect(),
        }
    }
}

impl From<KeyPage> for KeyPageWord {
    fn from(page: KeyPage) -> Self {
        Self {
            keys: page.keys.into_iter().map(Bytes::from).collect(),
            cursor: page.cursor.map(Bytes::from),
        }
    }
}

impl From<ChangePage> for ChangePageWord {
    fn from(page: ChangePage) -> Self {
        let changes = page.changes.into_iter().map(|change| ChangedWord {
            key: change.key.into(),
            tail: change.tail,
            is_deletion: change.is_deletion,
        });
        Self {
            changes: changes.collect(),
            tail: page.tail,
            is_last: page.is_last,
        }
    }
}

impl From<Info> for InfoWord {
    fn from(info: Info) -> Self {
        Self {
            keys: info.keys,
            live_entries: info.live_entries,
            store_bytes: info.store_bytes,
            savings_bytes: info.savings_bytes,
            index_bytes: info.index_bytes,
            cut_bytes: info.cut_bytes,
            tail: info.tail,
            recovery: info.recovery,
        }
    }
}
