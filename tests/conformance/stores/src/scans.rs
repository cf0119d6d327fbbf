//! Keys in their order, a page at a time.

use std::collections::BTreeSet;

use tailstone_conformance::{Case, Said, Verdict, cases, ensure, equal};

use crate::bindings::tailstone::store::stores::KeyPage;
use crate::room::{Room, delete, put};

/// The cases.
pub const CASES: &[Case<Room>] = cases![
    keys_come_in_the_order_of_their_bytes,
    a_prefix_leaves_out_every_other_key,
    a_prefix_of_all_ones_has_an_end,
    a_cursor_may_be_any_key,
    a_cursor_outside_the_prefix_skips_or_gives_nothing_else,
    a_page_has_no_more_keys_than_asked_for,
    asking_for_no_keys_still_comes_to_an_end,
    a_page_is_bounded_whatever_is_asked_for,
    a_page_of_long_keys_is_bounded,
    the_last_page_has_no_cursor,
    changes_between_pages_do_not_disturb_a_scan,
    everything_scanned_can_be_deleted_page_by_page,
    a_compaction_between_pages_does_not_disturb_a_scan,
];

/// More than two pages of them.
const MANY: usize = 2500;
const PAGE_KEYS: usize = 1000;
const PAGE_BYTES: usize = 256 << 10;

fn put_all(room: &Room, keys: &[&[u8]]) -> Verdict {
    keys.iter().try_for_each(|key| room.put(key, b"x"))
}

fn page(room: &Room, prefix: &[u8], cursor: Option<&[u8]>, max: u32) -> Result<KeyPage, String> {
    room.store.scan(prefix, cursor, max).said("scan")
}

fn owned(keys: &[&[u8]]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.to_vec()).collect()
}

fn check_bounds(page: &KeyPage, max: usize) -> Verdict {
    let bytes: usize = page.keys.iter().map(Vec::len).sum();
    let is_bounded = page.keys.len() <= max && (bytes <= PAGE_BYTES || page.keys.len() == 1);
    ensure(
        is_bounded,
        &format!(
            "a page has {} keys of {bytes} bytes together",
            page.keys.len()
        ),
    )
}

fn keys_come_in_the_order_of_their_bytes(room: &Room) -> Verdict {
    let ordered: [&[u8]; 8] = [b"", b"\0", b"B", b"a", b"a\0", b"a\xff", b"b", b"\xff"];
    for key in [5, 1, 7, 3, 0, 6, 2, 4]
        .into_iter()
        .filter_map(|nth: usize| ordered.get(nth))
    {
        room.put(key, b"x")?;
    }
    equal("the keys", &room.keys()?, &owned(&ordered))?;
    equal(
        "the keys, one on a page",
        &room.scan_all(b"", 1, |_| Ok(()))?,
        &owned(&ordered),
    )
}

fn a_prefix_leaves_out_every_other_key(room: &Room) -> Verdict {
    put_all(room, &[b"a", b"b", b"b/1", b"b/2", b"b\xff", b"c", b"B/1"])?;
    let with = |prefix: &[u8]| room.scan_all(prefix, u32::MAX, |_| Ok(()));
    equal("those with b/", &with(b"b/")?, &owned(&[b"b/1", b"b/2"]))?;
    equal(
        "those with b",
        &with(b"b")?,
        &owned(&[b"b", b"b/1", b"b/2", b"b\xff"]),
    )?;
    equal("those with b/1/", &with(b"b/1/")?, &Vec::new())?;
    equal("those with d", &with(b"d")?, &Vec::new())?;
    equal(
        "those with a long one",
        &with(&vec![b'b'; 100_000]).unwrap_or_default(),
        &Vec::new(),
    )
}

fn a_prefix_of_all_ones_has_an_end(room: &Room) -> Verdict {
    put_all(
        room,
        &[b"\xfe", b"\xff", b"\xff\xff", b"\xff\xff\x01", b"\xff\x01"],
    )?;
    let met = room.scan_all(b"\xff\xff", 1, |_| Ok(()))?;
    equal("the keys", &met, &owned(&[b"\xff\xff", b"\xff\xff\x01"]))
}

fn a_cursor_may_be_any_key(room: &Room) -> Verdict {
    put_all(room, &[b"b", b"d", b"f"])?;
    let behind = |cursor: &[u8]| page(room, b"", Some(cursor), 100).map(|page| page.keys);
    equal("behind nothing", &behind(b"")?, &owned(&[b"b", b"d", b"f"]))?;
    equal("behind c", &behind(b"c")?, &owned(&[b"d", b"f"]))?;
    equal("behind d", &behind(b"d")?, &owned(&[b"f"]))?;
    equal("behind d and a zero", &behind(b"d\0")?, &owned(&[b"f"]))?;
    equal("behind the last", &behind(b"f")?, &Vec::new())
}

