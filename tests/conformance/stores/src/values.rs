//! Values whole, in part, several at once, and what is known of them.

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal, noise};

use crate::room::Room;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    values_of_every_content_are_kept,
    a_value_of_a_mebibyte_is_kept,
    there_is_nothing_before_the_first_value,
    delete_says_whether_there_was_a_value,
    a_range_is_that_part_of_the_value,
    a_range_past_the_end_is_empty,
    a_range_may_ask_for_more_than_there_is,
    a_range_of_an_empty_value_is_empty,
    a_range_of_nothing_is_none,
    stat_knows_the_length,
    packed_values_come_in_the_order_asked,
    packed_values_may_be_asked_for_twice,
    packed_values_say_none_where_there_is_nothing,
    packed_extents_lie_in_the_bytes,
    nothing_packed_is_empty,
    more_than_a_call_may_pack_is_refused,
];

fn values_of_every_content_are_kept(room: &Room) -> Verdict {
    let all: Vec<u8> = (0..=255).collect();
    for value in [&b""[..], b"\0", b"\0\0", &all, &noise(5, 65_537)] {
        room.put(b"key", value)?;
        room.has(b"key", value)?;
    }
    Ok(())
}

fn a_value_of_a_mebibyte_is_kept(room: &Room) -> Verdict {
    let value = noise(6, 1 << 20);
    room.put(b"key", &value)?;
    room.has(b"key", &value)
}

fn there_is_nothing_before_the_first_value(room: &Room) -> Verdict {
    room.lacks(b"key")?;
    let stat = room.store.stat(b"key").said("stat")?;
    ensure(stat.is_none(), "something is known of it")
}

fn delete_says_whether_there_was_a_value(room: &Room) -> Verdict {
    equal("of nothing", &room.delete(b"key")?, &false)?;
    room.put(b"key", b"")?;
    equal("of an empty value", &room.delete(b"key")?, &true)?;
    equal("once more", &room.delete(b"key")?, &false)
}

fn range(room: &Room, offset: u64, len: u64) -> Result<Option<Vec<u8>>, String> {
    room.store.get_range(b"key", offset, len).said("get-range")
}

fn is_range(room: &Room, offset: u64, len: u64, expected: &[u8]) -> Verdict {
    let met = range(room, offset, len)?;
    equal(
        &format!("{len} bytes from {offset}"),
        &met.as_deref(),
        &Some(expected),
    )
}

fn a_range_is_that_part_of_the_value(room: &Room) -> Verdict {
    let value = noise(8, 100_000);
    room.put(b"key", &value)?;
    for (from, to) in [
        (0, 1),
        (0, 100_000),
        (1, 2),
        (63, 65),
        (4095, 8193),
        (99_999, 100_000),
        (50_000, 50_000),
    ] {
        let expected = value.get(from..to).unwrap_or_default();
        is_range(room, from as u64, (to - from) as u64, expected)?;
    }
    Ok(())
}

fn a_range_past_the_end_is_empty(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    for offset in [5, 6, 1 << 32, u64::MAX - 1, u64::MAX] {
        for len in [0, 1, u64::MAX] {
            is_range(room, offset, len, b"")?;
        }
    }
    Ok(())
}

fn a_range_may_ask_for_more_than_there_is(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    is_range(room, 0, u64::MAX, b"value")?;
    is_range(room, 1, u64::MAX, b"alue")?;
    is_range(room, 4, u64::MAX - 4, b"e")?;
    is_range(room, 0, 6, b"value")?;
    is_range(room, 2, 1 << 32, b"lue")
}

fn a_range_of_an_empty_value_is_empty(room: &Room) -> Verdict {
    room.put(b"key", b"")?;
    is_range(room, 0, 0, b"")?;
    is_range(room, 0, u64::MAX, b"")?;
    is_range(room, 1, 1, b"")
}

fn a_range_of_nothing_is_none(room: &Room) -> Verdict {
    equal("a range", &range(room, 0, 10)?, &None)?;
    equal("an empty one", &range(room, 10, 0)?, &None)
}

fn stat_knows_the_length(room: &Room) -> Verdict {
    for len in [0, 1, 1000, 300_000] {
        room.put(b"key", &noise(9, len))?;
        let stat = room
            .store
            .stat(b"key")
            .said("stat")?
            .ok_or("nothing is known of it")?;
        equal("the length", &stat.len, &(len as u64))?;
        equal("when it expires", &stat.expires_at, &None)?;
    }
    Ok(())
}

