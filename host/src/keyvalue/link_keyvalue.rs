//! `wasi:keyvalue` in both drafts, as functions of a linker: the same calls under two names.

use bytes::Bytes;
use tailstone_interface::keyvalue::BUCKET;
use tailstone_interface::{Change, Refusal, Result, check_together};
use wasmtime::component::{Lift, Lower, Resource};

use super::context::{Opening, open};
use super::functions::{Answer, Functions, Handle, Question};
use super::handles::{Cas, OpenBucket, push};
use super::meter::{Asked, Granted};
use super::words::{CasError, KeyValueError, KeysByNumber, KeysByText};

/// Keys with their values, where they have one.
type Found = Vec<Option<(String, Bytes)>>;

/// Adds both drafts.
pub fn add(to: &mut impl Functions) -> wasmtime::Result<()> {
    for draft in ["0.2.0-draft", "0.2.0-draft2"] {
        bucket(to, &format!("wasi:keyvalue/store@{draft}"))?;
        batch(to, &format!("wasi:keyvalue/batch@{draft}"))?;
    }
    to.method::<_, _, KeyValueError>(
        "wasi:keyvalue/store@0.2.0-draft",
        "[method]bucket.list-keys",
        |bucket, (_, cursor): (Handle, Option<u64>)| {
            let (keys, cursor) = bucket.list_keys_by_number(cursor)?;
            Ok(KeysByNumber { keys, cursor })
        },
    )?;
    to.method::<_, _, KeyValueError>(
        "wasi:keyvalue/store@0.2.0-draft2",
        "[method]bucket.list-keys",
        |bucket, (_, cursor): (Handle, Option<String>)| {
            let (keys, cursor) = bucket.list_keys(cursor.as_deref())?;
            Ok(KeysByText { keys, cursor })
        },
    )?;
    increment::<u64>(to, "wasi:keyvalue/atomics@0.2.0-draft")?;
    increment::<i64>(to, "wasi:keyvalue/atomics@0.2.0-draft2")?;
    cas(to, "wasi:keyvalue/atomics@0.2.0-draft2")
}

fn bucket(to: &mut impl Functions, store: &str) -> wasmtime::Result<()> {
    to.resource::<OpenBucket>(store, "bucket")?;
    to.call(
        store,
        "open",
        |view, (name,): (String,)| Ok(view.opening(&name, BUCKET.to_vec(), Asked::Everything)),
        |opening: Opening| opening.and_then(open),
        |view, opened| -> wasmtime::Result<Answer<Handle, KeyValueError>> {
            let handle = opened.and_then(|bucket| push(view.table, OpenBucket(bucket.into())));
            Ok((handle.map_err(Into::into),))
        },
    )?;
    to.get::<KeyValueError>(store, "[method]bucket.get")?;
    to.set::<KeyValueError>(store, "[method]bucket.set")?;
    to.method::<_, _, KeyValueError>(
        store,
        "[method]bucket.delete",
        |bucket, (_, key): (Handle, String)| bucket.delete(key.as_bytes()).map(drop),
    )?;
    to.method::<_, _, KeyValueError>(
        store,
        "[method]bucket.exists",
        |bucket, (_, key): (Handle, String)| Ok(bucket.stat(key.as_bytes())?.is_some()),
    )
}

fn batch(to: &mut impl Functions, batch: &str) -> wasmtime::Result<()> {
    to.method::<_, _, KeyValueError>(
        batch,
        "get-many",
        |bucket, (_, keys): (Handle, Vec<String>)| get_many(bucket, keys),
    )?;
    to.method::<_, _, KeyValueError>(
        batch,
        "set-many",
        |bucket, (_, pairs): (Handle, Vec<(String, Vec<u8>)>)| {
            let puts = pairs.iter();
            let puts = puts.map(|(key, value)| Change::Put(key.as_bytes(), value));
            bucket.change(&puts.collect::<Vec<_>>())
        },
    )?;
    to.method::<_, _, KeyValueError>(
        batch,
        "delete-many",
        |bucket, (_, keys): (Handle, Vec<String>)| {
            let deletions = keys.iter().map(|key| Change::Delete(key.as_bytes()));
            bucket.change(&deletions.collect::<Vec<_>>())
        },
    )
}

