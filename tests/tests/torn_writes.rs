//! A torn write costs that write and nothing else: a store cut at every length, with rubbish behind the cut.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]

use std::collections::BTreeMap;
use std::path::Path;
use tailstone::recovery::Outcome;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter};
use tailstone_tests::Rng;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store's bytes, and what it held at each of its tails.
struct Recorded {
    bytes: Vec<u8>,
    states: Vec<(u64, Model)>,
}

/// A store of everything that has fooled a recovery: tombstones, streams, a store within a store, zeros, its own tails.
fn mixed(rng: &mut Rng) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.tsl");
    let nested = {
        let inner = folder.path().join("inner.tsl");
        let store = DataStore::open(&inner).unwrap();
        store.write(b"inner one", b"nested value").unwrap();
        store.write(b"inner two", &rng.bytes(70)).unwrap();
        store.delete(b"inner one").unwrap();
        store.close().unwrap();
        std::fs::read(&inner).unwrap()
    };
    let store = DataStore::open(&path).unwrap();
    let mut model = Model::new();
    let mut states = vec![(0, model.clone())];
    let mut tails: Vec<u8> = Vec::new();
    for step in 0_u8..22 {
        let key = vec![b'k', step % 9];
        let value = match step % 8 {
            0 => vec![0; 40],
            1 => rng.bytes(9),
            2 => nested.clone(),
            3 => (0..12_u64).flat_map(|at| (at % 3).to_le_bytes()).collect(),
            4 => tails.clone(),
            5 => rng.bytes(200),
            _ => vec![step; 1 + usize::from(step)],
        };
        let tail = if step % 8 == 6 {
            let gone = vec![b'k', (step + 4) % 9];
            model.remove(&gone);
            store.delete(&gone).unwrap()
        } else if step % 8 == 7 {
            model.insert(key.clone(), value.clone());
            store.write_stream(&key, &mut &value[..]).unwrap()
        } else {
            model.insert(key.clone(), value.clone());
            store.write(&key, &value).unwrap()
        };
        if states.last().unwrap().0 != tail {
            states.push((tail, model.clone()));
        }
        tails.extend_from_slice(&tail.to_le_bytes());
    }
    store.close().unwrap();
    Recorded {
        bytes: std::fs::read(&path).unwrap(),
        states,
    }
}

fn check(path: &Path, expected: &Model, what: &str) {
    let store = DataStore::open(path).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(
        store.len().unwrap(),
        expected.len(),
        "{what}: {}",
        store.recovery_report()
    );
    for (key, value) in expected {
        let read = store
            .read(key)
            .unwrap()
            .unwrap_or_else(|| panic!("{what}: {key:?} is gone"));
        assert_eq!(read.as_slice(), value, "{what}");
        assert!(read.is_valid_checksum(), "{what}");
    }
}

/// Whether a torn value made of tails was cut, by chance, where its last bytes look like metadata behind `tail`.
fn names_its_tail(bytes: &[u8], tail: u64) -> bool {
    let rest = bytes.len() as u64 - tail;
    let named = bytes
        .len()
        .checked_sub(12)
        .map(|at| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()));
    tail > 0 && rest > 20 + (64 - tail % 64) % 64 && named == Some(tail)
}

