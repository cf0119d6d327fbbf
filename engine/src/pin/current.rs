//! The value, the counts it has, and when it goes.
#![expect(
    unsafe_code,
    reason = "what a slot holds is known to be there by this protocol alone"
)]

use super::blocks::{self, with_free_slot};
use super::slots::Slot;
use crate::atomic::{AtomicBool, AtomicPtr, Ordering, fence};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A value that can be replaced while it is borrowed.
pub(crate) struct Current<T> {
    /// One count of an `Arc`.
    value: AtomicPtr<T>,
    /// What was replaced and may still be borrowed. Replacing is done under this lock.
    replaced: Mutex<Vec<Arc<T>>>,
    /// There may be some.
    is_waiting: AtomicBool,
}

/// The value of a [`Current`], which stays as long as this does.
///
/// It stays with the thread that made it, whose slot it has.
pub(crate) struct Pinned<'a, T> {
    /// No reference: dropping this may be what drops the value.
    value: NonNull<T>,
    owner: &'a Current<T>,
    hold: Hold<T>,
}

/// What keeps a value.
enum Hold<T> {
    Slot(&'static Slot),
    /// All slots of the thread were taken.
    Count {
        _value: Arc<T>,
    },
}

impl<T> Current<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self {
            value: AtomicPtr::new(Arc::into_raw(value).cast_mut()),
            replaced: Mutex::default(),
            is_waiting: AtomicBool::new(false),
        }
    }

    /// The value as it is now.
    #[inline]
    pub(crate) fn load(&self) -> Pinned<'_, T> {
        match with_free_slot(|slot| slot.protect(&self.value)) {
            Some((slot, value)) => Pinned {
                // SAFETY: what is in `self.value` came out of `Arc::into_raw`, which is never null.
                value: unsafe { NonNull::new_unchecked(value) },
                owner: self,
                hold: Hold::Slot(slot),
            },
            None => self.load_counted(),
        }
    }

    /// The same with a count of its own.
    pub(crate) fn load_full(&self) -> Arc<T> {
        let pinned = self.load();
        let value = pinned.value.as_ptr().cast_const();
        // SAFETY: the pointer came out of `Arc::into_raw`, and the count that `self` or `replaced` has stays while it is pinned.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }

    #[cold]
    fn load_counted(&self) -> Pinned<'_, T> {
        let replacing = self.lock();
        let pointer = self.value.load(Ordering::Relaxed);
        // SAFETY: the pointer came out of `Arc::into_raw`, and nobody replaces it under this lock.
        let value = unsafe {
            Arc::increment_strong_count(pointer);
            Arc::from_raw(pointer)
        };
        drop(replacing);
        Pinned {
            // SAFETY: what is in `self.value` came out of `Arc::into_raw`, which is never null.
            value: unsafe { NonNull::new_unchecked(pointer) },
            owner: self,
            hold: Hold::Count { _value: value },
        }
    }

    /// Puts `value` in the place of what there is, which goes as soon as nobody borrows it.
    pub(crate) fn store(&self, value: Arc<T>) {
        let mut replaced = self.lock();
        let old = self
            .value
            .swap(Arc::into_raw(value).cast_mut(), Ordering::AcqRel);
        // SAFETY: this is the count that `new` or an earlier `store` put there, and now nobody else takes it.
        replaced.push(unsafe { Arc::from_raw(old) });
        self.collect(replaced);
    }

    /// Drops what was replaced and is in no slot.
    fn collect(&self, mut replaced: MutexGuard<'_, Vec<Arc<T>>>) {
        self.is_waiting.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let held = blocks::held();
        let is_held = |value: &Arc<T>| held.contains(&Arc::as_ptr(value).cast_mut().cast());
        let (kept, gone): (Vec<_>, Vec<_>) = replaced.drain(..).partition(is_held);
        self.is_waiting.store(!kept.is_empty(), Ordering::Relaxed);
        *replaced = kept;
        drop(replaced);
        // Unmaps files and frees indexes: not under the lock.
        drop(gone);
    }

    /// Called by who was perhaps the last to borrow a replaced value; who comes at the same time does it for both.
    #[cold]
    fn try_collect(&self) {
        if let Ok(replaced) = self.replaced.try_lock() {
            self.collect(replaced);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<T>>> {
        // Whoever panicked left a list of values: at worst some are in it for longer than they have to be.
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Current<T> {
    fn drop(&mut self) {
        // SAFETY: this is the count that `new` or `store` put there. Nobody borrows `self` any more, so nobody pins the value.
        drop(unsafe { Arc::from_raw(self.value.load(Ordering::Relaxed)) });
    }
}

impl<T> Deref for Pinned<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it points into an `Arc` that is there until this is dropped. Either this has a count of it; or `protect` found the pointer
        // in `owner.value` after it had noted it in the slot, where it still is: then it loses its count only in `store`, where the `Arc`
        // goes into `replaced`, which keeps what is in a slot, and in the drop of the owner, which is borrowed.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Drop for Pinned<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Hold::Slot(slot) = self.hold {
            slot.release();
            // Seen too late by who replaces the value just now, it is seen by the next reader.
            if self.owner.is_waiting.load(Ordering::Relaxed) {
                self.owner.try_collect();
            }
        }
    }
}

#[cfg(test)]
mod tests;
