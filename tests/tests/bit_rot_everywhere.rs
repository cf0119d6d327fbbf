//! Every byte flipped of a store that holds all there is: bucket entries, atomic batches in the middle and at the end, a deletion, a
//! store within the store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use tailstone::backing::MemoryBacking;
use tailstone::format::{BATCH_HASH, compute_hash, full_key};
use tailstone::recovery::{Chain, salvage, verify};
use tailstone::{
    Batch, DataStore, DataStoreReader, DataStoreWriter, Error, Options, Store, recovery,
};

/// An entry, its pre-pad left out.
#[derive(Debug, Clone)]
struct Written {
    key_hash: u64,
    /// `None` for a deletion.
    value: Option<Vec<u8>>,
    bytes: Range<usize>,
}

struct Sample {
    file: Vec<u8>,
    /// Oldest first.
    entries: Vec<Written>,
    /// Where in them the last batch begins.
    last_batch: usize,
}

fn sample() -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rot.tsl");
    let store = DataStore::open(&path).unwrap();
    let bucket = store.bucket("bucket").unwrap();
    store.write(b"first", b"value").unwrap();
    bucket.set(b"ada", b"1815").unwrap();
    bucket.set(b"empty", b"").unwrap();
    let mut batch = Batch::new();
    batch
        .put(b"a", &b"in the middle"[..])
        .put(b"b", vec![3; 90]);
    store.commit(&batch).unwrap();
    bucket.set_until(b"zero", &[0], 1 << 60).unwrap();
    store.delete(b"first").unwrap();
    store.write(b"zeros", &[0; 70]).unwrap();
    let so_far = std::fs::read(&path).unwrap();
    let so_far = &so_far[..usize::try_from(store.tail()).unwrap()];
    store.write(b"nested", so_far).unwrap();
    bucket.set(b"ada", b"1852").unwrap();
    bucket.delete(b"empty").unwrap();
    bucket
        .set_many(&[
            (b"x", b"at the end"),
            (b"y", &[5; 40]),
            (b"ada", b"countess"),
        ])
        .unwrap();
    store.close().unwrap();

    let file = std::fs::read(&path).unwrap();
    let backing = MemoryBacking::from_bytes(&file).unwrap();
    let place = |at: u64| usize::try_from(at).unwrap();
    let mut entries: Vec<Written> = Chain::new(&backing, file.len() as u64)
        .map(|entry| {
            let entry = entry.unwrap();
            let payload = place(entry.payload().start)..place(entry.payload().end);
            Written {
                key_hash: entry.metadata.key_hash,
                value: (!entry.is_tombstone).then(|| file[payload.clone()].to_vec()),
                bytes: payload.start..place(entry.end()),
            }
        })
        .collect();
    entries.reverse();
    let markers = entries.iter().filter(|entry| entry.key_hash == BATCH_HASH);
    assert_eq!(markers.count(), 2);
    let last_batch = entries
        .iter()
        .rposition(|entry| entry.key_hash == BATCH_HASH)
        .unwrap();
    assert_eq!(entries.len() - last_batch, 4);
    Sample {
        file,
        entries,
        last_batch,
    }
}

/// What is live after the first `count` entries.
fn live(entries: &[Written]) -> BTreeMap<u64, &[u8]> {
    let mut live = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.key_hash != BATCH_HASH) {
        match &entry.value {
            Some(value) => drop(live.insert(entry.key_hash, &value[..])),
            None => drop(live.remove(&entry.key_hash)),
        }
    }
    live
}

fn is_newest(entries: &[Written], hit: Option<usize>) -> bool {
    hit.is_some_and(|hit| {
        let hash = entries[hit].key_hash;
        entries[hit + 1..]
            .iter()
            .all(|later| later.key_hash != hash)
    })
}

fn open(bytes: &[u8]) -> Result<Store<MemoryBacking>, Error> {
    Store::open_with(MemoryBacking::from_bytes(bytes).unwrap(), &Options::new())
}

