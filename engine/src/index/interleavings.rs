//! Readers beside the writer in every order that loom finds, with values as old as the memory model allows: the index itself,
//! with chunks so small that a dozen keys make it grow.

use super::extent::Extent;
use super::read::Index;
use super::write::IndexWriter;
use crate::atomic::explore;
use loom::thread;
use std::sync::Arc;

/// The whole hash of the entry at an extent: here it says it in its offset.
fn hash_at(extent: Extent) -> u64 {
    extent.metadata_offset() / VERSIONS
}

/// Offsets of one key's versions are these many apart from the next key's.
const VERSIONS: u64 = 1 << 8;

fn extent(hash: u64, version: u64) -> Extent {
    Extent::new(hash * VERSIONS + version, 1)
}

fn put(writer: &mut IndexWriter, hash: u64, version: u64) {
    writer.put(hash, extent(hash, version), |other| hash_at(other) == hash);
}

/// The version of `hash` that a reader finds.
fn find(index: &Index, hash: u64) -> Option<u64> {
    let found = index.find(hash, |extent| {
        Ok::<_, std::convert::Infallible>(hash_at(extent) == hash)
    });
    let Ok(found) = found;
    found.map(|extent| extent.metadata_offset() % VERSIONS)
}

/// An index with version 1 of the keys 1 to `keys`.
fn index_of(keys: u64) -> (Arc<Index>, IndexWriter) {
    let (index, mut writer) = Index::create();
    for hash in 1..=keys {
        put(&mut writer, hash, 1);
    }
    (index, writer)
}

#[test]
fn a_key_is_there_through_a_replacement_and_another_through_its_removal() {
    explore(5, || {
        let (index, mut writer) = index_of(3);
        let reading = Arc::clone(&index);
        let reader = thread::spawn(move || {
            let first = find(&reading, 2).expect("a key that is always there");
            let again = find(&reading, 2).expect("a key that is always there");
            assert!(
                (1..=2).contains(&first) && again >= first,
                "{first}, {again}"
            );
            assert!(matches!(find(&reading, 3), None | Some(1)));
        });
        put(&mut writer, 2, 2);
        writer.remove(3, |other| hash_at(other) == 3);
        reader.join().unwrap();
        assert_eq!((find(&index, 2), find(&index, 3)), (Some(2), None));
    });
}

/// As many keys as the first segment holds, then one more.
#[test]
fn a_key_is_found_while_its_segment_is_rebuilt() {
    grows(10, 11, 4);
}

#[test]
fn a_key_is_found_while_its_segment_is_split() {
    grows(20, 21, 2);
}

/// Twice, so that the parts of the first segment come back while a reader may still be in it.
#[test]
fn a_key_is_found_while_parts_are_recycled() {
    grows(10, 21, 1);
}

fn grows(before: u64, after: u64, switches: usize) {
    explore(switches, move || {
        let (index, mut writer) = index_of(before);
        let memory = index.memory_bytes();
        let reading = Arc::clone(&index);
        let reader = thread::spawn(move || {
            assert_eq!(find(&reading, 7), Some(1), "a key that is always there");
            assert_eq!(find(&reading, 1000), None, "a key that never is");
        });
        for hash in before + 1..=after {
            put(&mut writer, hash, 1);
        }
        reader.join().unwrap();
        assert!(index.memory_bytes() > memory, "nothing has grown");
        for hash in 1..=after {
            assert_eq!(find(&index, hash), Some(1));
        }
    });
}
