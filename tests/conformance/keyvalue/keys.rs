//! Keys that look like one another, like a path, a pattern or the end of a text, and are keys like any other.

use tailstone_conformance::{Case, Verdict, cases, ensure, equal};

use super::Room;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    a_key_that_was_set_is_got_back,
    a_key_that_is_the_beginning_of_another_is_its_own,
    a_slash_in_a_key_joins_and_parts_nothing,
    a_nul_in_a_key_does_not_end_it,
    dots_in_a_key_lead_nowhere,
    paths_are_keys_like_any_other,
    the_empty_key_is_its_own_or_refused,
    white_space_at_the_ends_of_a_key_counts,
    letters_that_look_alike_differ,
    two_ways_to_write_a_letter_differ,
    upper_and_lower_case_differ,
    characters_of_every_length_are_kept,
    patterns_stand_for_themselves,
    separators_and_control_characters_are_kept,
    names_that_languages_reserve_are_keys,
    a_key_of_a_thousand_bytes_is_kept_whole,
    a_key_that_is_far_too_long_is_refused_or_kept_whole,
    a_thousand_keys_keep_their_values,
];

fn a_key_that_was_set_is_got_back(room: &Room) -> Verdict {
    room.set("key", b"value")?;
    room.has("key", b"value")
}

/// Sets each to a value of its own, and wants each back, also after every other one was deleted.
fn are_distinct(room: &Room, names: &[&str]) -> Verdict {
    for name in names {
        room.set(name, name.as_bytes())?;
    }
    for name in names {
        room.has(name, name.as_bytes())?;
    }
    for name in names.iter().step_by(2) {
        room.delete(name)?;
    }
    for (name, is_deleted) in names.iter().zip([true, false].into_iter().cycle()) {
        if is_deleted {
            room.lacks(name)?;
        } else {
            room.has(name, name.as_bytes())?;
        }
    }
    let left: Vec<String> = names
        .iter()
        .skip(1)
        .step_by(2)
        .map(|name| (*name).to_owned())
        .collect();
    let listed = room.list()?;
    let mut expected = left;
    expected.sort_unstable();
    equal("what is listed", &listed, &expected)
}

fn a_key_that_is_the_beginning_of_another_is_its_own(room: &Room) -> Verdict {
    are_distinct(room, &["a", "ab", "abc", "abcd", "ac", "b"])
}

fn a_slash_in_a_key_joins_and_parts_nothing(room: &Room) -> Verdict {
    are_distinct(
        room,
        &["a/b/c", "a/b", "a", "a//b", "a/", "/a", "a/b/", "//"],
    )
}

fn a_nul_in_a_key_does_not_end_it(room: &Room) -> Verdict {
    are_distinct(room, &["a", "a\0", "a\0b", "a\0c", "\0", "\0\0", "\0a"])
}

fn dots_in_a_key_lead_nowhere(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "x", "./x", "../x", "y/../x", "x/.", "x/..", ".", "..", "...",
        ],
    )
}

/// As they are, without the case's own beginning in front.
fn paths_are_keys_like_any_other(room: &Room) -> Verdict {
    let keys = [
        ".",
        "..",
        "/",
        "../../x",
        "/etc/passwd",
        "C:\\x",
        "~",
        "\\\\x\\y",
        "%2e%2e%2fx",
        "file:///x",
    ];
    for key in keys {
        room.bucket
            .set(key, key.as_bytes())
            .map_err(|error| format!("set {key:?}: {error:?}"))?;
    }
    for key in keys {
        let value = room
            .bucket
            .get(key)
            .map_err(|error| format!("get {key:?}: {error:?}"))?;
        equal(
            &format!("the value of {key:?}"),
            &value.as_deref(),
            &Some(key.as_bytes()),
        )?;
    }
    Ok(())
}

