//! A plugin that means harm: each function is one attack, and the host must be there after it.
//!
//! The store is the one that the host grants as `prey`.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wasm/wit",
        world: "hostile",
        generate_all,
        pub_export_macro: false,
    });

    export!(Hostile with_types_in self);

    use super::Hostile;
}

use std::hint::black_box;

use bindings::exports::tailstone::store::attacks::Guest;
use bindings::tailstone::store::stores::{Access, Store};
use bindings::wasi::keyvalue0_2_0_draft2::batch;
use bindings::wasi::keyvalue0_2_0_draft2::store::{Bucket, Error, open};

/// What the host knows the store by.
const STORE: &str = "prey";

const MEBIBYTE: usize = 1 << 20;

/// Keys that are set at a time.
const AT_A_TIME: u32 = 1000;

struct Hostile;

impl Guest for Hostile {
    fn loop_forever() {
        let mut state = 1_u64;
        loop {
            state = black_box(state.wrapping_mul(3));
        }
    }

    fn take_memory() -> u64 {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut bytes = Vec::new();
            if bytes.try_reserve_exact(MEBIBYTE).is_err() {
                return taken.len() as u64;
            }
            // Memory that is not written to might cost the host nothing.
            bytes.resize(MEBIBYTE, 1);
            taken.push(black_box(bytes));
        }
    }

    fn open_many(count: u32) -> u32 {
        let mut opened = Vec::new();
        for number in 0..count {
            match open(STORE) {
                Ok(bucket) => opened.push(bucket),
                Err(_) => return number,
            }
        }
        count
    }

    fn set_huge(mebibytes: u32) -> Result<(), String> {
        let value = vec![1; (mebibytes as usize).saturating_mul(MEBIBYTE)];
        prey()?.set("huge", &value).map_err(in_words)
    }

    fn list_many(count: u32) -> Result<u32, String> {
        let bucket = prey()?;
        for first in (0..count).step_by(AT_A_TIME as usize) {
            let keys = first..count.min(first.saturating_add(AT_A_TIME));
            let pairs = keys.map(|key| (format!("key {key:09}"), Vec::new()));
            let pairs: Vec<_> = pairs.collect();
            batch::set_many(&bucket, &pairs).map_err(in_words)?;
        }
        let (mut listed, mut cursor) = (0_usize, None::<String>);
        loop {
            let page = bucket.list_keys(cursor.as_deref()).map_err(in_words)?;
            listed += page.keys.len();
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(u32::try_from(listed).unwrap_or(u32::MAX)),
            }
        }
    }

    fn get_repeatedly(times: u32) -> Result<u64, String> {
        let bucket = prey()?;
        bucket.set("large", &vec![1; MEBIBYTE]).map_err(in_words)?;
        let keys = vec!["large".to_owned(); times as usize];
        let found = batch::get_many(&bucket, &keys).map_err(in_words)?;
        let values = found.iter().flatten();
        Ok(values.map(|(_, value)| value.len() as u64).sum())
    }

    fn recurse() -> u64 {
        deeper(1)
    }

    #[expect(clippy::panic, reason = "this is the attack")]
    fn panic() {
        panic!("on purpose");
    }

    fn open_strange_names() -> Vec<String> {
        let long = "n".repeat(MEBIBYTE);
        let names = [
            "", ".", "..", "/", "../prey", "./prey", "prey/", "/etc", "prey\0", "\0", "a\0b",
            "C:\\prey", "Prey", "prey ", "*", &long,
        ];
        let in_ours = |name: &str| Store::open(name, b"", Access::Create).is_ok();
        let is_open = |name: &&str| open(name).is_ok() || in_ours(name);
        let let_in = names.into_iter().filter(is_open);
        let_in.map(str::to_owned).collect()
    }

    fn set_long_key(bytes: u32) -> Result<(), String> {
        let key = "k".repeat(bytes as usize);
        prey()?.set(&key, b"value").map_err(in_words)
    }
}

/// The sum is taken behind the call, so that no compiler makes a loop of it.
#[expect(unconditional_recursion, reason = "this is the attack")]
fn deeper(level: u64) -> u64 {
    deeper(black_box(level + 1)).wrapping_add(black_box(level))
}

fn prey() -> Result<Bucket, String> {
    open(STORE).map_err(in_words)
}

fn in_words(error: Error) -> String {
    match error {
        Error::NoSuchStore => "there is no such store".to_owned(),
        Error::AccessDenied => "this was not granted".to_owned(),
        Error::Other(sentence) => sentence,
    }
}
