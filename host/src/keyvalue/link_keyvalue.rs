//! `wasi:keyvalue` in both drafts, as functions of a linker: the same calls under two names.

use bytes::Bytes;
use tailstone_interface::keyvalue::BUCKET;
use tailstone_interface::{Change, Refusal, check_together};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, Linker, LinkerInstance, Lower, Resource, ResourceType, WasmList, WasmStr,
};

use super::View;
use super::handles::{Cas, OpenBucket, bucket_of, push};
use super::meter::Asked;
use super::words::{CasError, KeyValueError, KeysByNumber, KeysByText};

/// What most of these functions answer.
type Answer<R> = wasmtime::Result<(Result<R, KeyValueError>,)>;

/// Keys with their values, where they have one.
type Found = Vec<Option<(String, Bytes)>>;

/// Adds both drafts.
pub fn add<T: 'static>(linker: &mut Linker<T>, view: impl View<T>) -> wasmtime::Result<()> {
    for draft in ["0.2.0-draft", "0.2.0-draft2"] {
        bucket(
            &mut linker.instance(&format!("wasi:keyvalue/store@{draft}"))?,
            view,
        )?;
        batch(
            &mut linker.instance(&format!("wasi:keyvalue/batch@{draft}"))?,
            view,
        )?;
    }
    let mut first = linker.instance("wasi:keyvalue/store@0.2.0-draft")?;
    list(&mut first, view, |bucket, cursor: Option<u64>| {
        let (keys, cursor) = bucket.list_keys_by_number(cursor)?;
        Ok(KeysByNumber { keys, cursor })
    })?;
    let mut second = linker.instance("wasi:keyvalue/store@0.2.0-draft2")?;
    list(&mut second, view, |bucket, cursor: Option<String>| {
        let (keys, cursor) = bucket.list_keys(cursor.as_deref())?;
        Ok(KeysByText { keys, cursor })
    })?;
    increment::<T, u64>(
        &mut linker.instance("wasi:keyvalue/atomics@0.2.0-draft")?,
        view,
    )?;
    let mut atomics = linker.instance("wasi:keyvalue/atomics@0.2.0-draft2")?;
    increment::<T, i64>(&mut atomics, view)?;
    cas(&mut atomics, view)
}

fn bucket<T: 'static>(at: &mut LinkerInstance<'_, T>, view: impl View<T>) -> wasmtime::Result<()> {
    at.resource(
        "bucket",
        ResourceType::host::<OpenBucket>(),
        move |mut store, rep| {
            view(store.data_mut())
                .table
                .delete(Resource::<OpenBucket>::new_own(rep))?;
            Ok(())
        },
    )?;
    at.func_wrap(
        "open",
        move |mut store: StoreContextMut<'_, T>,
              (identifier,): (String,)|
              -> Answer<Resource<OpenBucket>> {
            let view = view(store.data_mut());
            let opened = view.ctx.open(&identifier, BUCKET, Asked::Everything);
            let opened = opened.and_then(|bucket| push(view.table, OpenBucket(bucket.into())));
            Ok((opened.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]bucket.get",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Resource<OpenBucket>, WasmStr)|
              -> Answer<Option<Bytes>> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let key = key.to_str(&store)?;
            Ok((bucket.get(key.as_bytes()).map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]bucket.set",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key, value): (Resource<OpenBucket>, WasmStr, WasmList<u8>)|
              -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let key = key.to_str(&store)?;
            // From the guest's memory into the file, with nothing in between.
            let set = bucket.put(key.as_bytes(), value.as_le_slice(&store));
            Ok((set.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]bucket.delete",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Resource<OpenBucket>, WasmStr)|
              -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let key = key.to_str(&store)?;
            Ok((bucket.delete(key.as_bytes()).map(drop).map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]bucket.exists",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Resource<OpenBucket>, WasmStr)|
              -> Answer<bool> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let key = key.to_str(&store)?;
            let stat = bucket.stat(key.as_bytes());
            Ok((stat.map(|stat| stat.is_some()).map_err(Into::into),))
        },
    )
}

fn list<T: 'static, C, K>(
    at: &mut LinkerInstance<'_, T>,
    view: impl View<T>,
    page: impl Fn(&super::meter::Granted, Option<C>) -> tailstone_interface::Result<K>
    + Send
    + Sync
    + 'static,
) -> wasmtime::Result<()>
where
    (Resource<OpenBucket>, Option<C>): ComponentNamedList + wasmtime::component::Lift + 'static,
    K: Lower + 'static,
{
    at.func_wrap(
        "[method]bucket.list-keys",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, cursor): (Resource<OpenBucket>, Option<C>)|
              -> Answer<K> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            Ok((page(&bucket, cursor).map_err(Into::into),))
        },
    )
}

fn batch<T: 'static>(at: &mut LinkerInstance<'_, T>, view: impl View<T>) -> wasmtime::Result<()> {
    at.func_wrap(
        "get-many",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, keys): (Resource<OpenBucket>, Vec<String>)|
              -> Answer<Found> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let (mut found, mut bytes) = (Vec::new(), 0_usize);
            for key in keys {
                let value = match bucket.get(key.as_bytes()) {
                    Ok(value) => value,
                    Err(refusal) => return Ok((Err(refusal.into()),)),
                };
                bytes = bytes.saturating_add(value.as_ref().map_or(0, Bytes::len));
                if let Err(refusal) = check_together(bytes) {
                    return Ok((Err(refusal.into()),));
                }
                found.push(value.map(|value| (key, value)));
            }
            Ok((Ok(found),))
        },
    )?;
    at.func_wrap(
        "set-many",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, pairs): (Resource<OpenBucket>, Vec<(String, Vec<u8>)>)|
              -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let puts = pairs
                .iter()
                .map(|(key, value)| Change::Put(key.as_bytes(), value));
            Ok((bucket.change(&puts.collect::<Vec<_>>()).map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "delete-many",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, keys): (Resource<OpenBucket>, Vec<String>)|
              -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let deletions = keys.iter().map(|key| Change::Delete(key.as_bytes()));
            Ok((bucket
                .change(&deletions.collect::<Vec<_>>())
                .map_err(Into::into),))
        },
    )
}