#[test]
fn nothing_else_is_lost_without_a_word() {
    let sample = sample();
    assert_eq!(
        open(&sample.file).unwrap().len().unwrap(),
        live(&sample.entries).len()
    );
    let (mut refused, mut cut, mut kept) = (0, 0, 0);
    for at in 0..sample.file.len() {
        for flip in [0xff, 0x01, 0x80, 0x40] {
            let what = format!("byte {at} ^ {flip:#x}");
            let mut damaged = sample.file.clone();
            damaged[at] ^= flip;
            let hit = sample
                .entries
                .iter()
                .position(|entry| entry.bytes.contains(&at));
            let store = match open(&damaged) {
                Ok(store) => store,
                Err(Error::Corrupt { .. } | Error::NotAStore { .. }) => {
                    assert!(hit.is_some(), "{what}: refused for a pad");
                    refused += 1;
                    continue;
                }
                Err(other) => panic!("{what}: {other}"),
            };
            let was_cut = store.recovery_report().cut_bytes > 0;
            let in_last_batch = hit.is_some_and(|hit| hit >= sample.last_batch);
            assert!(!was_cut || in_last_batch, "{what} cut the store");
            cut += u32::from(was_cut);
            kept += u32::from(!was_cut);
            // A batch goes as a whole.
            let there = if was_cut {
                &sample.entries[..sample.last_batch]
            } else {
                &sample.entries[..]
            };
            let hit_hash = hit.map(|hit| sample.entries[hit].key_hash);
            for (hash, value) in live(there) {
                let read = store.read_with_key_hash(hash).unwrap();
                if Some(hash) != hit_hash || was_cut {
                    assert!(read.is_some_and(|read| read == *value), "{what}");
                } else if is_newest(&sample.entries, hit) {
                    let noticed =
                        !read.is_some_and(|read| read == *value && read.is_valid_checksum());
                    assert!(noticed, "{what} went unnoticed in its own entry");
                }
            }
        }
    }
    println!("{refused} refused, {cut} cut, {kept} kept");
    assert!(refused > 100 && cut > 100 && kept > 1000);
}

#[test]
fn verify_names_what_was_hit_and_salvage_brings_the_rest() {
    let sample = sample();
    for at in 0..sample.file.len() {
        let Some(hit) = sample
            .entries
            .iter()
            .position(|entry| entry.bytes.contains(&at))
        else {
            continue;
        };
        let hit = &sample.entries[hit];
        let mut damaged = sample.file.clone();
        damaged[at] ^= 0xff;
        let backing = MemoryBacking::from_bytes(&damaged).unwrap();
        let report = verify(&backing, &mut |_, _| ()).unwrap();
        // No checksum covers the hash of a key. Where it is stored with the value, its trailer tells.
        let end = hit.bytes.end;
        let in_key_hash = (end - 20..end - 12).contains(&at);
        assert_eq!(report.is_sound(), in_key_hash, "byte {at}: {report:?}");
        if !in_key_hash {
            assert!(
                report.damaged.iter().any(|damage| {
                    let at = usize::try_from(damage.offset).unwrap();
                    hit.bytes.contains(&at) || at == end
                }),
                "byte {at}: {report:?}"
            );
        }
        let mut rescued = BTreeSet::new();
        salvage(
            &backing,
            &mut |entry: recovery::SalvagedEntry| {
                rescued.insert(usize::try_from(entry.payload.start).unwrap());
                Ok(())
            },
            &mut |_, _| (),
        )
        .unwrap();
        for entry in &sample.entries {
            assert!(
                rescued.contains(&entry.bytes.start) || entry.bytes == hit.bytes,
                "byte {at}: {:?} was left out",
                entry.bytes
            );
        }
    }
}

/// A key of a bucket is known by its name still, in the store that was made of what could be rescued.
#[test]
fn salvage_keeps_what_buckets_are_asked_for() {
    let sample = sample();
    let folder = tempfile::tempdir().unwrap();
    let (damaged, rescued) = (folder.path().join("damaged"), folder.path().join("rescued"));
    let mut bytes = sample.file.clone();
    // The link of the nested store's entry: everything before it is out of reach.
    let nested = compute_hash(b"nested");
    let hit = sample
        .entries
        .iter()
        .find(|entry| entry.key_hash == nested)
        .unwrap();
    bytes[hit.bytes.end - 12] ^= 0x40;
    std::fs::write(&damaged, &bytes).unwrap();
    tailstone::salvage(&damaged, &rescued, &mut |_, _| ()).unwrap();
    let store = DataStore::open_existing(&rescued).unwrap();
    let bucket = store.bucket("bucket").unwrap();
    assert_eq!(bucket.get(b"zero").unwrap().unwrap().as_slice(), [0]);
    assert_eq!(bucket.get(b"ada").unwrap().unwrap().as_slice(), b"countess");
    assert!(!bucket.exists(b"empty").unwrap());
    assert!(
        store
            .exists_with_key_hash(compute_hash(&full_key(b"bucket", b"x")))
            .unwrap()
    );
}
