//! `tailstone:store`, as functions of a linker.

use bytes::Bytes;
use tailstone_interface::Change;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType, WasmList};

use super::View;
use super::handles::{OpenBucket, bucket_of, push};
use super::meter::Asked;
use super::words::{
    AccessWord, ChangePageWord, ChangeWord, ChangedWord, ExtentWord, InfoWord, KeyPageWord,
    PackedWord, StatWord, StoreError,
};

/// What these functions answer.
type Answer<R> = wasmtime::Result<(Result<R, StoreError>,)>;

type Bucket = Resource<OpenBucket>;

/// Adds the interface.
pub fn add<T: 'static>(linker: &mut Linker<T>, view: impl View<T>) -> wasmtime::Result<()> {
    let at = &mut linker.instance("tailstone:store/stores@0.1.0")?;
    at.resource(
        "store",
        ResourceType::host::<OpenBucket>(),
        move |mut store, rep| {
            view(store.data_mut())
                .table
                .delete(Resource::<OpenBucket>::new_own(rep))?;
            Ok(())
        },
    )?;
    at.func_wrap(
        "[static]store.open",
        move |mut store: StoreContextMut<'_, T>,
              (name, bucket, access): (String, Vec<u8>, AccessWord)|
              -> Answer<Bucket> {
            let view = view(store.data_mut());
            let asked = match access {
                AccessWord::Read => Asked::Reading,
                AccessWord::Write => Asked::Writing,
                AccessWord::Create => Asked::Creating,
            };
            let opened = view.ctx.open(&name, &bucket, asked);
            let opened = opened.and_then(|bucket| push(view.table, OpenBucket(bucket.into())));
            Ok((opened.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[static]store.close",
        move |mut store: StoreContextMut<'_, T>, (bucket,): (Bucket,)| -> Answer<()> {
            let OpenBucket(bucket) = view(store.data_mut()).table.delete(bucket)?;
            Ok((bucket.sync().map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.append-batch",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, changes): (Bucket, Vec<ChangeWord>)|
              -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let changes = changes.iter().map(|change| match change {
                ChangeWord::Put(entry) => Change::Put(&entry.key, &entry.value),
                ChangeWord::Delete(key) => Change::Delete(key),
            });
            Ok((bucket
                .change(&changes.collect::<Vec<_>>())
                .map_err(Into::into),))
        },
    )?;
    reads(linker, view)?;
    writes(linker, view)?;
    upkeep(linker, view)
}

fn reads<T: 'static>(linker: &mut Linker<T>, view: impl View<T>) -> wasmtime::Result<()> {
    let at = &mut linker.instance("tailstone:store/stores@0.1.0")?;
    at.func_wrap(
        "[method]store.get",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Bucket, WasmList<u8>)|
              -> Answer<Option<Bytes>> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            Ok((bucket.get(key.as_le_slice(&store)).map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.get-range",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key, offset, len): (Bucket, WasmList<u8>, u64, u64)|
              -> Answer<Option<Bytes>> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let part = bucket.get_range(key.as_le_slice(&store), offset, len);
            Ok((part.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.stat",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Bucket, WasmList<u8>)|
              -> Answer<Option<StatWord>> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let stat = bucket.stat(key.as_le_slice(&store));
            let word = stat.map(|stat| {
                stat.map(|stat| StatWord {
                    len: stat.len,
                    version: stat.version,
                    expires_at: stat.expires_at,
                })
            });
            Ok((word.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.get-packed",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, keys): (Bucket, Vec<Vec<u8>>)|
              -> Answer<PackedWord> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let packed = bucket.get_packed(&keys).map(|packed| PackedWord {
                bytes: packed.bytes.into(),
                extents: packed
                    .extents
                    .into_iter()
                    .map(|extent| extent.map(|(offset, len)| ExtentWord { offset, len }))
                    .collect(),
            });
            Ok((packed.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.scan",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, prefix, cursor, max): (Bucket, Vec<u8>, Option<Vec<u8>>, u32)|
              -> Answer<KeyPageWord> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let page = bucket.scan(&prefix, cursor.as_deref(), max as usize);
            let word = page.map(|page| KeyPageWord {
                keys: page.keys.into_iter().map(Bytes::from).collect(),
                cursor: page.cursor.map(Bytes::from),
            });
            Ok((word.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.changes",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, since, max): (Bucket, u64, u32)|
              -> Answer<ChangePageWord> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let word = bucket
                .changes(since, max as usize)
                .map(|page| ChangePageWord {
                    changes: page
                        .changes
                        .into_iter()
                        .map(|change| ChangedWord {
                            key: change.key.into(),
                            tail: change.tail,
                            is_deletion: change.is_deletion,
                        })
                        .collect(),
                    tail: page.tail,
                    is_last: page.is_last,
                });
            Ok((word.map_err(Into::into),))
        },
    )
}

fn writes<T: 'static>(linker: &mut Linker<T>, view: impl View<T>) -> wasmtime::Result<()> {
    let at = &mut linker.instance("tailstone:store/stores@0.1.0")?;
    at.func_wrap(
        "[method]store.put",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key, value): (Bucket, WasmList<u8>, WasmList<u8>)|
              -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            // From the guest's memory into the file, with nothing in between.
            let put = bucket.put(key.as_le_slice(&store), value.as_le_slice(&store));
            Ok((put.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.put-if",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key, value, expected): (Bucket, WasmList<u8>, WasmList<u8>, Option<u64>)|
              -> Answer<bool> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let put = bucket.put_if(key.as_le_slice(&store), value.as_le_slice(&store), expected);
            Ok((put.map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.delete",
        move |mut store: StoreContextMut<'_, T>,
              (bucket, key): (Bucket, WasmList<u8>)|
              -> Answer<bool> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            Ok((bucket.delete(key.as_le_slice(&store)).map_err(Into::into),))
        },
    )
}

fn upkeep<T: 'static>(linker: &mut Linker<T>, view: impl View<T>) -> wasmtime::Result<()> {
    let at = &mut linker.instance("tailstone:store/stores@0.1.0")?;
    at.func_wrap(
        "[method]store.sync",
        move |mut store: StoreContextMut<'_, T>, (bucket,): (Bucket,)| -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            Ok((bucket.sync().map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.compact",
        move |mut store: StoreContextMut<'_, T>, (bucket,): (Bucket,)| -> Answer<()> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            Ok((bucket.compact().map_err(Into::into),))
        },
    )?;
    at.func_wrap(
        "[method]store.info",
        move |mut store: StoreContextMut<'_, T>, (bucket,): (Bucket,)| -> Answer<InfoWord> {
            let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
            let word = bucket.info().map(|info| InfoWord {
                keys: info.keys,
                live_entries: info.live_entries,
                store_bytes: info.store_bytes,
                savings_bytes: info.savings_bytes,
                index_bytes: info.index_bytes,
                cut_bytes: info.cut_bytes,
                tail: info.tail,
                recovery: info.recovery,
            });
            Ok((word.map_err(Into::into),))
        },
    )
}
