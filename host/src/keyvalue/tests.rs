//! What a grant promises: names that lead nowhere else, what may be done, and how much of it.

use std::sync::Arc;
use std::thread;

use tailstone::DataStore;
use tailstone_interface::{Change, Refusal};
use tempfile::TempDir;

use super::meter::{Asked, Granted};
use super::{Access, Grant, KeyValueCtx, Quota};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn opened(grant: Grant) -> Granted {
    let ctx = KeyValueCtx::builder().grant("store", grant).build();
    ctx.open("store", b"default", Asked::Everything).unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "what is asked is a call")]
fn is_exceeded<R: std::fmt::Debug>(outcome: Result<R, Refusal>) -> bool {
    matches!(outcome, Err(Refusal::QuotaExceeded(_)))
}

#[test]
fn what_was_not_granted_is_denied_whatever_it_is_called() {
    let folder = folder();
    let ctx = KeyValueCtx::builder()
        .grant("a", Grant::file(folder.path().join("a.tsl")))
        .grant("a/b", Grant::file(folder.path().join("b.tsl")))
        .grant("", Grant::memory())
        .build();
    let names = [
        "b", "a.tsl", "../a", "a/", "a/b/c", "a\0", "A", "./a", ".", "..", "a%2fb", "default",
    ];
    for name in names {
        let outcome = ctx.open(name, b"default", Asked::Everything).map(drop);
        assert_eq!(outcome, Err(Refusal::AccessDenied), "{name:?}");
    }
    for name in ["a", "a/b", ""] {
        let bucket = ctx.open(name, b"default", Asked::Everything).unwrap();
        bucket.put(b"b/c", name.as_bytes()).unwrap();
    }
    // Neither names nor keys run into each other.
    for (name, key) in [("a", &b"b/c"[..]), ("a/b", b"b/c"), ("", b"b/c")] {
        let bucket = ctx.open(name, b"default", Asked::Everything).unwrap();
        assert_eq!(bucket.get(key).unwrap().unwrap(), name.as_bytes());
        assert_eq!(bucket.get(b"c").unwrap(), None);
    }
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["a.tsl", "b.tsl"]);
}

#[test]
fn who_may_read_does_not_write_and_who_may_append_does_not_rewrite() {
    let folder = folder();
    let path = folder.path().join("a.tsl");
    let writer = opened(Grant::file(&path));
    writer.put(b"old", b"value").unwrap();

    let reader = opened(Grant::file(&path).access(Access::ReadOnly));
    assert_eq!(reader.get(b"old").unwrap().unwrap(), &b"value"[..]);
    assert_eq!(reader.put(b"new", b""), Err(Refusal::ReadOnly));
    assert_eq!(reader.delete(b"old"), Err(Refusal::ReadOnly));
    assert_eq!(
        reader.change(&[Change::Put(b"k", b"")]),
        Err(Refusal::ReadOnly)
    );
    assert_eq!(reader.increment(b"n", 1, 0..=9), Err(Refusal::ReadOnly));
    assert_eq!(reader.put_if(b"k", b"", None), Err(Refusal::ReadOnly));
    assert_eq!(reader.compact(), Err(Refusal::ReadOnly));

    let appender = opened(Grant::file(&path).access(Access::AppendOnly));
    appender.put(b"new", b"1").unwrap();
    let denied = Err(Refusal::AccessDenied);
    assert_eq!(appender.put(b"new", b"2"), denied);
    assert_eq!(appender.put(b"old", b"2"), denied);
    assert_eq!(
        appender.change(&[Change::Put(b"x", b""), Change::Put(b"old", b"")]),
        denied
    );
    assert_eq!(appender.change(&[Change::Delete(b"old")]), denied);
    assert_eq!(appender.delete(b"old").map(drop), denied);
    assert_eq!(appender.increment(b"n", 1, 0..=9).map(drop), denied);
    assert_eq!(appender.compact(), denied);
    assert_eq!(appender.put_if(b"old", b"", Some(1)).map(drop), denied);
    assert_eq!(appender.put_if(b"old", b"", None), Ok(false));
    assert_eq!(writer.get(b"old").unwrap().unwrap(), &b"value"[..]);
    assert_eq!(writer.get(b"x").unwrap(), None);

    // What is asked for is never more than what was granted.
    let ctx = KeyValueCtx::builder()
        .grant("read", Grant::file(&path).access(Access::ReadOnly))
        .build();
    let asked = ctx.open("read", b"default", Asked::Creating).map(drop);
    assert_eq!(asked, Err(Refusal::AccessDenied));
}

