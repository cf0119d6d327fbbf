//! Several changes that happen together.

use tailstone_conformance::{Case, Verdict, cases, equal, noise, refused};

use crate::room::{Room, delete, put};

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    a_batch_puts_and_deletes,
    of_several_changes_of_a_key_the_last_counts,
    an_empty_batch_is_no_error,
    a_batch_that_fails_changes_nothing,
    a_batch_deletes_what_is_not_there,
    a_batch_of_a_thousand_changes_is_made,
    a_batch_keeps_large_values,
];

fn a_batch_puts_and_deletes(room: &Room) -> Verdict {
    room.put(b"old", b"1")?;
    room.put(b"kept", b"2")?;
    room.batch(&[put(b"new", b"3"), delete(b"old"), put(b"empty", b"")])?;
    room.lacks(b"old")?;
    room.has(b"kept", b"2")?;
    room.has(b"new", b"3")?;
    room.has(b"empty", b"")
}

fn of_several_changes_of_a_key_the_last_counts(room: &Room) -> Verdict {
    room.put(b"b", b"before")?;
    room.batch(&[
        put(b"a", b"1"),
        put(b"a", b"2"),
        put(b"b", b"x"),
        delete(b"b"),
        delete(b"c"),
        put(b"c", b"y"),
        put(b"a", b"3"),
    ])?;
    room.has(b"a", b"3")?;
    room.lacks(b"b")?;
    room.has(b"c", b"y")?;
    equal(
        "what is listed",
        &room.keys()?,
        &vec![b"a".to_vec(), b"c".to_vec()],
    )
}

fn an_empty_batch_is_no_error(room: &Room) -> Verdict {
    room.batch(&[])?;
    equal("what is listed", &room.keys()?, &Vec::new())
}

fn a_batch_that_fails_changes_nothing(room: &Room) -> Verdict {
    room.put(b"a", b"before")?;
    room.put(b"b", b"before")?;
    let too_long = vec![1; (1 << 16) + 1];
    let changes = [
        put(b"a", b"after"),
        delete(b"b"),
        put(b"c", b"new"),
        put(&too_long, b"x"),
        put(b"d", b"new"),
    ];
    refused("a batch with a key that is too long", room.batch(&changes))?;
    room.has(b"a", b"before")?;
    room.has(b"b", b"before")?;
    room.lacks(b"c")?;
    room.lacks(b"d")
}

fn a_batch_deletes_what_is_not_there(room: &Room) -> Verdict {
    room.batch(&[delete(b"a"), delete(b"a"), put(b"b", b"1"), delete(b"c")])?;
    room.has(b"b", b"1")?;
    equal("what is listed", &room.keys()?, &vec![b"b".to_vec()])
}

fn a_batch_of_a_thousand_changes_is_made(room: &Room) -> Verdict {
    let keys = room.fill(1000)?;
    let changes: Vec<_> = (0..)
        .zip(&keys)
        .map(|(number, key)| {
            if number % 3 == 0 {
                delete(key)
            } else {
                put(key, key)
            }
        })
        .collect();
    room.batch(&changes)?;
    for (number, key) in (0..).zip(&keys) {
        if number % 3 == 0 {
            room.lacks(key)?;
        } else {
            room.has(key, key)?;
        }
    }
    Ok(())
}

fn a_batch_keeps_large_values(room: &Room) -> Verdict {
    let large = noise(11, 700_000);
    room.batch(&[put(b"a", &large), put(b"b", b""), put(b"c", &large)])?;
    room.has(b"a", &large)?;
    room.has(b"b", b"")?;
    room.has(b"c", &large)
}
