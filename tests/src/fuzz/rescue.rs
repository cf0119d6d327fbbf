//! `verify` and `salvage`: they come to an end on any file, agree with each other, and what is rescued is a sound store.

use super::open::opened;
use super::watched::Watched;
use std::collections::BTreeMap;
use tailstone::backing::MemoryBacking;
use tailstone::recovery::{salvage, verify};
use tailstone::{DataStoreReader, DataStoreWriter, Options};

/// Checks and rescues a file of these bytes.
pub fn rescue(data: &[u8]) {
    let damaged = MemoryBacking::from_bytes(data).unwrap();
    let checked = verify(&damaged, &mut |_, _| ()).unwrap();
    let most = data.len() as u64 / 21;
    assert_eq!(checked.file_len, data.len() as u64);
    assert!(
        checked.entries <= most,
        "more entries than there is room for"
    );
    assert!(checked.tombstones <= checked.entries && checked.payload_bytes <= checked.file_len);
    assert!(checked.unreferenced_bytes <= checked.file_len);

    let device = Watched::default();
    let target = device.open(&Options::new()).unwrap();
    let mut expected = BTreeMap::new();
    let mut before = 0;
    let report = salvage(
        &damaged,
        &mut |entry| {
            assert!(entry.payload.start < entry.payload.end && entry.payload.start >= before);
            before = entry.payload.end;
            let range = usize::try_from(entry.payload.start).unwrap()
                ..usize::try_from(entry.payload.end).unwrap();
            let value = &data[range];
            let batch = vec![(entry.key_hash, value)];
            // Reserved entries are refused, and the value of one zero byte is a deletion.
            if target.batch_write_with_key_hashes(batch, true).is_ok() {
                if entry.is_tombstone || value == [0] {
                    expected.remove(&entry.key_hash);
                } else {
                    expected.insert(entry.key_hash, value);
                }
            }
            Ok(())
        },
        &mut |_, _| (),
    )
    .unwrap();
    assert_eq!(report.entries + report.damaged_entries, checked.entries);
    target.close().unwrap();

    let rescued = device.bytes();
    let live = opened(&rescued).expect("what was rescued is no store");
    assert!(live.iter().all(|entry| entry.is_sound));
    assert_eq!(live.len(), expected.len());
    let store = device.open(&Options::new()).unwrap();
    for (hash, value) in &expected {
        let read = store.read_with_key_hash(*hash).unwrap();
        assert!(read.is_some_and(|read| read.as_slice() == *value));
    }
    assert!(store.verify(&mut |_, _| ()).unwrap().is_sound());
    holds_all_of_a_sound_store(data, &expected, checked.is_sound());
}

/// Of a store that opens and is sound, everything is rescued.
fn holds_all_of_a_sound_store(data: &[u8], rescued: &BTreeMap<u64, &[u8]>, is_sound: bool) {
    let Ok(store) = Watched::new(data).open(&Options::new().read_only(true)) else {
        return;
    };
    let whole = store.recovery_report().cut_bytes == 0;
    if !is_sound || !whole {
        return;
    }
    for entry in store.entries().unwrap() {
        let entry = entry.unwrap();
        assert!(
            rescued.get(&entry.key_hash()) == Some(&entry.as_slice()),
            "a sound entry was not rescued"
        );
    }
}