fn get_many(bucket: &Granted, keys: Vec<String>) -> Result<Found> {
    let (mut found, mut bytes) = (Vec::new(), 0_usize);
    for key in keys {
        let value = bucket.get(key.as_bytes())?;
        bytes = bytes.saturating_add(value.as_ref().map_or(0, Bytes::len));
        check_together(bytes)?;
        found.push(value.map(|value| (key, value)));
    }
    Ok(found)
}

fn increment<N>(to: &mut impl Functions, atomics: &str) -> wasmtime::Result<()>
where
    N: Into<i128> + TryFrom<i128> + Lower + Lift + Bounds + Send + 'static,
{
    to.method::<_, _, KeyValueError>(
        atomics,
        "increment",
        |bucket, (_, key, delta): (Handle, String, N)| {
            let sum = bucket.increment(key.as_bytes(), delta.into(), N::LEAST..=N::MOST)?;
            N::try_from(sum).map_err(|_| Refusal::Other("the sum does not fit".to_owned()))
        },
    )
}

/// The numbers that a counter may come to.
trait Bounds {
    const LEAST: i128;
    const MOST: i128;
}

impl Bounds for u64 {
    const LEAST: i128 = 0;
    const MOST: i128 = Self::MAX as i128;
}

impl Bounds for i64 {
    const LEAST: i128 = Self::MIN as i128;
    const MOST: i128 = Self::MAX as i128;
}

fn cas(to: &mut impl Functions, atomics: &str) -> wasmtime::Result<()> {
    to.resource::<Cas>(atomics, "cas")?;
    to.call(
        atomics,
        "[static]cas.new",
        |view, (bucket, key): (Handle, String)| {
            let bucket = view.table.get(&bucket)?.clone();
            Ok(Question {
                is_remote: bucket.0.is_remote(),
                asked: (bucket, key),
            })
        },
        |(bucket, key)| Cas::new(bucket, key),
        |view, made| -> wasmtime::Result<Answer<Resource<Cas>, KeyValueError>> {
            let handle = made.and_then(|cas| push(view.table, cas));
            Ok((handle.map_err(Into::into),))
        },
    )?;
    to.call(
        atomics,
        "[method]cas.current",
        |view, (handle,): (Resource<Cas>,)| {
            let Cas { bucket, key, .. } = view.table.get(&handle)?.clone();
            Ok(Question {
                is_remote: bucket.0.is_remote(),
                asked: (handle, bucket, key),
            })
        },
        |(handle, bucket, key)| (handle, bucket.0.get_versioned(key.as_bytes())),
        |view, (handle, stored)| -> wasmtime::Result<Answer<Option<Bytes>, KeyValueError>> {
            let stored = match stored {
                Ok(stored) => stored,
                Err(refusal) => return Ok((Err(refusal.into()),)),
            };
            let (value, version) = stored.unzip();
            view.table.get_mut(&handle)?.version = version;
            Ok((Ok(value),))
        },
    )?;
    to.call(
        atomics,
        "swap",
        |view, (handle, value): (Resource<Cas>, Vec<u8>)| {
            let cas = view.table.delete(handle)?;
            Ok(Question {
                is_remote: cas.bucket.0.is_remote(),
                asked: (cas, value),
            })
        },
        |(cas, value)| cas.swap(&value),
        |view, swapped| -> wasmtime::Result<Answer<(), CasError>> {
            let again = match swapped {
                Ok(None) => return Ok((Ok(()),)),
                Ok(Some(cas)) => push(view.table, cas),
                Err(refusal) => Err(refusal),
            };
            Ok((Err(match again {
                Ok(again) => CasError::CasFailed(again),
                Err(refusal) => CasError::StoreError(refusal.into()),
            }),))
        },
    )
}
