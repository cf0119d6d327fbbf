//! The keys of one bucket in their order, in memory.
//!
//! Invariant: a leaf lies under bytes that are above every key of the leaf before it and not above its own; those of the first one are
//! the least of all, once there is a key that needs it.

use super::leaf::{Leaf, Put};
use super::ordered::Ordered;
use super::record::shared_len;
use std::ops::Bound;

/// An ordered set of keys, each with the time at which it expires (0 is never).
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySet {
    leaves: Ordered<Leaf>,
    len: u64,
    expiring: u64,
}

impl KeySet {
    /// How many keys there are, expired ones as well.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// How many keys have not expired. Costs a step for every leaf if some key expires at all, and more only for leaves in
    /// which one has.
    pub(crate) fn live(&self, now: u64) -> u64 {
        if self.expiring == 0 {
            return self.len;
        }
        let live = |leaf: &Leaf| {
            if leaf.is_fresh(now) {
                return u64::from(leaf.len());
            }
            let mut live = 0;
            leaf.visit(|_, expires_at| {
                live += u64::from(!has_expired(expires_at, now));
                true
            });
            live
        };
        self.leaves.iter().map(|(_, leaf)| live(leaf)).sum()
    }

    /// Whether some key has not expired.
    pub(crate) fn has_live(&self, now: u64) -> bool {
        let mut found = false;
        self.visit(Bound::Unbounded, |_, expires_at| {
            found = !has_expired(expires_at, now);
            !found
        });
        found
    }

    pub(crate) fn put(&mut self, key: &[u8], expires_at: u64) {
        let Some((separator, leaf)) = self.leaves.up_to_mut(key) else {
            let mut leaf = Leaf::new();
            leaf.put(key, expires_at);
            // A leaf that lost all its keys may have left no place for this one.
            self.leaves.insert(Box::default(), leaf);
            self.count(1, expires_at);
            return;
        };
        let put = leaf.put(key, expires_at);
        if leaf.is_over_full() {
            let separator = separator.to_vec();
            let is_last = self.leaves.behind(&separator).is_none();
            if let Some(leaf) = self.leaves.get_mut(&separator) {
                let (separator, upper) = leaf.split(is_last && put == Put::Added { at_end: true });
                self.leaves.insert(separator.into(), upper);
            }
        }
        match put {
            Put::Replaced(before) => {
                self.expiring += u64::from(expires_at != 0);
                self.expiring -= u64::from(before != 0);
            }
            Put::Added { .. } => self.count(1, expires_at),
        }
    }

    /// Adds a key that is above all others, the last of which is `before`: with much less work.
    pub(crate) fn push(&mut self, before: &[u8], key: &[u8], expires_at: u64) {
        self.count(1, expires_at);
        if let Some(last) = self.leaves.last_mut()
            && !last.is_full()
        {
            last.push(before, key, expires_at);
            return;
        }
        let separator = if self.leaves.is_empty() {
            &[]
        } else {
            key.get(..=shared_len(before, key)).unwrap_or(key)
        };
        let mut leaf = Leaf::new();
        leaf.push(&[], key, expires_at);
        self.leaves.insert(separator.into(), leaf);
    }

    pub(crate) fn remove(&mut self, key: &[u8]) {
        let Some((separator, leaf)) = self.leaves.up_to_mut(key) else {
            return;
        };
        let Some(expires_at) = leaf.remove(key) else {
            return;
        };
        let separator = separator.to_vec();
        self.len -= 1;
        self.expiring -= u64::from(expires_at != 0);
        self.tidy(&separator);
    }

    /// Takes every key out that has expired.
    pub(crate) fn remove_expired(&mut self, now: u64) {
        if self.expiring == 0 {
            return;
        }
        let mut expired = Vec::new();
        let leaves = self.leaves.iter().map(|(_, leaf)| leaf);
        for leaf in leaves.filter(|leaf| !leaf.is_fresh(now)) {
            leaf.visit(|key, expires_at| {
                if has_expired(expires_at, now) {
                    expired.push(key.to_vec());
                }
                true
            });
        }
        for key in &expired {
            self.remove(key);
        }
    }

    /// Hands keys and their expiries out in order, from `start` on, for as long as `visit` says so.
    pub(crate) fn visit(&self, start: Bound<&[u8]>, mut visit: impl FnMut(&[u8], u64) -> bool) {
        let least = match start {
            Bound::Included(key) | Bound::Excluded(key) => key,
            Bound::Unbounded => &[],
        };
        let is_below = |key: &[u8]| match start {
            Bound::Included(start) => key < start,
            Bound::Excluded(start) => key <= start,
            Bound::Unbounded => false,
        };
        for (_, leaf) in self.leaves.iter_from(least) {
            if !leaf.visit(|key, expires_at| is_below(key) || visit(key, expires_at)) {
                return;
            }
        }
    }

    /// Memory in bytes, an allocator's own overhead aside; of the runs of leaves as much as they can be.
    pub(crate) fn memory_bytes(&self) -> usize {
        // A run has room for up to twice as many as it holds.
        let places = self.leaves.len() * 2 * size_of::<(Box<[u8]>, Leaf)>();
        let leaves = self.leaves.iter();
        let in_leaves: usize = leaves
            .map(|(separator, leaf)| separator.len() + leaf.capacity())
            .sum();
        in_leaves + places
    }

