//! The feed of changes: what was written behind a moment, oldest first.

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal};

use crate::bindings::tailstone::store::stores::{Access, Changed, Error};
use crate::room::{Room, delete, put};

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    changes_come_in_the_order_they_were_made,
    changes_since_a_tail_are_those_behind_it,
    a_batch_shows_as_its_changes,
    a_deletion_shows_as_one,
    pages_of_changes_leave_none_out,
    a_page_of_changes_is_bounded,
    changes_of_another_bucket_do_not_show,
    nothing_changed_behind_the_end,
    a_tail_that_never_was_is_refused,
    a_tail_past_the_end_is_refused,
];

/// All changes behind a tail, and the tail to go on from.
fn behind(room: &Room, mut since: u64, max: u32) -> Result<(Vec<Changed>, u64), String> {
    let mut all = Vec::new();
    for _ in 0..100_000 {
        let page = room.store.changes(since, max).said("changes")?;
        all.extend(page.changes);
        ensure(
            page.is_last || page.tail != since,
            "a page that is not the last leads nowhere",
        )?;
        since = page.tail;
        if page.is_last {
            return Ok((all, since));
        }
    }
    Err("there is no last page".to_owned())
}

/// Where the store ends now.
fn end(room: &Room) -> Result<u64, String> {
    Ok(room.store.info().said("info")?.tail)
}

/// The keys, with a minus before those that were deleted.
fn in_words(changes: &[Changed]) -> Vec<String> {
    let word = |change: &Changed| {
        let sign = if change.is_deletion { "-" } else { "" };
        format!("{sign}{}", String::from_utf8_lossy(&change.key))
    };
    changes.iter().map(word).collect()
}

fn are(room: &Room, since: u64, expected: &[&str]) -> Verdict {
    let met = in_words(&behind(room, since, 100)?.0);
    equal(
        "the changes",
        &met,
        &expected.iter().map(|word| (*word).to_owned()).collect(),
    )
}

fn changes_come_in_the_order_they_were_made(room: &Room) -> Verdict {
    for key in ["b", "a", "c", "a"] {
        room.put(key.as_bytes(), b"x")?;
    }
    // Of a store that was compacted the older change of a key is gone.
    let met = in_words(&behind(room, 0, 100)?.0);
    let expected = [&["b", "a", "c", "a"][..], &["b", "c", "a"]];
    ensure(
        expected.contains(&&*met.iter().map(String::as_str).collect::<Vec<_>>()),
        &format!("the changes are {met:?}"),
    )
}

fn changes_since_a_tail_are_those_behind_it(room: &Room) -> Verdict {
    room.put(b"before", b"x")?;
    let tail = end(room)?;
    room.put(b"a", b"x")?;
    let (first, next) = behind(room, tail, 100)?;
    equal("the changes", &in_words(&first), &vec!["a".to_owned()])?;
    room.put(b"b", b"x")?;
    are(room, next, &["b"])?;
    are(room, tail, &["a", "b"])?;
    let own = first.first().map(|change| change.tail).unwrap_or_default();
    are(room, own, &["b"])
}

fn a_batch_shows_as_its_changes(room: &Room) -> Verdict {
    let tail = end(room)?;
    room.batch(&[put(b"a", b"1"), put(b"b", b"2"), put(b"c", b"3")])?;
    let mut met = in_words(&behind(room, tail, 100)?.0);
    met.sort_unstable();
    equal(
        "the changes",
        &met,
        &vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
    )
}

fn a_deletion_shows_as_one(room: &Room) -> Verdict {
    let tail = end(room)?;
    room.put(b"a", b"x")?;
    room.put(b"b", b"x")?;
    room.delete(b"a")?;
    room.batch(&[delete(b"b")])?;
    room.delete(b"a")?;
    room.put(b"a", b"x")?;
    are(room, tail, &["a", "b", "-a", "-b", "a"])
}

fn pages_of_changes_leave_none_out(room: &Room) -> Verdict {
    let tail = end(room)?;
    let names: Vec<String> = (0..120).map(|number| format!("{number:03}")).collect();
    for name in &names {
        room.put(name.as_bytes(), b"x")?;
    }
    for max in [0, 1, 2, 7, 119, 120, 121, u32::MAX] {
        let met = in_words(&behind(room, tail, max)?.0);
        equal(&format!("the changes, {max} on a page"), &met, &names)?;
    }
    Ok(())
}

fn a_page_of_changes_is_bounded(room: &Room) -> Verdict {
    let tail = end(room)?;
    let keys = room.fill(2500)?;
    let mut since = tail;
    let mut count = 0;
    for _ in 0..1000 {
        let page = room.store.changes(since, u32::MAX).said("changes")?;
        ensure(
            page.changes.len() <= 1000,
            "more than a thousand changes are on a page",
        )?;
        count += page.changes.len();
        since = page.tail;
        if page.is_last {
            break;
        }
    }
    equal("the changes", &count, &keys.len())
}

fn changes_of_another_bucket_do_not_show(room: &Room) -> Verdict {
    let other = Room::of(
        &room.identifier,
        b"the other bucket of the feed",
        Access::Create,
    )?;
    let tail = end(room)?;
    for _ in 0..50 {
        other.put(b"there", b"x")?;
    }
    room.put(b"here", b"x")?;
    other.put(b"there", b"x")?;
    are(room, tail, &["here"])
}

fn nothing_changed_behind_the_end(room: &Room) -> Verdict {
    room.put(b"a", b"x")?;
    let tail = end(room)?;
    let page = room.store.changes(tail, 100).said("changes")?;
    ensure(page.changes.is_empty() && page.is_last, "something changed")?;
    equal("the tail", &page.tail, &tail)
}

fn is_refused(room: &Room, tail: u64) -> Verdict {
    match room.store.changes(tail, 100) {
        Err(Error::StaleCursor | Error::InvalidArgument(_)) => Ok(()),
        Err(other) => Err(format!("{tail} is refused with {other:?}")),
        Ok(page) => Err(format!("{tail} gives {} changes", page.changes.len())),
    }
}

fn a_tail_that_never_was_is_refused(room: &Room) -> Verdict {
    let before = end(room)?;
    room.put(b"a", &[7; 1000])?;
    // Within the entry.
    for within in [1, 64, 500] {
        is_refused(room, before.wrapping_add(within))?;
    }
    is_refused(room, 1)
}

fn a_tail_past_the_end_is_refused(room: &Room) -> Verdict {
    room.put(b"a", b"x")?;
    let tail = end(room)?;
    let beyond = [tail.wrapping_add(1), tail.wrapping_add(64), tail ^ 1 << 40];
    for beyond in beyond.into_iter().chain([u64::MAX - 1, u64::MAX]) {
        is_refused(room, beyond)?;
    }
    Ok(())
}