/// The values that were packed, each on its own.
fn packed(room: &Room, keys: &[&str]) -> Result<Vec<Option<String>>, String> {
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    let packed = room.store.get_packed(&keys).said("get-packed")?;
    let one = |offset: u64, len: u64| {
        let from = usize::try_from(offset).ok()?;
        let to = from.checked_add(usize::try_from(len).ok()?)?;
        String::from_utf8(packed.bytes.get(from..to)?.to_vec()).ok()
    };
    let values = packed.extents.iter().map(|extent| match extent {
        Some(extent) => one(extent.offset, extent.len)
            .map(Some)
            .ok_or("an extent lies elsewhere"),
        None => Ok(None),
    });
    values.collect::<Result<_, _>>().map_err(str::to_owned)
}

fn texts(values: &[Option<&str>]) -> Vec<Option<String>> {
    values
        .iter()
        .map(|value| value.map(str::to_owned))
        .collect()
}

fn four(room: &Room) -> Verdict {
    for (key, value) in [("a", "first"), ("b", ""), ("c", "third"), ("d", "4")] {
        room.put(key.as_bytes(), value.as_bytes())?;
    }
    Ok(())
}

fn packed_values_come_in_the_order_asked(room: &Room) -> Verdict {
    four(room)?;
    let met = packed(room, &["c", "a", "d", "b"])?;
    equal(
        "the values",
        &met,
        &texts(&[Some("third"), Some("first"), Some("4"), Some("")]),
    )
}

fn packed_values_may_be_asked_for_twice(room: &Room) -> Verdict {
    four(room)?;
    let met = packed(room, &["a", "a", "b", "a"])?;
    equal(
        "the values",
        &met,
        &texts(&[Some("first"), Some("first"), Some(""), Some("first")]),
    )
}

fn packed_values_say_none_where_there_is_nothing(room: &Room) -> Verdict {
    four(room)?;
    room.delete(b"c")?;
    let met = packed(room, &["x", "a", "c", "b"])?;
    equal(
        "the values",
        &met,
        &texts(&[None, Some("first"), None, Some("")]),
    )
}

fn packed_extents_lie_in_the_bytes(room: &Room) -> Verdict {
    let keys: Vec<Vec<u8>> = (0..50_u8).map(|number| vec![number]).collect();
    for (key, len) in keys.iter().zip([0, 1, 7, 64, 5000].into_iter().cycle()) {
        room.put(key, &noise(len as u64, len))?;
    }
    let packed = room.store.get_packed(&keys).said("get-packed")?;
    let lens: u64 = packed
        .extents
        .iter()
        .flatten()
        .map(|extent| extent.len)
        .sum();
    ensure(
        lens <= packed.bytes.len() as u64,
        "the bytes are fewer than the lengths together",
    )?;
    for (extent, len) in packed
        .extents
        .iter()
        .zip([0, 1, 7, 64, 5000].into_iter().cycle())
    {
        let extent = extent.ok_or("a value is missing")?;
        let (from, to) = (extent.offset, extent.offset.saturating_add(extent.len));
        let range =
            usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(usize::MAX);
        let met = packed.bytes.get(range).ok_or("an extent lies elsewhere")?;
        equal("a value", &met, &noise(len as u64, len).as_slice())?;
    }
    Ok(())
}

fn nothing_packed_is_empty(room: &Room) -> Verdict {
    let packed = room.store.get_packed(&[]).said("get-packed")?;
    ensure(
        packed.bytes.is_empty() && packed.extents.is_empty(),
        "there is something in it",
    )
}

/// One key asked for often enough could fill the memory of whoever answers.
fn more_than_a_call_may_pack_is_refused(room: &Room) -> Verdict {
    room.put(b"key", &noise(10, 1 << 20))?;
    let keys = vec![b"key".to_vec(); 1000];
    ensure(
        room.store.get_packed(&keys).is_err(),
        "a thousand mebibytes came in one list",
    )?;
    equal(
        "two of them",
        &room
            .store
            .get_packed(keys.get(..2).unwrap_or_default())
            .said("get-packed")?
            .bytes
            .len(),
        &(2 << 20),
    )
}
