//! Going over to another file.

use crate::handles::{self, FakeHandle, failure, fake_handle, promotion};
use crate::worker::{DONE, NUMBER, Request, VERSIONED, Worker, float, ok};
use wasm_bindgen_test::wasm_bindgen_test;

/// A store of which most is overwritten.
fn fill(worker: &mut Worker) {
    for round in 0..5 {
        for nth in 0..100 {
            worker.set(&[nth], &[round; 900]);
        }
    }
    worker.set(b"long", &[9; 100_000]);
}

fn check(worker: &mut Worker) {
    for nth in 0..100 {
        assert_eq!(worker.get(&[nth]), Some(vec![4; 900]));
    }
    assert_eq!(worker.get(b"long"), Some(vec![9; 100_000]));
}

#[wasm_bindgen_test]
async fn live_values_go_over_to_the_spare_file() {
    let first = handles::create("compact.1").await;
    let second = handles::create("compact.2").await;
    let mut worker = Worker::open(first.clone());
    fill(&mut worker);
    let (tail, savings) = (ok(worker.store.tail()), worker.stat("compactionSavings"));
    assert!(savings > 350_000.0);
    let (_, versioned) = worker.one(&Request::new().operation(2, 1, &[7], b""));
    let promotion = promotion(false);
    ok(worker.store.compact(second.clone(), &promotion));
    handles::close(&first);
    assert_eq!((promotion.promoted(), worker.store.generation()), (1, 2));
    assert_eq!(ok(worker.store.tail()), tail - savings);
    assert_eq!(worker.store.unflushed(), 0.0);
    check(&mut worker);

    // A version from before is none any more.
    let old = [&versioned[..16], b"new"].concat();
    let (kind, put) = worker.one(&Request::new().operation(7, 0, &[7], &old));
    assert_eq!((kind, float(&put, 0)), (NUMBER, 0.0));
    let (kind, versioned) = worker.one(&Request::new().operation(2, 1, &[7], b""));
    assert_eq!(kind, VERSIONED);
    let now = [&versioned[..16], &[4; 900]].concat();
    let (_, put) = worker.one(&Request::new().operation(7, 0, &[7], &now));
    assert_eq!(float(&put, 0), 1.0);

    assert_eq!(worker.set(b"behind", b"it").0, DONE);
    ok(worker.store.close());
    handles::close(&second);
    let second = handles::reopen("compact.2").await;
    let mut reopened = Worker::open(second.clone());
    assert_eq!(second.get_size().unwrap(), ok(reopened.store.tail()));
    check(&mut reopened);
    assert_eq!(reopened.get(b"behind"), Some(b"it".to_vec()));
    handles::close(&second);
}

#[wasm_bindgen_test]
fn a_compaction_that_fails_leaves_the_store_where_it_was() {
    let handle = fake_handle();
    let mut worker = Worker::open(handle.clone());
    fill(&mut worker);
    let tail = ok(worker.store.tail());
    let compact = |worker: &mut Worker, spare: &FakeHandle, fails| {
        failure(
            worker
                .store
                .compact(spare.clone().into(), &promotion(fails)),
        )
    };
    let full = fake_handle();
    full.set("limit", 50_000.into());
    assert_eq!(
        compact(&mut worker, &full, false),
        "quota QuotaExceededError"
    );
    let sick = fake_handle();
    sick.set("failsFlushes", true.into());
    assert_eq!(
        compact(&mut worker, &sick, false),
        "closed InvalidStateError"
    );
    let spare = fake_handle();
    assert_eq!(
        compact(&mut worker, &spare, true),
        "quota QuotaExceededError"
    );
    assert_eq!(
        (ok(worker.store.tail()), worker.store.generation()),
        (tail, 1)
    );
    check(&mut worker);
    assert_eq!(worker.set(b"behind", b"it").0, DONE);
    ok(worker.store.sync());
    let mut reopened = Worker::open(handle);
    check(&mut reopened);
    assert_eq!(reopened.get(b"behind"), Some(b"it".to_vec()));

    // What the last attempt left in the spare file is discarded.
    assert_eq!(compact(&mut worker, &spare, false), "no failure");
    assert_eq!(worker.store.generation(), 2);
    assert_eq!(compact(&mut worker, &fake_handle(), false), "no failure");
    assert_eq!(worker.store.generation(), 3);
    check(&mut worker);
}
