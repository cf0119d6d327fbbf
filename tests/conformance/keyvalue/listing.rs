//! Listing keys page by page: each key that was there all along comes once, whatever is written between the pages.

use std::collections::BTreeSet;

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal};

use super::Room;
use super::room::check_bounds;
use crate::draft::{list_keys, nonsense};

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    a_key_is_listed_once_however_often_it_was_set,
    a_deleted_key_is_not_listed,
    all_keys_are_listed_once_over_several_pages,
    long_keys_are_listed_once_over_several_pages,
    a_page_is_no_longer_than_a_guest_can_take,
    keys_set_between_pages_do_not_disturb_the_listing,
    keys_deleted_between_pages_do_not_disturb_the_listing,
    keys_set_anew_between_pages_are_not_repeated,
    everything_listed_can_be_deleted_page_by_page,
    everything_can_be_deleted_between_two_pages,
    a_cursor_gives_the_same_page_each_time,
    a_cursor_is_good_for_another_handle,
    a_cursor_that_is_nonsense_is_an_error_or_an_end,
];

/// More than two pages of them.
const MANY: usize = 2500;

fn a_key_is_listed_once_however_often_it_was_set(room: &Room) -> Verdict {
    for number in 0..5_u8 {
        room.set("key", &[number])?;
        room.set("other", &[number])?;
    }
    equal(
        "what is listed",
        &room.list()?,
        &vec!["key".to_owned(), "other".to_owned()],
    )
}

fn a_deleted_key_is_not_listed(room: &Room) -> Verdict {
    room.set("key", b"1")?;
    room.set("other", b"1")?;
    room.delete("key")?;
    equal("what is listed", &room.list()?, &vec!["other".to_owned()])
}

fn all_keys_are_listed_once_over_several_pages(room: &Room) -> Verdict {
    let names = room.fill(MANY)?;
    is_listed(&room.list()?, &names)
}

/// Fails with the first name that is missing, comes twice or should not come.
fn is_listed(listed: &[String], names: &[String]) -> Verdict {
    let expected: BTreeSet<&String> = names.iter().collect();
    let met: BTreeSet<&String> = listed.iter().collect();
    if let Some(missing) = expected.difference(&met).next() {
        return Err(format!("{missing:?} is missing among {}", listed.len()));
    }
    if let Some(more) = met.difference(&expected).next() {
        return Err(format!("{more:?} should not be listed"));
    }
    ensure(
        listed.len() == met.len(),
        &format!("{} keys come twice", listed.len() - met.len()),
    )
}

/// 600 of them, longer together than a page.
fn fill_with_long_keys(room: &Room) -> Result<Vec<String>, String> {
    let names: Vec<String> = (0..600)
        .map(|number| format!("{number:03}{}", "k".repeat(900)))
        .collect();
    for name in &names {
        room.set(name, b"x")?;
    }
    Ok(names)
}

fn long_keys_are_listed_once_over_several_pages(room: &Room) -> Verdict {
    let names = fill_with_long_keys(room)?;
    is_listed(&room.list()?, &names)
}

