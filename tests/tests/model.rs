//! Random operations with reopening and compaction against a `BTreeMap`, for every backing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use tailstone::backing::device::DeviceBacking;
use tailstone::backing::{Backing, FileDevice, MemoryBacking};
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, Error, Options, Store, compute_hash};
use tailstone_tests::Rng;

#[derive(Debug, Clone)]
enum Step {
    Write(u8, Vec<u8>),
    Batch(Vec<(u8, Vec<u8>)>),
    /// A batch by hashes in which `None` deletes.
    Mixed(Vec<(u8, Option<Vec<u8>>)>),
    Stream(u8, Vec<u8>),
    Piecewise(u8, Vec<Vec<u8>>),
    Sized(u8, Vec<u8>),
    Unfinished(u8, Vec<u8>),
    FailingStream(u8, Vec<u8>),
    Delete(u8),
    BatchDelete(Vec<u8>),
    Rename(u8, u8),
    Reopen,
    Compact,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..120),
        2 => prop::collection::vec(Just(0_u8), 0..80),
        1 => (60_000_usize..90_000, any::<u64>()).prop_map(|(len, seed)| Rng::new(seed).bytes(len)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0_u8..12;
    prop_oneof![
        4 => (key.clone(), value()).prop_map(|(k, v)| Step::Write(k, v)),
        2 => prop::collection::vec((key.clone(), value()), 0..6).prop_map(Step::Batch),
        2 => prop::collection::vec((key.clone(), prop::option::of(value())), 0..6).prop_map(Step::Mixed),
        1 => (key.clone(), value()).prop_map(|(k, v)| Step::Stream(k, v)),
        1 => (key.clone(), prop::collection::vec(value(), 0..5)).prop_map(|(k, v)| Step::Piecewise(k, v)),
        1 => (key.clone(), value()).prop_map(|(k, v)| Step::Sized(k, v)),
        1 => (key.clone(), value()).prop_map(|(k, v)| Step::Unfinished(k, v)),
        1 => (key.clone(), value()).prop_map(|(k, v)| Step::FailingStream(k, v)),
        2 => key.clone().prop_map(Step::Delete),
        1 => prop::collection::vec(key.clone(), 0..5).prop_map(Step::BatchDelete),
        1 => (key.clone(), key).prop_map(|(a, b)| Step::Rename(a, b)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ]
}

type Model = BTreeMap<u8, Vec<u8>>;

fn storable(value: &[u8]) -> bool {
    !value.is_empty() && value != [0]
}

fn streamable(value: &[u8]) -> bool {
    value.iter().any(|byte| *byte != 0)
}

/// A source that breaks after its bytes.
struct Failing<'a>(&'a [u8]);

impl std::io::Read for Failing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match std::io::Read::read(&mut self.0, buf)? {
            0 => Err(std::io::Error::other("the source broke")),
            got => Ok(got),
        }
    }
}

/// Does one step on the store and, if the store says it went well, on the model.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each step, short ones all"
)]
fn apply<B: Backing>(
    store: &Store<B>,
    model: &mut Model,
    step: &Step,
) -> Result<(), TestCaseError> {
    let before = store.tail();
    let key = |key: &u8| [*key];
    let outcome = |result: Result<u64, Error>, fine: bool| {
        prop_assert_eq!(result.is_ok(), fine, "{:?}", result);
        prop_assert_eq!(store.tail(), result.unwrap_or(before));
        Ok(())
    };
    match step {
        Step::Write(k, v) => {
            outcome(store.write(&key(k), v), storable(v))?;
            if storable(v) {
                model.insert(*k, v.clone());
            }
        }
        Step::Batch(entries) => {
            let keys: Vec<_> = entries.iter().map(|(k, _)| [*k]).collect();
            let batch: Vec<(&[u8], &[u8])> = keys
                .iter()
                .zip(entries)
                .map(|(k, (_, v))| (&k[..], &v[..]))
                .collect();
            let fine = entries.iter().all(|(_, v)| storable(v));
            outcome(store.batch_write(&batch), fine)?;
            if fine {
                model.extend(entries.iter().cloned());
            }
        }
        Step::Mixed(entries) => {
            let batch = entries
                .iter()
                .map(|(k, v)| (compute_hash(&[*k]), v.as_deref().unwrap_or(&[0])))
                .collect();
            let fine = entries
                .iter()
                .all(|(_, v)| v.as_ref().is_none_or(|v| !v.is_empty()));
            outcome(store.batch_write_with_key_hashes(batch, true), fine)?;
            if fine {
                for (k, v) in entries {
                    match v.as_ref().filter(|v| storable(v)) {
                        Some(v) => drop(model.insert(*k, v.clone())),
                        None => drop(model.remove(k)),
                    }
                }
            }
        }
        Step::Stream(k, v) => {
            outcome(store.write_stream(&key(k), &mut &v[..]), streamable(v))?;
            if streamable(v) {
                model.insert(*k, v.clone());
            }
        }
        Step::Piecewise(k, pieces) => {
            let mut writer = store.entry_writer(&key(k));
            for piece in pieces {
                std::io::Write::write_all(&mut writer, piece).unwrap();
            }
            let v = pieces.concat();
            outcome(writer.finish(), streamable(&v))?;
            if streamable(&v) {
                model.insert(*k, v);
            }
        }
        Step::Sized(k, v) => {
            outcome(
                store.write_sized(&key(k), v.len() as u64, &mut &v[..]),
                streamable(v),
            )?;
            if streamable(v) {
                model.insert(*k, v.clone());
            }
            let before = store.tail();
            prop_assert!(
                store
                    .write_sized(&key(k), v.len() as u64 + 1, &mut &v[..])
                    .is_err()
            );
            prop_assert_eq!(store.tail(), before);
        }
        Step::Unfinished(k, v) => {
            let mut writer = store.entry_writer(&key(k));
            std::io::Write::write_all(&mut writer, v).unwrap();
            drop(writer);
        }
        Step::FailingStream(k, v) => outcome(store.write_stream(&key(k), &mut Failing(v)), false)?,
        Step::Delete(k) => {
            outcome(store.delete(&key(k)), true)?;
            prop_assert_eq!(store.tail() > before, model.remove(k).is_some());
        }
        Step::BatchDelete(keys) => {
            let bytes: Vec<_> = keys.iter().map(|k| [*k]).collect();
            outcome(
                store.batch_delete(&bytes.iter().map(|k| &k[..]).collect::<Vec<_>>()),
                true,
            )?;
            model.retain(|k, _| !keys.contains(k));
        }
        Step::Rename(from, to) => {
            let fine = from != to && model.contains_key(from);
            outcome(store.rename(&key(from), &key(to)), fine)?;
            if fine {
                let v = model.remove(from).unwrap();
                model.insert(*to, v);
            }
        }
        Step::Reopen | Step::Compact => {}
    }
    Ok(())
}

