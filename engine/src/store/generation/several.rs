//! Several keys at once on a medium that lies in memory: what each waits for is fetched while others are looked at.

use super::Generation;
use super::first::Seen;
use crate::backing::Backing;
use crate::error::Result;
use crate::index::{Candidate, Glance};
use crate::store::EntryHandle;

/// So many keys are taken together: all their lines of the index are fetched, then all their entries, then they are read.
const TOGETHER: usize = 32;
/// Of a longer value no more is fetched than its beginning and its end, where its metadata lies.
const FETCHED: u64 = 256;
/// What comes from memory at once.
const LINE: u64 = 64;

impl<B: Backing> Generation<B> {
    /// Tells `take` of each of `keys`, in their order, what the first look for it says.
    #[inline]
    pub(super) fn glance_at_several<'g>(
        &'g self,
        keys: &[u64],
        mut take: impl FnMut(u64, Glance<Seen<'g>>) -> Result<()>,
    ) -> Result<()> {
        if !B::IN_MEMORY {
            return keys.iter().try_for_each(|key| take(*key, Glance::Unsure));
        }
        let (first, _) = keys.split_at(TOGETHER.min(keys.len()));
        for key in first {
            self.index.prefetch(*key);
        }
        let mut looks = [Glance::<Candidate>::Unsure; TOGETHER];
        for (nth, together) in keys.chunks(TOGETHER).enumerate() {
            let next = keys.chunks(TOGETHER).nth(nth + 1).unwrap_or_default();
            for key in next {
                self.index.prefetch(*key);
            }
            for (look, key) in looks.iter_mut().zip(together) {
                *look = self.index.glance(*key, Some);
                if let Glance::Found(candidate) = look {
                    self.fetch(*candidate);
                }
            }
            for (look, key) in looks.iter().zip(together) {
                let seen = match look {
                    Glance::Found(candidate) => self
                        .see(*key, *candidate)
                        .map_or(Glance::Unsure, Glance::Found),
                    Glance::Absent => Glance::Absent,
                    Glance::Unsure => Glance::Unsure,
                };
                take(*key, seen)?;
            }
        }
        Ok(())
    }

    /// Brings an entry nearer.
    #[inline]
    fn fetch(&self, candidate: Candidate) {
        let Some(payload) = candidate.payload() else {
            return;
        };
        let mut at = payload.start;
        if payload.end - at <= FETCHED {
            while at < payload.end {
                self.backing.prefetch(at);
                at += LINE;
            }
        } else {
            self.backing.prefetch(at);
        }
        self.backing.prefetch(payload.end);
    }

    /// The live values of several keys, in their order.
    pub(crate) fn read_several(&self, keys: &[u64]) -> Result<Vec<Option<EntryHandle<B::View>>>> {
        let mut values = Vec::with_capacity(keys.len());
        self.glance_at_several(keys, |key, seen| {
            let value = match seen {
                Glance::Found(seen) => self.handle_of_seen(&seen),
                Glance::Absent => {
                    values.push(None);
                    return Ok(());
                }
                Glance::Unsure => None,
            };
            values.push(match value {
                None => self.search(key)?,
                found => found,
            });
            Ok(())
        })?;
        Ok(values)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use super::TOGETHER;
    use crate::backing::Resident;
    use crate::store::{MemoryStore, Store};
    use crate::{DataStoreReader, DataStoreWriter, compute_hash};

    /// Keys that are there, were deleted, were replaced or never written; values short and long.
    fn fill<B: Resident + Sync>(store: &Store<B>, keys: u32) {
        for key in 0..keys {
            let len = [1, 63, 64, 200, 300, 1919, 1920, 5000][key as usize % 8];
            store.write(&key.to_le_bytes(), &vec![1; len]).unwrap();
            match key % 7 {
                0 => drop(store.delete(&key.to_le_bytes()).unwrap()),
                1 => drop(
                    store
                        .write(&key.to_le_bytes(), &vec![2; len / 2 + 2])
                        .unwrap(),
                ),
                _ => {}
            }
        }
    }

    fn check<B: Resident + Sync>(store: &Store<B>, keys: u32) {
        let reader = store.reader();
        for count in [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 5 * TOGETHER + 3] {
            // In no order, some of them twice, some never written.
            let asked: Vec<[u8; 4]> = (0..u32::try_from(count).unwrap())
                .map(|nth| (nth.wrapping_mul(7919) % (keys * 5 / 4)).to_le_bytes())
                .collect();
            let asked: Vec<&[u8]> = asked.iter().map(|key| &key[..]).collect();
            let several = reader.get_many(&asked);
            let handles = store.batch_read(&asked).unwrap();
            assert_eq!((several.len(), handles.len()), (count, count));
            for ((key, value), handle) in asked.iter().zip(several).zip(handles) {
                let one = store.read(key).unwrap();
                assert_eq!(value, one.as_deref(), "{key:?}");
                assert_eq!(handle.as_deref(), one.as_deref(), "{key:?}");
            }
        }
    }

    #[test]
    fn several_keys_have_the_values_that_each_has() {
        let store = MemoryStore::new();
        fill(&store, 400);
        check(&store, 400);
        // Nothing lies in one piece where a value was written over a border of the memory.
        store.write(b"long", &vec![3; 3 << 20]).unwrap();
        let reader = store.reader();
        let values = reader.get_many(&[b"none", b"long"]);
        assert_eq!(values.get(1).unwrap().map(<[u8]>::len), Some(3 << 20));
    }

    #[test]
    #[cfg(any(unix, windows))]
    #[cfg_attr(miri, ignore = "maps a file")]
    fn also_in_a_file_and_from_a_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = crate::DataStore::open(&path).unwrap();
        fill(&store, 400);
        check(&store, 400);
        store.snapshot_index().unwrap();
        store.close().unwrap();
        check(&crate::DataStore::open(&path).unwrap(), 400);
    }

    #[test]
    fn a_hash_that_is_not_its_keys_has_no_value() {
        let store = MemoryStore::new();
        store.batch_write(&[(b"a", b"1"), (b"b", b"2")]).unwrap();
        let hashes = [compute_hash(b"a"), compute_hash(b"b")];
        let values = store
            .batch_read_hashed_keys(&hashes, Some(&[b"a", b"a"]))
            .unwrap();
        let values: Vec<_> = values.iter().map(Option::as_deref).collect();
        assert_eq!(values, [Some(&b"1"[..]), None]);
    }
}
