//! Changing a value if nothing changed it meanwhile: by which value it is, not by its bytes.

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal};

use crate::draft::atomics::{Cas, CasError, swap};
use crate::keyvalue::Room;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    a_value_that_is_the_same_still_is_swapped,
    a_key_without_a_value_is_given_one,
    a_swap_after_another_set_fails,
    a_swap_after_a_deletion_fails,
    a_swap_fails_if_the_absent_key_came_to_be,
    a_swap_fails_if_the_value_went_and_came_back,
    a_swap_fails_if_the_key_was_deleted_and_set_again,
    a_swap_fails_if_the_same_bytes_were_set_again,
    a_swap_fails_after_a_count,
    a_change_of_another_key_does_not_disturb_a_swap,
    of_two_swaps_the_second_fails,
    a_swap_that_failed_hands_back_a_handle_that_works,
    a_handle_shows_the_value,
    a_handle_that_looked_again_swaps_what_it_saw,
    a_handle_outlives_its_bucket,
    two_handles_count_together_by_swaps,
    ten_thousand_looks_that_were_dropped_leave_room,
];

fn look(room: &Room, name: &str) -> Result<Cas, String> {
    Cas::new(&room.bucket, &room.key(name)).said("look")
}

/// The handle that came back, and an error if none did.
fn fails(cas: Cas, value: &[u8]) -> Result<Cas, String> {
    match swap(cas, value) {
        Ok(()) => Err("the swap did not fail".to_owned()),
        Err(CasError::CasFailed(again)) => Ok(again),
        Err(CasError::StoreError(error)) => Err(format!("the swap failed with {error:?}")),
    }
}

/// The swap fails and leaves what is there.
fn fails_and_leaves(room: &Room, cas: Cas, value: Option<&[u8]>) -> Verdict {
    fails(cas, b"swapped")?;
    equal(
        "the value after a swap that failed",
        &room.get("key")?.as_deref(),
        &value,
    )
}

fn a_value_that_is_the_same_still_is_swapped(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    swap(look(room, "key")?, b"after").said("swap")?;
    room.has("key", b"after")
}

fn a_key_without_a_value_is_given_one(room: &Room) -> Verdict {
    swap(look(room, "key")?, b"after").said("swap")?;
    room.has("key", b"after")?;
    room.delete("key")?;
    swap(look(room, "key")?, b"").said("swap")?;
    room.has("key", b"")
}

fn a_swap_after_another_set_fails(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    let cas = look(room, "key")?;
    room.set("key", b"another")?;
    fails_and_leaves(room, cas, Some(b"another"))
}

fn a_swap_after_a_deletion_fails(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    let cas = look(room, "key")?;
    room.delete("key")?;
    fails_and_leaves(room, cas, None)
}

fn a_swap_fails_if_the_absent_key_came_to_be(room: &Room) -> Verdict {
    let cas = look(room, "key")?;
    room.set("key", b"")?;
    fails_and_leaves(room, cas, Some(b""))
}

fn a_swap_fails_if_the_value_went_and_came_back(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    let cas = look(room, "key")?;
    room.set("key", b"other")?;
    room.set("key", b"before")?;
    fails_and_leaves(room, cas, Some(b"before"))
}

fn a_swap_fails_if_the_key_was_deleted_and_set_again(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    let cas = look(room, "key")?;
    room.delete("key")?;
    room.set("key", b"before")?;
    fails_and_leaves(room, cas, Some(b"before"))
}

fn a_swap_fails_if_the_same_bytes_were_set_again(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    let cas = look(room, "key")?;
    room.set_many(&[("key", b"before")])?;
    fails_and_leaves(room, cas, Some(b"before"))
}

fn a_swap_fails_after_a_count(room: &Room) -> Verdict {
    room.increment("key", 1)?;
    let cas = look(room, "key")?;
    room.increment("key", 1)?;
    fails_and_leaves(room, cas, Some(b"2"))
}

fn a_change_of_another_key_does_not_disturb_a_swap(room: &Room) -> Verdict {
    room.set_many(&[("key", b"before"), ("other", b"before")])?;
    let cas = look(room, "key")?;
    room.set("other", b"after")?;
    room.delete("other")?;
    swap(cas, b"after").said("swap")?;
    room.has("key", b"after")
}

