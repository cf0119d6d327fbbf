//! An allocator that counts, for tests of how much memory something takes and how often it asks for some.
#![expect(
    unsafe_code,
    reason = "an allocator is unsafe to implement; this one hands everything on to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with a count of each thread's bytes. To be made the global one.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
    static TIMES: Cell<u64> = const { Cell::new(0) };
}

/// The most bytes that were allocated at a time by this thread during `work`, beyond what was before.
pub fn most_allocated<R>(work: impl FnOnce() -> R) -> (usize, R) {
    let before = NOW.get();
    MOST.set(before);
    let result = work();
    (MOST.get().saturating_sub(before), result)
}

/// How often this thread asked for memory during `work`, be it for more of what it had.
pub fn times_allocated<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = TIMES.get();
    let result = work();
    (TIMES.get().saturating_sub(before), result)
}

fn count(more: usize, less: usize) {
    // A thread that is ending has no counts any more.
    let _ = NOW.try_with(|now| {
        // What another thread allocated may be freed here.
        now.set(now.get().saturating_add(more).saturating_sub(less));
        let _ = MOST.try_with(|most| most.set(most.get().max(now.get())));
        let _ = TIMES.try_with(|times| times.set(times.get() + u64::from(more > 0)));
    });
}

// SAFETY: every call is handed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are the system's conditions.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}
