//! The directory in a snapshot of the index: from there it is taken up when it is first asked for, with what was written since.

use super::{Directory, KeyDirectory, Trailer};
use crate::backing::Backing;
use crate::error::{Error, Result};
use crate::format::{compute_checksum, compute_hash, full_key};
use crate::index::{Extent, Hashes};
use crate::store::{Generation, Store, Writer, changes_since};
use std::ops::Bound;
use std::sync::atomic::Ordering;

impl<B: Backing> Store<B> {
    /// Whether listings were asked for, and found no directory that a snapshot had kept for them.
    pub(crate) fn lacks_stored_keys(&self) -> bool {
        self.directory.recording.load(Ordering::Acquire)
            && self.current.load().snapshot.keys.is_empty()
    }

    /// The directory as bytes, if listings have been asked for here or before the snapshot that this store was opened from.
    pub(crate) fn keys_to_store(&self, writer: &Writer) -> Result<Option<Vec<u8>>> {
        let is_wanted = self.directory.recording.load(Ordering::Acquire)
            || !self.current.load().snapshot.keys.is_empty();
        if is_wanted {
            self.with_keys_locked(writer, |keys| Some(keys.to_bytes()))
        } else {
            Ok(None)
        }
    }
}

impl Directory {
    /// The directory that came with the snapshot, and what was written since; `None` if there is none that is whole.
    pub(super) fn take_up<B: Backing>(generation: &Generation<B>) -> Result<Option<KeyDirectory>> {
        let snapshot = &generation.snapshot;
        let len = snapshot.keys.end.saturating_sub(snapshot.keys.start);
        let Some(len) = usize::try_from(len).ok().filter(|&len| len > 0) else {
            return Ok(None);
        };
        let mut bytes = vec![0; len];
        generation
            .backing
            .read(snapshot.keys.start, &mut bytes)
            .map_err(Error::io("read the index snapshot"))?;
        if compute_checksum(&bytes) != snapshot.keys_checksum {
            return Ok(None);
        }
        let Some(mut directory) = KeyDirectory::from_bytes(&bytes, snapshot.tail) else {
            return Ok(None);
        };
        let mut gone = Hashes::new();
        for entry in changes_since(generation, snapshot.tail)? {
            let extent = Extent::new(entry.metadata_offset, entry.payload_len());
            let trailer = if entry.is_tombstone {
                None
            } else {
                Trailer::read(generation, extent)?
            };
            match trailer {
                Some(trailer) => directory.put(trailer.name_and_key(), trailer.expires_at),
                // A deletion does not say of what key.
                None => {
                    gone.insert(entry.metadata.key_hash, 0);
                }
            }
        }
        directory.remove_hashes(&gone);
        Ok(Some(directory))
    }
}

