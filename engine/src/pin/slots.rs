//! Where a thread notes what it looks at: the protocol, which loom tries in every order.

use crate::atomic::{AtomicPtr, Ordering, fence};
use std::ptr;

/// What one look protects.
pub(super) struct Slot(AtomicPtr<()>);

impl Slot {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Notes what `value` points to, as of some moment within this call.
    #[inline]
    pub(super) fn protect<T>(&self, value: &AtomicPtr<T>) -> *mut T {
        let mut seen = value.load(Ordering::Relaxed);
        loop {
            // Who sees this and no longer what was noted before must have what was done with that behind it.
            self.0.store(seen.cast(), Ordering::Release);
            fence(Ordering::SeqCst);
            let now = value.load(Ordering::Acquire);
            if now == seen {
                return seen;
            }
            seen = now;
        }
    }

    /// Ends that; what was read of the value was read before.
    #[inline]
    pub(super) fn release(&self) {
        self.0.store(ptr::null_mut(), Ordering::Release);
    }

    #[cfg(not(loom))]
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// What is noted there now. To be asked behind a fence.
    pub(super) fn noted(&self) -> *mut () {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(all(test, loom))]
mod interleavings {
    use super::Slot;
    use crate::atomic::{AtomicPtr, Ordering, explore, fence};
    use loom::cell::UnsafeCell;
    use loom::thread;
    use std::ptr;
    use std::sync::Arc;

    /// Two values, of which the first is replaced by the second, and a reader's slot. A value that goes is written to.
    struct Place {
        values: [UnsafeCell<u8>; 2],
        current: AtomicPtr<u8>,
        slot: Slot,
    }

    impl Place {
        fn address(&self, nth: usize) -> *mut u8 {
            ptr::from_ref(&self.values[nth]).cast_mut().cast()
        }

        fn look(&self) -> usize {
            let seen = self.slot.protect(&self.current);
            let nth = usize::from(seen != self.address(0));
            self.values[nth].with(|_| ());
            self.slot.release();
            nth
        }
    }

    #[test]
    fn a_value_that_goes_is_looked_at_by_nobody() {
        explore(6, || {
            let place = Arc::new(Place {
                values: [UnsafeCell::new(0), UnsafeCell::new(0)],
                current: AtomicPtr::new(ptr::null_mut()),
                slot: Slot(AtomicPtr::new(ptr::null_mut())),
            });
            place.current.store(place.address(0), Ordering::Relaxed);
            let reading = Arc::clone(&place);
            let reader = thread::spawn(move || {
                let first = reading.look();
                assert!(reading.look() >= first);
            });
            let old = place.current.swap(place.address(1), Ordering::AcqRel);
            fence(Ordering::SeqCst);
            if place.slot.noted() != old.cast() {
                place.values[0].with_mut(|_| ());
            }
            reader.join().unwrap();
        });
    }
}
