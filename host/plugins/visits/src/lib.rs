//! A visit counter: how many visits there were, and who the last ten visitors were.
//!
//! It imports `wasi:keyvalue` and nothing of tailstone's, so it runs unchanged on every host that has that interface. The
//! store is the one that the host grants as `visits`.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wasm/wit",
        world: "visits",
        generate_all,
        pub_export_macro: false,
    });

    export!(Visits with_types_in self);

    use super::Visits;
}

use bindings::Guest;
use bindings::wasi::keyvalue0_2_0_draft::store::{Bucket, Error, open};
use bindings::wasi::keyvalue0_2_0_draft::{atomics, batch};

/// What the host knows the store by.
const STORE: &str = "visits";

/// The key of the counter.
const COUNT: &str = "count";

/// What the keys of visitors begin with; behind it comes the number of the visit.
const VISITOR: &str = "visitor/";

/// Visitors that are kept.
const KEPT: u64 = 10;

struct Visits;

impl Guest for Visits {
    fn visit(visitor: String) -> Result<u64, String> {
        visit(&visitor).map_err(in_words)
    }

    fn latest() -> Result<Vec<String>, String> {
        latest().map_err(in_words)
    }
}

fn visit(visitor: &str) -> Result<u64, Error> {
    let bucket = open(STORE)?;
    // Nothing comes between the reading and the writing of the number, so no two visits have the same one.
    let number = atomics::increment(&bucket, COUNT, 1)?;
    bucket.set(&key_of(number), visitor.as_bytes())?;
    if let Some(old) = number.checked_sub(KEPT) {
        bucket.delete(&key_of(old))?;
    }
    Ok(number)
}

/// As many digits as the longest number has, so that the order of the keys is that of the visits.
fn key_of(visit: u64) -> String {
    format!("{VISITOR}{visit:020}")
}

fn latest() -> Result<Vec<String>, Error> {
    let bucket = open(STORE)?;
    let mut keys = visitors(&bucket)?;
    // Not every host lists keys in their order.
    keys.sort_unstable_by(|one, other| other.cmp(one));
    // One that was deleted since it was listed is none here.
    let found = batch::get_many(&bucket, &keys)?.into_iter().flatten();
    Ok(found
        .map(|(_, name)| String::from_utf8_lossy(&name).into_owned())
        .collect())
}

/// The keys of the visitors. A page may be empty and not the last, so the cursor alone says when to stop.
fn visitors(bucket: &Bucket) -> Result<Vec<String>, Error> {
    let mut keys = Vec::new();
    let mut cursor = None;
    loop {
        let page = bucket.list_keys(cursor)?;
        keys.extend(page.keys.into_iter().filter(|key| key.starts_with(VISITOR)));
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(keys),
        }
    }
}

fn in_words(error: Error) -> String {
    match error {
        Error::NoSuchStore => format!("there is no store called {STORE}"),
        Error::AccessDenied => format!("the store {STORE} was not granted"),
        Error::Other(sentence) => sentence,
    }
}
