//! What `wasi:keyvalue` asks beyond `tailstone:store`: numbers as text, keys as text, cursors that are numbers.

use std::ops::RangeInclusive;

use tailstone::backing::Backing;

use crate::bounds::PAGE_ENTRIES;
use crate::page::KeyPage;
use crate::refusal::{Refusal, Result};
use crate::table::Table;

/// The bucket of a store whose keys `wasi:keyvalue` shows; the npm package opens the same one unless told otherwise.
pub const BUCKET: &[u8] = b"default";

/// Pages that one call looks through for a key that is text.
const MOST_PAGES: usize = 100;

/// Some keys in their order, and behind which of them the next page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextPage {
    /// The keys. Those that are no text are left out: the interface has no way to say them.
    pub keys: Vec<String>,
    /// The last key; `None` if no other comes behind it.
    pub cursor: Option<String>,
}

/// The keys behind `cursor`, a page of them.
pub fn list_keys<B: Backing>(table: &Table<'_, B>, cursor: Option<&str>) -> Result<TextPage> {
    texts(cursor, |behind| table.scan(b"", behind, PAGE_ENTRIES))
}

/// The keys that are text of the pages that `scan` gives behind a key, up to the first page that has some.
pub fn texts(
    cursor: Option<&str>,
    mut scan: impl FnMut(Option<&[u8]>) -> Result<KeyPage>,
) -> Result<TextPage> {
    let mut behind = cursor.map(|cursor| cursor.as_bytes().to_vec());
    for _ in 0..MOST_PAGES {
        let page = scan(behind.as_deref())?;
        let keys = page.keys.into_iter().map(String::from_utf8);
        let keys: Vec<String> = keys.filter_map(std::result::Result::ok).collect();
        if keys.is_empty() && page.cursor.is_some() {
            behind = page.cursor;
            continue;
        }
        let cursor = page.cursor.and_then(|_| keys.last().cloned());
        return Ok(TextPage { keys, cursor });
    }
    Err(Refusal::Other(
        "too many keys that are no text come one behind the other".to_owned(),
    ))
}

/// The same where a cursor is a number: the hash of the last key, which is looked for in the log if the key was deleted
/// since.
pub fn list_keys_by_number<B: Backing>(
    table: &Table<'_, B>,
    cursor: Option<u64>,
) -> Result<(Vec<String>, Option<u64>)> {
    let behind = match cursor {
        Some(hash) => match table.bucket().key_with_hash(hash)? {
            Some(key) => Some(String::from_utf8(key).map_err(|_| Refusal::StaleCursor)?),
            None => return Err(Refusal::StaleCursor),
        },
        None => None,
    };
    let page = list_keys(table, behind.as_deref())?;
    let hash = page
        .cursor
        .map(|key| table.bucket().hash_of(key.as_bytes()));
    Ok((page.keys, hash.transpose()?))
}

/// Adds `delta` to the number under `key`, 0 if it has no value, as long as the sum lies in `range`.
///
/// A number is stored as decimal digits in ASCII, with a minus before them if it is less than 0. A value that is no such number
/// stays, and is the caller's error; so does one whose sum would lie elsewhere.
pub fn increment<B: Backing>(
    table: &Table<'_, B>,
    key: &[u8],
    delta: i128,
    range: RangeInclusive<i128>,
) -> Result<i128> {
    loop {
        let stored = table.bucket().get(key)?;
        let version = stored
            .as_ref()
            .map(|value| table.version_of(value.version()));
        let text = stored.as_ref().map(tailstone::Value::as_slice);
        let sum = sum(text, delta, range.clone())?;
        if table.put_if(key, sum.to_string().as_bytes(), version)? {
            return Ok(sum);
        }
    }
}

/// What `increment` makes of what is stored: the number in `text`, 0 without one, and `delta`.
pub fn sum(text: Option<&[u8]>, delta: i128, range: RangeInclusive<i128>) -> Result<i128> {
    let before = text.map_or(Ok(0), number)?;
    let sum = before.checked_add(delta).filter(|sum| range.contains(sum));
    sum.ok_or_else(|| {
        Refusal::Other(format!(
            "{before} and {delta} come to what a counter cannot hold"
        ))
    })
}

/// Digits of the longest number of 64 bits, with its sign.
const LONGEST_NUMBER: usize = 20;

fn number(text: &[u8]) -> Result<i128> {
    let not_a_number =
        || Refusal::Other("the value is no decimal number, so it cannot be counted up".to_owned());
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || text.len() > LONGEST_NUMBER {
        return Err(not_a_number());
    }
    let mut magnitude = 0_i128;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(not_a_number());
        }
        magnitude = magnitude * 10 + i128::from(digit - b'0');
    }
    Ok(if digits.len() == text.len() {
        magnitude
    } else {
        -magnitude
    })
}
