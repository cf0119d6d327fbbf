//! What a page of keys or changes ought to be.

use super::place::{Behind, Logged, Meaning, Place};
use super::{ChangePage, Changed, KeyPage};

/// Bytes of keys on one page, unless one key alone is longer.
const PAGE_BYTES: usize = 256 << 10;

/// How many of these keys fit on a page.
fn fitting<'a>(keys: impl IntoIterator<Item = &'a Vec<u8>>, most: usize) -> usize {
    let mut bytes = 0;
    let mut count = 0;
    for key in keys {
        bytes += key.len();
        if count == most || (bytes > PAGE_BYTES && count > 0) {
            break;
        }
        count += 1;
    }
    count
}

/// Holds a page of keys against what it ought to be.
pub fn scanned(
    place: &Place,
    bucket: &[u8],
    prefix: &[u8],
    cursor: Option<&[u8]>,
    most: usize,
    page: &KeyPage,
) -> Result<(), String> {
    let keys: Vec<&Vec<u8>> = place.keys(bucket, prefix, cursor).collect();
    let count = fitting(keys.iter().copied(), most);
    let expected = &keys[..count];
    if page.keys.iter().ne(expected.iter().copied()) {
        return Err(format!(
            "a page of {} keys is not the one of {count} that it ought to be",
            page.keys.len()
        ));
    }
    let next = if count < keys.len() {
        page.keys.last()
    } else {
        None
    };
    if page.cursor.as_ref() != next {
        return Err("the cursor is not that of a page that ends there".to_owned());
    }
    Ok(())
}

/// Holds a page of keys that are text against what it ought to be; `next` is the key that its cursor stands for.
pub fn listed(
    place: &Place,
    bucket: &[u8],
    cursor: Option<&str>,
    most: usize,
    page: &[String],
    next: Option<&str>,
) -> Result<(), String> {
    let cursor = cursor.map(str::as_bytes);
    let keys: Vec<&Vec<u8>> = place.keys(bucket, b"", cursor).collect();
    let texts: Vec<&str> = keys
        .iter()
        .filter_map(|key| str::from_utf8(key).ok())
        .collect();
    if page.len() > most {
        return Err(format!(
            "{} keys are on a page, and {most} may be",
            page.len()
        ));
    }
    if !texts.starts_with(&page.iter().map(String::as_str).collect::<Vec<_>>()) {
        return Err("a page leaves a key out, or has one that is not there".to_owned());
    }
    match next {
        Some(next) if page.last().map(String::as_str) != Some(next) => {
            Err("the cursor is not the last key".to_owned())
        }
        Some(next)
            if keys
                .last()
                .is_some_and(|last| last.as_slice() == next.as_bytes()) =>
        {
            Err("there is a cursor, and nothing behind it".to_owned())
        }
        None if page.len() < texts.len() => Err("there is no cursor, and more keys".to_owned()),
        _ => Ok(()),
    }
}

/// Holds a page of changes against what it ought to be, and notes the tails on it.
pub fn changed(
    place: &mut Place,
    bucket: &[u8],
    since: (u64, Meaning<Behind>),
    most: usize,
    page: &ChangePage,
) -> Result<(), String> {
    let given = page.changes.len();
    if given > most || fitting(page.changes.iter().map(|made| &made.key), most) < given {
        return Err(format!("{given} changes are on a page, and {most} may be"));
    }
    if page.is_last && since.0 == 0 {
        replayed(place, bucket, page)?;
    }
    if !page.is_last && page.tail == since.0 {
        return Err("the page is not the last, and the next one begins where it began".to_owned());
    }
    if place.compacts_itself {
        return Ok(());
    }
    let (least, most_behind) = match since.1 {
        Meaning::Known(behind) => behind,
        _ => (0, place.log.len()),
    };
    let fits = (least..=most_behind).find_map(|start| fit(place, bucket, start, page));
    let Some(ends) = fits else {
        return Err(format!(
            "the changes are not those behind {:?} of {} in the log",
            since.1,
            place.log.len()
        ));
    };
    if !matches!(since.1, Meaning::Known(_)) || least != most_behind {
        return Ok(());
    }
    for (made, end) in page.changes.iter().zip(&ends) {
        place.note_tail(made.tail, (*end, *end))?;
    }
    let end = ends.last().copied().unwrap_or(least);
    let full = fitting(page.changes.iter().map(|made| &made.key), most) == most;
    let next = next_of(place, bucket, end);
    if page.is_last {
        return place.note_tail(page.tail, (place.log.len(), place.log.len()));
    }
    if end == place.log.len() {
        return Err("the page is not the last, and nothing is behind it".to_owned());
    }
    if full || next.is_some_and(|next| cuts(page, &place.log[next].key)) {
        let is_right = |made: &Changed| made.tail == page.tail;
        return if page.changes.last().is_some_and(is_right) {
            Ok(())
        } else {
            Err("the next page begins elsewhere than behind the last change of this one".to_owned())
        };
    }
    place.note_tail(page.tail, (end, next.unwrap_or(place.log.len())))
}

/// Whether a key would make a page longer than it may be.
fn cuts(page: &ChangePage, key: &[u8]) -> bool {
    let bytes: usize = page.changes.iter().map(|made| made.key.len()).sum();
    bytes + key.len() > PAGE_BYTES && !page.changes.is_empty()
}

/// The next change of a bucket in the log.
fn next_of(place: &Place, bucket: &[u8], from: usize) -> Option<usize> {
    (from..place.log.len()).find(|at| place.log[*at].bucket == bucket)
}

/// Where each change of a page ends in the log, if the page begins there.
fn fit(place: &Place, bucket: &[u8], start: usize, page: &ChangePage) -> Option<Vec<usize>> {
    let mut ends = Vec::new();
    let mut at = start;
    for made in &page.changes {
        let next = next_of(place, bucket, at)?;
        let Logged {
            key, is_deletion, ..
        } = &place.log[next];
        if *key != made.key || *is_deletion != made.is_deletion {
            return None;
        }
        at = next + 1;
        ends.push(at);
    }
    (!page.is_last || next_of(place, bucket, at).is_none()).then_some(ends)
}

/// All changes from the beginning on make the keys that are there.
fn replayed(place: &Place, bucket: &[u8], page: &ChangePage) -> Result<(), String> {
    let mut keys = std::collections::BTreeSet::new();
    for made in &page.changes {
        if made.is_deletion {
            keys.remove(&made.key);
        } else {
            keys.insert(made.key.clone());
        }
    }
    if place.keys(bucket, b"", None).eq(&keys) {
        return Ok(());
    }
    Err("all changes together do not make the keys that are there".to_owned())
}
