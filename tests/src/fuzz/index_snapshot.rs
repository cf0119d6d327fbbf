//! Index snapshots: a damaged one changes nothing about the store, and one that was made to deceive harms nobody.

use super::examine::examine;
use super::source::Source;
use super::watched::Watched;
use tailstone::backing::MemoryBacking;
use tailstone::format::{
    EntryMetadata, SNAPSHOT_HASH, SnapshotHead, align_to_payload, compute_checksum, compute_hash,
};
use tailstone::{DataStoreReader, DataStoreWriter, Error, MemoryStore, Options, Store};

const KEYS: u8 = 40;

/// Makes a store with a snapshot, changes bytes of that as the input says, with or without its checksums made to fit, and uses what opens.
pub fn index_snapshot(data: &[u8]) {
    let mut source = Source::new(data);
    let mut file = sample(source.byte().is_multiple_of(2));
    let (body, head) = parts(&file);
    let deceives = source.byte().is_multiple_of(2);
    let snapshot = body.start..head.end;
    for _ in 0..=source.byte() % 16 {
        let at = match source.byte() % 4 {
            0 => body.start + source.below(body.len()),
            // Near the end of the body the keys of buckets lie.
            1 => body.end - 1 - source.below(body.len().min(300)),
            2 => head.start + source.below(head.len()),
            _ => snapshot.start + source.below(snapshot.len()),
        };
        file[at] ^= source.byte();
    }
    if !deceives {
        same_as_walked(&file);
        return;
    }
    if let Some(file) = made_to_fit(&file, &body, &head)
        && let Ok(store) = opened(&file, true)
    {
        used(&store, &mut source);
    }
}

/// Keys of a bucket and plain ones, some deleted; then a snapshot, with the keys in their order or not.
fn sample(lists: bool) -> Vec<u8> {
    let device = Watched::new(&[]);
    let store = device.open(&Options::new()).unwrap();
    let bucket = store.bucket("bucket").unwrap();
    for n in 0..KEYS {
        store.write(&[n], &[n; 20]).unwrap();
        bucket.set(&[n], &[n; 3]).unwrap();
    }
    store.batch_delete(&[&[1], &[2], &[3]]).unwrap();
    if lists {
        assert_eq!(bucket.len().unwrap(), u64::from(KEYS));
    }
    assert!(store.snapshot_index().unwrap());
    drop(store);
    device.bytes()
}

/// Where the payloads of body and head lie.
fn parts(file: &[u8]) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let metadata = |end: usize| EntryMetadata::deserialize(file[end - 20..end].try_into().unwrap());
    let start = |tail: u64| usize::try_from(align_to_payload(tail)).unwrap();
    let head = metadata(file.len());
    let body_end = usize::try_from(head.prev_offset).unwrap();
    let body = metadata(body_end);
    (
        start(body.prev_offset)..body_end - 20,
        start(head.prev_offset)..file.len() - 20,
    )
}

fn opened(file: &[u8], snapshots: bool) -> Result<MemoryStore, Error> {
    let options = Options::new().snapshots(snapshots);
    Store::open_with(MemoryBacking::from_bytes(file).unwrap(), &options)
}

/// What has not its checksums is as if it were not there, but for links and hashes of its two entries, which have none.
fn same_as_walked(file: &[u8]) {
    let Ok(store) = opened(file, true) else {
        assert!(opened(file, false).is_err(), "refused for its snapshot");
        return;
    };
    let walked = opened(file, false).unwrap();
    let from_snapshot = store.recovery_report().index_snapshot.is_some();
    if !from_snapshot {
        assert!(examine(&store, file) == examine(&walked, file));
    }
    let list = |store: &MemoryStore| -> Vec<_> {
        let entries = store.entries().unwrap();
        entries.map(|entry| entry.unwrap().offset_range()).collect()
    };
    assert_eq!(list(&store), list(&walked));
    assert_eq!(store.len().unwrap(), walked.len().unwrap());
    let keys = |store: &MemoryStore| -> Vec<_> {
        let bucket = store.bucket("bucket").unwrap();
        bucket.iter_keys(b"").map(Result::unwrap).collect()
    };
    assert_eq!(keys(&store), keys(&walked));
    for n in 0..KEYS {
        let value = |store: &MemoryStore| store.read(&[n]).unwrap().map(|value| value.to_vec());
        assert_eq!(value(&store), value(&walked));
    }
}

/// The file with all checksums of the snapshot those of its bytes; `None` if there is no head to read any more.
fn made_to_fit(
    file: &[u8],
    body: &std::ops::Range<usize>,
    head: &std::ops::Range<usize>,
) -> Option<Vec<u8>> {
    let mut file = file.to_vec();
    let payload_end = head.end - 4;
    let checksum = compute_checksum(&file[head.start..payload_end]);
    file[payload_end..head.end].copy_from_slice(&checksum);
    let offset = head.start as u64;
    let mut parsed = SnapshotHead::deserialize(offset, &file[head.clone()])?;
    let mut at = body.start;
    for segment in &mut parsed.segments {
        let len = usize::from(segment.chunks) * parsed.chunk_size.min(1 << 16) as usize;
        let end = at.saturating_add(len).min(body.end);
        segment.checksum = compute_checksum(&file[at..end]);
        at = end;
    }
    let keys = parsed.chunks_len.min(body.len() as u64);
    let keys = body.start + usize::try_from(keys).unwrap();
    parsed.keys_checksum = compute_checksum(&file[keys..body.end]);
    let payload = parsed.serialize();
    let metadata = EntryMetadata::deserialize(file[head.end..].try_into().unwrap());
    let sealed = EntryMetadata::new(
        SNAPSHOT_HASH,
        metadata.prev_offset,
        compute_checksum(&payload),
    );
    let checksum = compute_checksum(&file[body.clone()]);
    file[body.end + 16..body.end + 20].copy_from_slice(&checksum);
    file.truncate(head.start);
    file.extend_from_slice(&payload);
    file.extend_from_slice(&sealed.serialize());
    Some(file)
}

/// Everything that uses the index: results or errors, no panic, and no value of another key.
fn used(store: &MemoryStore, source: &mut Source<'_>) {
    for n in 0..KEYS {
        if let Ok(Some(value)) = store.read(&[n]) {
            assert_eq!(value.key_hash(), compute_hash(&[n]));
        }
        let _ = store.reader().get(&[n]);
        let _ = store.exists(&[n]);
    }
    let _ = store.entries().map(|entries| entries.take(1000).count());
    let _ = (store.stats(), store.len(), store.read_last_entry());
    let bucket = store.bucket("bucket").unwrap();
    let _ = bucket.keys(b"", None, 1000);
    for _ in 0..20 {
        let key = [source.byte() % (KEYS + 10)];
        match source.byte() % 5 {
            0 => drop(store.write(&key, b"written")),
            1 => drop(store.delete(&key)),
            2 => drop(bucket.set(&key, b"set")),
            3 => drop(bucket.delete(&key)),
            _ => drop(bucket.get(&key)),
        }
    }
    let _ = store.snapshot_index();
    let _ = store.compact();
}
