//! When a compaction is due, and what it tells of its progress.

use super::*;
use crate::{DataStoreReader, DataStoreWriter, MemoryStore, Options};

/// A store of `keys` values of so many bytes, each written `times` over.
fn store(keys: u8, times: u8, length: usize) -> MemoryStore {
    let store = MemoryStore::new();
    for version in 1..=times {
        for key in 0..keys {
            store.write(&[key], &vec![version; length]).unwrap();
        }
    }
    store
}

fn share(store: &MemoryStore) -> f64 {
    let stats = store.stats();
    let of = |bytes: u64| f64::from(u32::try_from(bytes).unwrap());
    of(stats.compaction_savings) / of(stats.file_bytes)
}

#[test]
fn what_saves_nothing_is_left_alone() {
    for store in [MemoryStore::new(), store(20, 1, 100)] {
        let before = store.current.load_full();
        for ratio in [0.0, -0.0, f64::MIN_POSITIVE, 0.5, 1.0] {
            assert!(!store.compact_if(ratio).unwrap(), "{ratio}");
        }
        assert!(Arc::ptr_eq(&before, &store.current.load_full()));
    }
}

#[test]
fn the_threshold_itself_is_enough() {
    for (keys, times, length) in [(10, 4, 100), (1, 2, 3), (3, 7, 1000), (50, 2, 44)] {
        let of = || store(keys, times, length);
        let exact = share(&of());
        assert!(exact > 0.2, "{exact}");
        let just_above = exact.next_up();
        let left = of();
        assert!(!left.compact_if(just_above).unwrap());
        assert_eq!(left.tail(), of().tail());
        for ratio in [0.0, exact.next_down(), exact] {
            let store = of();
            let saved = store.estimate_compaction_savings();
            assert!(store.compact_if(ratio).unwrap(), "{ratio} of {exact}");
            assert_eq!(store.tail(), of().tail() - saved);
            assert_eq!(store.len().unwrap(), usize::from(keys));
            let value = store.read(&[0]).unwrap().unwrap();
            assert_eq!(value.as_slice(), vec![times; length]);
            assert!(!store.compact_if(0.0).unwrap(), "nothing is left to save");
        }
    }
}

#[test]
fn a_store_of_deleted_keys_is_all_dead() {
    let store = store(5, 1, 100);
    for key in 0..5 {
        store.delete(&[key]).unwrap();
    }
    assert!(store.compact_if(1.0).unwrap());
    assert_eq!(store.tail(), 0);
}

#[test]
fn what_is_no_share_is_an_error() {
    let store = store(5, 5, 100);
    let before = store.tail();
    for ratio in [
        f64::NAN,
        -0.1,
        1.0_f64.next_up(),
        30.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ] {
        assert!(
            matches!(store.compact_if(ratio), Err(Error::NotARatio)),
            "{ratio}"
        );
    }
    assert_eq!(store.tail(), before);
    let read_only = Options::new().read_only(true);
    let closed = MemoryStore::open_with(crate::backing::MemoryBacking::new(), &read_only);
    assert!(matches!(
        closed.unwrap().compact_if(1.0),
        Err(Error::ReadOnly)
    ));
}

#[test]
fn progress_counts_live_values() {
    let store = store(12, 2, 1 << 20);
    store.write(b"long", &vec![1; 9 << 20]).unwrap();
    let mut told = Vec::new();
    store
        .compact_with_progress(&mut |done, total| told.push((done, total)))
        .unwrap();
    let total = 21 << 20;
    assert!(told.len() >= 4, "{told:?}");
    assert!(
        told.is_sorted() && told.iter().all(|(_, of)| *of == total),
        "{told:?}"
    );
    assert_eq!(told.last(), Some(&(total, total)));
    let mut told = Vec::new();
    let empty = MemoryStore::new();
    empty
        .compact_with_progress(&mut |done, total| told.push((done, total)))
        .unwrap();
    assert_eq!(told, [(0, 0)]);
}