fn of_two_swaps_the_second_fails(room: &Room) -> Verdict {
    room.set("key", b"before")?;
    let (first, second) = (look(room, "key")?, look(&room.again()?, "key")?);
    swap(first, b"after").said("swap")?;
    fails_and_leaves(room, second, Some(b"after"))
}

fn a_swap_that_failed_hands_back_a_handle_that_works(room: &Room) -> Verdict {
    room.set("key", b"1")?;
    let cas = look(room, "key")?;
    room.set("key", b"2")?;
    let again = fails(cas, b"x")?;
    equal(
        "the value that the handle shows",
        &again.current().said("current")?,
        &Some(b"2".to_vec()),
    )?;
    swap(again, b"3").said("swap")?;
    room.has("key", b"3")?;
    let cas = look(room, "key")?;
    room.delete("key")?;
    let again = fails(cas, b"x")?;
    equal(
        "what the handle shows of nothing",
        &again.current().said("current")?,
        &None,
    )?;
    swap(again, b"4").said("swap")?;
    room.has("key", b"4")
}

fn a_handle_shows_the_value(room: &Room) -> Verdict {
    equal(
        "what it shows of nothing",
        &look(room, "key")?.current().said("current")?,
        &None,
    )?;
    for value in [&b"value"[..], b"", b"\0"] {
        room.set("key", value)?;
        let shown = look(room, "key")?.current().said("current")?;
        equal("what it shows", &shown.as_deref(), &Some(value))?;
    }
    Ok(())
}

/// Who calculates with what `current` shows must not overwrite what was set after it.
fn a_handle_that_looked_again_swaps_what_it_saw(room: &Room) -> Verdict {
    room.set("key", b"1")?;
    let cas = look(room, "key")?;
    let shown = cas.current().said("current")?;
    equal("what it shows", &shown, &Some(b"1".to_vec()))?;
    room.set("key", b"2")?;
    let again = fails(cas, b"1+1")?;
    let shown = again.current().said("current")?;
    equal("what it shows", &shown, &Some(b"2".to_vec()))?;
    swap(again, b"2+1").said("swap")?;
    room.has("key", b"2+1")
}

fn a_handle_outlives_its_bucket(room: &Room) -> Verdict {
    let other = room.again()?;
    other.set("key", b"before")?;
    let cas = look(&other, "key")?;
    drop(other);
    swap(cas, b"after").said("swap")?;
    room.has("key", b"after")
}

fn two_handles_count_together_by_swaps(room: &Room) -> Verdict {
    let other = room.again()?;
    let mut tries = 0;
    for _ in 0..50 {
        let (mut mine, mut theirs) = (Some(look(room, "key")?), Some(look(&other, "key")?));
        while mine.is_some() || theirs.is_some() {
            tries += 1;
            ensure(tries < 1000, "a thousand swaps did not count to a hundred")?;
            mine = mine.map_or(Ok(None), count_up)?;
            theirs = theirs.map_or(Ok(None), count_up)?;
        }
    }
    room.has("key", &[100])
}

/// Adds one to what a byte holds; the handle to try again with if somebody was faster.
fn count_up(cas: Cas) -> Result<Option<Cas>, String> {
    let value = cas.current().said("current")?;
    let count = value.and_then(|value| value.first().copied()).unwrap_or(0);
    match swap(cas, &[count + 1]) {
        Ok(()) => Ok(None),
        Err(CasError::CasFailed(again)) => Ok(Some(again)),
        Err(CasError::StoreError(error)) => Err(format!("swap: {error:?}")),
    }
}

fn ten_thousand_looks_that_were_dropped_leave_room(room: &Room) -> Verdict {
    room.set("key", b"1")?;
    for number in 0..10_000 {
        drop(look(room, "key").map_err(|error| format!("look {number}: {error}"))?);
    }
    for number in 0..10_000_u32 {
        let cas = look(room, "absent").map_err(|error| format!("look {number}: {error}"))?;
        // Handed in and handed back.
        if number % 100 == 0 {
            room.set("absent", b"x")?;
            drop(fails(cas, b"y")?);
            room.delete("absent")?;
        }
    }
    swap(look(room, "key")?, b"2").said("swap")
}
