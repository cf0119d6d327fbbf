//! Views of earlier tails: which there are, and each way in which they find an entry.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails here"
)]

use super::*;
use crate::backing::MemoryBacking;
use crate::format::{compute_checksum, pre_pad};
use crate::{DataStoreReader, DataStoreWriter, MemoryStore, Options};

fn listed(view: &ReadView<MemoryBacking>) -> Vec<Vec<u8>> {
    let values: Vec<_> = view
        .entries()
        .unwrap()
        .map(|value| value.unwrap().as_slice().to_vec())
        .collect();
    let resident: Vec<_> = view.iter_entries().map(|v| v.as_slice().to_vec()).collect();
    assert_eq!(values, resident);
    values
}

#[test]
fn only_ends_of_entries_are_tails() {
    let store = MemoryStore::new();
    let mut tails = vec![0];
    for round in 0..12_u8 {
        tails.push(store.write(&[round % 3], &[1; 37]).unwrap());
        tails.push(store.delete(&[round % 3]).unwrap());
    }
    let maximum = store.tail();
    for offset in 0..=maximum + 70 {
        let nearest = *tails.iter().rfind(|tail| **tail <= offset).unwrap();
        match store.as_of(offset) {
            Ok(view) => {
                assert_eq!((view.tail(), nearest), (offset, offset));
            }
            Err(error) => {
                assert_ne!(nearest, offset, "{error}");
                assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
                let text = error.to_string();
                assert!(text.contains(&format!("below is {nearest}")), "{text}");
                assert!(
                    matches!(error, Error::NoSuchTail { tail, maximum: most, .. }
                    if (tail, most) == (offset, maximum))
                );
            }
        }
    }
    assert!(matches!(
        store.as_of(u64::MAX),
        Err(Error::NoSuchTail { .. })
    ));
}

#[test]
fn an_empty_store_has_one_tail() {
    let store = MemoryStore::new();
    let view = store.as_of(0).unwrap();
    assert!(store.as_of(1).is_err());
    let written = store.write(b"a", b"later").unwrap();
    for view in [view, store.as_of(0).unwrap()] {
        assert!(view.read(b"a").unwrap().is_none());
        assert!(!view.exists(b"a").unwrap());
        assert!(view.history(b"a").next().is_none());
        assert!(listed(&view).is_empty());
    }
    assert!(store.as_of(written).unwrap().exists(b"a").unwrap());
}

#[test]
fn each_way_to_find_an_entry_is_right() {
    let store = MemoryStore::new();
    store.write(b"kept", b"kept").unwrap();
    store.write(b"changed", b"before").unwrap();
    store.write(b"deleted", b"deleted later").unwrap();
    store.write(b"gone", b"gone already").unwrap();
    let tail = store.delete(b"gone").unwrap();
    let view = store.as_of(tail).unwrap();
    store.write(b"changed", b"after").unwrap();
    store.delete(b"deleted").unwrap();
    store.write(b"gone", b"back").unwrap();
    store.write(b"new", b"new").unwrap();
    store.write(b"passing", b"passing").unwrap();
    store.delete(b"passing").unwrap();
    for view in [view, store.as_of(tail).unwrap()] {
        assert_eq!(view.read(b"kept").unwrap().unwrap(), b"kept");
        assert_eq!(view.read(b"changed").unwrap().unwrap(), b"before");
        assert_eq!(view.read(b"deleted").unwrap().unwrap(), b"deleted later");
        for absent in [&b"gone"[..], b"new", b"passing", b"never"] {
            assert!(view.read(absent).unwrap().is_none());
            assert!(!view.exists(absent).unwrap());
            assert!(view.read_metadata(absent).unwrap().is_none());
        }
        let metadata = view.read_metadata(b"changed").unwrap().unwrap();
        assert_eq!(metadata.checksum, compute_checksum(b"before"));
        assert_eq!(view.entries().unwrap().len(), 3);
        assert_eq!(listed(&view), [&b"deleted later"[..], b"before", b"kept"]);
    }
    assert_eq!(store.read(b"changed").unwrap().unwrap(), b"after");
}

