//! Which value a key has, and writing only if it is that one still.

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal};

use crate::room::{Room, delete, put};

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    a_value_keeps_its_version,
    every_change_makes_another_version,
    a_version_does_not_come_again_with_the_same_bytes,
    a_value_is_put_if_it_is_the_same_still,
    a_value_is_not_put_if_it_is_another_one,
    a_value_is_put_if_there_still_is_none,
    a_value_is_not_put_if_there_is_one_already,
    a_value_is_not_put_if_the_expected_one_was_deleted,
    a_version_that_never_was_matches_nothing,
    two_writers_that_expect_one_version_do_not_both_win,
];

fn put_if(room: &Room, value: &[u8], expected: Option<u64>) -> Result<bool, String> {
    room.store.put_if(b"key", value, expected).said("put-if")
}

fn a_value_keeps_its_version(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    let version = room.version(b"key")?;
    ensure(version.is_some(), "it has none")?;
    room.put(b"other", b"value")?;
    room.has(b"key", b"value")?;
    room.store.sync().said("sync")?;
    equal("the version", &room.version(b"key")?, &version)
}

fn every_change_makes_another_version(room: &Room) -> Verdict {
    let mut versions = Vec::new();
    for number in 0..50_u8 {
        if number % 10 == 0 {
            room.batch(&[put(b"key", b"in a batch"), put(b"other", &[number])])?;
        } else {
            room.put(b"key", &[number % 2])?;
        }
        versions.push(room.version(b"key")?.ok_or("it has none")?);
    }
    versions.sort_unstable();
    versions.dedup();
    equal("different versions", &versions.len(), &50)
}

fn a_version_does_not_come_again_with_the_same_bytes(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    let first = room.version(b"key")?;
    room.put(b"key", b"value")?;
    let second = room.version(b"key")?;
    ensure(first != second, "the same bytes have the same version")?;
    room.delete(b"key")?;
    equal("the version of nothing", &room.version(b"key")?, &None)?;
    room.put(b"key", b"value")?;
    let third = room.version(b"key")?;
    ensure(
        third != first && third != second,
        "a version came again after a deletion",
    )
}

fn a_value_is_put_if_it_is_the_same_still(room: &Room) -> Verdict {
    room.put(b"key", b"1")?;
    let version = room.version(b"key")?;
    ensure(put_if(room, b"2", version)?, "it is not put")?;
    room.has(b"key", b"2")?;
    ensure(
        put_if(room, b"", room.version(b"key")?)?,
        "an empty one is not put",
    )?;
    room.has(b"key", b"")
}

fn a_value_is_not_put_if_it_is_another_one(room: &Room) -> Verdict {
    room.put(b"key", b"1")?;
    let version = room.version(b"key")?;
    room.put(b"key", b"2")?;
    room.put(b"key", b"1")?;
    ensure(!put_if(room, b"3", version)?, "it is put")?;
    room.has(b"key", b"1")
}

fn a_value_is_put_if_there_still_is_none(room: &Room) -> Verdict {
    ensure(put_if(room, b"1", None)?, "it is not put")?;
    room.has(b"key", b"1")?;
    room.delete(b"key")?;
    ensure(put_if(room, b"2", None)?, "it is not put after a deletion")?;
    room.has(b"key", b"2")
}

fn a_value_is_not_put_if_there_is_one_already(room: &Room) -> Verdict {
    room.put(b"key", b"")?;
    ensure(!put_if(room, b"1", None)?, "it is put")?;
    room.has(b"key", b"")
}

fn a_value_is_not_put_if_the_expected_one_was_deleted(room: &Room) -> Verdict {
    room.put(b"key", b"1")?;
    let version = room.version(b"key")?;
    room.batch(&[delete(b"key")])?;
    ensure(!put_if(room, b"2", version)?, "it is put")?;
    room.lacks(b"key")
}

fn a_version_that_never_was_matches_nothing(room: &Room) -> Verdict {
    for version in [0, 1, u64::MAX] {
        ensure(
            !put_if(room, b"x", Some(version))?,
            "it is put where nothing was",
        )?;
    }
    room.put(b"key", b"1")?;
    let real = room.version(b"key")?.unwrap_or_default();
    for version in [
        0,
        1,
        real.wrapping_add(1),
        real.wrapping_sub(1),
        u64::MAX,
        !real,
    ] {
        ensure(
            !put_if(room, b"x", Some(version))?,
            &format!("it is put for {version} and is {real}"),
        )?;
    }
    room.has(b"key", b"1")
}

fn two_writers_that_expect_one_version_do_not_both_win(room: &Room) -> Verdict {
    let other = room.again(crate::bindings::tailstone::store::stores::Access::Write)?;
    room.put(b"key", b"0")?;
    let version = other.version(b"key")?;
    ensure(put_if(room, b"1", version)?, "the first does not win")?;
    ensure(!put_if(&other, b"2", version)?, "the second wins as well")?;
    other.has(b"key", b"1")
}