    const fn count(&mut self, added: u64, expires_at: u64) {
        self.len += added;
        self.expiring += (expires_at != 0) as u64;
    }

    /// Drops an empty leaf, and puts one that has become small together with the one behind it.
    fn tidy(&mut self, separator: &[u8]) {
        let Some(leaf) = self.leaves.get(separator) else {
            return;
        };
        if leaf.len() == 0 {
            self.leaves.remove(separator);
            return;
        }
        let next = self.leaves.behind(separator);
        let Some(next) = next.filter(|(_, next)| leaf.fits_with(next)) else {
            return;
        };
        let next = next.0.to_vec();
        if let Some(upper) = self.leaves.remove(&next)
            && let Some(leaf) = self.leaves.get_mut(separator)
        {
            leaf.append(&upper);
        }
    }
}

pub(crate) const fn has_expired(expires_at: u64, now: u64) -> bool {
    expires_at != 0 && expires_at <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backing::device::seeded::Seeded;
    use std::collections::BTreeMap;

    fn listed(set: &KeySet, start: Bound<&[u8]>) -> Vec<(Vec<u8>, u64)> {
        let mut keys = Vec::new();
        set.visit(start, |key, expires_at| {
            keys.push((key.to_vec(), expires_at));
            true
        });
        keys
    }

    /// Keys that share beginnings of all lengths, some of them long.
    fn key(random: &mut Seeded) -> Vec<u8> {
        match random.below(20) {
            0 => vec![b'x'; random.len_below(3000)],
            1 => random.bytes(3),
            2 => format!("user:{}", random.below(8)).into_bytes(),
            _ => format!("user:{:05}", random.below(3000)).into_bytes(),
        }
    }

    #[test]
    fn it_is_an_ordered_map() {
        for seed in 0..if cfg!(miri) { 1 } else { 6 } {
            println!("seed {seed}");
            let mut random = Seeded::new(seed);
            let mut set = KeySet::default();
            let mut model: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
            let steps = if cfg!(miri) { 300 } else { 20_000 };
            for step in 0..steps {
                let key = key(&mut random);
                // More comes than goes, and then the other way round.
                if random.below(10) < if step < steps / 2 { 7 } else { 2 } {
                    let expires_at = random.below(9).saturating_sub(5) * 10;
                    set.put(&key, expires_at);
                    model.insert(key, expires_at);
                } else {
                    set.remove(&key);
                    model.remove(&key);
                }
                if step == steps * 3 / 4 {
                    set.remove_expired(10);
                    model.retain(|_, expires_at| !has_expired(*expires_at, 10));
                }
                if step % 500 == 0 {
                    let all: Vec<_> = model.clone().into_iter().collect();
                    assert!(listed(&set, Bound::Unbounded) == all);
                }
                assert_eq!(set.len(), model.len() as u64);
            }
            for now in [0, 10, 20, 30] {
                let live = model.values().filter(|at| !has_expired(**at, now)).count();
                assert_eq!(set.live(now), live as u64);
                assert_eq!(set.has_live(now), live > 0);
            }
            for _ in 0..50 {
                let start = self::key(&mut random);
                let expected = |start| -> Vec<_> {
                    let range = model.range::<[u8], _>((start, Bound::Unbounded));
                    range.map(|(key, at)| (key.clone(), *at)).collect()
                };
                for start in [Bound::Included(&start[..]), Bound::Excluded(&start[..])] {
                    assert!(listed(&set, start) == expected(start));
                }
            }
            let (mut pushed, mut before) = (KeySet::default(), &[][..]);
            for (key, expires_at) in &model {
                pushed.push(before, key, *expires_at);
                before = key;
            }
            assert!(listed(&pushed, Bound::Unbounded) == listed(&set, Bound::Unbounded));
            assert_eq!(pushed.live(20), set.live(20));
            for mut set in [set.clone(), pushed] {
                for key in model.keys() {
                    set.remove(key);
                }
                assert!(set.leaves.is_empty() && set.len() == 0 && set.expiring == 0);
            }
            for key in model.keys() {
                set.put(key, 0);
            }
            assert_eq!(set.expiring, 0);
            for key in model.keys() {
                set.remove(key);
            }
            assert!(set.leaves.is_empty() && set.len() == 0 && set.expiring == 0);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "counts memory")]
    fn memory_stays_near_the_bytes_of_the_keys() {
        const KEYS: u32 = 100_000;
        let mut random = Seeded::new(5);
        let mut scattered = KeySet::default();
        let mut in_order = KeySet::default();
        let mut keys = Vec::new();
        for n in 0..KEYS {
            let key = random.bytes(24);
            scattered.put(&key, 0);
            keys.push(key);
            in_order.put(format!("session:{n:016}").as_bytes(), 0);
        }
        let bytes = |set: &KeySet| u32::try_from(set.memory_bytes()).unwrap();
        let each = |set: &KeySet| f64::from(bytes(set)) / f64::from(KEYS);
        println!(
            "{:.1} bytes a key, {:.1} in order",
            each(&scattered),
            each(&in_order)
        );
        assert!(each(&scattered) < 24.0 + 4.0);
        assert!(each(&in_order) < 6.0);
        // What is left of many takes no more than so few would have taken.
        for key in keys.iter().skip(KEYS as usize / 50) {
            scattered.remove(key);
        }
        assert!(scattered.memory_bytes() < KEYS as usize / 50 * 40);
    }
}
