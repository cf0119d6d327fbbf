//! A list that only grows, whose elements never move: read without a lock beside one that pushes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

type Bucket<T> = OnceLock<Box<[OnceLock<T>]>>;

/// Elements numbered from 1; bucket `b` holds the numbers from `2^b` on.
#[derive(Debug)]
pub(super) struct List<T> {
    buckets: [Bucket<T>; 32],
    count: AtomicU32,
}

impl<T> List<T> {
    pub(super) const fn new() -> Self {
        Self {
            buckets: [const { OnceLock::new() }; 32],
            count: AtomicU32::new(0),
        }
    }

    /// How many elements there are, which is the number of the newest one.
    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// Element `number`; `None` for 0 and for numbers not given yet.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let (bucket, place) = position(number)?;
        self.buckets.get(bucket)?.get()?.get(place)?.get()
    }

    /// Adds `element`; gives it back when all numbers are used up.
    pub(super) fn push(&self, mut element: T) -> Result<u32, T> {
        loop {
            let Some(number) = self.count().checked_add(1) else {
                return Err(element);
            };
            let slot = position(number).and_then(|(bucket, place)| {
                let slots = || (0..1_usize << bucket).map(|_| OnceLock::new()).collect();
                self.buckets.get(bucket)?.get_or_init(slots).get(place)
            });
            let Some(slot) = slot else {
                return Err(element);
            };
            match slot.set(element) {
                Ok(()) => {
                    self.count.store(number, Ordering::Release);
                    return Ok(number);
                }
                // Another thread is between these two lines; its number is out in a moment.
                Err(back) => element = back,
            }
            std::hint::spin_loop();
        }
    }
}

fn position(number: u32) -> Option<(usize, usize)> {
    let bucket = number.checked_ilog2()?;
    let place = number - (1 << bucket);
    Some((usize::try_from(bucket).ok()?, usize::try_from(place).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_numbers_and_places() {
        let list = List::new();
        assert!(list.get(0).is_none() && list.get(1).is_none() && list.get(u32::MAX).is_none());
        assert_eq!(list.push(10), Ok(1));
        let first = std::ptr::from_ref(list.get(1).unwrap());
        for n in 2..200 {
            assert_eq!(list.push(n * 10), Ok(n));
        }
        assert_eq!(list.count(), 199);
        for n in 1..200 {
            assert_eq!(list.get(n), Some(&(n * 10)));
        }
        assert!(list.get(200).is_none());
        assert_eq!(std::ptr::from_ref(list.get(1).unwrap()), first);
    }
}
