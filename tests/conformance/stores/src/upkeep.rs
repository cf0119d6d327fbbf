//! Compaction, figures, and what they leave as it was.

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal, noise};

use crate::bindings::tailstone::store::stores::{Error, Info};
use crate::room::Room;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    a_compaction_keeps_every_value,
    a_compaction_gives_back_what_is_not_in_use,
    a_compaction_ends_every_version_of_before,
    a_version_does_not_come_again_in_a_compaction,
    a_compaction_makes_an_old_tail_stale,
    whoever_follows_the_changes_misses_none_in_a_compaction,
    whoever_follows_the_changes_misses_none_before_an_equal_entry,
    a_compaction_can_be_made_twice,
    keys_are_counted_bucket_by_bucket,
    what_was_overwritten_can_be_saved,
    the_store_grows_by_what_is_put,
    syncing_changes_nothing,
];

fn info(room: &Room) -> Result<Info, String> {
    room.store.info().said("info")
}

fn compact(room: &Room) -> Verdict {
    room.store.compact().said("compact")
}

fn a_compaction_keeps_every_value(room: &Room) -> Verdict {
    let keys = room.fill(300)?;
    for (len, key) in keys.iter().enumerate() {
        room.put(key, &noise(1, len))?;
        if len % 5 == 0 {
            room.delete(key)?;
        }
    }
    room.put(b"", b"")?;
    compact(room)?;
    for (len, key) in keys.iter().enumerate() {
        if len % 5 == 0 {
            room.lacks(key)?;
        } else {
            room.has(key, &noise(1, len))?;
        }
    }
    room.has(b"", b"")?;
    equal("the keys", &room.keys()?.len(), &241)?;
    room.put(b"later", b"x")?;
    room.has(b"later", b"x")
}

fn a_compaction_gives_back_what_is_not_in_use(room: &Room) -> Verdict {
    for seed in 0..20 {
        room.put(b"key", &noise(seed, 50_000))?;
    }
    let before = info(room)?;
    ensure(before.savings_bytes >= 19 * 50_000, "little would be saved")?;
    compact(room)?;
    let after = info(room)?;
    ensure(
        after.store_bytes + 19 * 50_000 <= before.store_bytes,
        &format!(
            "{} bytes were left of {}",
            after.store_bytes, before.store_bytes
        ),
    )?;
    equal("what would be saved still", &after.savings_bytes, &0)?;
    equal("the keys", &after.keys, &before.keys)?;
    room.has(b"key", &noise(19, 50_000))
}

fn a_compaction_ends_every_version_of_before(room: &Room) -> Verdict {
    for value in [&b"1"[..], b"2", b"3"] {
        room.put(b"key", value)?;
        room.put(b"other", value)?;
    }
    let before = room.version(b"key")?;
    compact(room)?;
    let after = room.version(b"key")?;
    ensure(
        after.is_some() && after != before,
        "the version is the same",
    )?;
    ensure(
        !room.store.put_if(b"key", b"x", before).said("put-if")?,
        "the old version is good still",
    )?;
    ensure(
        room.store.put_if(b"key", b"4", after).said("put-if")?,
        "the new version is not good",
    )?;
    room.has(b"key", b"4")
}

/// A value that is where another one was, with the same bytes, is not that other one: whoever looked at the first must not
/// overwrite the second.
fn a_version_does_not_come_again_in_a_compaction(room: &Room) -> Verdict {
    // From here on nothing but this entry moves.
    compact(room)?;
    room.put(b"key", b"there")?;
    let before = room.version(b"key")?;
    room.put(b"key", b"and back")?;
    room.put(b"key", b"there")?;
    compact(room)?;
    ensure(
        room.version(b"key")? != before,
        "the version is that of an earlier value",
    )?;
    ensure(
        !room.store.put_if(b"key", b"x", before).said("put-if")?,
        "the old version is good again",
    )
}

fn is_stale(room: &Room, tail: u64) -> Verdict {
    match room.store.changes(tail, 10) {
        Err(Error::StaleCursor) => Ok(()),
        Err(other) => Err(format!("it is refused with {other:?}")),
        Ok(page) => Err(format!("it gives {} changes", page.changes.len())),
    }
}

