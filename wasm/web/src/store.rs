//! What the worker calls: one store on one handle.
//!
//! Requests and answers lie in this module's memory, at addresses that hold until the next call: the worker reads and writes them there.

use crate::answers::Answers;
use crate::backing::{Promotion, WebBacking};
use crate::changes::{Change, Changes};
use crate::clock;
use crate::execute::Executor;
use crate::failure::Failure;
use crate::handle::SyncHandle;
use crate::number;
use crate::source::{Source, SourceReader};
use js_sys::{Object, Reflect, Uint8Array};
use tailstone::recovery::Outcome;
use tailstone::{Error, Options, Store};
use wasm_bindgen::prelude::*;

pub type Result<T> = std::result::Result<T, Failure>;

/// A store on an open handle. It lets go of the handle when it is closed, but does not close it.
#[wasm_bindgen]
pub struct WebStore {
    store: Option<Store<WebBacking>>,
    /// The file of `store`.
    backing: WebBacking,
    generation: u32,
    request: Vec<u8>,
    answers: Answers,
    changes: Changes,
}

#[wasm_bindgen]
impl WebStore {
    /// Opens and recovers the store behind `handle`; an empty file is an empty store. Compactions are counted from `generation` on.
    #[wasm_bindgen(constructor)]
    pub fn new(handle: SyncHandle, generation: u32) -> Result<WebStore> {
        clock::wind();
        let backing = WebBacking::open(handle).map_err(io_failure("ask for the length"))?;
        let options = Options::new().clock(clock::now);
        let store = Store::open_with(backing.clone(), &options)?;
        Ok(Self {
            store: Some(store),
            backing,
            generation,
            request: Vec::new(),
            answers: Answers::default(),
            changes: Changes::default(),
        })
    }

    /// Room for a request of `length` bytes, until the next call.
    pub fn input(&mut self, length: usize) -> usize {
        let capacity = self.request.capacity();
        if capacity > crate::KEPT_BYTES && length < capacity / 4 {
            self.request.truncate(length);
            self.request.shrink_to(crate::KEPT_BYTES);
        }
        if self.request.len() < length {
            // What it held goes first. Not `resize`, which stores byte after byte where code is made small.
            self.request = Vec::new();
            self.request = vec![0; length];
        }
        self.request.as_ptr().addr()
    }

    /// Carries out the request in the first `length` bytes of the input and returns the length of the answers.
    pub fn run(&mut self, length: usize) -> Result<usize> {
        clock::wind();
        self.answers.clear();
        self.changes.clear();
        let store = self.store.as_ref().ok_or(Failure::Closed)?;
        let mut executor = Executor {
            store,
            backing: &self.backing,
            generation: self.generation,
            answers: &mut self.answers,
            changes: &mut self.changes,
        };
        let request = self.request.get(..length);
        request
            .and_then(|request| executor.run(request).ok())
            .ok_or(Failure::Invalid("the request is malformed"))?;
        Ok(self.answers.bytes().len())
    }

    /// Where the answers lie, until the next call.
    pub fn output(&self) -> usize {
        self.answers.bytes().as_ptr().addr()
    }

    /// How many of the answers say where a value lies.
    pub fn extents(&self) -> u32 {
        self.answers.extents()
    }

    /// How many of the answers say that the browser grants no more space.
    pub fn refused(&self) -> u32 {
        self.answers.refused()
    }

    /// Whether changes are recorded.
    pub fn watch(&mut self, on: bool) {
        self.changes.watch(on);
    }

    /// Length of what the last call changed.
    #[wasm_bindgen(js_name = changesLen)]
    pub fn changes_len(&self) -> usize {
        self.changes.bytes().len()
    }

    /// Where the records of it lie, until the next call.
    pub fn changes(&self) -> usize {
        self.changes.bytes().as_ptr().addr()
    }

    /// Fills `target` with the bytes of the file from `at` on.
    #[wasm_bindgen(js_name = readFile)]
    pub fn read_file(&self, at: f64, target: &Uint8Array) -> Result<()> {
        self.open()?;
        self.backing
            .read_into(number::from_js(at), target)
            .map_err(io_failure("read a value"))
    }

    /// Stores one value of `length` bytes that is pulled from `source`, in memory that does not depend on its length, until
    /// `expires_at` (milliseconds since 1970, 0 is for good). The source must not use this store.
    #[wasm_bindgen(js_name = setFrom)]
    pub fn set_from(
        &mut self,
        bucket: &[u8],
        key: &[u8],
        length: f64,
        expires_at: f64,
        source: &Source,
    ) -> Result<()> {
        clock::wind();
        self.changes.clear();
        let (length, expires_at) = (number::from_js(length), number::from_js(expires_at));
        self.open()?.bucket(bucket)?.set_sized_until(
            key,
            length,
            &mut SourceReader(source),
            expires_at,
        )?;
        self.changes.add(Change::Set, bucket, key);
        Ok(())
    }