fn the_empty_key_is_its_own_or_refused(room: &Room) -> Verdict {
    room.set("other", b"other")?;
    if room.bucket.set("", b"empty").is_ok() {
        let value = room
            .bucket
            .get("")
            .map_err(|error| format!("get: {error:?}"))?;
        equal("the value of \"\"", &value.as_deref(), &Some(&b"empty"[..]))?;
        room.bucket
            .delete("")
            .map_err(|error| format!("delete: {error:?}"))?;
        let value = room
            .bucket
            .get("")
            .map_err(|error| format!("get: {error:?}"))?;
        equal("the value of \"\" once it is deleted", &value, &None)?;
    }
    room.has("other", b"other")
}

fn white_space_at_the_ends_of_a_key_counts(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "a",
            "a ",
            " a",
            "a\n",
            "a\t",
            "a\r\n",
            "a\u{a0}",
            "a\u{200b}",
        ],
    )
}

fn letters_that_look_alike_differ(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "A", "\u{391}", "\u{410}", "K", "\u{212a}", "o", "\u{3bf}", "ſ", "s",
        ],
    )
}

fn two_ways_to_write_a_letter_differ(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "é",
            "e\u{301}",
            "ﬁ",
            "fi",
            "Å",
            "A\u{30a}",
            "\u{212b}",
            "한",
            "\u{1112}\u{1161}\u{11ab}",
        ],
    )
}

fn upper_and_lower_case_differ(room: &Room) -> Verdict {
    are_distinct(room, &["key", "Key", "KEY", "straße", "STRASSE", "İ", "i"])
}

fn characters_of_every_length_are_kept(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "\u{7f}",
            "\u{80}",
            "\u{7ff}",
            "\u{800}",
            "\u{ffff}",
            "\u{fffd}",
            "\u{feff}",
            "\u{10000}",
            "\u{10ffff}",
            "\u{202e}abc",
        ],
    )
}

fn patterns_stand_for_themselves(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "*", "?", "a*", "ab", "[ab]", "a", "%", "_", "a%", "\\*", "{a,b}", ".*", "^a$",
        ],
    )
}

fn separators_and_control_characters_are_kept(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "a:b", "a|b", "a,b", "a;b", "a=b", "a&b", "a#b", "a\u{1f}b", "a\u{1b}b", "a\"b", "a'b",
            "a`b", "a\nb",
        ],
    )
}

fn names_that_languages_reserve_are_keys(room: &Room) -> Verdict {
    are_distinct(
        room,
        &[
            "__proto__",
            "constructor",
            "toString",
            "null",
            "undefined",
            "None",
            "NULL",
            "true",
            "0",
            "-0",
            "CON",
            "nul.txt",
        ],
    )
}

fn a_key_of_a_thousand_bytes_is_kept_whole(room: &Room) -> Verdict {
    let (one, other) = (
        format!("{}1", "k".repeat(999)),
        format!("{}2", "k".repeat(999)),
    );
    are_distinct(room, &[&one, &other, &"k".repeat(999)])
}

fn a_key_that_is_far_too_long_is_refused_or_kept_whole(room: &Room) -> Verdict {
    let long = "k".repeat(100_000);
    let longer = format!("{long}!");
    let is_kept = room.set(&long, b"long").is_ok();
    if is_kept {
        room.set(&longer, b"longer")?;
        room.has(&long, b"long")?;
        room.delete(&longer)?;
        room.delete(&long)?;
    }
    for len in [65_535, 65_536, 255, 1_024] {
        let cut = long.get(..len).unwrap_or_default();
        let value = room.bucket.get(cut);
        ensure(
            !matches!(value, Ok(Some(_))),
            &format!("the first {len} bytes of the key have a value"),
        )?;
    }
    room.set("other", b"other")?;
    room.has("other", b"other")
}

fn a_thousand_keys_keep_their_values(room: &Room) -> Verdict {
    let names: Vec<String> = (0..1000).map(|number| format!("{number}")).collect();
    for name in &names {
        room.set(name, name.as_bytes())?;
    }
    for name in &names {
        room.has(name, name.as_bytes())?;
    }
    Ok(())
}