fn a_compaction_makes_an_old_tail_stale(room: &Room) -> Verdict {
    for seed in 0..10 {
        room.put(b"key", &noise(seed, 10_000))?;
    }
    let tail = info(room)?.tail;
    room.put(b"key", b"x")?;
    compact(room)?;
    is_stale(room, tail)
}

/// Entries of one length end at the same places again when one of them is gone, so a tail of before can be one of now. Whoever
/// asks with it is told that it is stale, or everything that came behind it.
fn whoever_follows_the_changes_misses_none_in_a_compaction(room: &Room) -> Verdict {
    // From here on nothing but these entries moves.
    compact(room)?;
    let mut tails = Vec::new();
    for key in 0..8_u8 {
        room.put(&[key], &[0; 500])?;
        tails.push(info(room)?.tail);
    }
    room.put(&[0], &[1; 500])?;
    compact(room)?;
    for (last_seen, tail) in (0..).zip(tails) {
        let page = match room.store.changes(tail, 100) {
            Err(Error::StaleCursor) => continue,
            other => other.said("changes")?,
        };
        let met: Vec<Vec<u8>> = page.changes.into_iter().map(|change| change.key).collect();
        let missed = (last_seen + 1..8)
            .chain([0])
            .find(|key| !met.contains(&vec![*key]));
        equal(
            &format!("what is missed by who saw the changes up to key {last_seen}"),
            &missed,
            &None,
        )?;
    }
    Ok(())
}

/// The entry that was seen last may be there again with the same bytes at the same place, and before it something that was
/// not seen.
fn whoever_follows_the_changes_misses_none_before_an_equal_entry(room: &Room) -> Verdict {
    // From here on nothing but these entries moves.
    compact(room)?;
    room.put(b"x", &[1; 500])?;
    room.put(b"a", b"same")?;
    let tail = info(room)?.tail;
    room.put(b"y", &[2; 500])?;
    room.delete(b"x")?;
    room.put(b"a", b"same")?;
    compact(room)?;
    match room.store.changes(tail, 100) {
        Err(Error::StaleCursor) => Ok(()),
        Err(error) => Err(format!("changes: {error:?}")),
        Ok(page) => ensure(
            page.changes.iter().any(|change| change.key == b"y"),
            "the change of a key is missed that was put behind the tail",
        ),
    }
}

fn a_compaction_can_be_made_twice(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    compact(room)?;
    compact(room)?;
    room.has(b"key", b"value")
}

fn keys_are_counted_bucket_by_bucket(room: &Room) -> Verdict {
    equal("keys at first", &info(room)?.keys, &0)?;
    let keys = room.fill(50)?;
    room.put(b"000001", b"anew")?;
    for key in keys.iter().take(10) {
        room.delete(key)?;
    }
    let info = info(room)?;
    equal("keys", &info.keys, &40)?;
    ensure(
        info.live_entries >= info.keys,
        "fewer entries than keys are in use",
    )?;
    equal(
        "keys that are listed",
        &(room.keys()?.len() as u64),
        &info.keys,
    )
}

fn what_was_overwritten_can_be_saved(room: &Room) -> Verdict {
    room.put(b"key", &noise(1, 20_000))?;
    let before = info(room)?;
    room.put(b"key", b"short")?;
    let after = info(room)?;
    ensure(
        after.savings_bytes >= before.savings_bytes + 20_000,
        "no more would be saved",
    )?;
    ensure(
        after.savings_bytes <= after.store_bytes,
        "more would be saved than there is",
    )
}

fn the_store_grows_by_what_is_put(room: &Room) -> Verdict {
    let before = info(room)?;
    room.put(b"key", &noise(1, 5000))?;
    let after = info(room)?;
    ensure(after.tail != before.tail, "the tail did not move")?;
    ensure(
        after.store_bytes >= before.store_bytes + 5000,
        "the store did not grow by what was put",
    )?;
    ensure(after.index_bytes > 0, "the index takes nothing")?;
    ensure(
        !after.recovery.is_empty(),
        "nothing is said of how it was opened",
    )
}

fn syncing_changes_nothing(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    let before = info(room)?.tail;
    room.store.sync().said("sync")?;
    equal("the tail", &info(room)?.tail, &before)?;
    room.has(b"key", b"value")
}
