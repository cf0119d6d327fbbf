//! What every backend promises, run against each of them: the engine over a file and in memory, and a server that speaks Redis's
//! protocol where one can be started.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(feature = "redis")]
mod servers;

use std::sync::Arc;

use tailstone_host::keyvalue::{Access, Backend, Bucket, Change, Embedded, Memory, Refusal};

type Suite<'a> = &'a dyn Fn(&[u8]) -> Arc<dyn Bucket>;
type Case = (&'static str, fn(Suite<'_>));

/// Runs every case on a bucket of its own.
fn keeps_its_promises(backend: &dyn Backend) {
    let cases: [Case; 9] = [
        ("values", values),
        ("versions", versions),
        ("changes together", changes_together),
        ("additions", additions),
        ("order", order),
        ("pages", pages),
        ("numbers of keys", numbers_of_keys),
        ("counters", counters),
        ("buckets", buckets),
    ];
    for (name, case) in cases {
        let open = |part: &[u8]| {
            let bucket = [name.as_bytes(), part].concat();
            backend.open(&bucket, Access::ReadWrite).unwrap()
        };
        println!("{name}");
        case(&open);
    }
}

#[test]
fn a_file() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(&Embedded::new(folder.path().join("a.tsl")));
}

#[test]
fn memory() {
    keeps_its_promises(&Memory::default());
}

fn values(open: Suite<'_>) {
    let bucket = open(b"");
    let all: Vec<u8> = (0..=255).collect();
    let long = all.repeat(4096);
    for key in [&b""[..], b"\0", b"a/b", b"..", "größe 键".as_bytes(), &all] {
        for value in [&b""[..], &[0], &all, &long] {
            bucket.put(key, value).unwrap();
            assert_eq!(bucket.get(key).unwrap().unwrap(), value);
            assert_eq!(bucket.stat(key).unwrap().unwrap().len, value.len() as u64);
            let (again, version) = bucket.get_versioned(key).unwrap().unwrap();
            assert_eq!(again, value);
            assert_eq!(bucket.stat(key).unwrap().unwrap().version, version);
        }
        assert!(bucket.delete(key).unwrap());
        assert!(!bucket.delete(key).unwrap());
        assert_eq!(bucket.get(key).unwrap(), None);
        assert_eq!(bucket.stat(key).unwrap(), None);
    }
    bucket.put(b"k", &all).unwrap();
    for (offset, len, from, to) in [
        (0, 0, 0, 0),
        (0, u64::MAX, 0, 256),
        (10, 5, 10, 15),
        (250, 100, 250, 256),
        (256, 1, 256, 256),
        (u64::MAX, u64::MAX, 256, 256),
    ] {
        let part = bucket.get_range(b"k", offset, len).unwrap().unwrap();
        assert_eq!(Some(&part[..]), all.get(from..to), "{offset}, {len}");
    }
    assert_eq!(bucket.get_range(b"none", 0, 1).unwrap(), None);
    let keys = [b"k".to_vec(), b"none".to_vec(), b"k".to_vec()];
    let packed = bucket.get_packed(&keys).unwrap();
    assert_eq!(packed.bytes, [&all[..], &all].concat());
    assert_eq!(packed.extents, [Some((0, 256)), None, Some((256, 256))]);
    bucket.sync().unwrap();
}

fn versions(open: Suite<'_>) {
    let bucket = open(b"");
    let version = || bucket.stat(b"k").unwrap().map(|stat| stat.version);
    assert!(!bucket.put_if(b"k", b"v", Some(1)).unwrap());
    assert!(bucket.put_if(b"k", b"first", None).unwrap());
    assert!(!bucket.put_if(b"k", b"v", None).unwrap());
    let first = version();
    assert!(bucket.put_if(b"k", b"second", first).unwrap());
    assert!(!bucket.put_if(b"k", b"v", first).unwrap());
    // Back and forth is a change, and so is gone and back.
    let second = version();
    bucket.put(b"k", b"other").unwrap();
    bucket.put(b"k", b"second").unwrap();
    assert!(!bucket.put_if(b"k", b"v", second).unwrap());
    let third = version();
    bucket.delete(b"k").unwrap();
    assert!(!bucket.put_if(b"k", b"v", third).unwrap());
    bucket.put(b"k", b"second").unwrap();
    assert!(!bucket.put_if(b"k", b"v", third).unwrap());
    assert!(!bucket.put_if(b"k", b"v", None).unwrap());
    assert_eq!(bucket.get(b"k").unwrap().unwrap(), &b"second"[..]);
}