#[test]
fn a_reader_comes_first_and_sees_what_a_writer_adds_then() {
    let folder = folder();
    let path = folder.path().join("a.tsl");
    drop(opened(Grant::file(&path)));
    let reader = opened(Grant::file(&path).access(Access::ReadOnly));
    let writer = opened(Grant::file(&path));
    writer.put(b"k", b"v").unwrap();
    assert_eq!(reader.get(b"k").unwrap().unwrap(), &b"v"[..]);
    drop(writer);
    assert_eq!(reader.get(b"k").unwrap().unwrap(), &b"v"[..]);
    drop(reader);
    // The last handle lets go of the file.
    let native = DataStore::open(&path).unwrap();
    let bucket = native.bucket("default").unwrap();
    assert_eq!(bucket.get(b"k").unwrap().unwrap().as_slice(), b"v");
    let locked = KeyValueCtx::builder()
        .grant("s", Grant::file(&path))
        .build();
    let outcome = locked.open("s", b"default", Asked::Everything).map(drop);
    assert!(matches!(outcome, Err(Refusal::Locked(_))), "{outcome:?}");
}

#[test]
fn sizes_entries_and_handles_have_bounds() {
    let quota = Quota::default()
        .with_sizes(4, 10)
        .with_entries(3)
        .with_handles(2);
    let ctx = KeyValueCtx::builder()
        .grant("s", Grant::memory().quota(quota))
        .build();
    let bucket = ctx.open("s", b"default", Asked::Everything).unwrap();
    let other = ctx.open("s", b"default", Asked::Everything).unwrap();
    assert!(is_exceeded(
        ctx.open("s", b"default", Asked::Everything).map(drop)
    ));
    drop(other);
    let other = ctx.open("s", b"default", Asked::Everything).unwrap();

    assert!(is_exceeded(bucket.put(b"12345", b"")));
    assert!(is_exceeded(bucket.put(b"1234", &[0; 11])));
    assert!(is_exceeded(
        bucket.change(&[Change::Put(b"1", b""), Change::Put(b"2", &[0; 11])])
    ));
    for key in [b"1", b"2", b"3"] {
        bucket.put(key, &[0; 10]).unwrap();
    }
    assert!(
        is_exceeded(other.put(b"4", b"")),
        "the other handle has the same account"
    );
    assert!(is_exceeded(bucket.put_if(b"4", b"", None)));
    assert!(is_exceeded(bucket.increment(b"4", 1, 0..=9)));
    bucket.put(b"3", b"again").unwrap();
    bucket
        .change(&[Change::Delete(b"1"), Change::Put(b"4", b"")])
        .unwrap();
    assert!(bucket.delete(b"4").unwrap());
    bucket.put(b"5", b"").unwrap();
}

#[test]
fn bytes_are_charged_as_the_engine_stores_them() {
    let grant = |bytes| Grant::memory().quota(Quota::default().with_bytes(bytes));
    // Each takes 100 bytes, a key of two, its bucket's name and what lies around: three times 64.
    let bucket = opened(grant(10 * 192));
    for at in 0..10_u8 {
        bucket.put(&[b'k', at], &[7; 100]).unwrap();
    }
    assert!(is_exceeded(bucket.put(b"kx", b"")));
    // To write it again takes what it gave back, and the file has twice as much room.
    for at in (0..10).cycle().take(200) {
        bucket.put(&[b'k', at], &[8; 100]).unwrap();
    }
    assert!(is_exceeded(bucket.put(b"k\0", &[8; 200])));
    for at in 0..10 {
        assert!(
            bucket.delete(&[b'k', at]).unwrap(),
            "deleting is never refused"
        );
    }
    let small = opened(grant(1000));
    assert!(is_exceeded(small.put(b"k", &[0; 1000])));
    assert_eq!(small.get(b"k").unwrap(), None);
    assert!(is_exceeded(small.change(&[
        Change::Put(b"a", &[0; 500]),
        Change::Put(b"b", &[0; 500])
    ])));
    assert_eq!(
        small.get(b"a").unwrap(),
        None,
        "a batch that is refused leaves nothing"
    );
}

/// Each was counted: a key deleted twice made room for two, and one put twice took the room of two.
#[test]
fn of_several_changes_of_a_key_the_last_one_is_charged() {
    let bucket = opened(Grant::memory().quota(Quota::default().with_entries(2)));
    bucket
        .change(&[Change::Put(b"a", b""), Change::Put(b"b", b"")])
        .unwrap();
    let (gone, more) = (Change::Delete(b"a"), Change::Put(b"c", b""));
    assert!(is_exceeded(bucket.change(&[
        gone,
        gone,
        more,
        Change::Put(b"d", b"")
    ])));
    bucket.change(&[gone, more, more]).unwrap();

    let bucket = opened(Grant::memory().quota(Quota::default().with_bytes(2000)));
    bucket.put(b"a", &[1; 900]).unwrap();
    let large = Change::Put(b"b", &[2; 2500]);
    assert!(is_exceeded(bucket.change(&[gone, gone, gone, large])));
    bucket
        .change(&[large, gone, Change::Put(b"b", b"")])
        .unwrap();
}

