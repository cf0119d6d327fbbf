//! A process that does everything a store offers and is killed at any moment, over and over on one file: what it said is done is
//! done, what it was at is done or not, and nothing else has changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tailstone::{Batch, DataStore, DataStoreReader, DataStoreWriter};
use tailstone_tests::Rng;
use tailstone_tests::child::{amount, command, numbers_after, playing};

const FROM: &str = "TAILSTONE_TEST_FROM";
const SEED: &str = "TAILSTONE_TEST_SEED";

/// A key of the plain store or of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Plain(u8),
    Bucket(u8),
    Counter,
}

type Model = BTreeMap<Key, Vec<u8>>;
/// Changes that come one after the other; each is there as a whole or not at all.
type Steps = Vec<Vec<(Key, Option<Vec<u8>>)>>;

#[derive(Debug)]
enum Operation {
    Write(u8, Vec<u8>),
    Stream(u8, Vec<u8>),
    Delete(u8),
    PlainBatch(Vec<(u8, Vec<u8>)>),
    Batch(Vec<(u8, Option<Vec<u8>>)>),
    Rename(u8, u8),
    Set(u8, Vec<u8>),
    SetMany(Vec<(u8, Vec<u8>)>),
    Remove(u8),
    Increment,
    Compact,
    Backup,
}

fn value(rng: &mut Rng) -> Vec<u8> {
    let len = match rng.below(12) {
        0 => 100_000,
        1 => 5000,
        _ => 2 + rng.below(400),
    };
    let mut bytes = rng.bytes(len);
    bytes[0] |= 1;
    bytes
}

/// Operation `nth` of the sequence that belongs to `seed`.
fn operation(seed: u64, nth: u64) -> Operation {
    let mut rng = Rng::new(seed ^ nth << 24);
    let key = |rng: &mut Rng| u8::try_from(rng.below(20)).unwrap();
    match rng.below(24) {
        0..=5 => Operation::Write(key(&mut rng), value(&mut rng)),
        6 | 7 => Operation::Stream(key(&mut rng), value(&mut rng)),
        8 => Operation::Delete(key(&mut rng)),
        9 | 10 => Operation::PlainBatch((0..5).map(|_| (key(&mut rng), value(&mut rng))).collect()),
        11..=13 => {
            let change = |rng: &mut Rng| {
                let new = (rng.below(3) > 0).then(|| value(rng));
                (key(rng), new)
            };
            Operation::Batch((0..6).map(|_| change(&mut rng)).collect())
        }
        14 => Operation::Rename(key(&mut rng), 100 + key(&mut rng)),
        15..=17 => Operation::Set(key(&mut rng), value(&mut rng)),
        18 | 19 => Operation::SetMany((0..4).map(|_| (key(&mut rng), value(&mut rng))).collect()),
        20 => Operation::Remove(key(&mut rng)),
        21 => Operation::Increment,
        22 => Operation::Compact,
        _ => Operation::Backup,
    }
}

