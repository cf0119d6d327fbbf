//! Snapshots that only look like some.

use super::{KEYS, bytes_of, check, filled, key, parts, try_open};
use crate::format::{EntryMetadata, SNAPSHOT_HASH, SnapshotHead, compute_checksum};
use crate::{Batch, DataStoreReader, DataStoreWriter, Error, MemoryStore, compute_hash};
use std::ops::Range;

/// Makes every checksum fit.
fn seal(bytes: &mut Vec<u8>, parsed: &mut SnapshotHead, body: &Range<usize>, head: &Range<usize>) {
    let mut at = body.start;
    for segment in &mut parsed.segments {
        let len = usize::from(segment.chunks) * parsed.chunk_size as usize;
        let end = (at + len).min(body.end);
        segment.checksum = compute_checksum(&bytes[at..end]);
        at = end;
    }
    let checksum = compute_checksum(&bytes[body.clone()]);
    bytes[body.end + 16..body.end + 20].copy_from_slice(&checksum);
    let payload = parsed.serialize();
    let prev = EntryMetadata::deserialize(bytes[head.end..].try_into().unwrap()).prev_offset;
    bytes.truncate(head.start);
    bytes.extend_from_slice(&payload);
    let metadata = EntryMetadata::new(SNAPSHOT_HASH, prev, compute_checksum(&payload));
    bytes.extend_from_slice(&metadata.serialize());
}

/// With checksums that are right, over contents that are not: no panic, and an error at most.
#[test]
#[cfg_attr(miri, ignore = "hundreds of stores")]
fn a_hostile_one_does_no_harm() {
    let store = MemoryStore::new();
    let model = filled(&store);
    store.snapshot_index().unwrap();
    let bytes = bytes_of(&store);
    let (body, head) = parts(&bytes);
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let below = |random: u64, end: usize| usize::try_from(random % end as u64).unwrap();
    for round in 0..100 {
        let mut bytes = bytes.clone();
        let mut parsed =
            SnapshotHead::deserialize(head.start as u64, &bytes[head.clone()]).unwrap();
        match round % 5 {
            0 => {
                for _ in 0..=random() % 2000 {
                    let at = body.start + below(random(), body.len() - 8);
                    bytes[at..at + 8].copy_from_slice(&random().to_le_bytes());
                }
            }
            1 => bytes[body.clone()].fill(0xff),
            2 => {
                parsed.live_keys = random() >> (random() % 64);
                parsed.live_span = random() >> (random() % 64);
                parsed.mixer = [random(), random(), random()];
            }
            3 => {
                for _ in 0..2 {
                    let at = below(random(), parsed.segments.len());
                    let segment = &mut parsed.segments[at];
                    segment.depth = random().to_le_bytes()[0] % 32;
                    segment.chunks = random().to_le_bytes()[0] % 20;
                }
            }
            _ => {
                parsed.chunks_len = random() >> (random() % 64);
                parsed.keys_len = random() >> (random() % 64);
                parsed.tail ^= 1 << (random() % 64);
            }
        }
        seal(&mut bytes, &mut parsed, &body, &head);
        let opened = try_open(&bytes);
        let Ok(store) = opened else { continue };
        if round % 5 == 3 || round % 5 == 4 {
            // What does not fit together is not taken up.
            if store.recovery_report().index_snapshot.is_none() {
                check(&store, &model);
                continue;
            }
        }
        for n in 0..KEYS {
            let value = store.read(&key(n));
            if let Ok(Some(value)) = value {
                assert_eq!(value.key_hash(), compute_hash(&key(n)));
            }
            let _ = store.reader().get(&key(n));
        }
        let _ = store.stats();
        let _ = store.entries().map(Iterator::count);
        for n in 0..KEYS / 4 {
            let _ = store.write(&key(n * 3), b"new");
            let _ = store.delete(&key(n * 5));
        }
        let mut batch = Batch::new();
        batch.put(b"a", b"b");
        batch.delete(&key(1));
        let _ = store.commit(&batch);
        let _ = store.len();
        let _ = try_open(&bytes_of(&store));
    }
}

/// Entries that lie in a value of somebody's making, each of which says that its own value begins where the file does.
#[test]
fn a_compaction_writes_no_more_than_there_is() {
    const EXTENT: u64 = (1 << 53) - 1;
    let store = MemoryStore::new();
    filled(&store);
    let metadata = EntryMetadata::new(7, 0, [0; 4]).serialize();
    store.write(b"made", &metadata.repeat(5000)).unwrap();
    let mut made_at = store.read(b"made").unwrap().unwrap().start_offset();
    store.snapshot_index().unwrap();
    let mut bytes = bytes_of(&store);
    let (body, head) = parts(&bytes);
    let mut parsed = SnapshotHead::deserialize(head.start as u64, &bytes[head.clone()]).unwrap();
    for line in bytes[body.clone()].chunks_exact_mut(64) {
        let (words, _) = line[..48].as_chunks_mut::<8>();
        for word in words {
            let was = u64::from_le_bytes(*word);
            if was != 0 {
                // A length that is none, and where the metadata lies.
                *word = (was & !EXTENT | 0b11111 << 48 | made_at).to_le_bytes();
                made_at += metadata.len() as u64;
            }
        }
    }
    seal(&mut bytes, &mut parsed, &body, &head);
    let store = try_open(&bytes).unwrap();
    assert!(store.recovery_report().index_snapshot.is_some());
    assert!(store.live_entries().unwrap().extents.len() > 1000);
    assert!(matches!(store.compact(), Err(Error::Corrupt { .. })));
}
