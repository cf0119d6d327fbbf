//! A plugin whose calls the host's benchmark measures: one thing, again and again.

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

use bindings::Guest;
use bindings::wasi::keyvalue0_2_0_draft::store::{Bucket, Error, open};

struct Rounds;

impl Guest for Rounds {
    fn set(identifier: String, key: String, bytes: u32, times: u32) -> Result<(), String> {
        let bucket = opened(&identifier)?;
        let value = value(bytes);
        for _ in 0..times {
            bucket.set(&key, &value).map_err(in_words)?;
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
}

fn value(bytes: u32) -> Vec<u8> {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    (0..=250).cycle().take(length).collect()
}

fn opened(identifier: &str) -> Result<Bucket, String> {
    open(identifier).map_err(in_words)
}

fn in_words(error: Error) -> String {
    match error {
        Error::NoSuchStore => "there is no such store".to_owned(),
        Error::AccessDenied => "this was not granted".to_owned(),
        Error::Other(sentence) => sentence,
    }
}
