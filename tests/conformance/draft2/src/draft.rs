//! What this draft has its own way: cursors that are text, and counts with a sign.

use tailstone_conformance::{Case, Verdict, cases, equal, refused};

pub use crate::bindings::wasi::keyvalue0_2_0_draft2::{atomics, batch, store};

use crate::keyvalue::Room;
use store::{Bucket, Error, KeyResponse};

/// The cases of what is counted here.
pub const NUMBERS: &[Case<Room>] = cases![
    a_negative_delta_counts_down,
    numbers_below_zero_are_stored_with_a_minus,
    a_number_below_zero_that_was_set_as_text_is_counted_up,
    the_smallest_number_can_be_reached_and_not_passed,
];

/// The cases of changing a value if it is the same still.
pub const SWAPS: &[Case<Room>] = crate::swaps::CASES;

/// Behind what a page begins.
pub type Cursor = String;

/// What is counted.
pub type Number = i64;

/// A page of keys.
pub fn list_keys(bucket: &Bucket, cursor: Option<&Cursor>) -> Result<KeyResponse, Error> {
    bucket.list_keys(cursor.map(String::as_str))
}

/// What no page ever ended with.
pub fn nonsense() -> Vec<Cursor> {
    let texts = [
        "",
        "\0",
        "nonsense",
        "../x",
        "\u{10ffff}",
        "-1",
        "18446744073709551616",
        "%00",
        "{}",
    ];
    let long = "n".repeat(100_000);
    texts
        .iter()
        .map(|text| (*text).to_owned())
        .chain([long])
        .collect()
}

fn counts(room: &Room, delta: Number, sum: Number) -> Verdict {
    equal("the sum", &room.increment("count", delta)?, &sum)
}

fn a_negative_delta_counts_down(room: &Room) -> Verdict {
    counts(room, 10, 10)?;
    counts(room, -3, 7)?;
    counts(room, -7, 0)
}

fn numbers_below_zero_are_stored_with_a_minus(room: &Room) -> Verdict {
    counts(room, -5, -5)?;
    room.has("count", b"-5")?;
    counts(room, 6, 1)?;
    room.has("count", b"1")
}

fn a_number_below_zero_that_was_set_as_text_is_counted_up(room: &Room) -> Verdict {
    room.set("count", b"-41")?;
    counts(room, -1, -42)?;
    counts(room, 42, 0)
}

fn the_smallest_number_can_be_reached_and_not_passed(room: &Room) -> Verdict {
    let least = Number::MIN.to_string();
    counts(room, Number::MIN, Number::MIN)?;
    room.has("count", least.as_bytes())?;
    refused("one less than the least", room.increment("count", -1))?;
    room.has("count", least.as_bytes())?;
    counts(room, Number::MAX, -1)
}
