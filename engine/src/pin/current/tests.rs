//! What is borrowed stays, what is not goes.

use super::{Current, Hold};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// A value that shows when it is used after its end, and counts those that are there.
struct Counted<'a> {
    number: usize,
    is_there: AtomicBool,
    there: &'a AtomicUsize,
}

impl<'a> Counted<'a> {
    fn new(number: usize, there: &'a AtomicUsize) -> Arc<Self> {
        there.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            number,
            is_there: AtomicBool::new(true),
            there,
        })
    }

    fn number(&self) -> usize {
        assert!(self.is_there.load(Ordering::Relaxed), "it is gone");
        self.number
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.is_there.store(false, Ordering::Relaxed);
        self.there.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn a_replaced_value_goes_with_its_last_reader() {
    let there = AtomicUsize::new(0);
    let current = Current::new(Counted::new(0, &there));
    let first = current.load();
    let again = current.load();
    current.store(Counted::new(1, &there));
    assert_eq!((first.number(), current.load().number()), (0, 1));
    assert_eq!(there.load(Ordering::Relaxed), 2);
    drop(first);
    assert_eq!(again.number(), 0);
    assert_eq!(there.load(Ordering::Relaxed), 2);
    drop(again);
    assert_eq!(there.load(Ordering::Relaxed), 1);
    let full = current.load_full();
    current.store(Counted::new(2, &there));
    assert_eq!((full.number(), there.load(Ordering::Relaxed)), (1, 2));
    drop(full);
    assert_eq!(there.load(Ordering::Relaxed), 1);
    drop(current);
    assert_eq!(there.load(Ordering::Relaxed), 0);
}

#[test]
fn more_borrows_than_slots_are_counted() {
    let there = AtomicUsize::new(0);
    let current = Current::new(Counted::new(0, &there));
    let mut pinned: Vec<_> = (0..40).map(|_| current.load()).collect();
    let counted = |pinned: &super::Pinned<'_, _>| matches!(pinned.hold, Hold::Count { .. });
    assert!(pinned.iter().any(counted));
    current.store(Counted::new(1, &there));
    while let Some(last) = pinned.pop() {
        assert_eq!(last.number(), 0);
        assert_eq!(there.load(Ordering::Relaxed), 2);
    }
    assert_eq!(there.load(Ordering::Relaxed), 1);
    // The slots are free again.
    assert!(!counted(&current.load()));
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn readers_see_values_in_their_order_and_none_that_is_gone() {
    let rounds = if cfg!(miri) { 20 } else { 3_000 };
    let there = AtomicUsize::new(0);
    let current = Current::new(Counted::new(0, &there));
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        for reader in 0..3 {
            let (current, is_over) = (&current, &is_over);
            threads.spawn(move || {
                let mut last = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let number = match reader {
                        0 => current.load_full().number(),
                        _ => current.load().number(),
                    };
                    assert!(number >= last);
                    last = number;
                }
            });
        }
        for number in 1..=rounds {
            current.store(Counted::new(number, &there));
            if number % 64 == 0 {
                thread::yield_now();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    current.store(Counted::new(rounds + 1, &there));
    assert_eq!(there.load(Ordering::Relaxed), 1);
}