impl KeyDirectory {
    /// Takes out the keys with these hashes.
    fn remove_hashes(&mut self, hashes: &Hashes) {
        if hashes.is_empty() {
            return;
        }
        let mut gone = Vec::new();
        for (name, keys) in self.buckets() {
            let mut whole = full_key(name, &[]);
            let before_key = whole.len();
            keys.visit(Bound::Unbounded, |key, _| {
                whole.truncate(before_key);
                whole.extend_from_slice(key);
                if hashes.contains_key(&compute_hash(&whole)) {
                    gone.push((name.to_vec(), key.to_vec()));
                }
                true
            });
        }
        for (name, key) in &gone {
            self.remove((name, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::backing::{Backing, MemoryBacking};
    use crate::{DataStoreWriter, MemoryStore, Options, Store, compute_hash};
    use std::collections::BTreeSet;

    const KEYS: u32 = if cfg!(miri) { 40 } else { 2000 };

    fn key(n: u32) -> Vec<u8> {
        format!("key {n:05}").into_bytes()
    }

    fn reopened(store: &MemoryStore) -> MemoryStore {
        let tail = store.tail();
        let mut bytes = vec![0; usize::try_from(tail).unwrap()];
        let generation = store.current.load();
        generation.backing.read(0, &mut bytes).unwrap();
        opened(&bytes)
    }

    fn opened(bytes: &[u8]) -> MemoryStore {
        let backing = MemoryBacking::new();
        backing.write(0, &[bytes]).unwrap();
        Store::open_with(backing, &Options::new().clock(|| 1000)).unwrap()
    }

    fn listed(store: &MemoryStore) -> Vec<Vec<u8>> {
        let bucket = store.bucket("b").unwrap();
        bucket.iter_keys(b"").map(Result::unwrap).collect()
    }

    /// Whether the directory would be taken up from the snapshot.
    fn is_stored(store: &MemoryStore) -> bool {
        let directory = super::Directory::take_up(&store.current.load()).unwrap();
        directory.is_some()
    }

    #[test]
    fn a_listing_after_opening_is_that_of_before() {
        let store = opened(&[]);
        let bucket = store.bucket("b").unwrap();
        let mut model = BTreeSet::new();
        for n in 0..KEYS {
            bucket.set(&key(n), b"v").unwrap();
            model.insert(key(n));
        }
        store.bucket("another").unwrap().set(b"x", b"y").unwrap();
        store.snapshot_index().unwrap();
        let store = reopened(&store);
        assert!(!is_stored(&store), "nobody has asked for a list");
        assert!(listed(&store).iter().eq(&model));
        store.snapshot_index().unwrap();
        let store = reopened(&store);
        assert!(is_stored(&store));
        // What comes behind the snapshot: new keys, old ones again, deletions, one by its hash alone, what expires.
        let bucket = store.bucket("b").unwrap();
        for n in (0..KEYS + 50).step_by(3) {
            bucket.set(&key(n), b"newer").unwrap();
            model.insert(key(n));
        }
        for n in (0..KEYS).step_by(7) {
            bucket.delete(&key(n)).unwrap();
            model.remove(&key(n));
        }
        let whole = crate::format::full_key(b"b", &key(1));
        store
            .batch_delete_key_hashes(&[compute_hash(&whole)])
            .unwrap();
        let whole = crate::format::full_key(b"b", &key(2));
        let plain = b"no value of a bucket";
        store
            .write_with_key_hash(compute_hash(&whole), plain)
            .unwrap();
        bucket.set_until(&key(4), b"short", 999).unwrap();
        bucket.set_until(&key(5), b"long", 1001).unwrap();
        for n in [1, 2, 4] {
            model.remove(&key(n));
        }
        model.insert(key(5));
        let store = reopened(&store);
        assert!(is_stored(&store));
        assert!(listed(&store).iter().eq(&model));
        assert_eq!(store.buckets().unwrap(), [&b"another"[..], b"b"]);
        // It goes on from there, and into the next snapshot without having been asked for.
        let store = reopened(&store);
        store.bucket("b").unwrap().set(b"last", b"v").unwrap();
        model.insert(b"last".to_vec());
        store.snapshot_index().unwrap();
        let store = reopened(&store);
        assert!(is_stored(&store));
        assert!(listed(&store).iter().eq(&model));
    }

    #[test]
    fn damaged_keys_are_read_from_the_entries() {
        let store = opened(&[]);
        let bucket = store.bucket("b").unwrap();
        for n in 0..50 {
            bucket.set(&key(n), b"v").unwrap();
        }
        let before = listed(&store);
        store.snapshot_index().unwrap();
        let store = reopened(&store);
        let keys = store.current.load().snapshot.keys.clone();
        let tail = store.tail();
        let mut bytes = vec![0; usize::try_from(tail).unwrap()];
        store.current.load().backing.read(0, &mut bytes).unwrap();
        for at in keys {
            let mut bytes = bytes.clone();
            bytes[usize::try_from(at).unwrap()] ^= 1;
            let store = opened(&bytes);
            assert!(store.recovery_report().index_snapshot.is_some());
            assert!(!is_stored(&store));
            assert_eq!(listed(&store), before);
        }
    }
}
