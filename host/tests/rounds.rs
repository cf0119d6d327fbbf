//! Put, get, delete, exists and info through the real component, and the file that comes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod folder;

use std::process::Command;

use folder::{Folder, runtime};
use tailstone::DataStore;
use tailstone_host::{Access, DEFAULT_BUCKET, Error, Refusal, folder as whole};

/// Values around the sizes at which something changes: alignment, the cache, one call's worth, the device's longest call.
const SIZES: [usize; 13] = [
    0,
    1,
    2,
    63,
    64,
    65,
    4096,
    65_535,
    65_536,
    65_537,
    1 << 20,
    (1 << 20) + 1,
    3 << 20,
];

fn value(size: usize) -> Vec<u8> {
    (0..size)
        .map(|i| u8::try_from((i * 31 + size) % 251 + 1).unwrap())
        .collect()
}

#[test]
fn what_is_put_is_found_here_and_natively_byte_for_byte() {
    let folder = Folder::new();
    let inside = folder.path("inside.tsl");
    let mut session = runtime().open(&inside, Access::Create).unwrap();
    let outside = folder.path("outside.tsl");
    let store = DataStore::open(&outside).unwrap();
    let native = store.bucket(DEFAULT_BUCKET).unwrap();
    for size in SIZES {
        let key = format!("key {size}");
        session.put(key.as_bytes(), &value(size)).unwrap();
        native.set(key.as_bytes(), &value(size)).unwrap();
    }
    assert!(session.delete(b"key 64").unwrap());
    assert!(!session.delete(b"key 64").unwrap());
    native.delete(b"key 64").unwrap();
    session.put(b"again", b"first").unwrap();
    native.set(b"again", b"first").unwrap();
    session.put(b"again", b"second").unwrap();
    native.set(b"again", b"second").unwrap();

    let check = |session: &mut tailstone_host::Session| {
        for size in SIZES {
            let found = session.get(format!("key {size}").as_bytes()).unwrap();
            assert_eq!(found, (size != 64).then(|| value(size)), "size {size}");
        }
        assert_eq!(session.get(b"again").unwrap().unwrap(), b"second");
        assert!(session.exists(b"again").unwrap() && !session.exists(b"key 64").unwrap());
    };
    check(&mut session);
    session.close().unwrap();
    store.close().unwrap();
    assert!(
        std::fs::read(&inside).unwrap() == std::fs::read(&outside).unwrap(),
        "not the same bytes"
    );
    assert_eq!(
        folder.names(),
        ["inside.tsl", "outside.tsl"],
        "a lock file was left"
    );

    let mut session = runtime().open(&outside, Access::Read).unwrap();
    check(&mut session);
    let info = session.info().unwrap();
    assert_eq!(info.keys, 13, "one deleted, one more");
    assert_eq!(info.store_bytes, std::fs::metadata(&outside).unwrap().len());
    assert_eq!(info.cut_bytes, 0);
    let store = DataStore::options().read_only(true).open(&inside).unwrap();
    let native = store.bucket(DEFAULT_BUCKET).unwrap();
    assert_eq!(native.get(b"again").unwrap().unwrap().as_slice(), b"second");
}

#[test]
fn dropping_a_session_keeps_what_was_put_and_gives_the_lock_back() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let mut session = runtime().open(&path, Access::Create).unwrap();
    session.put(b"key", b"value").unwrap();
    drop(session);
    assert_eq!(folder.names(), ["a.tsl"]);
    // The value, its key and its bucket's name with their lengths, what ends them, the metadata.
    assert_eq!(
        std::fs::metadata(&path).unwrap().len(),
        5 + 2 + 7 + 3 + 24 + 20
    );
    let mut session = runtime().open(&path, Access::Write).unwrap();
    assert_eq!(session.get(b"key").unwrap().unwrap(), b"value");
}

#[test]
fn what_cannot_be_stored_is_refused_and_leaves_no_trace() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let mut session = runtime().open(&path, Access::Create).unwrap();
    let refused = session.put(&vec![7; (1 << 16) + 1], b"value").unwrap_err();
    assert!(
        matches!(refused, Error::Refused(Refusal::InvalidArgument(_))),
        "{refused:?}"
    );
    assert_eq!(session.info().unwrap().store_bytes, 0);
    for value in [&b""[..], &[0]] {
        session.put(b"", value).unwrap();
        assert_eq!(session.get(b"").unwrap().unwrap(), value);
    }
    session.close().unwrap();
    let mut session = runtime().open(&path, Access::Read).unwrap();
    for refused in [
        session.put(b"key", b"value").unwrap_err(),
        session.delete(b"").unwrap_err(),
    ] {
        assert!(
            matches!(refused, Error::Refused(Refusal::ReadOnly)),
            "{refused:?}"
        );
    }
}