/// The index is ahead of the tail while a batch is being published: what it lost is still in the view.
#[test]
fn a_deletion_that_is_being_published_does_not_show() {
    let store = MemoryStore::new();
    let tail = store.write(b"a", b"there").unwrap();
    let view = store.as_of(tail).unwrap();
    let key_hash = compute_hash(b"a");
    let mut writer = store.lock_writer();
    let generation = store.current.load_full();
    let trailer = EntryMetadata::new(key_hash, tail, compute_checksum(&[0])).serialize();
    generation.backing.write(tail, &[&[0], &trailer]).unwrap();
    generation.announce_tail(tail + 21);
    let live = generation.locate(key_hash).unwrap().unwrap().extent;
    assert!(
        writer
            .index
            .remove(key_hash, |extent| extent == live)
            .is_some()
    );
    assert_eq!(view.read(b"a").unwrap().unwrap(), b"there");
    assert_eq!(listed(&view), [b"there"]);
    generation.publish_tail(tail + 21);
    assert_eq!(view.read(b"a").unwrap().unwrap(), b"there");
    assert!(!store.as_of(tail + 21).unwrap().exists(b"a").unwrap());
}

#[test]
fn what_the_store_keeps_for_itself_does_not_show() {
    let reserved = compute_hash(b"tailstone/batch/1");
    let (payload, other) = (b"a marker", b"a value");
    let backing = MemoryBacking::new();
    let mut tail = 0;
    let mut tails = Vec::new();
    for (key_hash, payload) in [(reserved, &payload[..]), (7, other), (reserved, payload)] {
        let metadata = EntryMetadata::new(key_hash, tail, compute_checksum(payload));
        let parts = [pre_pad(tail), payload, &metadata.serialize()];
        backing.write(tail, &parts).unwrap();
        tail += parts.map(|part| part.len() as u64).iter().sum::<u64>();
        tails.push(tail);
    }
    let store = Store::open_with(backing, &Options::new()).unwrap();
    for (tail, live) in tails.into_iter().zip([0, 1, 1]) {
        let view = store.as_of(tail).unwrap();
        assert!(view.read_with_key_hash(reserved).unwrap().is_none());
        assert!(!view.exists_with_key_hash(reserved).unwrap());
        assert_eq!(view.history_with_key_hash(reserved).count(), 0);
        assert_eq!(listed(&view).len(), live);
        assert_eq!(view.history_with_key_hash(7).count(), live);
    }
}

/// The generation of `store`, index and all, over bytes in which `damage` was done.
fn damaged(store: &MemoryStore, damage: impl FnOnce(&mut [u8])) -> Arc<Generation<MemoryBacking>> {
    let sound = store.current.load_full();
    let mut bytes = vec![0; usize::try_from(sound.tail()).unwrap()];
    sound.backing.read(0, &mut bytes).unwrap();
    damage(&mut bytes);
    let backing = MemoryBacking::new();
    backing.write(0, &[&bytes]).unwrap();
    let index = Arc::clone(&sound.index);
    Arc::new(Generation::new(backing, index, sound.tail(), 0))
}

#[test]
fn a_damaged_value_is_refused_when_values_are_verified() {
    let store = MemoryStore::new();
    let tail = store.write(b"a", b"spoilt").unwrap();
    store.write(b"a", b"newer").unwrap();
    let generation = damaged(&store, |bytes| bytes[0] ^= 1);
    check_tail(&generation, tail).unwrap();
    let view = |verify_reads| ReadView {
        generation: Arc::clone(&generation),
        tail,
        verify_reads,
    };
    assert_eq!(view(false).read(b"a").unwrap().unwrap(), b"rpoilt");
    let error = view(true).read(b"a").unwrap_err();
    assert!(matches!(error, Error::Corrupt { offset: 0, .. }), "{error}");
    assert!(view(true).exists(b"a").unwrap());
}

#[test]
fn a_damaged_link_is_an_error_only_for_who_goes_past_it() {
    let store = MemoryStore::new();
    let first = store.write(b"a", b"first").unwrap();
    let kept = store.write(b"kept", b"kept").unwrap();
    let third = store.write(b"b", b"third").unwrap();
    let fourth = store.write(b"a", b"fourth").unwrap();
    let link = usize::try_from(third).unwrap() - 12;
    // The third entry now ends where it did, but has no room for a payload.
    let generation = damaged(&store, |bytes| bytes[link + 4] = 1);
    assert!(check_tail(&generation, fourth).is_ok());
    assert!(check_tail(&generation, third).is_ok());
    for tail in [kept, first, 7] {
        let error = check_tail(&generation, tail).unwrap_err();
        assert!(
            matches!(error, Error::Corrupt { offset, .. } if offset == third),
            "{error}"
        );
    }
    let view = ReadView {
        generation,
        tail: third,
        verify_reads: false,
    };
    assert_eq!(view.read(b"kept").unwrap().unwrap(), b"kept");
    assert!(matches!(view.read(b"a"), Err(Error::Corrupt { .. })));
    assert!(matches!(view.exists(b"a"), Err(Error::Corrupt { .. })));
    assert!(matches!(view.entries(), Err(Error::Corrupt { .. })));
    assert_eq!(view.iter_entries().count(), 0);
}