fn a_cursor_outside_the_prefix_skips_or_gives_nothing_else(room: &Room) -> Verdict {
    put_all(room, &[b"a", b"b/1", b"b/2", b"c"])?;
    let behind = |cursor: &[u8]| page(room, b"b/", Some(cursor), 100).map(|page| page.keys);
    equal("behind a", &behind(b"a")?, &owned(&[b"b/1", b"b/2"]))?;
    equal("behind c", &behind(b"c")?, &Vec::new())
}

fn a_page_has_no_more_keys_than_asked_for(room: &Room) -> Verdict {
    let keys = room.fill(100)?;
    for max in [1_u8, 2, 7, 31, 32, 33, 64, 99, 100, 101] {
        let met = room.scan_all(b"", max.into(), |page| check_bounds(page, max.into()))?;
        equal(&format!("the keys, {max} on a page"), &met, &keys)?;
    }
    Ok(())
}

/// A page of none with a cursor would make whoever asks go on for ever.
fn asking_for_no_keys_still_comes_to_an_end(room: &Room) -> Verdict {
    room.fill(10)?;
    let mut cursor: Option<Vec<u8>> = None;
    for _ in 0..20 {
        let Ok(page) = room.store.scan(b"", cursor.as_deref(), 0) else {
            return Ok(());
        };
        check_bounds(&page, 1)?;
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
    Err("after twenty pages of ten keys there still was a cursor".to_owned())
}

fn a_page_is_bounded_whatever_is_asked_for(room: &Room) -> Verdict {
    let keys = room.fill(MANY)?;
    let met = room.scan_all(b"", u32::MAX, |page| check_bounds(page, PAGE_KEYS))?;
    equal("the keys", &met, &keys)
}

fn a_page_of_long_keys_is_bounded(room: &Room) -> Verdict {
    let keys: Vec<Vec<u8>> = (0..60_u8)
        .map(|number| [vec![number], vec![b'k'; 20_000]].concat())
        .collect();
    for key in &keys {
        room.put(key, b"x")?;
    }
    let met = room.scan_all(b"", u32::MAX, |page| check_bounds(page, PAGE_KEYS))?;
    equal("the keys", &met, &keys)
}

fn the_last_page_has_no_cursor(room: &Room) -> Verdict {
    let keys = room.fill(10)?;
    for max in [10, 11, 1000] {
        equal(
            "the cursor of the only page",
            &page(room, b"", None, max)?.cursor,
            &None,
        )?;
    }
    let first = page(room, b"", None, 9)?;
    equal(
        "the cursor of the first page",
        &first.cursor,
        &keys.get(8).cloned(),
    )?;
    equal(
        "the cursor of the last",
        &page(room, b"", first.cursor.as_deref(), 1)?.cursor,
        &None,
    )
}

fn changes_between_pages_do_not_disturb_a_scan(room: &Room) -> Verdict {
    let keys = room.fill(MANY)?;
    let (gone, kept): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.ends_with(b"3"));
    let mut rest = gone.iter();
    let mut pages = 0_u32;
    let met = room.scan_all(b"", 100, |page| {
        pages += 1;
        for key in page
            .keys
            .iter()
            .filter(|key| kept.binary_search(key).is_ok())
        {
            room.put(key, b"anew")?;
        }
        for key in rest.by_ref().take(5).chain(gone.iter().rev().take(3)) {
            room.delete(key)?;
        }
        room.put(format!("{:06} new", pages * 90).as_bytes(), b"x")
    })?;
    let distinct: BTreeSet<&Vec<u8>> = met.iter().collect();
    ensure(distinct.len() == met.len(), "a key comes twice")?;
    ensure(met.is_sorted(), "the keys are not in order")?;
    let missing = kept.iter().find(|key| !distinct.contains(key));
    equal("what is missing", &missing, &None)
}

fn everything_scanned_can_be_deleted_page_by_page(room: &Room) -> Verdict {
    let keys = room.fill(MANY)?;
    let met = room.scan_all(b"", u32::MAX, |page| {
        let deletions: Vec<_> = page.keys.iter().map(|key| delete(key)).collect();
        room.batch(&deletions)
    })?;
    equal("the keys", &met, &keys)?;
    equal("the keys in the end", &room.keys()?, &Vec::new())
}

fn a_compaction_between_pages_does_not_disturb_a_scan(room: &Room) -> Verdict {
    let keys = room.fill(300)?;
    let mut is_compacted = false;
    let met = room.scan_all(b"", 100, |page| {
        if !is_compacted {
            let anew: Vec<_> = page.keys.iter().map(|key| put(key, b"anew")).collect();
            room.batch(&anew)?;
            room.store.compact().said("compact")?;
            is_compacted = true;
        }
        Ok(())
    })?;
    equal("the keys", &met, &keys)
}
