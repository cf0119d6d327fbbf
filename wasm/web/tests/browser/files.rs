//! Stores in real files.

use crate::handles::{self, counted, source};
use crate::worker::{DONE, EXTENT, NONE, NUMBER, Request, VALUE, Worker, float, number, ok};
use js_sys::Uint8Array;
use tailstone::backing::Backing;
use tailstone_web::WebBacking;
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn what_was_written_is_there_after_reopening() {
    let handle = handles::create("reopen").await;
    let mut worker = Worker::open(handle.clone());
    for nth in 0..300_u32 {
        let value = vec![nth.to_le_bytes()[0]; nth as usize * 10];
        assert_eq!(worker.set(&nth.to_le_bytes(), &value).0, DONE);
    }
    let tail = ok(worker.store.tail());
    ok(worker.store.close());
    assert_eq!(handle.get_size().unwrap(), tail, "cut to its tail");
    assert!(handles::failure(worker.store.sync()).starts_with("closed"));
    handles::close(&handle);

    let handle = handles::reopen("reopen").await;
    let mut worker = Worker::open(handle.clone());
    let recovery = ok(worker.store.recovery());
    assert_eq!(number(&recovery, "tail"), tail);
    assert_eq!(number(&recovery, "cutBytes"), 0.0);
    assert_eq!(worker.stat("liveKeys"), 300.0);
    for nth in [0_u32, 1, 150, 299] {
        let value = vec![nth.to_le_bytes()[0]; nth as usize * 10];
        assert_eq!(worker.get(&nth.to_le_bytes()), Some(value));
    }
    let verdict = ok(worker.store.verify());
    assert_eq!(number(&verdict, "damagedEntries"), 0.0);
    handles::close(&handle);
}

#[wasm_bindgen_test]
async fn a_crash_leaves_what_was_drained() {
    let handle = handles::create("crash").await;
    let mut worker = Worker::open(handle.clone());
    worker.set(b"drained", b"1");
    ok(worker.store.drain());
    worker.set(b"gathered", b"2");
    // As after the end of the worker: the handle is closed, and nobody wrote what was gathered.
    handles::close(&handle);
    let handle = handles::reopen("crash").await;
    let mut reopened = Worker::open(handle.clone());
    assert_eq!(reopened.get(b"drained"), Some(b"1".to_vec()));
    assert_eq!(reopened.get(b"gathered"), None);
    handles::close(&handle);
}

#[wasm_bindgen_test]
async fn thousands_of_values_are_one_write_and_one_flush() {
    let handle = handles::create("count").await;
    let counting = counted(&handle);
    let mut worker = Worker::open(counting.clone());
    let mut request = Request::new();
    for nth in 0..5_000_u32 {
        request = request.set(&nth.to_le_bytes(), &[7; 100]);
    }
    for name in ["read", "write", "flush", "truncate"] {
        counting.count(name);
    }
    assert!(worker.run(&request).iter().all(|(kind, _)| *kind == DONE));
    assert_eq!(counting.count("write"), 0);
    assert!(worker.store.unflushed() > 500_000.0);
    assert_eq!(worker.stat("unflushedBytes"), worker.store.unflushed());
    assert_eq!(worker.get(&77_u32.to_le_bytes()), Some(vec![7; 100]));
    ok(worker.store.sync());
    assert_eq!((counting.count("write"), counting.count("flush")), (1, 1));
    assert_eq!(worker.store.unflushed(), 0.0);
    assert_eq!(counting.count("read"), 0, "all of it is at hand");
    assert_eq!(counting.count("truncate"), 1, "1 MiB of space a time");
    handles::close(&handle);
}

#[wasm_bindgen_test]
async fn offsets_go_past_four_gibibytes() {
    const FAR: u64 = 5 << 30;
    let handle = handles::create("far").await;
    let backing = WebBacking::open(handle.clone()).unwrap();
    backing.truncate(FAR).unwrap();
    backing
        .write(FAR, &[b"far ", &[1; 70_000], b" away"])
        .unwrap();
    let mut start = [9; 8];
    backing.read(FAR - 4, &mut start).unwrap();
    assert_eq!(&start, b"\0\0\0\0far ");
    // From the buffer, from both, and from the file.
    for _ in 0..2 {
        let target = Uint8Array::new_with_length(20);
        backing.read_into(FAR - 5, &target).unwrap();
        assert_eq!(
            &target.to_vec()[..],
            b"\0\0\0\0\0far \x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
        );
        let target = Uint8Array::new_with_length(6);
        backing.read_into(FAR + 70_003, &target).unwrap();
        assert_eq!(&target.to_vec()[..], b"\x01 away");
        let behind = Uint8Array::new_with_length(7);
        assert!(backing.read_into(FAR + 70_003, &behind).is_err());
        backing.sync().unwrap();
    }
    assert_eq!(backing.len().unwrap(), FAR + 70_009);
    backing.truncate(0).unwrap();
    handles::close(&handle);
}

