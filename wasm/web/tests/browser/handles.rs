//! The handles and errors of `handles.js`.

use js_sys::Promise;
use tailstone_web::{Promotion, Source, SyncHandle};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/tests/browser/handles.js")]
extern "C" {
    #[wasm_bindgen(js_name = openHandle)]
    fn open_handle(name: &str, fresh: bool) -> Promise;

    #[wasm_bindgen(extends = SyncHandle)]
    #[derive(Clone)]
    pub type FakeHandle;
    #[wasm_bindgen(js_name = fakeHandle)]
    pub fn fake_handle() -> FakeHandle;
    pub fn counted(handle: &SyncHandle) -> FakeHandle;
    #[wasm_bindgen(method)]
    pub fn count(this: &FakeHandle, name: &str) -> u32;
    #[wasm_bindgen(method)]
    pub fn set(this: &FakeHandle, name: &str, value: JsValue);
    #[wasm_bindgen(method, getter)]
    pub fn bytes(this: &FakeHandle) -> Vec<u8>;

    #[wasm_bindgen(extends = Promotion)]
    pub type FakePromotion;
    pub fn promotion(fails: bool) -> FakePromotion;
    #[wasm_bindgen(method, getter, js_name = count)]
    pub fn promoted(this: &FakePromotion) -> u32;

    pub fn source(length: f64, sound: f64) -> Source;
    fn describe(error: &JsValue) -> String;

    type Closable;
    #[wasm_bindgen(method)]
    fn close(this: &Closable);
}

/// The file called `name`, emptied.
pub async fn create(name: &str) -> SyncHandle {
    let opened = JsFuture::from(open_handle(name, true)).await;
    opened.unwrap().unchecked_into()
}

/// The file called `name` as it is.
pub async fn reopen(name: &str) -> SyncHandle {
    let opened = JsFuture::from(open_handle(name, false)).await;
    opened.unwrap().unchecked_into()
}

/// Lets go of a real file.
pub fn close(handle: &SyncHandle) {
    handle.unchecked_ref::<Closable>().close();
}

/// The code of what a call failed with, and the name of what the browser threw.
pub fn failure<T>(result: Result<T, impl Into<JsValue>>) -> String {
    match result {
        Ok(_) => "no failure".to_owned(),
        Err(error) => describe(&error.into()),
    }
}
