//! A map in the order of its keys, which are bytes: runs of a few hundred entries, one behind the other.
//!
//! Invariant: keys ascend within a run and from run to run, no run is empty, and for every key there is a value at the same place.
//!
//! It stands where a B-tree could: a change moves one run at most, which costs no more, and the code is a small part of that of
//! std's, which a module for wasm would carry once for every type of value.

/// A run is split when it grows beyond this.
const MOST: usize = 256;

/// Keys and their values.
#[derive(Debug, Clone)]
pub(super) struct Ordered<V> {
    keys: Vec<Vec<Box<[u8]>>>,
    values: Vec<Vec<V>>,
}

/// A run, and a place in it.
type Place = (usize, usize);

/// Where `key` is, or else where it would be put.
fn find(keys: &[Vec<Box<[u8]>>], key: &[u8]) -> Result<Place, Place> {
    let above = keys.partition_point(|run| run.first().is_none_or(|first| **first <= *key));
    let run = above.saturating_sub(1);
    let Some(in_run) = keys.get(run) else {
        return Err((0, 0));
    };
    match in_run.binary_search_by(|other| (**other).cmp(key)) {
        Ok(at) => Ok((run, at)),
        Err(at) => Err((run, at)),
    }
}

/// The place of the greatest key that is not above `key`.
fn find_up_to(keys: &[Vec<Box<[u8]>>], key: &[u8]) -> Option<Place> {
    match find(keys, key) {
        Ok(place) => Some(place),
        // Only below the first key of all there is nothing before it in its run.
        Err((run, at)) => Some((run, at.checked_sub(1)?)),
    }
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<V> Ordered<V> {
    /// How many entries there are; costs a step for every run.
    pub(super) fn len(&self) -> usize {
        self.keys.iter().map(Vec::len).sum()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&V> {
        let (run, at) = find(&self.keys, key).ok()?;
        self.values.get(run)?.get(at)
    }

    pub(super) fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let (run, at) = find(&self.keys, key).ok()?;
        self.values.get_mut(run)?.get_mut(at)
    }

    /// The entry with the greatest key that is not above `key`.
    pub(super) fn up_to_mut(&mut self, key: &[u8]) -> Option<(&[u8], &mut V)> {
        let (run, at) = find_up_to(&self.keys, key)?;
        let key = self.keys.get(run)?.get(at)?;
        Some((key, self.values.get_mut(run)?.get_mut(at)?))
    }

    /// The last value.
    pub(super) fn last_mut(&mut self) -> Option<&mut V> {
        self.values.last_mut()?.last_mut()
    }

    /// The entry with the least key that is above `key`.
    pub(super) fn behind(&self, key: &[u8]) -> Option<(&[u8], &V)> {
        let place = match find(&self.keys, key) {
            Ok((run, at)) => (run, at + 1),
            Err(place) => place,
        };
        self.from(place).next()
    }

    /// All entries.
    pub(super) fn iter(&self) -> Entries<'_, V> {
        self.from((0, 0))
    }

    /// Hands every entry out, its value to be changed.
    pub(super) fn for_each_mut(&mut self, mut each: impl FnMut(&[u8], &mut V)) {
        for (keys, values) in self.keys.iter().zip(&mut self.values) {
            for (key, value) in keys.iter().zip(values) {
                each(key, value);
            }
        }
    }

    /// The entries from the one with the greatest key that is not above `key` on; all, if there is none.
    pub(super) fn iter_from(&self, key: &[u8]) -> Entries<'_, V> {
        self.from(find_up_to(&self.keys, key).unwrap_or_default())
    }

    const fn from(&self, at: Place) -> Entries<'_, V> {
        Entries { map: self, at }
    }

    /// Puts `value` under `key`, in the place of what was there.
    pub(super) fn insert(&mut self, key: Box<[u8]>, value: V) {
        let (run, at) = match find(&self.keys, &key) {
            Ok((run, at)) => {
                if let Some(place) = self.values.get_mut(run).and_then(|run| run.get_mut(at)) {
                    *place = value;
                }
                return;
            }
            Err(place) => place,
        };
        let is_last = run + 1 >= self.keys.len();
        let (Some(keys), Some(values)) = (self.keys.get_mut(run), self.values.get_mut(run)) else {
            self.keys.push(vec![key]);
            self.values.push(vec![value]);
            return;
        };
        if keys.len() >= MOST && is_last && at == keys.len() {
            // What comes in order fills its runs.
            self.keys.push(vec![key]);
            self.values.push(vec![value]);
            return;
        }
        keys.insert(at, key);
        values.insert(at, value);
        if keys.len() > MOST {
            let upper = (keys.split_off(MOST / 2), values.split_off(MOST / 2));
            self.keys.insert(run + 1, upper.0);
            self.values.insert(run + 1, upper.1);
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<V> {
        let (run, at) = find(&self.keys, key).ok()?;
        let (keys, values) = (self.keys.get_mut(run)?, self.values.get_mut(run)?);
        keys.remove(at);
        let value = values.remove(at);
        if keys.is_empty() {
            self.keys.remove(run);
            self.values.remove(run);
        } else {
            self.join(run);
        }
        Some(value)
    }

    /// Puts a run that has become small together with the one behind it, so that there are never many small ones.
    fn join(&mut self, run: usize) {
        let length = |run: usize| self.keys.get(run).map_or(MOST, Vec::len);
        if length(run) + length(run + 1) > MOST / 2 {
            return;
        }
        let (mut keys, mut values) = (self.keys.remove(run + 1), self.values.remove(run + 1));
        if let (Some(lower), Some(lower_values)) =
            (self.keys.get_mut(run), self.values.get_mut(run))
        {
            lower.append(&mut keys);
            lower_values.append(&mut values);
        }
    }
}

/// Entries from one on, in order.
pub(super) struct Entries<'m, V> {
    map: &'m Ordered<V>,
    at: Place,
}