fn changes_together(open: Suite<'_>) {
    let bucket = open(b"");
    bucket.change(&[]).unwrap();
    bucket.put(b"gone", b"v").unwrap();
    let changes = [
        Change::Put(b"a", b"1"),
        Change::Put(b"b", b"2"),
        Change::Delete(b"gone"),
        Change::Delete(b"never there"),
        Change::Put(b"a", b"3"),
        Change::Put(b"back", b"4"),
        Change::Delete(b"back"),
    ];
    bucket.change(&changes).unwrap();
    assert_eq!(bucket.get(b"a").unwrap().unwrap(), &b"3"[..]);
    assert_eq!(bucket.get(b"b").unwrap().unwrap(), &b"2"[..]);
    assert_eq!(bucket.get(b"gone").unwrap(), None);
    assert_eq!(bucket.get(b"back").unwrap(), None);
    assert_eq!(bucket.scan(b"", None, 10).unwrap().keys, [b"a", b"b"]);
}

/// Whoever comes first adds all of its values, and whoever comes then none.
fn additions(open: Suite<'_>) {
    let bucket = open(b"additions");
    bucket.put(b"there", b"kept").unwrap();
    assert!(!bucket.add(&[(b"new", b"v"), (b"there", b"v")]).unwrap());
    assert_eq!(bucket.get(b"new").unwrap(), None);
    assert_eq!(bucket.get(b"there").unwrap().unwrap(), "kept");
    assert!(bucket.add(&[]).unwrap());
    assert!(
        bucket
            .add(&[(b"new", b"1"), (b"also", b""), (b"new", b"2")])
            .unwrap()
    );
    assert_eq!(bucket.get(b"new").unwrap().unwrap(), "2");
    assert_eq!(bucket.get(b"also").unwrap().unwrap(), "");
    for round in 0..50 {
        let keys = ["a", "b", "c"].map(|key| format!("{round} {key}"));
        let add = |name: &[u8]| {
            let pairs = keys.iter().map(|key| (key.as_bytes(), name));
            bucket.add(&pairs.collect::<Vec<_>>()).unwrap()
        };
        let names: [&[u8]; 2] = [b"one", b"other"];
        let added = std::thread::scope(|scope| {
            let threads = names.map(|name| scope.spawn(move || add(name)));
            threads.map(|thread| thread.join().unwrap())
        });
        assert_ne!(added[0], added[1], "round {round}");
        let winner = if added[0] { "one" } else { "other" };
        for key in &keys {
            assert_eq!(bucket.get(key.as_bytes()).unwrap().unwrap(), winner);
        }
    }
}

fn order(open: Suite<'_>) {
    let bucket = open(b"");
    let mut keys: Vec<&[u8]> = vec![
        b"",
        b"\0",
        b"a",
        b"a\0",
        b"ab",
        b"b",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xff\xff",
    ];
    for key in keys.iter().rev() {
        bucket.put(key, b"v").unwrap();
    }
    keys.sort_unstable();
    assert_eq!(bucket.scan(b"", None, 100).unwrap().keys, keys);
    assert_eq!(
        bucket.scan(b"a", None, 100).unwrap().keys,
        [&b"a"[..], b"a\0", b"ab"]
    );
    assert_eq!(
        bucket.scan(b"\xff", None, 100).unwrap().keys,
        [&b"\xff"[..], b"\xff\xff"]
    );
    assert_eq!(
        bucket.scan(b"a", Some(b"a"), 100).unwrap().keys,
        [&b"a\0"[..], b"ab"]
    );
    assert_eq!(
        bucket.scan(b"a", Some(b"aa"), 100).unwrap().keys,
        [&b"ab"[..]]
    );
    assert_eq!(
        bucket.scan(b"c", None, 100).unwrap().keys,
        Vec::<Vec<u8>>::new()
    );
}