fn perform(store: &DataStore, operation: &Operation) {
    let bucket = store.bucket("bucket").unwrap();
    match operation {
        Operation::Write(key, value) => {
            store.write(&[*key], value).unwrap();
        }
        Operation::Stream(key, value) => {
            store.write_stream(&[*key], &mut &value[..]).unwrap();
        }
        Operation::Delete(key) => {
            store.delete(&[*key]).unwrap();
        }
        Operation::PlainBatch(pairs) => {
            let keys: Vec<[u8; 1]> = pairs.iter().map(|(key, _)| [*key]).collect();
            let pairs: Vec<(&[u8], &[u8])> = keys
                .iter()
                .zip(pairs)
                .map(|(key, (_, value))| (&key[..], &value[..]))
                .collect();
            store.batch_write(&pairs).unwrap();
        }
        Operation::Batch(changes) => {
            let mut batch = Batch::new();
            for (key, new) in changes {
                match new {
                    Some(value) => batch.put(&[*key], &value[..]),
                    None => batch.delete(&[*key]),
                };
            }
            store.commit(&batch).unwrap();
        }
        // What is not there cannot be renamed, which is no matter here.
        Operation::Rename(from, to) => drop(store.rename(&[*from], &[*to])),
        Operation::Set(key, value) => {
            bucket.set(&[*key], value).unwrap();
        }
        Operation::SetMany(pairs) => {
            let keys: Vec<[u8; 1]> = pairs.iter().map(|(key, _)| [*key]).collect();
            let pairs: Vec<(&[u8], &[u8])> = keys
                .iter()
                .zip(pairs)
                .map(|(key, (_, value))| (&key[..], &value[..]))
                .collect();
            bucket.set_many(&pairs).unwrap();
        }
        Operation::Remove(key) => {
            bucket.delete(&[*key]).unwrap();
        }
        Operation::Increment => {
            bucket.increment(b"counter", 1).unwrap();
        }
        Operation::Compact => store.compact().unwrap(),
        Operation::Backup => {
            let target = store.path().with_extension("backup");
            // A compaction made the earlier backup another store: it begins anew.
            if store.backup(&target, &mut |_, _| ()).is_err() {
                std::fs::remove_file(&target).unwrap();
                store.backup(&target, &mut |_, _| ()).unwrap();
            }
        }
    }
}

/// What the operation changes, given what there is.
fn steps(model: &Model, operation: &Operation) -> Steps {
    let put = |key: Key, value: &Vec<u8>| (key, Some(value.clone()));
    match operation {
        Operation::Write(key, value) | Operation::Stream(key, value) => {
            vec![vec![put(Key::Plain(*key), value)]]
        }
        Operation::Delete(key) => vec![vec![(Key::Plain(*key), None)]],
        Operation::PlainBatch(pairs) => pairs
            .iter()
            .map(|(key, value)| vec![put(Key::Plain(*key), value)])
            .collect(),
        Operation::Batch(changes) => {
            let step = |(key, new): &(u8, Option<Vec<u8>>)| (Key::Plain(*key), new.clone());
            vec![changes.iter().map(step).collect()]
        }
        Operation::Rename(from, to) => match model.get(&Key::Plain(*from)) {
            Some(value) => vec![
                vec![put(Key::Plain(*to), value)],
                vec![(Key::Plain(*from), None)],
            ],
            None => vec![],
        },
        Operation::Set(key, value) => vec![vec![put(Key::Bucket(*key), value)]],
        Operation::SetMany(pairs) => {
            let step = |(key, value): &(u8, Vec<u8>)| put(Key::Bucket(*key), value);
            vec![pairs.iter().map(step).collect()]
        }
        Operation::Remove(key) => vec![vec![(Key::Bucket(*key), None)]],
        Operation::Increment => {
            let before = model.get(&Key::Counter);
            let before =
                before.map_or(0, |bytes| i64::from_le_bytes(bytes[..].try_into().unwrap()));
            vec![vec![(
                Key::Counter,
                Some((before + 1).to_le_bytes().to_vec()),
            )]]
        }
        Operation::Compact | Operation::Backup => vec![],
    }
}

fn take(model: &mut Model, step: Vec<(Key, Option<Vec<u8>>)>) {
    for (key, new) in step {
        match new {
            Some(value) => drop(model.insert(key, value)),
            None => drop(model.remove(&key)),
        }
    }
}

fn content(store: &DataStore) -> Model {
    let mut model = Model::new();
    let bucket = store.bucket("bucket").unwrap();
    for key in 0..=u8::MAX {
        if let Some(value) = store.read(&[key]).unwrap() {
            assert!(value.is_valid_checksum());
            model.insert(Key::Plain(key), value.as_slice().to_vec());
        }
        if let Some(value) = bucket.get(&[key]).unwrap() {
            model.insert(Key::Bucket(key), value.as_slice().to_vec());
        }
    }
    if let Some(value) = bucket.get(b"counter").unwrap() {
        model.insert(Key::Counter, value.as_slice().to_vec());
    }
    assert_eq!(store.len().unwrap(), model.len(), "keys nobody wrote");
    model
}