fn a_page_is_no_longer_than_a_guest_can_take(room: &Room) -> Verdict {
    room.fill(MANY)?;
    fill_with_long_keys(room)?;
    let mut cursor = None;
    loop {
        let page = list_keys(&room.bucket, cursor.as_ref()).said("list-keys")?;
        check_bounds(&page.keys)?;
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// What was there before the listing began must be on it once; what came between may be.
fn is_listed_but_for(
    listed: &[String],
    names: &[String],
    is_new: impl Fn(&str) -> bool,
) -> Verdict {
    let old: Vec<String> = listed
        .iter()
        .filter(|name| !is_new(name))
        .cloned()
        .collect();
    let new = listed.len() - old.len();
    let distinct: BTreeSet<&String> = listed.iter().filter(|name| is_new(name)).collect();
    ensure(
        distinct.len() == new,
        "a key that was set meanwhile comes twice",
    )?;
    is_listed(&old, names)
}

fn keys_set_between_pages_do_not_disturb_the_listing(room: &Room) -> Verdict {
    let names = room.fill(MANY)?;
    let mut page = 0;
    let listed = room.list_with(|_| {
        page += 1;
        // Before, among and behind what is listed already.
        for number in (0..MANY).step_by(25) {
            room.set(&format!("{number:06} new {page}"), b"x")?;
        }
        room.set(&format!(" new {page}"), b"x")?;
        room.set(&format!("z new {page}"), b"x")
    })?;
    is_listed_but_for(&listed, &names, |name| name.contains("new"))
}

fn keys_deleted_between_pages_do_not_disturb_the_listing(room: &Room) -> Verdict {
    let names = room.fill(MANY)?;
    let (gone, kept): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| name.ends_with(['1', '4', '8']));
    let mut rest = gone.iter();
    let listed = room.list_with(|_| {
        // From the front, of which some was listed, and from the back, of which little was.
        for name in rest.by_ref().take(100) {
            room.delete(name)?;
        }
        for name in rest.by_ref().rev().take(100) {
            room.delete(name)?;
        }
        Ok(())
    })?;
    is_listed_but_for(&listed, &kept, |name| name.ends_with(['1', '4', '8']))
}

fn keys_set_anew_between_pages_are_not_repeated(room: &Room) -> Verdict {
    let names = room.fill(MANY)?;
    let listed = room.list_with(|on_page| {
        for name in on_page {
            room.set(name, b"anew")?;
        }
        for name in names.iter().step_by(7) {
            room.delete(name)?;
            room.set(name, b"anew")?;
        }
        Ok(())
    })?;
    is_listed(&listed, &names)
}

fn everything_listed_can_be_deleted_page_by_page(room: &Room) -> Verdict {
    let names = room.fill(MANY)?;
    let listed = room.list_with(|on_page| {
        let on_page: Vec<&str> = on_page.iter().map(String::as_str).collect();
        room.delete_many(&on_page)
    })?;
    is_listed(&listed, &names)?;
    for name in room.list()? {
        room.delete(&name)?;
    }
    equal("what is listed in the end", &room.list()?, &Vec::new())
}

fn everything_can_be_deleted_between_two_pages(room: &Room) -> Verdict {
    let names = room.fill(MANY)?;
    let mut seen = 0;
    let listed = room.list_with(|on_page| {
        seen += on_page.len();
        // Keys of other cases may fill the first pages.
        if on_page.is_empty() {
            return Ok(());
        }
        for some in names.chunks(500) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            room.delete_many(&some)?;
        }
        Ok(())
    })?;
    // What was on the last page was not seen: if any was before, none was left for it.
    ensure(
        seen == 0 || seen == listed.len(),
        "a key that was deleted is listed",
    )?;
    let distinct: BTreeSet<&String> = listed.iter().collect();
    ensure(distinct.len() == listed.len(), "a key comes twice")
}

fn a_cursor_gives_the_same_page_each_time(room: &Room) -> Verdict {
    room.fill(MANY)?;
    let mut cursor = None;
    // As many pages as there are, but no more than this.
    for _ in 0..100 {
        let page = list_keys(&room.bucket, cursor.as_ref()).said("list-keys")?;
        let again = list_keys(&room.bucket, cursor.as_ref()).said("list-keys again")?;
        equal("the page", &again.keys, &page.keys)?;
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
    Ok(())
}

fn a_cursor_is_good_for_another_handle(room: &Room) -> Verdict {
    room.fill(MANY)?;
    let first = list_keys(&room.bucket, None).said("list-keys")?;
    if first.cursor.is_none() {
        return ensure(room.names_of(&first.keys).len() == MANY, "keys are missing");
    }
    let other = room.again()?;
    let here = list_keys(&room.bucket, first.cursor.as_ref()).said("list-keys")?;
    let there =
        list_keys(&other.bucket, first.cursor.as_ref()).said("list-keys, the other handle")?;
    equal("the page", &there.keys, &here.keys)
}

fn a_cursor_that_is_nonsense_is_an_error_or_an_end(room: &Room) -> Verdict {
    let names = room.fill(10)?;
    for cursor in nonsense() {
        if let Ok(page) = list_keys(&room.bucket, Some(&cursor)) {
            check_bounds(&page.keys)?;
        }
    }
    is_listed(&room.list()?, &names)
}
