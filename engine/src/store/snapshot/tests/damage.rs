//! What is damaged, copied or in use by several at once.

use super::{KEYS, bytes_of, check, check_stats, filled, key, open, parts, try_open};
use crate::format::{EntryMetadata, SNAPSHOT_HASH, align_to_payload, compute_checksum};
use crate::{DataStoreReader, DataStoreWriter, EntryHandle, Error, MemoryStore};

/// One bit of each part, and what was written since: the snapshot or the damaged part of it counts for nothing, and no value is lost.
#[test]
#[cfg_attr(miri, ignore = "hundreds of stores")]
fn damage_costs_the_snapshot_alone() {
    let store = MemoryStore::new();
    let model = filled(&store);
    store.snapshot_index().unwrap();
    let bytes = bytes_of(&store);
    let (body, head) = parts(&bytes);
    let places = body.clone().step_by(9973).chain(head.clone().step_by(37));
    for at in places.chain([body.end + 10, body.end + 17]) {
        for more in [false, true] {
            let mut bytes = bytes.clone();
            let mut model = model.clone();
            if more {
                let store = open(&bytes);
                store.write(&key(1), b"since").unwrap();
                store.write(b"unheard of", b"since").unwrap();
                store.delete(&key(2)).unwrap();
                model.insert(key(1), b"since".to_vec());
                model.insert(b"unheard of".to_vec(), b"since".to_vec());
                model.remove(&key(2));
                bytes = bytes_of(&store);
            }
            bytes[at] ^= 0x10;
            match try_open(&bytes) {
                Ok(store) => {
                    check(&store, &model);
                    // Segments that had to be mended take entries as before.
                    for n in 0..KEYS {
                        store.write(&key(n), &n.to_le_bytes()).unwrap();
                    }
                    for n in 0..KEYS {
                        let value = store.read(&key(n)).unwrap().unwrap();
                        assert_eq!(value.as_slice(), n.to_le_bytes());
                    }
                }
                // A damaged link, in the body's metadata or the head's, is what it is anywhere.
                Err(Error::Corrupt { .. }) => {
                    assert!(
                        (body.end..head.start).contains(&at) || at >= head.end,
                        "{at}"
                    );
                }
                Err(error) => panic!("{at}: {error}"),
            }
        }
    }
}

#[test]
fn a_reader_meets_damage_and_mends_it() {
    let store = MemoryStore::new();
    let model = filled(&store);
    store.snapshot_index().unwrap();
    let mut bytes = bytes_of(&store);
    let (body, _) = parts(&bytes);
    for at in body.step_by(64) {
        bytes[at] ^= 1;
    }
    let store = open(&bytes);
    let reader = store.reader();
    for n in 0..KEYS {
        assert_eq!(reader.get(&key(n)), model.get(&key(n)).map(Vec::as_slice));
    }
    check(&store, &model);
    check_stats(&store);
    // For good: who did not find a key before it was mended and asks afterwards has to look again.
    assert!(store.current.load().index.has_damage());
}

/// Who mends while another thread finds that it cannot be done does not take that for done.
#[test]
fn what_one_gives_up_another_has_not_mended() {
    let store = MemoryStore::new();
    filled(&store);
    store.snapshot_index().unwrap();
    let mut bytes = bytes_of(&store);
    let (body, _) = parts(&bytes);
    bytes[body.start] ^= 1;
    let store = open(&bytes);
    let generation = store.current.load();
    let [first, second] = [(); 2].map(|()| generation.index.mender().unwrap());
    first.give_up();
    assert!(!second.finish());
    assert!(matches!(generation.wake_all(), Err(Error::Corrupt { .. })));
    assert!(matches!(store.compact(), Err(Error::Corrupt { .. })));
}

/// As an old tool leaves it that copies what it takes for an entry like any other.
#[test]
fn a_copied_one_is_none() {
    let store = MemoryStore::new();
    let model = filled(&store);
    store.snapshot_index().unwrap();
    let bytes = bytes_of(&store);
    let (body, head) = parts(&bytes);
    let body_metadata = &bytes[body.end..body.end + 20];
    let tail = EntryMetadata::deserialize(body_metadata.try_into().unwrap()).prev_offset;
    let copy = |parts: &[&[u8]]| {
        let mut file = bytes[..usize::try_from(tail).unwrap()].to_vec();
        for payload in parts {
            let prev = file.len() as u64;
            file.resize(usize::try_from(align_to_payload(prev)).unwrap(), 0);
            file.extend_from_slice(payload);
            let hash = if payload.len() == 8 { 7 } else { SNAPSHOT_HASH };
            let metadata = EntryMetadata::new(hash, prev, compute_checksum(payload));
            file.extend_from_slice(&metadata.serialize());
        }
        file
    };
    let (body, head) = (&bytes[body], &bytes[head]);
    for parts in [
        &[&b"8 bytes."[..], body, head][..],
        &[head],
        &[body, b"8 bytes.", head],
        &[body, body],
        // The head is where it was made for only if what is before it is.
        &[body, b"8 bytes.", body, head],
    ] {
        let store = open(&copy(parts));
        assert_eq!(store.recovery_report().index_snapshot, None);
        for (key, value) in &model {
            assert_eq!(store.read(key).unwrap().unwrap().as_slice(), value);
        }
    }
    // Two heads behind one body: the first is where it was made for, and the body is before it.
    let store = open(&copy(&[body, head, head]));
    assert!(store.recovery_report().index_snapshot.is_some());
    check(&store, &model);
}

/// Readers wake segments while the writer wakes others, splits them and doubles the directory.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn readers_wake_segments_beside_a_writer() {
    let rounds = if cfg!(miri) { 1 } else { 12 };
    let store = MemoryStore::new();
    let model = filled(&store);
    store.snapshot_index().unwrap();
    let mut bytes = bytes_of(&store);
    let (body, _) = parts(&bytes);
    for round in 0..rounds {
        if round == rounds / 2 {
            // From now on some of them have to be mended first.
            for at in body.clone().step_by(9000) {
                bytes[at] ^= 1;
            }
        }
        let store = open(&bytes);
        let (store, model) = (&store, &model);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    let reader = store.reader();
                    for n in (0..KEYS).map(|n| (n * 17 + thread * 501 + round) % KEYS) {
                        let wanted = model.get(&key(n)).map(Vec::as_slice);
                        assert_eq!(reader.get(&key(n)), wanted, "{n}");
                        let read = store.read(&key(n)).unwrap();
                        assert_eq!(read.as_ref().map(EntryHandle::as_slice), wanted);
                    }
                });
            }
            scope.spawn(move || {
                for n in 0..KEYS * 2 {
                    store
                        .write(&[b"n", &n.to_le_bytes()[..]].concat(), b"new")
                        .unwrap();
                }
            });
        });
        assert_eq!(store.len().unwrap(), model.len() + KEYS as usize * 2);
        for n in 0..KEYS * 2 {
            let name = [b"n", &n.to_le_bytes()[..]].concat();
            assert!(store.exists(&name).unwrap());
        }
    }
}