#[wasm_bindgen_test]
async fn long_values_are_read_where_they_lie() {
    let handle = handles::create("long").await;
    let mut worker = Worker::open(handle.clone());
    let value: Vec<u8> = (0..3_000_000_u32)
        .map(|at| (at % 251).to_le_bytes()[0])
        .collect();
    ok(worker
        .store
        .set_from(b"b", b"pulled", 3e6, 0.0, &source(3e6, 3e6)));
    worker.set(b"given", &value[..100_000]);
    for _ in 0..2 {
        let (kind, place) = worker.one(&Request::new().get(b"pulled"));
        assert_eq!((kind, worker.store.extents()), (EXTENT, 1));
        assert_eq!(float(&place, 8), 3e6);
        assert!(worker.read(float(&place, 0), 3e6) == value, "whole");
        assert_eq!(
            worker.read(float(&place, 0) + 1e6, 3.0),
            value[1_000_000..1_000_003]
        );
        assert!(worker.get(b"given").unwrap() == value[..100_000]);
        ok(worker.store.sync());
    }
    let broken = worker
        .store
        .set_from(b"b", b"pulled", 3e6, 0.0, &source(3e6, 1e6));
    assert_eq!(handles::failure(broken), "io TypeError");
    let short = worker
        .store
        .set_from(b"b", b"pulled", 3e6, 0.0, &source(2e6, 3e6));
    assert_eq!(handles::failure(short), "io -");
    assert!(worker.get(b"pulled").unwrap() == value, "as it was");
    handles::close(&handle);
}

#[wasm_bindgen_test]
async fn values_expire_by_the_clock_of_the_browser() {
    let handle = handles::create("expiry").await;
    let mut worker = Worker::open(handle.clone());
    let now = js_sys::Date::now();
    for (key, expires_at) in [(b"past", now - 1.0), (b"next", now + 1e7)] {
        let value = [&expires_at.to_le_bytes()[..], b"value"].concat();
        assert_eq!(
            worker.one(&Request::new().operation(1, 1, key, &value)).0,
            DONE
        );
    }
    ok(worker
        .store
        .set_from(b"b", b"stream", 9.0, now - 1.0, &source(9.0, 9.0)));
    assert_eq!(worker.get(b"past"), None);
    assert_eq!(worker.get(b"stream"), None);
    assert_eq!(worker.get(b"next"), Some(b"value".to_vec()));
    let (kind, count) = worker.one(&Request::new().operation(9, 0, b"", b""));
    assert_eq!((kind, float(&count, 0)), (NUMBER, 1.0));
    handles::close(&handle);
}

#[wasm_bindgen_test]
async fn changes_are_recorded_while_somebody_watches() {
    let handle = handles::create("watch").await;
    let mut worker = Worker::open(handle.clone());
    worker.set(b"k", b"v");
    assert_eq!(worker.store.changes_len(), 0);
    worker.store.watch(true);
    ok(worker
        .store
        .set_from(b"b", b"k", 9.0, 0.0, &source(9.0, 9.0)));
    let set = b"\x01\0\0\0\x01\0\0\0\x01\0\0\0bk\0\0";
    assert_eq!(worker.changes(), set);
    let request = Request::new()
        .set(b"k", b"")
        .operation(4, 0, b"k", b"")
        .operation(4, 0, b"k", b"");
    let kinds: Vec<u32> = worker.run(&request).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [DONE, DONE, NONE]);
    assert_eq!(
        worker.changes(),
        [&set[..], b"\x02\0\0\0\x01\0\0\0\x01\0\0\0bk\0\0"].concat()
    );
    assert_eq!(worker.one(&Request::new().get(b"k")).0, NONE);
    assert_eq!(worker.store.changes_len(), 0);
    assert_eq!(worker.set(b"k", b"v").0, DONE);
    assert_eq!(
        worker.one(&Request::new().get(b"k")),
        (VALUE, b"v".to_vec())
    );
    handles::close(&handle);
}
