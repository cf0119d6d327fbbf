//! Values of every length and content, and what is where there is none.

use tailstone_conformance::{Case, Verdict, cases, ensure, equal, noise};

use super::Room;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    an_empty_value_is_a_value,
    one_zero_byte_is_a_value,
    a_value_keeps_every_byte,
    a_value_of_a_mebibyte_is_kept,
    values_of_lengths_around_borders_are_kept,
    the_newest_value_counts,
    a_shorter_value_leaves_nothing_of_a_longer_one,
    a_value_that_looks_like_text_is_not_changed,
    there_is_nothing_before_the_first_value,
    deleting_nothing_is_no_error,
    a_deleted_key_is_gone,
    a_deleted_key_can_be_set_again,
    exists_says_what_get_says,
];

fn is_kept(room: &Room, value: &[u8]) -> Verdict {
    room.set("key", value)?;
    room.has("key", value)
}

fn an_empty_value_is_a_value(room: &Room) -> Verdict {
    is_kept(room, b"")?;
    ensure(room.exists("key")?, "it does not exist")?;
    equal("what is listed", &room.list()?, &vec!["key".to_owned()])
}

fn one_zero_byte_is_a_value(room: &Room) -> Verdict {
    is_kept(room, b"\0")?;
    ensure(room.exists("key")?, "it does not exist")?;
    is_kept(room, b"\0\0\0\0\0\0\0\0")
}

fn a_value_keeps_every_byte(room: &Room) -> Verdict {
    let value: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    is_kept(room, &value)
}

fn a_value_of_a_mebibyte_is_kept(room: &Room) -> Verdict {
    is_kept(room, &noise(1, 1 << 20))
}

fn values_of_lengths_around_borders_are_kept(room: &Room) -> Verdict {
    let borders = [16, 32, 64, 128, 256, 4_096, 65_536, 131_072];
    let lengths = borders
        .into_iter()
        .flat_map(|border| [border - 1, border, border + 1]);
    for len in (0..70).chain(lengths) {
        let name = len.to_string();
        room.set(&name, &noise(len as u64, len))?;
    }
    for len in (0..70).chain(borders) {
        room.has(&len.to_string(), &noise(len as u64, len))?;
    }
    Ok(())
}

fn the_newest_value_counts(room: &Room) -> Verdict {
    for number in 0..100 {
        room.set("key", format!("value {number}").as_bytes())?;
        room.has("key", format!("value {number}").as_bytes())?;
    }
    Ok(())
}

fn a_shorter_value_leaves_nothing_of_a_longer_one(room: &Room) -> Verdict {
    for value in [
        "long enough to be seen",
        "short",
        "",
        "longer than short",
        "x",
    ] {
        is_kept(room, value.as_bytes())?;
    }
    Ok(())
}

fn a_value_that_looks_like_text_is_not_changed(room: &Room) -> Verdict {
    for value in [
        "007",
        " 7 ",
        "null",
        "\"quoted\"",
        "{}",
        "line\r\nline\n",
        "\u{feff}text",
    ] {
        is_kept(room, value.as_bytes())?;
    }
    is_kept(room, &[0xc3, 0x28, 0xff, 0xfe])
}

fn there_is_nothing_before_the_first_value(room: &Room) -> Verdict {
    room.lacks("key")?;
    ensure(!room.exists("key")?, "it exists")
}

fn deleting_nothing_is_no_error(room: &Room) -> Verdict {
    room.delete("key")?;
    room.delete("key")?;
    room.lacks("key")
}

fn a_deleted_key_is_gone(room: &Room) -> Verdict {
    room.set("key", b"value")?;
    room.set("other", b"value")?;
    room.delete("key")?;
    room.lacks("key")?;
    room.has("other", b"value")
}

fn a_deleted_key_can_be_set_again(room: &Room) -> Verdict {
    for number in 0..10_u8 {
        room.set("key", &[number])?;
        room.delete("key")?;
        room.lacks("key")?;
    }
    is_kept(room, b"value")
}

fn exists_says_what_get_says(room: &Room) -> Verdict {
    for (number, is_set) in [true, false, true, true, false].into_iter().enumerate() {
        if is_set {
            room.set("key", b"value")?;
        } else {
            room.delete("key")?;
        }
        equal(
            &format!("what exists says after change {number}"),
            &room.exists("key")?,
            &is_set,
        )?;
    }
    Ok(())
}
