//! What the component can reach and take: its imports, its names, its locks, its limits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod folder;

use std::time::Duration;

use folder::{Folder, component, runtime};
use tailstone::DataStore;
use tailstone_host::{Access, Error, Limits, Refusal, Runtime, unlock};

/// Everything that the component asks of its host: files, and the types that their interface is written in.
const IMPORTS: [&str; 3] = [
    "wasi:clocks/wall-clock@0.2.12",
    "wasi:filesystem/preopens@0.2.12",
    "wasi:filesystem/types@0.2.12",
];

/// What the component may weigh.
const MOST_BYTES: u64 = 310 * 1024;

#[test]
fn it_imports_files_and_nothing_else() {
    let mut imports = runtime().imports();
    imports.sort();
    assert_eq!(imports, IMPORTS);
}

#[test]
fn it_is_small() {
    let bytes = std::fs::metadata(component()).unwrap().len();
    println!("the component has {bytes} bytes");
    assert!(
        bytes <= MOST_BYTES,
        "the component has {bytes} bytes; {MOST_BYTES} are the most"
    );
}

#[test]
fn a_second_open_is_told_who_and_what_to_do() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let mut first = runtime().open(&path, Access::Create).unwrap();
    first.put(b"key", b"value").unwrap();
    for access in [Access::Read, Access::Write, Access::Create] {
        let refused = runtime().open(&path, access).unwrap_err();
        assert_eq!(refused.exit_status(), 4, "{refused:?}");
    }
    assert!(
        matches!(DataStore::open(&path), Err(tailstone::Error::Locked(_))),
        "the native engine got in"
    );
    assert!(matches!(unlock(&path), Err(Error::InUse(_))));
    first.put(b"other", b"value").unwrap();
    first.close().unwrap();

    let native = DataStore::open(&path).unwrap();
    assert!(matches!(
        runtime().open(&path, Access::Write),
        Err(Error::InUse(_))
    ));
    native.close().unwrap();
}

#[test]
fn a_lock_left_behind_is_named_and_can_be_removed() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    runtime()
        .open(&path, Access::Create)
        .unwrap()
        .put(b"key", b"value")
        .unwrap();
    std::fs::write(folder.path("a.tsl.lock"), b"").unwrap();
    for access in [Access::Read, Access::Write] {
        let refused = runtime().open(&path, access).unwrap_err();
        assert!(
            matches!(&refused, Error::Refused(Refusal::Locked(_))),
            "{refused:?}"
        );
        assert!(
            refused.to_string().contains("remove a.tsl.lock"),
            "{refused}"
        );
    }
    unlock(&path).unwrap();
    assert_eq!(
        runtime()
            .open(&path, Access::Write)
            .unwrap()
            .get(b"key")
            .unwrap()
            .unwrap(),
        b"value"
    );
}

#[test]
fn what_is_missing_is_not_made_unless_asked_for() {
    let folder = Folder::new();
    for access in [Access::Read, Access::Write] {
        assert!(matches!(
            runtime().open(&folder.path("a.tsl"), access),
            Err(Error::NoSuchFile(_))
        ));
    }
    let refused = runtime().open(folder.root(), Access::Read).unwrap_err();
    assert!(matches!(refused, Error::NotAFile(_)), "{refused:?}");
    assert!(folder.names().is_empty());
}

/// The host hands plain names over whatever path it is given, so these go to the component itself.
#[test]
fn names_lead_nowhere_but_into_the_granted_folder() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("granted")).unwrap();
    let outside = folder.path("outside.tsl");
    runtime()
        .open(&outside, Access::Create)
        .unwrap()
        .put(b"secret", b"value")
        .unwrap();
    std::fs::write(folder.path("granted/a.tsl.lock"), b"").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, folder.path("granted/link")).unwrap();
    let absolute = outside.display().to_string();
    let long = "n".repeat(251);
    let names = [
        "",
        ".",
        "..",
        "/",
        "../outside.tsl",
        "./a",
        "a/../../outside.tsl",
        "a/b",
        "a\\b",
        "C:a",
        "a\0b",
        "a\nb",
        "a.tsl.lock",
        "link",
        "granted",
        &absolute,
        &long,
    ];
    for name in names {
        for access in [Access::Read, Access::Write, Access::Create] {
            if (name, access) == ("granted", Access::Create) {
                continue;
            }
            let refused = runtime()
                .open_name(&folder.path("granted"), name, access)
                .unwrap_err();
            let expected = if name == "granted" {
                matches!(refused, Error::Refused(Refusal::NoSuchStore))
            } else {
                matches!(refused, Error::Refused(Refusal::InvalidArgument(_)))
            };
            assert!(expected, "{name:?}: {refused:?}");
        }
    }
    assert_eq!(folder.names(), ["granted", "outside.tsl"]);
    assert_eq!(
        std::fs::read_dir(folder.path("granted")).unwrap().count(),
        if cfg!(unix) { 2 } else { 1 }
    );
}

#[test]
fn a_value_too_long_for_the_sandbox_is_an_error_and_the_store_goes_on() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let small = Runtime::new(&component(), Limits::default().with_memory_bytes(16 << 20)).unwrap();
    let mut session = small.open(&path, Access::Create).unwrap();
    session.put(b"key", b"value").unwrap();
    let long = vec![1; 20 << 20];
    assert!(session.put(b"long", &long).is_err());
    assert!(
        session.get(b"key").is_err(),
        "an instance that trapped was called again"
    );
    drop(session);
    assert_eq!(folder.names(), ["a.tsl"], "a lock file was left");
    runtime()
        .open(&path, Access::Write)
        .unwrap()
        .put(b"long", &long)
        .unwrap();
    let mut session = small.open(&path, Access::Write).unwrap();
    let refused = session.get(b"long").unwrap_err();
    assert!(
        matches!(&refused, Error::Refused(Refusal::Other(_))),
        "{refused:?}"
    );
    assert_eq!(session.get(b"key").unwrap().unwrap(), b"value");
}

#[test]
fn a_call_that_takes_too_long_is_stopped() {
    let folder = Folder::new();
    let path = folder.path("a.tsl");
    let hurried = Runtime::new(&component(), Limits::default().with_call(Duration::ZERO)).unwrap();
    // Opening this computes checksums for far longer than a tick.
    std::fs::write(&path, vec![7; 256 << 20]).unwrap();
    let stopped = hurried.open(&path, Access::Write).unwrap_err();
    assert!(matches!(stopped, Error::TimedOut(_)), "{stopped:?}");
    assert_eq!(folder.names(), ["a.tsl"], "a lock file was left");
}

#[test]
fn no_more_instances_than_were_asked_for_and_one_that_ends_makes_room() {
    let folder = Folder::new();
    let runtime = Runtime::new(&component(), Limits::default().with_instances(2)).unwrap();
    let open = |name: &str| runtime.open(&folder.path(name), Access::Create);
    let first = open("first.tsl").unwrap();
    let mut second = open("second.tsl").unwrap();
    let refused = open("third.tsl").unwrap_err();
    let sentence = refused.to_string();
    assert!(sentence.contains("limit of 2"), "{sentence}");
    second.put(b"key", b"value").unwrap();
    first.close().unwrap();
    drop(open("third.tsl").unwrap());
}
