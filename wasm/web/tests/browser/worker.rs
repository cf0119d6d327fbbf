//! A store as a worker uses it: requests and answers go through the module's memory.

use crate::handles::failure;
use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use tailstone_web::{SyncHandle, WebStore};
use wasm_bindgen::prelude::*;

pub const DONE: u32 = 0;
pub const NONE: u32 = 1;
pub const VALUE: u32 = 2;
pub const NUMBER: u32 = 3;
pub const ERROR: u32 = 4;
pub const EXTENT: u32 = 5;
pub const VERSIONED: u32 = 6;

/// A store on a handle.
pub struct Worker {
    pub store: WebStore,
}

/// A request that is being put together.
#[derive(Default)]
pub struct Request(Vec<u8>);

impl Request {
    /// In the bucket `b`.
    pub fn new() -> Self {
        Self::default().operation(0, 0, b"b", b"")
    }

    pub fn operation(mut self, code: u32, flags: u32, key: &[u8], value: &[u8]) -> Self {
        let lengths = [key.len(), value.len()].map(|length| u32::try_from(length).unwrap());
        for word in [code | flags << 8, lengths[0], lengths[1]] {
            self.0.extend_from_slice(&word.to_le_bytes());
        }
        self.0.extend_from_slice(key);
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    pub fn set(self, key: &[u8], value: &[u8]) -> Self {
        self.operation(1, 0, key, value)
    }

    pub fn get(self, key: &[u8]) -> Self {
        self.operation(2, 0, key, b"")
    }
}

/// Its kind and what belongs to it.
pub type Answer = (u32, Vec<u8>);

impl Worker {
    pub fn open(handle: impl Into<SyncHandle>) -> Self {
        match WebStore::new(handle.into(), 1) {
            Ok(store) => Self { store },
            error => panic!("could not open: {}", failure(error)),
        }
    }

    pub fn run(&mut self, request: &Request) -> Vec<Answer> {
        let length = self.fill(request);
        let length = ok(self.store.run(length));
        let bytes = memory(self.store.output(), length).to_vec();
        let (mut answers, mut rest) = (Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let (kind, length) = (word(0), word(4) as usize);
            answers.push((kind, rest[8..8 + length].to_vec()));
            rest = &rest[8 + length.next_multiple_of(4)..];
        }
        answers
    }

    /// Puts a request where it is to be, and gives its length.
    pub fn fill(&mut self, request: &Request) -> usize {
        let address = self.store.input(request.0.len());
        memory(address, request.0.len()).copy_from(&request.0);
        request.0.len()
    }

    pub fn one(&mut self, request: &Request) -> Answer {
        let mut answers = self.run(request);
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub fn set(&mut self, key: &[u8], value: &[u8]) -> Answer {
        self.one(&Request::new().set(key, value))
    }

    pub fn get(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        match self.one(&Request::new().get(key)) {
            (NONE, _) => None,
            (VALUE, bytes) => Some(bytes),
            (EXTENT, place) => Some(self.read(float(&place, 0), float(&place, 8))),
            other => panic!("{other:?}"),
        }
    }

    /// Bytes of the file, past this module's memory.
    pub fn read(&self, at: f64, length: f64) -> Vec<u8> {
        let target = Uint8Array::new(&length.into());
        ok(self.store.read_file(at, &target));
        target.to_vec()
    }

    /// What was changed by the last call.
    pub fn changes(&self) -> Vec<u8> {
        memory(self.store.changes(), self.store.changes_len()).to_vec()
    }

    /// One of the numbers of an object such as the statistics.
    pub fn stat(&self, name: &str) -> f64 {
        number(&ok(self.store.stats()), name)
    }
}

pub fn number(object: &Object, name: &str) -> f64 {
    Reflect::get(object, &name.into())
        .unwrap()
        .as_f64()
        .unwrap()
}

pub fn float(bytes: &[u8], at: usize) -> f64 {
    f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The code of an answer that is an error.
pub fn code((kind, body): &Answer) -> u32 {
    assert_eq!(*kind, ERROR);
    u32::from_le_bytes(body[..4].try_into().unwrap())
}

pub fn ok<T>(result: Result<T, impl Into<JsValue>>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("failed: {}", failure(Err::<T, _>(error))),
    }
}

/// A part of this module's memory, as the other side sees it.
fn memory(address: usize, length: usize) -> Uint8Array {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let number = |number: usize| u32::try_from(number).unwrap();
    Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), number(address), number(length))
}
