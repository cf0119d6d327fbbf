//! Keys and buckets are bytes, and no two of them are one.

use tailstone_conformance::{Case, Verdict, cases, ensure, equal, noise};

use crate::bindings::tailstone::store::stores::{Access, Error, Store};
use crate::room::Room;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    keys_that_are_no_text_are_kept,
    keys_that_look_alike_differ,
    the_empty_key_is_a_key,
    a_key_of_64_kib_is_kept_and_a_longer_one_refused,
    two_buckets_of_one_store_do_not_mix,
    a_bucket_and_a_key_are_not_one_name,
    a_bucket_may_have_any_name,
];

fn are_distinct(room: &Room, keys: &[&[u8]]) -> Verdict {
    for key in keys {
        room.put(key, key)?;
    }
    for key in keys {
        room.has(key, key)?;
    }
    let mut expected: Vec<Vec<u8>> = keys.iter().map(|key| key.to_vec()).collect();
    expected.sort_unstable();
    equal("what is listed", &room.keys()?, &expected)
}

fn keys_that_are_no_text_are_kept(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            &[0xff],
            &[0xff, 0xff],
            &[0xc3, 0x28],
            &[0x80],
            &[0xed, 0xa0, 0x80],
            &noise(3, 300),
        ],
    )
}

fn keys_that_look_alike_differ(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            b"a", b"a\0", b"a\0b", b"\0", b"\0a", b"a/b", b"a//b", b"../a", b"..", b"A", b"a ",
            b" a",
        ],
    )
}

fn the_empty_key_is_a_key(room: &Room) -> Verdict {
    are_distinct(room, &[b"", b"a", b"\0"])?;
    ensure(room.delete(b"")?, "there was nothing to delete")?;
    room.lacks(b"")?;
    room.has(b"a", b"a")
}

fn a_key_of_64_kib_is_kept_and_a_longer_one_refused(room: &Room) -> Verdict {
    let longest = noise(4, 1 << 16);
    room.put(&longest, b"value")?;
    room.has(&longest, b"value")?;
    let mut longer = longest.clone();
    longer.push(0);
    match room.store.put(&longer, b"other") {
        Err(Error::InvalidArgument(_)) => room.has(&longest, b"value"),
        other => Err(format!("a longer key is answered with {other:?}")),
    }
}

fn two_buckets_of_one_store_do_not_mix(room: &Room) -> Verdict {
    let other = Room::of(&room.identifier, b"another bucket", Access::Create)?;
    room.put(b"key", b"here")?;
    other.put(b"key", b"there")?;
    other.put(b"more", b"there")?;
    room.has(b"key", b"here")?;
    room.lacks(b"more")?;
    equal("what one lists", &room.keys()?, &vec![b"key".to_vec()])?;
    ensure(room.delete(b"key")?, "there was nothing to delete")?;
    other.has(b"key", b"there")
}

fn a_bucket_and_a_key_are_not_one_name(room: &Room) -> Verdict {
    let pairs: [(&[u8], &[u8]); 8] = [
        (b"a", b"b/c"),
        (b"a/b", b"c"),
        (b"a", b"\0b"),
        (b"a\0", b"b"),
        (b"", b"ab"),
        (b"a", b"b"),
        (b"ab", b""),
        (b"a/", b"b/c"),
    ];
    let open = |bucket| Room::of(&room.identifier, bucket, Access::Create);
    for (number, (bucket, key)) in (0..).zip(pairs) {
        open(bucket)?.put(key, &[number])?;
    }
    for (number, (bucket, key)) in (0..).zip(pairs) {
        let opened = open(bucket)?;
        opened.has(key, &[number])?;
    }
    for (bucket, key) in pairs {
        open(bucket)?.delete(key)?;
    }
    Ok(())
}

fn a_bucket_may_have_any_name(room: &Room) -> Verdict {
    for name in [&b""[..], b"\0", b"..", b"a/b", &[0xff, 0xfe], &[b'n'; 200]] {
        let other = Room::of(&room.identifier, name, Access::Create)?;
        other.put(b"key", name)?;
        other.has(b"key", name)?;
        other.delete(b"key")?;
    }
    // One that is too long is refused, and the store goes on.
    drop(Store::open(
        &room.identifier,
        &vec![b'n'; 100_000],
        Access::Create,
    ));
    room.put(b"key", b"value")?;
    room.has(b"key", b"value")
}
