//! What the worker calls: one store on one handle.
//!
//! Arguments are borrowed for the call; values leave straight from the handle into a buffer of the caller's.

use crate::device::OpfsDevice;
use crate::failure::Failure;
use crate::handle::SyncHandle;
use crate::number;
use crate::source::{Source, SourceReader};
use js_sys::{Object, Reflect, Uint8Array};
use std::cell::RefCell;
use tailstone::backing::device::DeviceBacking;
use tailstone::format::align_to_payload;
use tailstone::{DataStoreReader, DataStoreWriter, Options, Store};
use wasm_bindgen::prelude::*;

/// What the store keeps in memory of its file, besides the index.
const CACHE_BYTES: usize = 8 << 20;

/// Values up to this length are read through the cache, where the page with their metadata mostly holds them too;
/// longer ones go from the handle straight into the caller's buffer.
const SMALL_BYTES: usize = 4096;

type Result<T> = std::result::Result<T, Failure>;

/// A store on an open handle. It lets go of the handle when it is closed, but does not close it.
#[wasm_bindgen]
pub struct WebStore {
    store: Option<Store<DeviceBacking<OpfsDevice>>>,
    /// The same handle once more, for reads that go past the store's cache.
    direct: OpfsDevice,
    found: RefCell<Found>,
}

/// What `find` found last.
#[derive(Default)]
struct Found {
    length: u64,
    /// The value, if it is small.
    small: Vec<u8>,
    /// Where the value starts in the file, if it is not.
    start: Option<u64>,
}

#[wasm_bindgen]
impl WebStore {
    /// Opens and recovers the store behind `handle`; an empty file is an empty store.
    #[wasm_bindgen(constructor)]
    pub fn new(handle: SyncHandle) -> Result<WebStore> {
        let direct = OpfsDevice::new(handle.clone());
        let backing = DeviceBacking::new(OpfsDevice::new(handle), CACHE_BYTES)
            .map_err(io_failure("ask for the length"))?;
        let store = Store::open_with(backing, &Options::new())?;
        Ok(Self {
            store: Some(store),
            direct,
            found: RefCell::default(),
        })
    }

    /// Stores one value.
    pub fn set(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.open()?.write(key, value)?;
        Ok(())
    }

    /// Stores several values in one write, or none of them. `places` has four numbers for each: where its key starts
    /// in `packed` and how long it is, then the same for its value.
    #[wasm_bindgen(js_name = setMany)]
    pub fn set_many(&self, packed: &[u8], places: &[u32]) -> Result<()> {
        let entries = unpack(packed, places)
            .ok_or(Failure::Invalid("a place lies outside of the packed bytes"))?;
        self.open()?.batch_write(&entries)?;
        Ok(())
    }

    /// Stores one value of `length` bytes that is pulled from `source`, in memory that does not depend on its length.
    #[wasm_bindgen(js_name = setFrom)]
    pub fn set_from(&self, key: &[u8], length: f64, source: &Source) -> Result<()> {
        self.open()?
            .write_sized(key, number::from_js(length), &mut SourceReader(source))?;
        Ok(())
    }

    /// Looks a value up for `readFound`, and gives its length.
    pub fn find(&self, key: &[u8]) -> Result<Option<f64>> {
        let store = self.open()?;
        let mut found = self.found.borrow_mut();
        found.small.clear();
        found.start = None;
        found.length = 0;
        let Some(length) = store.value_len(key)? else {
            return Ok(None);
        };
        match usize::try_from(length) {
            Ok(small) if small <= SMALL_BYTES => {
                found.small.resize(small, 0);
                store.read_range(key, 0, &mut found.small)?;
            }
            _ => {
                let metadata = store.read_metadata(key)?;
                found.start = metadata.map(|metadata| align_to_payload(metadata.prev_offset));
            }
        }
        found.length = length;
        Ok(Some(number::to_js(length)))
    }

    /// Length of a value, which is not read.
    pub fn size(&self, key: &[u8]) -> Result<Option<f64>> {
        Ok(self.open()?.value_len(key)?.map(number::to_js))
    }

    /// Fills `target` with the bytes from `offset` on of the value found last.
    #[wasm_bindgen(js_name = readFound)]
    pub fn read_found(&self, offset: f64, target: &Uint8Array) -> Result<()> {
        self.open()?;
        let found = self.found.borrow();
        let offset = number::from_js(offset);
        let end = offset.saturating_add(target.length().into());
        if end > found.length {
            return Err(Failure::Invalid("the range reaches past the value"));
        }
        if let Some(start) = found.start {
            return self.read_file(number::to_js(start + offset), target);
        }
        let range = usize::try_from(offset).ok().zip(usize::try_from(end).ok());
        let bytes = range.and_then(|(offset, end)| found.small.get(offset..end));
        target.copy_from(bytes.ok_or(Failure::Invalid("no value was found"))?);
        Ok(())
    }

