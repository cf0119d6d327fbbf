//! Notes that are found by their words.
//!
//! Everything lies in one bucket, so that one batch adds a note and all its words or nothing: under `n` and its number the
//! note, under `w`, a word, a zero and the number of a note with that word nothing, under `last` the highest number. Numbers
//! are big-endian, so the order of the keys is that of the notes. The store is the one that the host grants as `notes`.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wasm/wit",
        world: "notes",
        generate_all,
        pub_export_macro: false,
    });

    export!(Notes with_types_in self);

    use super::Notes;
}

use std::collections::BTreeSet;

use bindings::exports::tailstone::store::notebook::{Found, Guest, News};
use bindings::tailstone::store::stores::{Access, Change, Entry, Error, Store};

/// Bytes of a note that a list shows; the rest of it is not read.
const SNIPPET_BYTES: u64 = 80;

struct Notes;

impl Guest for Notes {
    fn add(text: String) -> Result<u64, String> {
        add(&text).map_err(|error| error.to_string())
    }

    fn search(words: String) -> Result<Vec<Found>, String> {
        search(&words).map_err(|error| error.to_string())
    }

    fn recent(since: u64) -> Result<News, String> {
        recent(since).map_err(|error| error.to_string())
    }
}

fn open() -> Result<Store, Error> {
    Store::open("notes", b"notes", Access::Create)
}

fn add(text: &str) -> Result<u64, Error> {
    let store = open()?;
    let id = next_number(&store)?;
    let mut changes = vec![put(key(b"n", id), text.as_bytes())];
    let put_word = |word: &String| put(key(&before_ids(word), id), b"");
    changes.extend(words(text).iter().map(put_word));
    store.append_batch(&changes)?;
    Ok(id)
}

/// A number that nobody else has. One whose note was never added is left out for good.
fn next_number(store: &Store) -> Result<u64, Error> {
    loop {
        // The version before the value: if the value is a newer one, the version is not, and `put-if` says so.
        let version = store.stat(b"last")?.map(|stat| stat.version);
        let last = store.get(b"last")?.and_then(|bytes| number(&bytes));
        let next = last.unwrap_or(0) + 1;
        if store.put_if(b"last", &next.to_be_bytes(), version)? {
            return Ok(next);
        }
    }
}

fn search(text: &str) -> Result<Vec<Found>, Error> {
    let store = open()?;
    let mut found: Option<BTreeSet<u64>> = None;
    for word in words(text) {
        let ids = ids_with(&store, &word)?;
        found = Some(match found {
            Some(before) => before.intersection(&ids).copied().collect(),
            None => ids,
        });
    }
    let ids = found.into_iter().flatten();
    ids.filter_map(|id| snippet(&store, id).transpose())
        .collect()
}

fn ids_with(store: &Store, word: &str) -> Result<BTreeSet<u64>, Error> {
    let prefix = before_ids(word);
    let mut ids = BTreeSet::new();
    let mut cursor: Option<Vec<u8>> = None;
    loop {
        let page = store.scan(&prefix, cursor.as_deref(), u32::MAX)?;
        let keys = page.keys.iter();
        ids.extend(keys.filter_map(|key| number(key.strip_prefix(&*prefix)?)));
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(ids),
        }
    }
}

fn snippet(store: &Store, id: u64) -> Result<Option<Found>, Error> {
    let bytes = store.get_range(&key(b"n", id), 0, SNIPPET_BYTES)?;
    Ok(bytes.map(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        // The range may end within a letter.
        let snippet = text.trim_end_matches('\u{fffd}').to_owned();
        Found { id, snippet }
    }))
}

/// A compaction moves entries, and a tail of before is then refused: whoever follows the notes asks from 0 again.
fn recent(since: u64) -> Result<News, Error> {
    let store = open()?;
    let page = store.changes(since, u32::MAX)?;
    let since = page.tail;
    let keys = page.changes.iter().map(|change| &change.key);
    let ids = keys.filter_map(|key| number(key.strip_prefix(b"n")?));
    let notes = ids.filter_map(|id| snippet(&store, id).transpose());
    let notes = notes.collect::<Result<_, _>>()?;
    Ok(News { notes, since })
}

/// The words of a text, each once, as they are looked for.
fn words(text: &str) -> BTreeSet<String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    let words = parts.filter(|part| !part.is_empty());
    words.map(str::to_lowercase).collect()
}

/// What the keys of a word's notes begin with. No word has a zero in it, so none is the beginning of another one's.
fn before_ids(word: &str) -> Vec<u8> {
    [b"w", word.as_bytes(), b"\0"].concat()
}

fn key(prefix: &[u8], id: u64) -> Vec<u8> {
    [prefix, &id.to_be_bytes()].concat()
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

fn put(key: Vec<u8>, value: &[u8]) -> Change {
    let value = value.to_vec();
    Change::Put(Entry { key, value })
}
