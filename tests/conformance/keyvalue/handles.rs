//! Opening: who sees what, what was not granted, and handles by the thousand.

use tailstone_conformance::{Case, Place as _, Said, Verdict, cases, refused};

use super::Room;
use crate::draft::store;

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    two_handles_on_one_store_see_each_other,
    what_was_set_stays_when_every_handle_is_dropped,
    a_handle_goes_on_when_another_one_is_dropped,
    what_was_not_granted_is_denied,
    a_name_made_of_a_granted_one_is_not_granted,
    a_store_and_a_key_are_not_one_name,
    a_hundred_handles_are_open_at_once,
    ten_thousand_handles_that_were_dropped_leave_room,
];

fn two_handles_on_one_store_see_each_other(room: &Room) -> Verdict {
    let other = room.again()?;
    room.set("a", b"1")?;
    other.has("a", b"1")?;
    other.set("a", b"2")?;
    room.has("a", b"2")?;
    other.set("b", b"3")?;
    room.delete("a")?;
    other.lacks("a")?;
    let both = [room.list()?, other.list()?];
    tailstone_conformance::equal(
        "what both list",
        &both,
        &[vec!["b".to_owned()], vec!["b".to_owned()]],
    )
}

fn what_was_set_stays_when_every_handle_is_dropped(room: &Room) -> Verdict {
    let other = room.again()?;
    other.set("key", b"value")?;
    drop(other);
    room.again()?.has("key", b"value")
}

fn a_handle_goes_on_when_another_one_is_dropped(room: &Room) -> Verdict {
    drop(room.again()?);
    room.set("key", b"value")?;
    drop(room.again()?);
    room.has("key", b"value")
}

fn what_was_not_granted_is_denied(_room: &Room) -> Verdict {
    match store::open("not granted/../x") {
        Err(store::Error::AccessDenied) => Ok(()),
        Err(other) => Err(format!(
            "it is refused with {other:?} in the place of AccessDenied"
        )),
        Ok(_) => Err("it is opened".to_owned()),
    }
}

fn a_name_made_of_a_granted_one_is_not_granted(room: &Room) -> Verdict {
    let granted = &room.identifier;
    for name in ["/", "\0", "/.", "/../x", "/../"] {
        refused(
            &format!("the granted name with {name:?} behind it"),
            store::open(&format!("{granted}{name}")),
        )?;
    }
    for name in ["./", "../", "x/../", "\0", "/"] {
        refused(
            &format!("the granted name with {name:?} before it"),
            store::open(&format!("{name}{granted}")),
        )?;
    }
    Ok(())
}

/// Providers that join both into one name let `"a", "b/c"` and `"a/b", "c"` be the same value.
fn a_store_and_a_key_are_not_one_name(room: &Room) -> Verdict {
    room.set("b/c", b"secret")?;
    for separator in ["/", ":", ".", "\0"] {
        let name = format!("{}{separator}{}", room.identifier, room.key("b"));
        // Its first letters may be a plain name where every plain name is granted.
        let Ok(other) = store::open(&name) else {
            continue;
        };
        let value = other.get("c").said("get")?;
        tailstone_conformance::equal(&format!("the value of \"c\" in {name:?}"), &value, &None)?;
    }
    Ok(())
}

fn a_hundred_handles_are_open_at_once(room: &Room) -> Verdict {
    let mut rooms = Vec::new();
    for number in 0..100_u8 {
        let another = room.again()?;
        another.set(&number.to_string(), &[number])?;
        rooms.push(another);
    }
    for (number, another) in (0..).zip(&rooms) {
        another.has(&number.to_string(), &[number])?;
    }
    Ok(())
}

fn ten_thousand_handles_that_were_dropped_leave_room(room: &Room) -> Verdict {
    for number in 0..10_000 {
        let another =
            Room::open(&room.identifier, "").map_err(|error| format!("open {number}: {error}"))?;
        drop(another);
    }
    let last = room.again()?;
    last.set("key", b"value")?;
    last.has("key", b"value")
}