fn pages(open: Suite<'_>) {
    let bucket = open(b"");
    let keys: Vec<Vec<u8>> = (0..2500)
        .map(|at| format!("{at:05}").into_bytes())
        .collect();
    for some in keys.chunks(500) {
        let puts: Vec<_> = some.iter().map(|key| Change::Put(key, b"v")).collect();
        bucket.change(&puts).unwrap();
    }
    for max in [1000, 7, usize::MAX] {
        let (mut found, mut cursor): (Vec<Vec<u8>>, Option<Vec<u8>>) = (Vec::new(), None);
        loop {
            let page = bucket.scan(b"", cursor.as_deref(), max).unwrap();
            assert!(page.keys.len() <= max.min(1000));
            found.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, keys, "{max}");
    }
    let long = open(b"long");
    for at in 0..40_u8 {
        long.put(&vec![at; 20_000], b"").unwrap();
    }
    let page = long.scan(b"", None, 1000).unwrap();
    assert!(
        (1..=14).contains(&page.keys.len()),
        "{} keys of 20,000 bytes",
        page.keys.len()
    );
    assert!(page.cursor.is_some());
}

fn numbers_of_keys(open: Suite<'_>) {
    let bucket = open(b"");
    for key in [&b"a"[..], b"b"] {
        bucket.put(key, b"v").unwrap();
    }
    let number = bucket.number_of_key(b"a").unwrap();
    assert_ne!(number, bucket.number_of_key(b"b").unwrap());
    assert_eq!(bucket.key_of_number(number).unwrap(), b"a");
    bucket.delete(b"a").unwrap();
    assert_eq!(bucket.key_of_number(number).unwrap(), b"a");
    assert_eq!(bucket.key_of_number(1), Err(Refusal::StaleCursor));
}

fn counters(open: Suite<'_>) {
    let bucket = open(b"");
    let most = i128::from(i64::MAX);
    let range = i128::from(i64::MIN)..=most;
    assert_eq!(bucket.increment(b"n", 5, range.clone()).unwrap(), 5);
    assert_eq!(bucket.increment(b"n", -7, range.clone()).unwrap(), -2);
    assert_eq!(bucket.get(b"n").unwrap().unwrap(), &b"-2"[..]);
    assert_eq!(
        bucket.increment(b"n", most, range.clone()).unwrap(),
        most - 2
    );
    assert!(bucket.increment(b"n", 3, range.clone()).is_err());
    bucket.put(b"n", b"seven").unwrap();
    assert!(bucket.increment(b"n", 1, range).is_err());
    assert_eq!(bucket.get(b"n").unwrap().unwrap(), &b"seven"[..]);
}

fn buckets(open: Suite<'_>) {
    let (one, other, again) = (open(b"1"), open(b"2"), open(b"1"));
    one.put(b"k", b"one").unwrap();
    assert_eq!(other.get(b"k").unwrap(), None);
    assert_eq!(again.get(b"k").unwrap().unwrap(), &b"one"[..]);
    other.put(b"k", b"other").unwrap();
    again.delete(b"k").unwrap();
    assert_eq!(one.get(b"k").unwrap(), None);
    assert_eq!(other.get(b"k").unwrap().unwrap(), &b"other"[..]);
}

#[cfg(feature = "redis")]
mod server {
    use tailstone_host::keyvalue::{Access, Backend, Redis};

    use crate::servers::server;

    #[test]
    fn a_server() {
        let Some((mut server, backend)) = server() else {
            return;
        };
        super::keeps_its_promises(&backend);

        // Names do not run into each other.
        let other = Redis::new(&server.url, "plug").unwrap();
        let (one, two) = (
            backend.open(b"", Access::ReadWrite).unwrap(),
            other.open(b"in", Access::ReadWrite).unwrap(),
        );
        one.put(b"k", b"one").unwrap();
        assert_eq!(two.get(b"k").unwrap(), None);

        // A server that is gone is an error and no panic, and one that is back is used again.
        server.stop();
        assert!(one.get(b"k").is_err());
        assert!(one.put(b"k", b"v").is_err());
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        assert!(Redis::new("no address", "plugin").is_err());
        let nobody = Redis::new("redis://127.0.0.1:1", "plugin").unwrap();
        assert!(nobody.open(b"", Access::ReadWrite).is_err());
    }
}