    /// Bytes written since the last good sync.
    pub fn unflushed(&self) -> f64 {
        number::to_js(self.backing.buffer().unsynced())
    }

    /// Bytes in the write buffer, which the handle has not got.
    pub fn gathered(&self) -> usize {
        self.backing
            .buffer()
            .with_gathered(|_, gathered| gathered.len())
    }

    /// Hands what is in the write buffer to the handle, in one write. If that fails nothing is lost: the buffer is read as before, and
    /// the next call tries again.
    pub fn drain(&self) -> Result<()> {
        self.open()?;
        self.backing
            .buffer()
            .drain()
            .map_err(io_failure("write to the file"))
    }

    /// Drains, and returns once everything written before is on stable storage. After a failed flush, but not after a failed drain, the
    /// store takes no more writes.
    pub fn sync(&self) -> Result<()> {
        self.drain()?;
        Ok(self.open()?.sync()?)
    }

    /// Where the store ends in its file.
    pub fn tail(&self) -> Result<f64> {
        Ok(number::to_js(self.open()?.tail()))
    }

    /// How many compactions there were, from the number on that it was opened with.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// What opening found, in numbers and one word.
    pub fn recovery(&self) -> Result<Object> {
        let report = self.open()?.recovery_report();
        let outcome = match report.outcome {
            Outcome::Empty => "Empty",
            Outcome::Clean => "Clean",
            Outcome::UnusedSpace => "UnusedSpace",
            Outcome::TornTail => "TornTail",
            Outcome::TornBatch => "TornBatch",
            Outcome::DamagedLastPayload => "DamagedLastPayload",
            _ => "Other",
        };
        let object = object(&[
            ("fileBytes", report.file_len),
            ("tail", report.tail),
            ("cutBytes", report.cut_bytes),
            ("entries", report.entries),
            ("damagedEntries", report.damaged_entries),
        ]);
        set(&object, "outcome", &outcome.into());
        Ok(object)
    }

    /// What the store holds and takes.
    pub fn stats(&self) -> Result<Object> {
        let stats = self.open()?.stats();
        Ok(object(&[
            ("liveKeys", stats.live_keys),
            ("fileBytes", stats.file_bytes),
            ("compactedBytes", stats.compacted_bytes),
            ("compactionSavings", stats.compaction_savings),
            (
                "indexBytes",
                stats.index_bytes.saturating_add(stats.directory_bytes),
            ),
            ("unflushedBytes", self.backing.buffer().unsynced()),
        ]))
    }

    /// Reads and checks the whole store.
    pub fn verify(&self) -> Result<Object> {
        let report = self.open()?.verify(&mut |_, _| {})?;
        let object = object(&[
            ("fileBytes", report.file_len),
            ("entries", report.entries),
            ("damagedEntries", report.damaged_count),
            ("unreferencedBytes", report.unreferenced_bytes),
        ]);
        set(&object, "sound", &report.is_sound().into());
        Ok(object)
    }

    /// Writes the live entries to `spare`, syncs it, has `promotion` make it the store's file, and goes on there. If any of it fails
    /// the store goes on as before.
    pub fn compact(&mut self, spare: SyncHandle, promotion: &Promotion) -> Result<()> {
        clock::wind();
        let store = self.store.as_ref().ok_or(Failure::Closed)?;
        // The copy may need the room that is reserved here; without it there is as much as before.
        let _given_back = self.backing.buffer().trim();
        self.backing
            .offer(spare, promotion)
            .map_err(io_failure("open the spare file"))?;
        let compacted = store.compact();
        let spare = self.backing.take_spare();
        compacted?;
        if let Some(spare) = spare {
            self.backing = spare;
        }
        self.generation = self.generation.wrapping_add(1);
        Ok(())
    }

    /// Puts the index away if that is due, syncs, cuts the file to its tail, and refuses every later call. If what is in the write buffer
    /// cannot be written, the store stays open.
    pub fn close(&mut self) -> Result<()> {
        if self.store.is_none() {
            return Ok(());
        }
        self.drain()?;
        if let Some(store) = self.store.take() {
            store.close()?;
        }
        self.backing
            .buffer()
            .trim()
            .map_err(io_failure("cut the file to its tail"))
    }
}

impl WebStore {
    fn open(&self) -> Result<&Store<WebBacking>> {
        self.store.as_ref().ok_or(Failure::Closed)
    }
}

/// Names what was being done when the handle failed.
pub const fn io_failure(doing: &'static str) -> impl FnOnce(std::io::Error) -> Failure {
    move |source| Failure::Engine(Error::Io { doing, source })
}

/// A plain object of numbers: one that a message can carry.
pub fn object(fields: &[(&str, u64)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, &number::to_js(*value).into());
    }
    object
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a property of a plain object cannot fail.
    let _set = Reflect::set(object, &name.into(), value);
}
