//! Several keys in one call: their order, their repetitions, and that a change happens whole or not at all.

use tailstone_conformance::{Case, Said, Verdict, cases, equal, noise};

use super::Room;
use crate::draft::batch;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    set_many_sets_all,
    of_a_key_that_is_set_twice_at_once_the_last_value_counts,
    setting_nothing_at_once_is_no_error,
    a_thousand_keys_can_be_set_at_once,
    set_many_keeps_large_and_empty_values,
    set_many_that_fails_sets_nothing,
    get_many_answers_in_the_order_asked,
    get_many_answers_a_repeated_key_each_time,
    get_many_says_none_where_there_is_nothing,
    getting_nothing_at_once_gives_nothing,
    get_many_names_each_key,
    delete_many_deletes_all_of_them_and_no_other,
    delete_many_of_what_is_not_there_is_no_error,
    delete_many_that_fails_deletes_nothing,
];

/// No provider need take a key of this length.
const TOO_LONG: usize = 100_000;

fn set_many_sets_all(room: &Room) -> Verdict {
    room.set_many(&[("a", b"1"), ("b", b"2"), ("c", b"3")])?;
    room.has("a", b"1")?;
    room.has("b", b"2")?;
    room.has("c", b"3")
}

fn of_a_key_that_is_set_twice_at_once_the_last_value_counts(room: &Room) -> Verdict {
    room.set_many(&[
        ("a", b"first"),
        ("b", b"1"),
        ("a", b"second"),
        ("b", b"2"),
        ("a", b"last"),
    ])?;
    room.has("a", b"last")?;
    room.has("b", b"2")?;
    equal(
        "what is listed",
        &room.list()?,
        &vec!["a".to_owned(), "b".to_owned()],
    )
}

fn setting_nothing_at_once_is_no_error(room: &Room) -> Verdict {
    room.set_many(&[])?;
    room.delete_many(&[])
}

fn a_thousand_keys_can_be_set_at_once(room: &Room) -> Verdict {
    let names: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let pairs: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), name.as_bytes()))
        .collect();
    room.set_many(&pairs)?;
    for name in &names {
        room.has(name, name.as_bytes())?;
    }
    Ok(())
}

fn set_many_keeps_large_and_empty_values(room: &Room) -> Verdict {
    let large = noise(7, 300_000);
    room.set_many(&[("empty", b""), ("large", &large), ("zero", b"\0")])?;
    room.has("empty", b"")?;
    room.has("large", &large)?;
    room.has("zero", b"\0")
}

fn set_many_that_fails_sets_nothing(room: &Room) -> Verdict {
    room.set("a", b"before")?;
    let long = "k".repeat(TOO_LONG);
    if room
        .set_many(&[("a", b"after"), ("b", b"new"), (&long, b"x"), ("c", b"new")])
        .is_ok()
    {
        room.has(&long, b"x")?;
        room.delete(&long)?;
        return room.has("c", b"new");
    }
    room.has("a", b"before")?;
    room.lacks("b")?;
    room.lacks("c")
}

/// The values alone.
fn values(room: &Room, names: &[&str]) -> Result<Vec<Option<Vec<u8>>>, String> {
    let found = room.get_many(names)?;
    Ok(found
        .into_iter()
        .map(|pair| pair.map(|(_, value)| value))
        .collect())
}

fn text(values: &[Option<&str>]) -> Vec<Option<Vec<u8>>> {
    values
        .iter()
        .map(|value| value.map(|value| value.as_bytes().to_vec()))
        .collect()
}

fn get_many_answers_in_the_order_asked(room: &Room) -> Verdict {
    room.set_many(&[("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")])?;
    let met = values(room, &["c", "a", "d", "b"])?;
    equal(
        "the values",
        &met,
        &text(&[Some("3"), Some("1"), Some("4"), Some("2")]),
    )
}

fn get_many_answers_a_repeated_key_each_time(room: &Room) -> Verdict {
    room.set_many(&[("a", b"1"), ("b", b"2")])?;
    let met = values(room, &["a", "b", "a", "a"])?;
    equal(
        "the values",
        &met,
        &text(&[Some("1"), Some("2"), Some("1"), Some("1")]),
    )
}

fn get_many_says_none_where_there_is_nothing(room: &Room) -> Verdict {
    room.set("a", b"")?;
    room.set("gone", b"1")?;
    room.delete("gone")?;
    let met = values(room, &["never", "a", "gone", "never"])?;
    equal("the values", &met, &text(&[None, Some(""), None, None]))
}

fn getting_nothing_at_once_gives_nothing(room: &Room) -> Verdict {
    equal("the values", &room.get_many(&[])?, &Vec::new())
}

fn get_many_names_each_key(room: &Room) -> Verdict {
    room.set_many(&[("a", b"1"), ("b", b"2")])?;
    let found = room.get_many(&["b", "a", "b"])?;
    let met: Vec<String> = found.into_iter().flatten().map(|(key, _)| key).collect();
    equal(
        "the keys",
        &met,
        &vec![room.key("b"), room.key("a"), room.key("b")],
    )
}

fn delete_many_deletes_all_of_them_and_no_other(room: &Room) -> Verdict {
    room.set_many(&[("a", b"1"), ("b", b"2"), ("c", b"3")])?;
    room.delete_many(&["c", "a", "a"])?;
    room.lacks("a")?;
    room.has("b", b"2")?;
    room.lacks("c")
}

fn delete_many_of_what_is_not_there_is_no_error(room: &Room) -> Verdict {
    room.set("a", b"1")?;
    room.delete_many(&["never", "a", "neither"])?;
    room.lacks("a")?;
    room.delete_many(&["never", "a", "neither"])
}

fn delete_many_that_fails_deletes_nothing(room: &Room) -> Verdict {
    room.set("a", b"1")?;
    let keys = [room.key("a"), "k".repeat(TOO_LONG)];
    if batch::delete_many(&room.bucket, &keys)
        .said("delete-many")
        .is_ok()
    {
        return room.lacks("a");
    }
    room.has("a", b"1")
}