#[test]
fn a_file_that_is_full_of_what_is_dead_is_compacted_and_not_refused() {
    let folder = folder();
    let path = folder.path().join("a.tsl");
    let quota = Quota::default().with_file_bytes(100_000);
    let bucket = opened(Grant::file(&path).quota(quota));
    for round in 0..200_u8 {
        bucket.put(b"key", &[round; 5000]).unwrap();
        assert!(
            std::fs::metadata(&path).unwrap().len() <= 100_000 + (64 << 20),
            "preallocated space is not counted"
        );
    }
    assert_eq!(bucket.get(b"key").unwrap().unwrap(), &[199; 5000][..]);
    assert!(bucket.info().unwrap().store_bytes <= 100_000);
    let more: Vec<_> = (0..40_u8)
        .map(|at| bucket.put(&[at], &[at; 5000]))
        .collect();
    assert!(more.iter().any(|outcome| is_exceeded(outcome.clone())));
}

#[test]
fn a_rate_is_kept_to_and_comes_back() {
    let bucket = opened(Grant::memory().quota(Quota::default().with_write_rate(20_000)));
    let written = (0..100)
        .take_while(|_| bucket.put(b"k", &[1; 1000]).is_ok())
        .count();
    assert!((15..=25).contains(&written), "{written} KB at once");
    thread::sleep(std::time::Duration::from_millis(200));
    bucket.put(b"k", &[1; 1000]).unwrap();
}

#[test]
fn pages_are_as_long_as_granted() {
    let bucket = opened(Grant::memory().quota(Quota::default().with_page_entries(7)));
    let keys: Vec<String> = (0..50).map(|at| format!("{at:02}")).collect();
    for key in &keys {
        bucket.put(key.as_bytes(), b"").unwrap();
    }
    let (mut found, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let (page, next) = bucket.list_keys_by_number(cursor).unwrap();
        assert!(page.len() <= 7);
        // Who deletes what it was shown goes on behind it.
        for key in &page {
            bucket.delete(key.as_bytes()).unwrap();
        }
        found.extend(page);
        (cursor, pages) = (next, pages + 1);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (keys, 8));
    assert_eq!(
        bucket.list_keys_by_number(Some(12345)),
        Err(Refusal::StaleCursor)
    );
}

#[test]
fn many_plugins_count_up_one_number() {
    let folder = folder();
    let path = folder.path().join("a.tsl");
    let grant = Grant::file(&path);
    thread::scope(|scope| {
        for _ in 0..4 {
            let bucket = opened(grant.clone());
            scope.spawn(move || {
                for _ in 0..250 {
                    bucket.increment(b"n", 1, 0..=i128::from(u64::MAX)).unwrap();
                }
            });
        }
    });
    let bucket = opened(grant);
    assert_eq!(bucket.get(b"n").unwrap().unwrap(), &b"1000"[..]);
    let range = 0..=i128::from(u64::MAX);
    bucket.put(b"n", u64::MAX.to_string().as_bytes()).unwrap();
    assert!(bucket.increment(b"n", 1, range.clone()).is_err());
    assert_eq!(
        bucket.get(b"n").unwrap().unwrap(),
        u64::MAX.to_string().as_bytes()
    );
    for text in [
        "",
        "-",
        "1x",
        " 1",
        "1e3",
        "+1",
        "999999999999999999999",
        "-1",
    ] {
        bucket.put(b"n", text.as_bytes()).unwrap();
        assert!(
            bucket.increment(b"n", 0, range.clone()).is_err(),
            "{text:?}"
        );
        assert_eq!(bucket.get(b"n").unwrap().unwrap(), text.as_bytes());
    }
}

#[test]
fn who_opens_while_another_one_closes_is_not_told_that_the_store_is_in_use() {
    let folder = folder();
    let path = folder.path().join("a.tsl");
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    opened(Grant::file(&path)).put(b"k", b"v").unwrap();
                }
            });
        }
    });
}

#[test]
fn writing_to_what_is_there_makes_nothing() {
    let folder = folder();
    let path = folder.path().join("a.tsl");
    let ctx = KeyValueCtx::builder()
        .grant("s", Grant::file(&path))
        .build();
    for asked in [Asked::Reading, Asked::Writing] {
        let outcome = ctx.open("s", b"default", asked).map(drop);
        assert_eq!(outcome, Err(Refusal::NoSuchStore), "{asked:?}");
    }
    assert!(!path.exists());
    drop(ctx.open("s", b"default", Asked::Creating).unwrap());
    for asked in [Asked::Reading, Asked::Writing] {
        ctx.open("s", b"default", asked).unwrap();
    }
}

#[test]
fn a_value_stays_readable_while_others_write_and_compact() {
    let folder = folder();
    let bucket = Arc::new(opened(Grant::file(folder.path().join("a.tsl"))));
    bucket.put(b"k", &vec![1; 100_000]).unwrap();
    let value = bucket.get(b"k").unwrap().unwrap();
    for round in 0..20_u8 {
        bucket.put(b"k", &vec![round; 100_000]).unwrap();
        bucket.compact().unwrap();
    }
    drop(bucket);
    assert!(value.iter().all(|byte| *byte == 1));
}
