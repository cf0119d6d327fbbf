//! A plugin whose calls the host's benchmark measures, and whose host a test ends meanwhile: one thing, again and again.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wasm/wit",
        world: "rounds",
        generate_all,
        pub_export_macro: false,
    });

    export!(Rounds with_types_in self);

    use super::Rounds;
}

use std::cell::RefCell;
use std::rc::Rc;

use bindings::Guest;
use bindings::wasi::keyvalue0_2_0_draft::batch::set_many;
use bindings::wasi::keyvalue0_2_0_draft::store::{Bucket, Error, open};

/// As many keys are set in turn.
const KEYS: usize = 64;
/// Keys of a round.
const KEYS_OF_A_ROUND: usize = 50;
/// Bytes of the longest value of a round, besides its number.
const MOST_BYTES: usize = 700;

struct Rounds;

thread_local! {
    /// The bucket that was opened last, which stays open: opening is not what is measured.
    static OPENED: RefCell<Option<(String, Rc<Bucket>)>> = const { RefCell::new(None) };
    /// What was set last, which is kept: neither is making values.
    static PREPARED: RefCell<Option<Rc<Prepared>>> = const { RefCell::new(None) };
}

/// What is set again and again.
struct Prepared {
    name: String,
    keys: Vec<String>,
    value: Vec<u8>,
}

impl Guest for Rounds {
    fn set(identifier: String, key: String, bytes: u32, times: u32) -> Result<(), String> {
        let bucket = opened(&identifier)?;
        let prepared = prepared(key, bytes);
        let times = usize::try_from(times).unwrap_or(usize::MAX);
        for key in prepared.keys.iter().cycle().take(times) {
            bucket.set(key, &prepared.value).map_err(in_words)?;
        }
        Ok(())
    }

    fn get(identifier: String, key: String, bytes: u32, times: u32) -> Result<u64, String> {
        let bucket = opened(&identifier)?;
        if bytes > 0 {
            bucket.set(&key, &value(bytes)).map_err(in_words)?;
        }
        let mut sum = 0;
        for _ in 0..times {
            let value = bucket.get(&key).map_err(in_words)?;
            sum += value.map_or(0, |value| value.len() as u64);
        }
        Ok(sum)
    }

    fn close() {
        OPENED.take();
    }

    fn set_rounds(identifier: String, first: u64, rounds: u64) -> Result<(), String> {
        // One of its own, which is closed behind the last round.
        let bucket = open(&identifier).map_err(in_words)?;
        for round in (first..).take(usize::try_from(rounds).unwrap_or(usize::MAX)) {
            let pair = |key: usize| {
                let mut value = format!("{round} ").into_bytes();
                value.resize(value.len() + key * 131 % MOST_BYTES, b'.');
                (format!("k{key}"), value)
            };
            let pairs: Vec<_> = (0..KEYS_OF_A_ROUND).map(pair).collect();
            set_many(&bucket, &pairs).map_err(in_words)?;
        }
        Ok(())
    }
}

fn value(bytes: u32) -> Vec<u8> {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    (0..=250).cycle().take(length).collect()
}

fn prepared(name: String, bytes: u32) -> Rc<Prepared> {
    PREPARED.with_borrow_mut(|prepared| {
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        if let Some(prepared) = prepared
            && prepared.name == name
            && prepared.value.len() == length
        {
            return Rc::clone(prepared);
        }
        let made = Rc::new(Prepared {
            keys: (0..KEYS).map(|number| format!("{name} {number}")).collect(),
            value: value(bytes),
            name,
        });
        *prepared = Some(Rc::clone(&made));
        made
    })
}

fn opened(identifier: &str) -> Result<Rc<Bucket>, String> {
    OPENED.with_borrow_mut(|opened| {
        if let Some((name, bucket)) = opened
            && name == identifier
        {
            return Ok(Rc::clone(bucket));
        }
        let bucket = Rc::new(open(identifier).map_err(in_words)?);
        *opened = Some((identifier.to_owned(), Rc::clone(&bucket)));
        Ok(bucket)
    })
}

fn in_words(error: Error) -> String {
    match error {
        Error::NoSuchStore => "there is no such store".to_owned(),
        Error::AccessDenied => "this was not granted".to_owned(),
        Error::Other(sentence) => sentence,
    }
}