fn increment<T: 'static, N>(
    at: &mut LinkerInstance<'_, T>,
    view: impl View<T>,
) -> wasmtime::Result<()>
where
    N: Into<i128> + TryFrom<i128> + Lower + wasmtime::component::Lift + Bounds + 'static,
    (Resource<OpenBucket>, String, N): ComponentNamedList + wasmtime::component::Lift,
{
    at.func_wrap(
        "increment",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key, delta): (Resource<OpenBucket>, String, N)|
              -> Answer<N> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let sum = bucket.increment(key.as_bytes(), delta.into(), N::LEAST..=N::MOST);
            let sum = sum.and_then(|sum| {
                N::try_from(sum).map_err(|_| Refusal::Other("the sum does not fit".to_owned()))
            });
            Ok((sum.map_err(Into::into),))
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

fn cas<T: 'static>(at: &mut LinkerInstance<'_, T>, view: impl View<T>) -> wasmtime::Result<()> {
    at.resource("cas", ResourceType::host::<Cas>(), move |mut store, rep| {
        view(store.data_mut())
            .table
            .delete(Resource::<Cas>::new_own(rep))?;
        Ok(())
    })?;
    at.func_wrap(
        "[static]cas.new",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Resource<OpenBucket>, String)|
              -> Answer<Resource<Cas>> {
            let view = view(store.data_mut());
            let bucket = view.table.get(&bucket)?.clone();
            let made = Cas::new(bucket, key).and_then(|cas| push(view.table, cas));
            Ok((made.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]cas.current",
        move |mut store: StoreContextMut<'_, T>,
              (handle,): (Resource<Cas>,)|
              -> Answer<Option<Bytes>> {
            let view = view(store.data_mut());
            let cas = view.table.get_mut(&handle)?;
            let stored = match cas.bucket.0.get_versioned(cas.key.as_bytes()) {
                Ok(stored) => stored,
                Err(refusal) => return Ok((Err(refusal.into()),)),
            };
            let (value, version) = stored.unzip();
            cas.version = version;
            Ok((Ok(value),))
        },
    )?;
    at.func_wrap(
        "swap",
        move |mut store: StoreContextMut<'_, T>,
              (handle, value): (Resource<Cas>, WasmList<u8>)|
              -> wasmtime::Result<(Result<(), CasError>,)> {
            let cas = view(store.data_mut()).table.delete(handle)?;
            let key = cas.key.as_bytes();
            let swapped = cas
                .bucket
                .0
                .put_if(key, value.as_le_slice(&store), cas.version);
            let again = match swapped {
                Ok(true) => return Ok((Ok(()),)),
                Ok(false) => Cas::new(cas.bucket.clone(), cas.key),
                Err(refusal) => Err(refusal),
            };
            let again = again.and_then(|cas| push(view(store.data_mut()).table, cas));
            Ok((Err(match again {
                Ok(again) => CasError::CasFailed(again),
                Err(refusal) => CasError::StoreError(refusal.into()),
            }),))
        },
    )
}
