//! The index as a whole: against a model, under hostile hashes, in size, and with readers beside a writer.
#![expect(
    clippy::cast_precision_loss,
    reason = "means and ratios of counts far below 2^52"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::read::Index;
use super::{Extent, IndexWriter};

/// A small generator whose seed is printed, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn new(test: &str) -> Self {
        let seed = RandomState::new().hash_one(test);
        println!("{test}: seed {seed:#x}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 32
    }
}

fn extent(n: u64) -> Extent {
    // Too long for its length to be kept, so that it comes back as it was wherever it lies.
    Extent::new(n + 1, u64::MAX)
}

/// Puts the extent of `n` for `hash`, which is new.
fn add(writer: &mut IndexWriter, hash: u64, n: u64) {
    assert_eq!(writer.put(hash, extent(n), |_| false), None);
}

fn find(index: &Index, hash: u64, wanted: Extent) -> Option<Extent> {
    let Ok(found) = index.find(hash, |extent| Ok::<_, Infallible>(extent == wanted));
    found
}

const fn scaled(count: u64, under_miri: u64) -> u64 {
    if cfg!(miri) { under_miri } else { count }
}

/// Its name, and the hash of the key with a number.
type Pattern = (&'static str, fn(u64) -> u64);

impl Index {
    /// How many lines a search for `hash` looks at when nothing is accepted, and how many extents it asks about.
    fn cost_of_miss(&self, hash: u64) -> (u32, u32) {
        let tag = self.mixer.tag(hash);
        let segment = self.directory.segment(tag).unwrap();
        let mut route = segment.route(tag);
        let mut lines = 0;
        while let Some(line) = segment.line(route.at) {
            lines += 1;
            if !line.was_passed(tag) || !route.advance() {
                break;
            }
        }
        let mut asked = 0;
        let Ok(none) = self.find(hash, |_| {
            asked += 1;
            Ok::<_, Infallible>(false)
        });
        assert_eq!(none, None);
        (lines, asked)
    }

    fn mean_cost_of_miss(&self, hashes: impl Iterator<Item = u64>) -> f64 {
        let (mut lines, mut count) = (0_u64, 0_u32);
        for hash in hashes {
            lines += u64::from(self.cost_of_miss(hash).0);
            count += 1;
        }
        lines as f64 / f64::from(count)
    }
}

/// Random operations, compared with a `HashMap`. Extents are their own identity: `owner` says whose each one is, as
/// the hash in a file would.
fn against_model(test: &str, operations: u64, hash_of: impl Fn(u64) -> u64, keys: u64) {
    let mut random = Random::new(test);
    let (index, mut writer) = Index::create();
    let mut model = HashMap::<u64, Extent>::new();
    let mut owner = HashMap::<u64, u64>::new();
    for n in 0..operations {
        let key = random.next() % keys;
        let hash = hash_of(key);
        let new = extent(n);
        match random.next() % 16 {
            0..8 => {
                owner.insert(new.to_word(), key);
                let replaced = writer.put(hash, new, |at| owner[&at.to_word()] == key);
                assert_eq!(replaced, model.insert(key, new));
            }
            8..11 => {
                owner.insert(new.to_word(), key);
                let Ok(put) = writer.put_if_absent(hash, new, |at| {
                    Ok::<_, Infallible>(owner[&at.to_word()] == key)
                });
                assert_eq!(put, !model.contains_key(&key));
                model.entry(key).or_insert(new);
            }
            11..15 => {
                let removed = writer.remove(hash, |at| owner[&at.to_word()] == key);
                assert_eq!(removed, model.remove(&key));
            }
            _ => {
                let Ok(found) =
                    index.find(hash, |at| Ok::<_, Infallible>(owner[&at.to_word()] == key));
                assert_eq!(found, model.get(&key).copied());
            }
        }
        assert_eq!(index.len(), model.len() as u64);
    }
    assert_same(&index, &model, &owner, &hash_of);

    let keep = |at: Extent| !at.metadata_offset().is_multiple_of(3);
    let settled = writer.settled(keep);
    model.retain(|_, at| keep(*at));
    assert_same(settled.index(), &model, &owner, &hash_of);
    assert!(settled.index().memory_bytes() <= index.memory_bytes());
}

fn assert_same(
    index: &Index,
    model: &HashMap<u64, Extent>,
    owner: &HashMap<u64, u64>,
    hash_of: &impl Fn(u64) -> u64,
) {
    assert_eq!(index.len(), model.len() as u64);
    for (&key, &at) in model {
        let Ok(found) = index.find(hash_of(key), |at| {
            Ok::<_, Infallible>(owner[&at.to_word()] == key)
        });
        assert_eq!(found, Some(at));
    }
    let mut visited: Vec<u64> = Vec::new();
    index.for_each(|at| visited.push(at.to_word()));
    let mut wanted: Vec<u64> = model.values().map(|at| at.to_word()).collect();
    visited.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(visited, wanted);
}

#[test]
fn agrees_with_a_model() {
    against_model("few keys", scaled(60_000, 120), |key| key << 47, 300);
    against_model(
        "many keys",
        scaled(400_000, 300),
        |key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        scaled(100_000, 200),
    );
}

/// Every two hundred keys share one hash, so their tags are equal, and only the check tells them apart.
#[test]
fn agrees_with_a_model_where_tags_are_equal() {
    against_model(
        "equal tags",
        scaled(60_000, 120),
        |key| key / 200,
        scaled(4000, 300),
    );
}

/// More equal tags than a segment is meant for: it grows past one row of chunks and still finds everything.
#[test]
fn a_segment_of_equal_tags_grows_on() {
    let (index, mut writer) = Index::create();
    let count = scaled(6000, 50);
    for n in 0..count {
        add(&mut writer, 7, n);
        add(&mut writer, n << 40, n + count);
    }
    for n in (0..count).step_by(97) {
        assert_eq!(find(&index, 7, extent(n)), Some(extent(n)));
        assert_eq!(
            find(&index, n << 40, extent(n + count)),
            Some(extent(n + count))
        );
        assert_eq!(writer.remove(7, |at| at == extent(n)), Some(extent(n)));
        assert_eq!(find(&index, 7, extent(n)), None);
    }
    assert!(index.memory_bytes() < 1 << 20, "{}", index.memory_bytes());
}

/// Hints that are followed after their segment grew, was split, or its parts became another's.
#[test]
fn hints_of_what_was_replaced_lead_to_what_is() {
    let mut random = Random::new("hints");
    let (index, mut writer) = Index::create();
    let count = scaled(30_000, 200);
    let ahead = scaled(5000, 60);
    let hashes: Vec<u64> = (0..count).map(|_| random.next()).collect();
    let mut hints = std::collections::VecDeque::new();
    for (n, &hash) in (0..).zip(&hashes) {
        hints.push_back((n, writer.hint(hash)));
        if hints.len() as u64 > random.next() % ahead {
            for (n, hint) in hints.drain(..) {
                assert_eq!(writer.put_at(hint, extent(n), |_| false), None);
            }
        }
    }
    for (n, hint) in hints {
        writer.put_at(hint, extent(n), |_| false);
    }
    assert_eq!(index.len(), count);
    for (n, &hash) in (0..).zip(&hashes) {
        assert_eq!(find(&index, hash, extent(n)), Some(extent(n)), "{n}");
    }
}

#[test]
fn the_first_error_of_a_check_ends_it() {
    let (index, mut writer) = Index::create();
    add(&mut writer, 1, 1);
    assert_eq!(index.find(1, |_| Err("unreadable")), Err("unreadable"));
    assert_eq!(
        writer.put_if_absent(1, extent(2), |_| Err("unreadable")),
        Err("unreadable")
    );
    assert_eq!(
        (index.len(), find(&index, 1, extent(1))),
        (1, Some(extent(1)))
    );
}

/// Hashes that a caller might choose to hurt: none makes searches longer than random ones do.
#[test]
fn hostile_hashes_cost_no_more() {
    let count = scaled(1 << 17, 1 << 6);
    let patterns: [Pattern; 7] = [
        ("counting", |i| i),
        ("i << 46", |i| i << 46),
        ("equal lower halves", |i| i << 32 | 0xdead_beef),
        ("equal upper halves", |i| 0xdead_beef_0000_0000 | i),
        ("multiples of 2^20", |i| i << 20),
        ("reversed", u64::reverse_bits),
        ("both halves", |i| i << 32 | i),
    ];
    for (what, hash_of) in patterns {
        let (index, mut writer) = Index::create();
        for i in 0..count {
            add(&mut writer, hash_of(i), i);
        }
        let absent = index.mean_cost_of_miss((count..2 * count).map(hash_of));
        assert!(absent < 2.0, "{what}: {absent} lines for a miss");
        let asked: u32 = (count..2 * count)
            .map(|i| index.cost_of_miss(hash_of(i)).1)
            .sum();
        assert!(
            u64::from(asked) <= count / 50,
            "{what}: {asked} extents asked about in {count} misses"
        );
        if count > 100_000 {
            assert!(
                index.memory_bytes() < 16 * count,
                "{what}: {} bytes",
                index.memory_bytes()
            );
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "counts memory of millions of keys")]
fn memory_stays_below_sixteen_bytes_a_key() {
    let mut random = Random::new("memory");
    let (index, mut writer) = Index::create();
    let mut worst = (0.0, 0);
    let count = if cfg!(debug_assertions) {
        400_000
    } else {
        3_000_000
    };
    for n in 0..count {
        add(&mut writer, random.next(), n);
        if n >= 100_000 && n % 101 == 0 {
            let per_key = index.memory_bytes() as f64 / index.len() as f64;
            assert!(per_key < 16.0, "{per_key} bytes a key at {n} keys");
            worst = if per_key > worst.0 {
                (per_key, n)
            } else {
                worst
            };
        }
    }
    println!("at most {:.2} bytes a key, at {} keys", worst.0, worst.1);
}

/// Tags come out of an index in order, which a new one must not take for tags that are alike.
#[test]
fn settling_gives_an_index_like_any_other() {
    let mut random = Random::new("settled");
    let (index, mut writer) = Index::create();
    let count = scaled(300_000, 100);
    let hashes: Vec<u64> = (0..count).map(|_| random.next()).collect();
    for (&hash, n) in hashes.iter().zip(0..) {
        add(&mut writer, hash, n);
    }
    let settled = writer.settled(|at| at.metadata_offset() % 2 == 1);
    let rebuilt = settled.index();
    assert_eq!(rebuilt.len(), count / 2);
    for (&hash, n) in hashes.iter().zip(0..).step_by(2) {
        assert_eq!(find(rebuilt, hash, extent(n)), Some(extent(n)));
    }
    let cost = rebuilt.mean_cost_of_miss((0..count).map(|_| random.next()));
    assert!(cost < 1.6, "{cost} lines for a miss");
    if count > 200_000 {
        assert!(rebuilt.memory_bytes() < 16 * rebuilt.len());
        assert!(rebuilt.memory_bytes() < index.memory_bytes() * 5 / 8);
    }
}

/// Keys come and go for long at one size; searches stay as short as they were and memory as small.
#[test]
fn churn_leaves_no_trace() {
    let mut random = Random::new("churn");
    let (index, mut writer) = Index::create();
    let live = scaled(50_000, 40);
    let mut hashes: Vec<(u64, u64)> = (0..live).map(|n| (random.next(), n)).collect();
    for &(hash, n) in &hashes {
        add(&mut writer, hash, n);
    }
    let probes: Vec<u64> = (0..scaled(20_000, 40)).map(|_| random.next()).collect();
    let memory = index.memory_bytes();
    for n in live..scaled(20, 4) * live {
        let at = usize::try_from(random.next() % live).unwrap();
        let (old, old_n) = hashes[at];
        assert_eq!(
            writer.remove(old, |at| at == extent(old_n)),
            Some(extent(old_n))
        );
        hashes[at] = (random.next(), n);
        add(&mut writer, hashes[at].0, n);
    }
    let after = index.mean_cost_of_miss(probes.iter().copied());
    // The mean of a few dozen, with secrets of each run's own, says little.
    let most = if cfg!(miri) { 3.0 } else { 1.6 };
    assert!(after < most, "{after} lines for a miss");
    assert!(
        index.memory_bytes() < memory + memory / 4,
        "{memory} became {}",
        index.memory_bytes()
    );
    for (hash, n) in hashes {
        assert_eq!(writer.remove(hash, |at| at == extent(n)), Some(extent(n)));
    }
    assert!(index.is_empty());
    let empty = index.mean_cost_of_miss(probes.into_iter());
    assert!(
        empty < 1.01,
        "an empty index still sends searches on: {empty} lines"
    );
}

/// What was there before a search began is found by it, and values of a key are never seen to go back, while the writer
/// adds, replaces and removes, and segments are rebuilt, split and recycled.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn readers_see_everything_beside_a_growing_writer() {
    const VERSIONS: u64 = 1 << 20;
    let rounds = scaled(400_000, 150);
    let (index, mut writer) = Index::create();
    let added = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let hash_of = |key: u64| key << 44 | key;
    // The extent of a key's version has the key above the version.
    let value = |key: u64, version: u64| Extent::new(key * VERSIONS + version + 1, 1);
    let key_of = |at: Extent| (at.metadata_offset() - 1) / VERSIONS;
    thread::scope(|scope| {
        for reader in 0..2 {
            let (index, added, done) = (&*index, &added, &done);
            scope.spawn(move || {
                let mut random = Random::new(if reader == 0 { "reader 0" } else { "reader 1" });
                let mut newest = HashMap::new();
                let mut turn = 0_u64;
                while !done.load(Ordering::Acquire) {
                    let there = added.load(Ordering::Acquire);
                    turn += 1;
                    if there == 0 {
                        thread::yield_now();
                        continue;
                    }
                    // Even keys stay for good; odd ones come and go.
                    let among = if turn.is_multiple_of(2) {
                        there
                    } else {
                        there.min(1024)
                    };
                    let key = random.next() % among / 2 * 2;
                    index.prefetch(hash_of(key));
                    let Ok(found) =
                        index.find(hash_of(key), |at| Ok::<_, Infallible>(key_of(at) == key));
                    let found = found
                        .unwrap_or_else(|| panic!("key {key} of {there} is gone"))
                        .metadata_offset();
                    let before = newest.insert(key % 1024, (key, found));
                    if let Some((same, earlier)) = before
                        && same == key
                    {
                        assert!(earlier <= found, "key {key} went back");
                    }
                    let Ok(absent) = index.find(hash_of(key + (1 << 19)), |at| {
                        Ok::<_, Infallible>(key_of(at) == key + (1 << 19))
                    });
                    assert_eq!(absent, None);
                    if turn.is_multiple_of(scaled(20_000, 40)) {
                        let mut seen = 0;
                        index.for_each(|at| {
                            seen += u64::from(key_of(at).is_multiple_of(2) && key_of(at) < there);
                        });
                        assert!(seen >= there.div_ceil(2), "{seen} of {}", there.div_ceil(2));
                    }
                }
            });
        }
        let mut random = Random::new("writer");
        for key in 0..rounds {
            assert_eq!(
                writer.put(hash_of(key), value(key, 0), |at| key_of(at) == key),
                None
            );
            added.store(key + 1, Ordering::Release);
            let other = random.next() % (key + 1);
            if other % 2 == 1 {
                writer.remove(hash_of(other), |at| key_of(at) == other);
            } else {
                let replaced = writer.put(hash_of(other), value(other, key + 1), |at| {
                    key_of(at) == other
                });
                assert!(replaced.is_some());
            }
        }
        done.store(true, Ordering::Release);
    });
}
