//! Batch markers: one that announces anything at all, with anything behind it, is taken at its word or ignored.

use super::open::opened;
use super::source::Source;
use tailstone::format::{
    BATCH_HASH, BatchMarker, EntryMetadata, align_to_payload, compute_checksum,
};

/// Makes a file of entries and markers as the input says, and opens it.
pub fn batch_marker(data: &[u8]) {
    check(data);
    let mut source = Source::new(data);
    let mut file = Vec::new();
    for _ in 0..24 {
        if source.is_empty() {
            break;
        }
        match source.byte() % 8 {
            0..=2 => {
                let len = usize::from(source.byte());
                append(&mut file, u64::from(source.byte() % 5), source.take(len));
            }
            3 => append_tombstone(&mut file, u64::from(source.byte() % 5)),
            4 => append(&mut file, BATCH_HASH, source.take(32)),
            5 => {
                let at = source.below(file.len());
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= source.byte();
                }
            }
            kind => {
                // A marker that is one, of a batch that may be there.
                let here = align_to_payload(file.len() as u64);
                let marker = BatchMarker {
                    offset: if kind == 6 { here } else { source.number() },
                    length: if source.byte().is_multiple_of(4) {
                        source.number()
                    } else {
                        source.below(1 << 10) as u64
                    },
                    entries: u64::from(source.byte() % 8),
                };
                let payload = marker.serialize();
                assert_eq!(
                    BatchMarker::deserialize(marker.offset, &payload),
                    Some(marker)
                );
                append(&mut file, BATCH_HASH, &payload);
            }
        }
    }
    opened(&file);
    // And with its end torn off.
    file.truncate(file.len() - source.below(file.len().min(200) + 1));
    opened(&file);
}

fn check(data: &[u8]) {
    let mut source = Source::new(data);
    let offset = source.number();
    let payload = source.rest();
    if let Some(marker) = BatchMarker::deserialize(offset, payload) {
        assert_eq!(marker.serialize(), payload);
        assert_eq!(marker.offset, offset);
    }
}

fn append(file: &mut Vec<u8>, key_hash: u64, payload: &[u8]) {
    let tail = file.len() as u64;
    file.resize(usize::try_from(align_to_payload(tail)).unwrap(), 0);
    end(file, key_hash, tail, payload);
}

fn append_tombstone(file: &mut Vec<u8>, key_hash: u64) {
    let tail = file.len() as u64;
    end(file, key_hash, tail, &[0]);
}

fn end(file: &mut Vec<u8>, key_hash: u64, tail: u64, payload: &[u8]) {
    let metadata = EntryMetadata {
        key_hash,
        prev_offset: tail,
        checksum: compute_checksum(payload),
    };
    file.extend_from_slice(payload);
    file.extend_from_slice(&metadata.serialize());
}
