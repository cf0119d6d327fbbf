//! Where the parts of an index live: numbered, at addresses that stay, recycled but never freed before the index is.
//!
//! Only that makes readers without locks safe: whatever number a reader holds, the part is there; whether it still is
//! what the number meant is what [`directory`](super::directory) tells.

use std::iter::repeat_with;
use std::sync::OnceLock;

use crate::kernels;

const SLAB_BITS: u32 = 22;
const SLAB_LEN_MAX: u32 = 1 << SLAB_BITS;

/// Parts by number: the upper 10 bits name one of `SLABS` slabs, the lower 22 the part in it.
#[derive(Debug)]
pub(super) struct Arena<T, const SLABS: usize> {
    slabs: [OnceLock<Box<[T]>>; SLABS],
}

impl<T, const SLABS: usize> Arena<T, SLABS> {
    pub(super) const fn new() -> Self {
        const { assert!(SLABS <= 1 << (u32::BITS - SLAB_BITS)) };
        Self {
            slabs: [const { OnceLock::new() }; SLABS],
        }
    }

    /// The part with this number.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.slabs
            .get((number >> SLAB_BITS) as usize)?
            .get()?
            .get((number % SLAB_LEN_MAX) as usize)
    }
}

/// The writer's half of an arena: which parts are free.
#[derive(Debug)]
pub(super) struct Pool {
    free: Vec<u32>,
    slabs: u32,
    parts: u32,
    /// A new slab has one part for so many that there are.
    share: u32,
    slab_bytes: u64,
}

impl Pool {
    pub(super) const fn new(share: u32) -> Self {
        Self {
            free: Vec::new(),
            slabs: 0,
            parts: 0,
            share,
            slab_bytes: 0,
        }
    }

    /// A part nobody uses, in the state its last user left it in.
    ///
    /// # Panics
    /// When all slabs are used up, which are chosen to be more than there is memory for.
    pub(super) fn take<T: Default, const SLABS: usize>(&mut self, arena: &Arena<T, SLABS>) -> u32 {
        if let Some(number) = self.free.pop() {
            return number;
        }
        let len = (self.parts / self.share).clamp(1, SLAB_LEN_MAX);
        let first = self.add_slab(arena, len);
        self.free.extend((first + 1..first + len).rev());
        first
    }

    /// Makes sure that so many parts are free, the new ones side by side.
    ///
    /// # Panics
    /// As [`take`](Self::take).
    pub(super) fn reserve<T: Default, const SLABS: usize>(
        &mut self,
        arena: &Arena<T, SLABS>,
        parts: u32,
    ) {
        let free = u32::try_from(self.free.len()).unwrap_or(u32::MAX);
        let mut missing = parts.saturating_sub(free);
        while missing > 0 {
            let len = missing.min(SLAB_LEN_MAX);
            let first = self.add_slab(arena, len);
            self.free.extend((first..first + len).rev());
            missing -= len;
        }
    }

    /// Adds a slab of so many parts and returns the number of the first.
    fn add_slab<T: Default, const SLABS: usize>(
        &mut self,
        arena: &Arena<T, SLABS>,
        len: u32,
    ) -> u32 {
        let Some(slab) = arena.slabs.get(self.slabs as usize) else {
            panic!("the index has used up its numbers")
        };
        slab.get_or_init(|| {
            let mut parts = kernels::vec_in_large_pages(len as usize);
            parts.extend(repeat_with(T::default).take(len as usize));
            parts.into_boxed_slice()
        });
        let first = self.slabs.wrapping_shl(SLAB_BITS);
        self.slab_bytes += bytes_of::<T>(len as usize);
        self.slabs += 1;
        self.parts = self.parts.saturating_add(len);
        first
    }

    /// Gives a part back. Readers may still look at it; what they see there they throw away.
    pub(super) fn put(&mut self, number: u32) {
        self.free.push(number);
    }

    /// What the arena's parts and this take, the two structs themselves aside.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.slab_bytes + bytes_of::<u32>(self.free.capacity())
    }
}

/// The size of `len` values of `T`.
pub(super) const fn bytes_of<T>(len: usize) -> u64 {
    size_of::<T>() as u64 * len as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn numbers_are_distinct_and_parts_stay() {
        let arena = Arena::<AtomicU32, 1024>::new();
        let mut pool = Pool::new(64);
        let count: u32 = if cfg!(miri) { 300 } else { 20_000 };
        let numbers: Vec<u32> = (0..count).map(|_| pool.take(&arena)).collect();
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
        for (value, &number) in (0..).zip(&numbers) {
            arena.get(number).unwrap().store(value, Ordering::Relaxed);
        }
        for (value, &number) in (0..).zip(&numbers) {
            assert_eq!(arena.get(number).unwrap().load(Ordering::Relaxed), value);
        }
        assert!(arena.get(u32::MAX).is_none());
        assert!(pool.memory_bytes() >= u64::from(count) * 4);
    }

    #[test]
    fn what_is_given_back_is_taken_again() {
        let arena = Arena::<AtomicU32, 1024>::new();
        let mut pool = Pool::new(8);
        let first = pool.take(&arena);
        let before = pool.slab_bytes;
        pool.put(first);
        assert_eq!(pool.take(&arena), first);
        assert_eq!(pool.slab_bytes, before);
    }
}
