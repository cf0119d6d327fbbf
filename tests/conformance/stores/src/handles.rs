//! Opening, closing, and what a handle may do.

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, refused};

use crate::bindings::tailstone::store::stores::{Access, Error, Store};
use crate::room::{Room, delete, put};

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    handles_see_at_once_what_another_one_did,
    what_is_open_for_reading_refuses_writes,
    what_is_open_for_reading_sees_what_is_written,
    what_was_closed_can_be_opened_again,
    closing_one_handle_leaves_the_others,
    what_was_not_granted_is_denied,
    a_name_made_of_a_granted_one_is_not_granted,
    a_hundred_handles_are_open_at_once,
    ten_thousand_handles_that_were_closed_or_dropped_leave_room,
];

fn handles_see_at_once_what_another_one_did(room: &Room) -> Verdict {
    let other = room.again(Access::Write)?;
    room.put(b"a", b"1")?;
    other.has(b"a", b"1")?;
    other.batch(&[put(b"b", b"2"), delete(b"a")])?;
    room.lacks(b"a")?;
    room.has(b"b", b"2")
}

fn is_read_only<T: std::fmt::Debug>(what: &str, met: Result<T, Error>) -> Verdict {
    match met {
        Err(Error::ReadOnly) => Ok(()),
        other => Err(format!("{what} is answered with {other:?}")),
    }
}

fn what_is_open_for_reading_refuses_writes(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    let version = room.version(b"key")?;
    let reader = room.again(Access::Read)?.store;
    is_read_only("put", reader.put(b"key", b"x"))?;
    is_read_only("put-if", reader.put_if(b"key", b"x", version))?;
    is_read_only("put-if of nothing", reader.put_if(b"new", b"x", None))?;
    is_read_only("delete", reader.delete(b"key"))?;
    is_read_only("append-batch", reader.append_batch(&[put(b"key", b"x")]))?;
    is_read_only(
        "append-batch of a deletion",
        reader.append_batch(&[delete(b"key")]),
    )?;
    is_read_only("compact", reader.compact())?;
    room.has(b"key", b"value")?;
    room.lacks(b"new")
}

fn what_is_open_for_reading_sees_what_is_written(room: &Room) -> Verdict {
    let reader = room.again(Access::Read)?;
    reader.lacks(b"key")?;
    room.put(b"key", b"value")?;
    reader.has(b"key", b"value")?;
    let page = reader.store.scan(b"", None, 10).said("scan")?;
    ensure(page.keys == [b"key"], "it is not listed")?;
    ensure(
        reader.version(b"key")? == room.version(b"key")?,
        "the versions differ",
    )
}

fn what_was_closed_can_be_opened_again(room: &Room) -> Verdict {
    let other = room.again(Access::Create)?;
    other.put(b"key", b"value")?;
    Store::close(other.store).said("close")?;
    let again = room.again(Access::Write)?;
    again.has(b"key", b"value")?;
    Store::close(again.store).said("close again")?;
    room.again(Access::Read)?.has(b"key", b"value")
}

fn closing_one_handle_leaves_the_others(room: &Room) -> Verdict {
    let (other, reader) = (room.again(Access::Write)?, room.again(Access::Read)?);
    Store::close(other.store).said("close")?;
    room.put(b"key", b"value")?;
    reader.has(b"key", b"value")?;
    Store::close(reader.store).said("close the reader")?;
    room.put(b"key", b"other")?;
    room.has(b"key", b"other")
}

fn what_was_not_granted_is_denied(_room: &Room) -> Verdict {
    for access in [Access::Read, Access::Write, Access::Create] {
        match Store::open("not granted/../x", b"bucket", access) {
            // Where every plain name of a folder is granted, this is none.
            Err(Error::AccessDenied | Error::InvalidArgument(_)) => {}
            Err(other) => return Err(format!("it is refused with {other:?}")),
            Ok(_) => return Err("it is opened".to_owned()),
        }
    }
    Ok(())
}

fn a_name_made_of_a_granted_one_is_not_granted(room: &Room) -> Verdict {
    let granted = &room.identifier;
    for name in [
        format!("{granted}/"),
        format!("./{granted}"),
        format!("x/../{granted}"),
        format!("{granted}\0"),
        format!("/{granted}"),
    ] {
        for access in [Access::Read, Access::Write, Access::Create] {
            refused(&format!("{name:?}"), Store::open(&name, b"bucket", access))?;
        }
    }
    Ok(())
}

fn a_hundred_handles_are_open_at_once(room: &Room) -> Verdict {
    let mut rooms = Vec::new();
    for number in 0..100_u8 {
        let another = room.again(if number % 2 == 0 {
            Access::Write
        } else {
            Access::Read
        })?;
        room.put(&[number], &[number])?;
        rooms.push(another);
    }
    rooms
        .iter()
        .try_for_each(|another| another.has(&[99], &[99]))
}

fn ten_thousand_handles_that_were_closed_or_dropped_leave_room(room: &Room) -> Verdict {
    room.put(b"key", b"value")?;
    for number in 0..10_000 {
        let another = room
            .again(Access::Read)
            .map_err(|error| format!("open {number}: {error}"))?;
        if number % 100 == 0 {
            Store::close(another.store).said("close")?;
        }
    }
    room.again(Access::Write)?.has(b"key", b"value")
}
