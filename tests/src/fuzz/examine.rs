//! What every store that opened must be like, however damaged: what it lists it reads, and what it reads lies in the file.

use std::ops::Range;
use tailstone::backing::Backing;
use tailstone::{DataStoreReader, Store};

/// A live entry: hash of the key, where the payload lies, whether it has its checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    pub key_hash: u64,
    pub payload: Range<u64>,
    pub is_sound: bool,
}

/// Payloads up to this length are checked by opening.
const CHECKED_BYTES: u64 = 4096;

/// All live entries of `store`, newest first, each of them looked at from all sides; `file` is what the store lies in.
pub fn examine<B: Backing>(store: &Store<B>, file: &[u8]) -> Vec<Live> {
    let report = store.recovery_report();
    let tail = store.tail();
    assert_eq!(tail, report.tail);
    assert_eq!(report.file_len, file.len() as u64);
    assert!(tail <= report.file_len, "a tail past the end");
    assert_eq!(report.cut_bytes, report.file_len - tail);
    assert!(
        report.entries <= tail / 21,
        "more entries than there is room for"
    );
    assert!(report.damaged_entries <= report.entries);

    let mut live = Vec::new();
    let mut before = u64::MAX;
    for entry in store.entries().unwrap() {
        let entry = entry.unwrap();
        let payload = entry.offset_range();
        assert!(payload.end <= before, "out of order");
        before = payload.start;
        let end = payload.end + 20;
        assert!(payload.start < payload.end && end <= tail, "out of bounds");
        assert!(payload.start.is_multiple_of(64));
        assert_eq!(entry.as_slice().as_ptr().addr() % 64, 0);
        let whole = usize::try_from(payload.start).unwrap()..usize::try_from(payload.end).unwrap();
        assert!(entry.as_slice() == &file[whole], "not what lies there");
        let is_sound = entry.is_valid_checksum();
        let was_checked = payload.end - payload.start <= CHECKED_BYTES;
        assert!(
            is_sound || !was_checked || report.damaged_entries > 0,
            "damage nobody reported"
        );
        let key_hash = entry.key_hash();
        let read = store.read_with_key_hash(key_hash).unwrap();
        assert_eq!(read.expect("listed, not read").offset_range(), payload);
        assert!(store.exists_with_key_hash(key_hash).unwrap());
        live.push(Live {
            key_hash,
            payload,
            is_sound,
        });
        assert!(live.len() as u64 <= report.entries, "an endless list");
    }
    assert_eq!(store.len().unwrap(), live.len());
    assert_eq!(store.is_empty().unwrap(), live.is_empty());
    let newest = store.read_last_entry().unwrap();
    assert!(
        newest.is_some() || live.is_empty(),
        "there are entries, and none is the newest"
    );
    live
}