fn check<B: Backing>(store: &Store<B>, model: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(store.len().unwrap(), model.len());
    for k in 0_u8..12 {
        let read = store.read(&[k]).unwrap();
        prop_assert_eq!(
            read.as_ref().map(|read| read.as_slice().to_vec()),
            model.get(&k).cloned()
        );
        prop_assert!(read.is_none_or(|read| read.is_valid_checksum()));
        prop_assert_eq!(store.exists(&[k]).unwrap(), model.contains_key(&k));
        prop_assert_eq!(
            store.value_len(&[k]).unwrap(),
            model.get(&k).map(|v| v.len() as u64)
        );
    }
    let mut entries: Vec<(u64, Vec<u8>)> = store
        .entries()
        .unwrap()
        .map(|entry| {
            entry
                .map(|entry| (entry.key_hash(), entry.to_vec()))
                .unwrap()
        })
        .collect();
    let newest = entries.first().cloned();
    prop_assert_eq!(
        store
            .read_last_entry()
            .unwrap()
            .map(|entry| (entry.key_hash(), entry.to_vec())),
        newest
    );
    entries.sort();
    let mut expected: Vec<(u64, Vec<u8>)> = model
        .iter()
        .map(|(k, v)| (compute_hash(&[*k]), v.clone()))
        .collect();
    expected.sort();
    prop_assert_eq!(entries, expected);
    Ok(())
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: if cfg!(debug_assertions) { 40 } else { 200 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn mapped_file(steps in prop::collection::vec(step(), 1..60)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.tsl");
        let mut model = Model::new();
        let mut store = DataStore::open(&path).unwrap();
        for step in &steps {
            apply(&store, &mut model, step)?;
            match step {
                Step::Reopen => {
                    store.close().unwrap();
                    store = DataStore::open(&path).unwrap();
                    prop_assert_eq!(store.recovery_report().cut_bytes, 0);
                }
                Step::Compact => {
                    let predicted = store.file_size().unwrap() - store.estimate_compaction_savings();
                    store.compact().unwrap();
                    prop_assert_eq!(store.file_size().unwrap(), predicted);
                    prop_assert_eq!(store.estimate_compaction_savings(), 0);
                }
                _ => {}
            }
            check(&store, &model)?;
        }
        let length = store.tail();
        drop(store);
        prop_assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
    }

    #[test]
    fn memory(steps in prop::collection::vec(step(), 1..60)) {
        let mut model = Model::new();
        let store: Store<MemoryBacking> = Store::open_with(MemoryBacking::new(), &Options::new()).unwrap();
        for step in &steps {
            apply(&store, &mut model, step)?;
            if matches!(step, Step::Compact) {
                store.compact().unwrap();
            }
            check(&store, &model)?;
        }
    }

    /// A cache far smaller than the store, so that most reads miss it.
    #[test]
    fn file_device(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.tsl");
        let open = || {
            let device = FileDevice::open(&path).unwrap();
            Store::open_with(DeviceBacking::new(device, 32 << 10).unwrap(), &Options::new()).unwrap()
        };
        let mut model = Model::new();
        let mut store = open();
        for step in &steps {
            apply(&store, &mut model, step)?;
            if matches!(step, Step::Reopen) {
                store.close().unwrap();
                store = open();
            }
            check(&store, &model)?;
        }
        drop(store);
        let mapped = DataStore::open(&path).unwrap();
        check(&mapped, &model)?;
    }
}
