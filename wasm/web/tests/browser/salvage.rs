//! Files that opening refuses.

use crate::handles::{FakeHandle, failure, fake_handle};
use crate::worker::{Worker, number, ok};
use js_sys::Reflect;
use tailstone_web::{WebStore, intact_up_to, salvage};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

/// A file of a hundred values, and where it ends.
fn filled() -> (FakeHandle, f64) {
    let handle = fake_handle();
    let mut worker = Worker::open(handle.clone());
    for nth in 0..100 {
        worker.set(&[nth], &[nth + 1; 300]);
    }
    ok(worker.store.close());
    let end = handle.get_size().unwrap();
    (handle, end)
}

fn punch(handle: &FakeHandle, at: usize) {
    let mut bytes = handle.bytes();
    bytes[at..at + 600].fill(0);
    handle.set("bytes", js_sys::Uint8Array::from(&bytes[..]).into());
}

#[wasm_bindgen_test]
fn a_hole_costs_what_was_in_it() {
    let (damaged, end) = filled();
    assert_eq!(
        ok(intact_up_to(damaged.clone().into(), 0.0, f64::INFINITY)),
        end
    );
    punch(&damaged, 20_000);
    let error: JsValue = WebStore::new(damaged.clone().into(), 1)
        .err()
        .unwrap()
        .into();
    let offset = Reflect::get(&error, &"offset".into()).unwrap();
    let offset = offset.as_f64().unwrap();
    assert!((20_000.0..21_500.0).contains(&offset), "{offset}");
    assert_eq!(failure::<()>(Err(error)), "corrupt -");

    let intact = ok(intact_up_to(damaged.clone().into(), 0.0, f64::INFINITY));
    assert!(intact <= 20_000.0 && intact > 19_000.0, "{intact}");
    let before = damaged.bytes();

    let target = fake_handle();
    let report = ok(salvage(damaged.clone().into(), target.clone().into()));
    assert_eq!(damaged.bytes(), before);
    let rescued = number(&report, "rescued");
    assert!((96.0..100.0).contains(&rescued), "{rescued}");
    assert_eq!(number(&report, "bytes"), target.get_size().unwrap());
    assert!(target.count("flush") > 0);
    let mut worker = Worker::open(target);
    let there = (0..100).filter_map(|nth| Some((nth, worker.get(&[nth])?)));
    let there: Vec<_> = there.collect();
    assert_eq!(f64::from(u32::try_from(there.len()).unwrap()), rescued);
    assert!(
        there
            .into_iter()
            .all(|(nth, value)| value == [nth + 1; 300])
    );
}
