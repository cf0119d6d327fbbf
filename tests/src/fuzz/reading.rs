//! History and views of earlier tails: what the chain holds, each version once, and never more than there is room for.

use super::source::Source;
use super::watched::{Watched, WatchedStore};
use tailstone::Options;

/// Opens a file of these bytes and walks through its past.
pub fn reading(data: &[u8]) {
    let mut source = Source::new(data);
    let asked = [source.number(), source.below(1 << 16) as u64];
    let file = source.rest();
    let device = Watched::new(file);
    let Ok(store) = device.open(&Options::new().read_only(true)) else {
        return;
    };
    let most = store.tail() / 21;
    let mut tails = asked.to_vec();
    let mut hashes = vec![asked[0]];
    for entry in store.entries().unwrap() {
        hashes.push(entry.unwrap().key_hash());
    }
    // Each history is a walk of the whole chain; a few tell as much as all.
    hashes.truncate(6);
    for hash in hashes {
        let mut before = u64::MAX;
        let mut versions = 0;
        for version in store.history_with_key_hash(hash) {
            let version = version.unwrap();
            assert_eq!(version.metadata().key_hash, hash);
            assert!(version.tail() <= before, "not newest first");
            before = version.offset();
            assert_eq!(version.is_deletion(), version.value().is_none());
            if tails.len() < 14 {
                tails.extend([version.tail(), version.offset()]);
            }
            versions += 1;
            assert!(versions <= most, "more versions than there is room for");
        }
    }
    for tail in tails {
        as_of(&store, tail);
    }
    assert_eq!(device.changes(), 0);
}

/// The store at `tail`, if it ever was there.
fn as_of(store: &WatchedStore, tail: u64) {
    let Ok(view) = store.as_of(tail) else {
        return;
    };
    assert_eq!(view.tail(), tail);
    let mut listed = 0;
    for entry in view.entries().unwrap() {
        let entry = entry.unwrap();
        let range = entry.offset_range();
        assert!(range.end + 20 <= tail, "from after the view");
        listed += 1;
        assert!(listed <= tail / 21, "an endless list");
        if listed <= 3 {
            let read = view.read_with_key_hash(entry.key_hash()).unwrap();
            assert_eq!(read.expect("listed, not read").offset_range(), range);
            assert!(view.exists_with_key_hash(entry.key_hash()).unwrap());
        }
    }
}
