//! Counting: a number is decimal text, and what cannot be counted stays as it is.

use tailstone_conformance::{Case, Verdict, cases, equal, refused};

use super::Room;
use crate::draft::Number;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    counting_begins_at_nothing,
    a_count_is_added_to_what_is_there,
    a_count_is_stored_as_decimal_text,
    a_number_that_was_set_as_text_is_counted_up,
    adding_nothing_gives_what_is_there,
    after_a_deletion_counting_begins_anew,
    a_thousand_counts_come_to_their_sum,
    two_handles_count_together,
    the_largest_number_can_be_reached,
    a_sum_that_does_not_fit_is_refused_and_changes_nothing,
    text_is_not_counted_and_stays,
    a_number_too_long_to_hold_is_not_counted_and_stays,
];

fn counts(room: &Room, delta: Number, sum: Number) -> Verdict {
    equal("the sum", &room.increment("count", delta)?, &sum)
}

fn counting_begins_at_nothing(room: &Room) -> Verdict {
    counts(room, 5, 5)
}

fn a_count_is_added_to_what_is_there(room: &Room) -> Verdict {
    counts(room, 5, 5)?;
    counts(room, 37, 42)?;
    counts(room, 1, 43)
}

fn a_count_is_stored_as_decimal_text(room: &Room) -> Verdict {
    counts(room, 1_234_567, 1_234_567)?;
    room.has("count", b"1234567")?;
    counts(room, 1, 1_234_568)?;
    room.has("count", b"1234568")
}

fn a_number_that_was_set_as_text_is_counted_up(room: &Room) -> Verdict {
    room.set("count", b"41")?;
    counts(room, 1, 42)?;
    room.set("count", b"0")?;
    counts(room, 1, 1)
}

fn adding_nothing_gives_what_is_there(room: &Room) -> Verdict {
    counts(room, 0, 0)?;
    counts(room, 7, 7)?;
    counts(room, 0, 7)
}

fn after_a_deletion_counting_begins_anew(room: &Room) -> Verdict {
    counts(room, 5, 5)?;
    room.delete("count")?;
    counts(room, 2, 2)
}

fn a_thousand_counts_come_to_their_sum(room: &Room) -> Verdict {
    for number in 1..=1000 {
        counts(room, 1, number)?;
    }
    room.has("count", b"1000")
}

fn two_handles_count_together(room: &Room) -> Verdict {
    let other = room.again()?;
    for number in 0..50 {
        counts(room, 1, 2 * number + 1)?;
        counts(&other, 1, 2 * number + 2)?;
    }
    room.has("count", b"100")
}

fn the_largest_number_can_be_reached(room: &Room) -> Verdict {
    counts(room, 1, 1)?;
    counts(room, Number::MAX - 1, Number::MAX)?;
    room.has("count", Number::MAX.to_string().as_bytes())
}

fn a_sum_that_does_not_fit_is_refused_and_changes_nothing(room: &Room) -> Verdict {
    let most = Number::MAX.to_string();
    room.set("count", most.as_bytes())?;
    refused("one more than the most", room.increment("count", 1))?;
    room.has("count", most.as_bytes())?;
    room.set("count", b"10")?;
    refused("ten and the most", room.increment("count", Number::MAX))?;
    room.has("count", b"10")?;
    counts(room, 1, 11)
}

fn text_is_not_counted_and_stays(room: &Room) -> Verdict {
    let texts: [&[u8]; 12] = [
        b"text",
        b"",
        b" ",
        b"1 ",
        b" 1",
        b"1.5",
        b"0x10",
        b"1e3",
        b"-",
        b"1_000",
        &[0xff],
        &1_u64.to_le_bytes(),
    ];
    for text in texts {
        room.set("count", text)?;
        refused(&format!("counting {text:?} up"), room.increment("count", 1))?;
        room.has("count", text)?;
    }
    Ok(())
}

fn a_number_too_long_to_hold_is_not_counted_and_stays(room: &Room) -> Verdict {
    let long = "9".repeat(100);
    for number in ["18446744073709551616", "99999999999999999999", &long] {
        room.set("count", number.as_bytes())?;
        refused(&format!("counting {number} up"), room.increment("count", 1))?;
        room.has("count", number.as_bytes())?;
    }
    Ok(())
}
