//! Every byte of a small store flipped, one at a time: no panic, and no other entry lost without a word.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use tailstone::backing::MemoryBacking;
use tailstone::{
    DataStore, DataStoreReader, DataStoreWriter, Error, Options, Store, compute_hash, recovery,
};
use tailstone_tests::Rng;

struct Written {
    key: Vec<u8>,
    value: Vec<u8>,
    /// Where the entry lies, its pre-pad left out: a byte there is written as zero and ignored when read.
    bytes: std::ops::Range<usize>,
}

fn store_of(rng: &mut Rng) -> (Vec<u8>, Vec<Written>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rot.tsl");
    let store = DataStore::open(&path).unwrap();
    let mut written = Vec::new();
    for at in 0_u8..12 {
        let (key, value) = (vec![b'k', at], rng.bytes(1 + usize::from(at) * 13));
        let start = usize::try_from(store.tail().next_multiple_of(64)).unwrap();
        let tail = usize::try_from(store.write(&key, &value).unwrap()).unwrap();
        written.push(Written {
            key,
            value,
            bytes: start..tail,
        });
    }
    store.close().unwrap();
    (std::fs::read(&path).unwrap(), written)
}

/// What opening made of the damaged bytes: the store, or the refusal that says so.
fn open(bytes: &[u8]) -> Result<Store<MemoryBacking>, Error> {
    Store::open_with(MemoryBacking::from_bytes(bytes).unwrap(), &Options::new())
}

#[test]
fn every_byte_flipped() {
    let (bytes, written) = store_of(&mut Rng::from_environment("every_byte_flipped", 21));
    for at in 0..bytes.len() {
        for flip in [0xff, 0x01, 0x80, 0x40] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let hit = written.iter().position(|entry| entry.bytes.contains(&at));
            match open(&damaged) {
                Err(Error::Corrupt { .. } | Error::NotAStore { .. }) => {}
                Err(other) => panic!("byte {at} ^ {flip:#x}: {other}"),
                Ok(store) => {
                    // A cut tail is a word too: it is reported, and it is the last entry that was damaged.
                    let cut = store.recovery_report().cut_bytes > 0;
                    assert!(
                        !cut || hit == Some(written.len() - 1),
                        "byte {at} ^ {flip:#x} cut the store"
                    );
                    for (which, entry) in written.iter().enumerate() {
                        let read = store.read(&entry.key).unwrap();
                        if Some(which) == hit {
                            let sound = read.is_some_and(|read| read.is_valid_checksum());
                            assert!(
                                !sound,
                                "byte {at} ^ {flip:#x} went unnoticed in its own entry"
                            );
                        } else {
                            assert_eq!(
                                read.expect("another entry is gone"),
                                entry.value,
                                "byte {at} ^ {flip:#x}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn verify_names_the_entry_and_salvage_recovers_the_others() {
    let (bytes, written) = store_of(&mut Rng::from_environment("verify_names_the_entry", 22));
    for at in 0..bytes.len() {
        let Some(hit) = written.iter().position(|entry| entry.bytes.contains(&at)) else {
            continue;
        };
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        let backing = MemoryBacking::from_bytes(&damaged).unwrap();
        let report = recovery::verify(&backing, &mut |_, _| ()).unwrap();
        // The one thing no checksum covers is the hash of the key: the entry is then somebody else's, and sound.
        let end = written[hit].bytes.end;
        let in_key_hash = (end - 20..end - 12).contains(&at);
        assert_eq!(
            report.is_sound(),
            in_key_hash,
            "byte {at} of {:?}: {report:?}",
            written[hit].bytes
        );
        if !in_key_hash {
            let named = report.damaged.iter().any(|damage| {
                written[hit]
                    .bytes
                    .contains(&usize::try_from(damage.offset).unwrap())
            });
            assert!(named, "byte {at} of {:?}: {report:?}", written[hit].bytes);
        }

        let mut rescued: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        recovery::salvage(
            &backing,
            &mut |entry| {
                let range = usize::try_from(entry.payload.start).unwrap()
                    ..usize::try_from(entry.payload.end).unwrap();
                rescued.insert(entry.key_hash, damaged[range].to_vec());
                Ok(())
            },
            &mut |_, _| (),
        )
        .unwrap();
        for (which, entry) in written.iter().enumerate() {
            if which != hit {
                assert_eq!(
                    rescued.get(&compute_hash(&entry.key)),
                    Some(&entry.value),
                    "byte {at}, entry {which}"
                );
            }
        }
    }
}

/// A file that no longer opens gives up everything but what was hit, in a store of its own.
#[test]
fn a_file_that_is_refused_can_be_salvaged() {
    let (mut bytes, written) = store_of(&mut Rng::from_environment("a_file_that_is_refused", 23));
    let folder = tempfile::tempdir().unwrap();
    let (damaged, rescued) = (folder.path().join("damaged"), folder.path().join("rescued"));
    // The link of the sixth entry: what lies before it is out of reach of the chain.
    let link = written[5].bytes.end - 12;
    bytes[link] ^= 0x40;
    std::fs::write(&damaged, &bytes).unwrap();
    assert!(matches!(
        DataStore::open(&damaged).unwrap_err(),
        Error::Corrupt { .. }
    ));
    assert!(
        !tailstone::verify_file(&damaged, &mut |_, _| ())
            .unwrap()
            .is_sound()
    );

    let report = tailstone::salvage(&damaged, &rescued, &mut |_, _| ()).unwrap();
    assert!(report.entries >= 11, "{report}");
    let store = DataStore::open_existing(&rescued).unwrap();
    for (which, entry) in written.iter().enumerate().filter(|(which, _)| *which != 5) {
        assert_eq!(
            store.read(&entry.key).unwrap().unwrap().as_slice(),
            entry.value,
            "entry {which}"
        );
    }
    assert_eq!(
        std::fs::read(&damaged).unwrap(),
        bytes,
        "salvage changed the damaged file"
    );
    // The target is somebody's by now.
    assert!(tailstone::salvage(&damaged, &rescued, &mut |_, _| ()).is_err());
}