fn cut_everywhere(recorded: &Recorded, suffix_of: impl Fn(usize) -> Vec<u8>, what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.tsl");
    for cut in 0..=recorded.bytes.len() {
        let (tail, expected) = recorded
            .states
            .iter()
            .rev()
            .find(|(tail, _)| *tail <= cut as u64)
            .unwrap();
        let mut bytes = recorded.bytes[..cut].to_vec();
        let suffix = suffix_of(cut);
        bytes.extend_from_slice(&suffix);
        std::fs::write(&path, &bytes).unwrap();
        let what = format!("{what}, cut at {cut} of {}", recorded.bytes.len());
        if *tail == 0 && bytes.iter().any(|byte| *byte != 0) {
            // Nothing whole is left, so this cannot be told from somebody else's file.
            let refused = DataStore::open(&path).unwrap_err();
            assert!(
                matches!(refused, tailstone::Error::NotAStore { .. }),
                "{what}: {refused}"
            );
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "{what}");
            continue;
        }
        if names_its_tail(&bytes, *tail) {
            // By the letter of the format this is a whole entry with a damaged payload: it is kept, and says so.
            let store = DataStore::open(&path).unwrap();
            assert_eq!(
                store.recovery_report().outcome,
                Outcome::DamagedLastPayload,
                "{what}"
            );
            assert!(store.len().unwrap() <= expected.len() + 1, "{what}");
            let mut damaged = 0;
            for (key, value) in expected {
                let read = store.read(key).unwrap().unwrap();
                if read.is_valid_checksum() {
                    assert_eq!(read.as_slice(), value, "{what}");
                } else {
                    damaged += 1;
                }
            }
            assert!(damaged <= 1, "{what}: {damaged} values are damaged");
            continue;
        }
        check(&path, expected, &what);
        let after = std::fs::metadata(&path).unwrap().len();
        assert_eq!(after, *tail, "{what}");
        // And it goes on from there.
        let store = DataStore::open(&path).unwrap();
        store.write(b"next", b"after the cut").unwrap();
        drop(store);
        let store = DataStore::open_existing(&path).unwrap();
        assert_eq!(
            store.read(b"next").unwrap().unwrap(),
            b"after the cut",
            "{what}"
        );
    }
}

#[test]
fn cut_at_every_length() {
    let recorded = mixed(&mut Rng::from_environment("cut_at_every_length", 11));
    cut_everywhere(&recorded, |_| Vec::new(), "plain");
}

#[test]
fn cut_at_every_length_with_zeros_behind() {
    let recorded = mixed(&mut Rng::from_environment(
        "cut_at_every_length_with_zeros_behind",
        12,
    ));
    cut_everywhere(&recorded, |cut| vec![0; 1 + cut % 97], "zeros");
}

#[test]
fn cut_at_every_length_with_random_bytes_behind() {
    let recorded = mixed(&mut Rng::from_environment(
        "cut_at_every_length_with_random_bytes_behind",
        13,
    ));
    let suffix = |cut: usize| Rng::new(cut as u64).bytes(1 + cut % 61);
    // At a whole entry's end 21 random bytes or more could be a damaged entry only if they named the tail; they do not.
    cut_everywhere(&recorded, suffix, "random");
}

#[test]
fn cut_at_every_length_with_its_own_start_behind() {
    let recorded = mixed(&mut Rng::from_environment(
        "cut_at_every_length_with_its_own_start_behind",
        14,
    ));
    let start = recorded.bytes.clone();
    cut_everywhere(
        &recorded,
        |cut| start[..start.len().min(40 + cut % 300)].to_vec(),
        "own start",
    );
}

/// The reference lost a whole store of fifty entries to twenty zeros behind it.
#[test]
fn zeros_behind_a_reference_file_cost_nothing() {
    use simd_r_drive::traits::DataStoreWriter as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reference.bin");
    let store = simd_r_drive::DataStore::open(&path).unwrap();
    let mut model = Model::new();
    let mut states = vec![(0, model.clone())];
    for at in 0_u32..20 {
        let (key, value) = (
            format!("key{at}").into_bytes(),
            format!("value {at:03}").into_bytes(),
        );
        let tail = store.write(&key, &value).unwrap();
        model.insert(key, value);
        states.push((tail, model.clone()));
    }
    drop(store);
    let recorded = Recorded {
        bytes: std::fs::read(&path).unwrap(),
        states,
    };
    assert_eq!(
        recorded.bytes.len(),
        1244 + 1,
        "twenty entries of nine bytes"
    );
    cut_everywhere(&recorded, |_| Vec::new(), "reference");
    cut_everywhere(&recorded, |_| vec![0; 20], "reference with zeros");
}

/// A last entry that is whole but for its payload is kept, and says so.
#[test]
fn a_damaged_last_payload_is_kept_and_reads_as_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.tsl");
    let store = DataStore::open(&path).unwrap();
    store.write(b"first", b"sound").unwrap();
    store.write(b"last", b"about to be damaged").unwrap();
    store.close().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[64] ^= 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let store = DataStore::open(&path).unwrap();
    assert_eq!(store.len().unwrap(), 2);
    assert!(!store.read(b"last").unwrap().unwrap().is_valid_checksum());
    assert!(store.read(b"first").unwrap().unwrap().is_valid_checksum());
    assert!(
        store.recovery_report().to_string().contains("damage"),
        "{}",
        store.recovery_report()
    );
    drop(store);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