    /// Fills `target` with the bytes of the file from `at` on.
    #[wasm_bindgen(js_name = readFile)]
    pub fn read_file(&self, at: f64, target: &Uint8Array) -> Result<()> {
        self.open()?;
        self.direct
            .read_into(number::from_js(at), target)
            .map_err(io_failure("read a value"))
    }

    /// Removes a value, and says whether there was one.
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        let store = self.open()?;
        let before = store.tail();
        Ok(store.delete(key)? != before)
    }

    /// Where the store ends in its file.
    pub fn tail(&self) -> Result<f64> {
        Ok(number::to_js(self.open()?.tail()))
    }

    /// Returns once everything written before is on stable storage.
    pub fn sync(&self) -> Result<()> {
        Ok(self.open()?.sync()?)
    }

    /// What opening found; the fields are those of `Recovery` in `protocol.ts`.
    pub fn recovery(&self) -> Result<Object> {
        let report = self.open()?.recovery_report();
        Ok(object(&[
            ("fileBytes", number::to_js(report.file_len).into()),
            ("tail", number::to_js(report.tail).into()),
            ("cutBytes", number::to_js(report.cut_bytes).into()),
            ("outcome", format!("{:?}", report.outcome).into()),
            ("summary", report.to_string().into()),
        ]))
    }

    /// What the store holds and takes; the fields are those of `Stats` in `protocol.ts`.
    pub fn stats(&self) -> Result<Object> {
        let stats = self.open()?.stats();
        Ok(object(&[
            ("liveKeys", number::to_js(stats.live_keys).into()),
            ("fileBytes", number::to_js(stats.file_bytes).into()),
            (
                "compactedBytes",
                number::to_js(stats.compacted_bytes).into(),
            ),
            (
                "compactionSavings",
                number::to_js(stats.compaction_savings).into(),
            ),
            ("indexBytes", number::to_js(stats.index_bytes).into()),
        ]))
    }

    /// Reads and checks the whole store; the fields are those of `Verdict` in `protocol.ts`.
    pub fn verify(&self) -> Result<Object> {
        let report = self.open()?.verify(&mut |_, _| {})?;
        Ok(object(&[
            ("sound", report.is_sound().into()),
            ("summary", report.to_string().into()),
        ]))
    }

    /// Syncs, cuts the file to its tail, and refuses every later call.
    pub fn close(&mut self) -> Result<()> {
        match self.store.take() {
            Some(store) => Ok(store.close()?),
            None => Ok(()),
        }
    }
}

impl WebStore {
    const fn open(&self) -> Result<&Store<DeviceBacking<OpfsDevice>>> {
        match &self.store {
            Some(store) => Ok(store),
            None => Err(Failure::Closed),
        }
    }
}

/// Names what was being done when the handle failed.
const fn io_failure(doing: &'static str) -> impl FnOnce(std::io::Error) -> Failure {
    move |source| Failure::Engine(tailstone::Error::Io { doing, source })
}

/// The keys and values that `places` names; `None` if it names something outside of `packed`.
fn unpack<'p>(packed: &'p [u8], places: &[u32]) -> Option<Vec<(&'p [u8], &'p [u8])>> {
    let slice = |start: u32, length: u32| {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        packed.get(start..end)
    };
    let (entries, rest) = places.as_chunks::<4>();
    let entries = entries
        .iter()
        .map(|&[key, key_length, value, value_length]| {
            Some((slice(key, key_length)?, slice(value, value_length)?))
        });
    if rest.is_empty() {
        entries.collect()
    } else {
        None
    }
}

/// A plain object: one that a message can carry.
fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a property of a fresh object cannot fail.
        let _set = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn places_are_checked() {
        let packed = b"keyvalue";
        let entries = unpack(packed, &[0, 3, 3, 5, 0, 0, 8, 0]).expect("all inside");
        assert_eq!(
            entries,
            [(&b"key"[..], &b"value"[..]), (&b""[..], &b""[..])]
        );
        assert_eq!(unpack(packed, &[0, 3, 3, 6]), None);
        assert_eq!(unpack(packed, &[u32::MAX, u32::MAX, 0, 0]), None);
        assert_eq!(unpack(packed, &[0, 3, 3]), None);
        assert_eq!(unpack(packed, &[]), Some(vec![]));
    }
}
