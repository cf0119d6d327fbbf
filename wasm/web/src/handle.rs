//! The browser's synchronous file handle, declared by hand: six methods, and the object that carries an offset.

use js_sys::{Object, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A `FileSystemSyncAccessHandle`, or any object of its shape.
    #[derive(Clone)]
    pub type SyncHandle;

    /// Reads at an offset; `buf` is a view of this module's memory: nothing is copied on the way.
    #[wasm_bindgen(method, catch)]
    pub fn read(this: &SyncHandle, buf: &mut [u8], options: &At) -> Result<f64, JsValue>;

    /// Reads into a buffer of JavaScript's, past this module's memory.
    #[wasm_bindgen(method, catch, js_name = read)]
    pub fn read_into(this: &SyncHandle, buf: &Uint8Array, options: &At) -> Result<f64, JsValue>;

    /// Writes at an offset, and says in its result alone when less was written than given.
    #[wasm_bindgen(method, catch)]
    pub fn write(this: &SyncHandle, buf: &[u8], options: &At) -> Result<f64, JsValue>;

    /// Length of the file in bytes.
    #[wasm_bindgen(method, catch, js_name = getSize)]
    pub fn get_size(this: &SyncHandle) -> Result<f64, JsValue>;

    /// Cuts the file, or extends it with zeros.
    #[wasm_bindgen(method, catch)]
    pub fn truncate(this: &SyncHandle, size: f64) -> Result<(), JsValue>;

    /// Returns once what was written is on stable storage.
    #[wasm_bindgen(method, catch)]
    pub fn flush(this: &SyncHandle) -> Result<(), JsValue>;

    /// The `{ at }` of a read or write.
    pub type At;

    #[wasm_bindgen(method, setter)]
    fn set_at(this: &At, offset: f64);
}

impl At {
    /// One object, to be used for every call: making one for each costs as much as a small read.
    pub fn new() -> Self {
        Object::new().unchecked_into()
    }

    /// The object, holding `offset`.
    pub fn offset(&self, offset: u64) -> &Self {
        self.set_at(crate::number::to_js(offset));
        self
    }
}
