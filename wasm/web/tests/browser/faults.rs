//! Handles that do less than they are asked, are full, or fail.

use crate::handles::{FakeHandle, failure, fake_handle};
use crate::worker::{DONE, Request, VALUE, Worker, code, ok};
use wasm_bindgen_test::wasm_bindgen_test;

const QUOTA: u32 = 0;
const IO: u32 = 6;

fn fresh() -> (FakeHandle, Worker) {
    let handle = fake_handle();
    let worker = Worker::open(handle.clone());
    (handle, worker)
}

#[wasm_bindgen_test]
fn short_writes_are_gone_on_with() {
    let (handle, mut worker) = fresh();
    handle.set("mostWritten", 7.into());
    worker.set(b"k", &[5; 1_000]);
    ok(worker.store.sync());
    assert!(handle.count("write") > 140);
    let mut reopened = Worker::open(handle);
    assert_eq!(reopened.get(b"k"), Some(vec![5; 1_000]));
}

#[wasm_bindgen_test]
fn a_handle_that_takes_nothing_is_full() {
    let (handle, mut worker) = fresh();
    handle.set("mostWritten", 0.into());
    assert_eq!(worker.set(b"k", b"v").0, DONE, "space was had for it");
    assert_eq!(failure(worker.store.drain()), "quota -");
}

#[wasm_bindgen_test]
fn a_full_file_refuses_writes_and_loses_nothing() {
    for lies in [false, true] {
        let (handle, mut worker) = fresh();
        worker.set(b"before", b"kept");
        handle.set("limit", 1_500_000.into());
        handle.set("lies", lies.into());
        assert_eq!(code(&worker.set(b"large", &[1; 2_000_000])), QUOTA);
        assert_eq!(worker.get(b"before"), Some(b"kept".to_vec()));
        handle.set("limit", f64::INFINITY.into());
        handle.set("lies", false.into());
        assert_eq!(worker.set(b"large", &[1; 2_000_000]).0, DONE);
        ok(worker.store.close());
        let mut reopened = Worker::open(handle);
        assert_eq!(reopened.get(b"large").unwrap().len(), 2_000_000);
        assert_eq!(reopened.get(b"before"), Some(b"kept".to_vec()));
    }
}

#[wasm_bindgen_test]
fn a_failed_drain_is_tried_again_and_nothing_else_happens() {
    let (handle, mut worker) = fresh();
    worker.set(b"k", b"one");
    handle.set("failsWrites", true.into());
    for _ in 0..3 {
        assert_eq!(failure(worker.store.drain()), "quota QuotaExceededError");
        assert_eq!(failure(worker.store.sync()), "quota QuotaExceededError");
        assert_eq!(failure(worker.store.close()), "quota QuotaExceededError");
    }
    assert_eq!(
        handle.count("flush"),
        0,
        "what is not written is not flushed"
    );
    let request = Request::new().get(b"k").set(b"k", b"two").get(b"k");
    let expected = [
        (VALUE, b"one".to_vec()),
        (DONE, vec![]),
        (VALUE, b"two".to_vec()),
    ];
    assert_eq!(worker.run(&request), expected);
    handle.set("failsWrites", false.into());
    ok(worker.store.sync());
    assert_eq!(worker.store.unflushed(), 0.0);
    ok(worker.store.close());
    assert_eq!(Worker::open(handle).get(b"k"), Some(b"two".to_vec()));
}

#[wasm_bindgen_test]
fn after_a_failed_flush_nothing_is_written_any_more() {
    let (handle, mut worker) = fresh();
    worker.set(b"k", b"one");
    handle.set("failsFlushes", true.into());
    assert_eq!(failure(worker.store.sync()), "closed InvalidStateError");
    handle.set("failsFlushes", false.into());
    assert_eq!(failure(worker.store.sync()), "io -");
    assert_eq!(code(&worker.set(b"k", b"two")), IO);
    assert_eq!(worker.get(b"k"), Some(b"one".to_vec()));
    assert_eq!(Worker::open(handle).get(b"k"), Some(b"one".to_vec()));
}

#[wasm_bindgen_test]
fn what_is_no_store_is_not_touched() {
    let handle = fake_handle();
    handle.set("bytes", js_sys::Uint8Array::from(&[7; 5_000][..]).into());
    let opened = tailstone_web::WebStore::new(handle.clone().into(), 0);
    assert_eq!(failure(opened), "not-a-store -");
    assert_eq!(handle.bytes(), [7; 5_000]);
    assert_eq!(handle.count("write") + handle.count("truncate"), 0);
}

#[wasm_bindgen_test]
fn a_broken_request_is_refused_whole() {
    let (_, mut worker) = fresh();
    let mut request = Request::new().set(b"k", b"v");
    request = request.operation(99, 0, b"", b"");
    let length = worker.fill(&request);
    assert_eq!(failure(worker.store.run(length)), "invalid -");
    assert_eq!(failure(worker.store.run(usize::MAX)), "invalid -");
    assert_eq!(worker.get(b"k"), None);
}