#[test]
fn role_busy() {
    let Some(path) = playing("role_busy") else {
        return;
    };
    let seed = amount(SEED, 0);
    let store = DataStore::open(&path).unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nready 0").unwrap();
    for nth in amount(FROM, 0).. {
        perform(&store, &operation(seed, nth));
        writeln!(out, "done {nth}").unwrap();
    }
}

/// Starts a process that goes on with operation `from`, kills it after `time`, and gives the last one it said it had done.
fn let_run_and_kill(path: &Path, seed: u64, from: u64, time: Duration) -> Option<u64> {
    let mut child = command("role_busy", path, "")
        .env(SEED, seed.to_string())
        .env(FROM, from.to_string())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reading = std::thread::spawn(move || numbers_after("done ", output));
    std::thread::sleep(time);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "it ended by itself: {status}");
    reading.join().unwrap().last().copied()
}

/// `TAILSTONE_ROUNDS` for a longer run, `TAILSTONE_SEED` for another one.
#[test]
fn killed_at_anything_over_and_over() {
    let rounds = amount("TAILSTONE_ROUNDS", 25);
    let mut rng = Rng::from_environment("killed_at_anything_over_and_over", 52);
    let seed = rng.next_u64() >> 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("victim.tsl");
    let (mut model, mut next) = (Model::new(), 0);
    let mut unfinished = 0;
    for round in 0..rounds {
        let time = Duration::from_micros(4000 + rng.next_u64() % 60_000);
        let done = let_run_and_kill(&path, seed, next, time);
        for nth in next..done.map_or(next, |done| done + 1) {
            for step in steps(&model, &operation(seed, nth)) {
                take(&mut model, step);
            }
        }
        next = done.map_or(next, |done| done + 1);

        let store = DataStore::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let found = content(&store);
        assert!(store.verify(&mut |_, _| ()).unwrap().is_sound());
        drop(store);
        // What it was at when it was killed, up to any of its steps.
        let at_work = operation(seed, next);
        let mut steps = steps(&model, &at_work).into_iter();
        let before = model.clone();
        while found != model {
            let Some(step) = steps.next() else {
                panic!(
                    "round {round}, operation {next}: another content than after any step of it"
                );
            };
            take(&mut model, step);
        }
        unfinished += u64::from(model != before);
        // The next process starts behind it: not every operation may be done twice.
        for step in steps {
            take(&mut model, step);
        }
        let store = DataStore::open(&path).unwrap();
        bring_to(&store, &model, &found);
        drop(store);
        next += 1;
        backup_is_whole(&path.with_extension("backup"));
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| {
            !["victim.tsl", "victim.backup"]
                .iter()
                .any(|known| name == known)
        })
        .collect();
    assert!(left.len() <= 1, "left over: {left:?}");
    println!("{next} operations, {unfinished} of them done without a word");
    assert!(next > rounds, "hardly anything was done");
}

/// Does what is missing of an operation that was not finished.
fn bring_to(store: &DataStore, model: &Model, found: &Model) {
    let bucket = store.bucket("bucket").unwrap();
    for (key, value) in model
        .iter()
        .filter(|(key, value)| found.get(key) != Some(value))
    {
        match key {
            Key::Plain(key) => {
                store.write(&[*key], value).unwrap();
            }
            Key::Bucket(key) => {
                bucket.set(&[*key], value).unwrap();
            }
            Key::Counter => {
                bucket.set(b"counter", value).unwrap();
            }
        }
    }
    for key in found.keys().filter(|key| !model.contains_key(key)) {
        match key {
            Key::Plain(key) => {
                store.delete(&[*key]).unwrap();
            }
            Key::Bucket(key) => {
                bucket.delete(&[*key]).unwrap();
            }
            Key::Counter => {
                bucket.delete(b"counter").unwrap();
            }
        }
    }
}

/// A backup that was interrupted is one of an earlier moment.
fn backup_is_whole(path: &Path) {
    if path.exists() {
        let backup = DataStore::open_existing(path).unwrap();
        assert!(backup.verify(&mut |_, _| ()).unwrap().is_sound());
    }
}
