//! Several threads on one handle, without a lock of their own.

use crate::scratch::{bytes, new_store};
use std::io::Read;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tailstone::traits::{DataStoreReader, DataStoreWriter};

/// Yields a value in pieces with a pause before each.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        thread::sleep(Duration::from_millis(1));
        let piece = buf.len().min(40_000);
        self.0.read(&mut buf[..piece])
    }
}

#[test]
fn two_slow_streams_at_once_both_arrive() {
    let (scratch, store) = new_store();
    let one = bytes(1 << 20);
    let two: Vec<u8> = one.iter().rev().copied().collect();
    thread::scope(|scope| {
        for (key, value) in [(b"one", &one), (b"two", &two)] {
            let store = &store;
            scope.spawn(move || store.write_stream(key, &mut Slow(value)).unwrap());
        }
    });
    drop(store);
    let store = scratch.open("store.bin");
    for (key, value) in [(b"one", &one), (b"two", &two)] {
        let read = store.read(key).unwrap().unwrap();
        assert!(read.as_slice() == value.as_slice());
        assert!(read.is_valid_checksum());
    }
}

#[test]
fn sixteen_writers_lose_nothing() {
    let (scratch, store) = new_store();
    let key = |writer: usize, n: usize| format!("writer {writer}, value {n}").into_bytes();
    thread::scope(|scope| {
        for writer in 0..16 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..10 {
                    store
                        .write(&key(writer, n), &bytes(1 + writer * 100 + n))
                        .unwrap();
                }
            });
        }
    });
    drop(store);
    let store = scratch.open("store.bin");
    assert_eq!(store.len().unwrap(), 160);
    for writer in 0..16 {
        for n in 0..10 {
            let value = store.read(&key(writer, n)).unwrap().unwrap();
            assert_eq!(value, bytes(1 + writer * 100 + n));
        }
    }
}

#[test]
fn two_threads_see_each_others_writes_in_turn() {
    let (_scratch, store) = new_store();
    let (to_b, from_a) = mpsc::channel();
    let (to_a, from_b) = mpsc::channel();
    thread::scope(|scope| {
        let store = &store;
        scope.spawn(move || {
            for turn in 0..20_u32 {
                store.write(b"from a", &(turn + 1).to_le_bytes()).unwrap();
                to_b.send(()).unwrap();
                from_b.recv().unwrap();
                let answer = store.read(b"from b").unwrap().unwrap();
                assert_eq!(answer.as_slice(), &(turn + 1001).to_le_bytes());
            }
        });
        scope.spawn(move || {
            for turn in 0..20_u32 {
                from_a.recv().unwrap();
                let question = store.read(b"from a").unwrap().unwrap();
                assert_eq!(question.as_slice(), &(turn + 1).to_le_bytes());
                store
                    .write(b"from b", &(turn + 1001).to_le_bytes())
                    .unwrap();
                to_a.send(()).unwrap();
            }
        });
    });
    assert_eq!(store.len().unwrap(), 2);
}