#[test]
fn a_torn_tail_is_cut_when_writing_and_left_when_reading() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let mut session = runtime().open(&path, Access::Create).unwrap();
    session.put(b"kept", b"whole").unwrap();
    session.put(b"also kept", &value(5000)).unwrap();
    let tail = session.info().unwrap().store_bytes;
    session.put(b"torn", &value(7000)).unwrap();
    session.close().unwrap();
    let torn = std::fs::read(&path).unwrap();
    for cut in [tail + 1, tail + 64, tail + 7000, torn.len() as u64 - 1] {
        let bytes = &torn[..usize::try_from(cut).unwrap()];
        std::fs::write(&path, bytes).unwrap();
        let mut session = runtime().open(&path, Access::Read).unwrap();
        assert_eq!(
            session.info().unwrap().cut_bytes,
            cut - tail,
            "cut at {cut}"
        );
        assert_eq!(session.get(b"also kept").unwrap().unwrap(), value(5000));
        drop(session);
        assert_eq!(
            std::fs::read(&path).unwrap(),
            bytes,
            "reading changed the file cut at {cut}"
        );
        let mut session = runtime().open(&path, Access::Write).unwrap();
        assert_eq!(session.get(b"torn").unwrap(), None);
        assert_eq!(session.get(b"kept").unwrap().unwrap(), b"whole");
        session.close().unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            tail,
            "cut at {cut}"
        );
    }
}

#[test]
fn what_is_no_store_is_refused_and_untouched() {
    let folder = Folder::new();
    let path = folder.path("letter.txt");
    let letter =
        b"Dear reader, this was never a store, and it is longer than one entry's metadata.";
    std::fs::write(&path, letter).unwrap();
    for access in [Access::Read, Access::Write, Access::Create] {
        let refused = runtime().open(&path, access).unwrap_err();
        assert!(
            matches!(refused, Error::Refused(Refusal::Corrupt(_))),
            "{refused:?}"
        );
        assert_eq!(refused.exit_status(), 3);
        assert_eq!(std::fs::read(&path).unwrap(), letter);
        assert_eq!(folder.names(), ["letter.txt"]);
    }
}

#[test]
fn a_folder_comes_back_as_it_went_in() {
    let folder = Folder::new();
    let source = folder.path("source");
    std::fs::create_dir_all(source.join("below/it")).unwrap();
    std::fs::write(source.join("a"), value(10)).unwrap();
    std::fs::write(source.join("below/it/b"), value(100_000)).unwrap();
    std::fs::write(source.join("below/empty"), b"").unwrap();
    let mut session = runtime()
        .open(&folder.path("a.tsl"), Access::Create)
        .unwrap();
    let put = whole::import(&mut session, &source).unwrap();
    assert_eq!((put.files, put.bytes), (3, 100_010));
    assert_eq!(session.get(b"below/it/b").unwrap().unwrap(), value(100_000));
    assert_eq!(whole::check(&mut session, &source).unwrap().files, 3);
    std::fs::write(source.join("a"), b"changed").unwrap();
    let differs = whole::check(&mut session, &source).unwrap_err();
    assert!(
        matches!(&differs, Error::Differs(name) if name == "a"),
        "{differs:?}"
    );
}

#[test]
fn keys_are_listed_in_order_page_by_page() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let mut session = runtime().open(&path, Access::Create).unwrap();
    let keys: Vec<String> = (0..1200).map(|number| format!("key {number:04}")).collect();
    for key in keys.iter().rev() {
        session.put(key.as_bytes(), b"v").unwrap();
    }
    session.put(b"other\nline", b"v").unwrap();
    let (mut listed, mut cursor) = (Vec::new(), None);
    loop {
        let page = session.scan(b"key ", cursor.as_deref(), u32::MAX).unwrap();
        assert!(page.keys.len() <= 1000);
        listed.extend(page.keys);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert!(listed.iter().eq(keys.iter().map(String::as_bytes)));
    session.close().unwrap();

    let scan = |words: &[&str]| {
        let mut host = Command::new(env!("CARGO_BIN_EXE_tailstone-host"));
        let output = host
            .arg("store")
            .arg(&path)
            .arg("scan")
            .args(words)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let tens = keys[20..30].join("\n") + "\n";
    assert_eq!(scan(&["key 002"]), tens);
    assert_eq!(scan(&["--null", "other"]), "other\nline\0");
    assert_eq!(scan(&[]).lines().count(), 1202);
    assert_eq!(scan(&["nothing"]), "");
}