impl<'m, V> Iterator for Entries<'m, V> {
    type Item = (&'m [u8], &'m V);

    fn next(&mut self) -> Option<Self::Item> {
        let (run, at) = self.at;
        let (keys, values) = (self.map.keys.get(run)?, self.map.values.get(run)?);
        if let (Some(key), Some(value)) = (keys.get(at), values.get(at)) {
            self.at = (run, at + 1);
            return Some((key, value));
        }
        // No run is empty.
        self.at = (run + 1, 1);
        let key = self.map.keys.get(run + 1)?.first()?;
        Some((key, self.map.values.get(run + 1)?.first()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::device::seeded::Seeded;
    use std::collections::BTreeMap;

    #[test]
    fn it_does_what_a_b_tree_does() {
        let mut random = Seeded::new(21);
        let rounds = if cfg!(miri) { 600 } else { 30_000 };
        let (mut map, mut model) = (Ordered::default(), BTreeMap::new());
        let mut most_runs = 0;
        for round in 0..rounds {
            let key = random.below(3000).to_be_bytes();
            let shrinks = round / 5000 % 2 == 1;
            if random.below(10) < if shrinks { 8 } else { 2 } {
                assert_eq!(map.remove(&key), model.remove(&key[..]));
            } else {
                map.insert(key.into(), round);
                model.insert(key.to_vec(), round);
            }
            most_runs = most_runs.max(map.keys.len());
            let key = random.below(3000).to_be_bytes();
            assert_eq!(map.get(&key), model.get(&key[..]));
            assert_eq!(map.get_mut(&key), model.get_mut(&key[..]));
            let up_to = model.range_mut(..=key.to_vec()).next_back();
            assert_eq!(
                map.up_to_mut(&key)
                    .map(|(key, value)| (key.to_vec(), *value)),
                up_to.map(|(key, value)| (key.clone(), *value))
            );
            let behind = model
                .range(key.to_vec()..)
                .find(|(other, _)| **other != key);
            assert_eq!(
                map.behind(&key),
                behind.map(|(key, value)| (&key[..], value))
            );
            if round % 500 == 0 {
                assert_eq!(map.len(), model.len());
                let all = model.iter().map(|(key, value)| (&key[..], value));
                assert!(map.iter().eq(all), "round {round}");
                let start = model.range(..=key.to_vec()).next_back();
                let start = start.map_or(Vec::new(), |(key, _)| key.clone());
                let later = model.range(start..);
                let later = later.map(|(key, value)| (&key[..], value));
                assert!(map.iter_from(&key).eq(later), "round {round}");
                assert!(map.keys.iter().all(|run| (1..=MOST).contains(&run.len())));
            }
        }
        assert!(most_runs > 3 || cfg!(miri), "{most_runs}");
        for key in 0..3000_u64 {
            map.remove(&key.to_be_bytes());
        }
        assert!(map.is_empty() && map.last_mut().is_none() && map.behind(b"").is_none());
    }

    #[test]
    fn what_comes_in_order_fills_its_runs() {
        let mut map = Ordered::default();
        for key in 0..10 * MOST {
            map.insert(key.to_be_bytes().into(), key);
            assert_eq!(map.last_mut(), Some(&mut key.clone()));
        }
        assert_eq!(map.keys.len(), 10);
    }
}
