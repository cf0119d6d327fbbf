//! Where the parts of an index live: at addresses that stay, recycled but never freed before the index is.
//!
//! Only that makes readers without locks safe, and links without checks: whatever part a reader holds, it is there; whether
//! it still is what the link meant is what [`directory`](super::directory) tells.
//!
//! All `unsafe` of the index is here. Its one rule: links and [`Part`]s lead to parts of an arena of the same
//! [`Index`](super::Index), and are followed only by those who hold that index. All of them are in private fields of this
//! module's neighbours, and each of these is handed parts of one index only.
#![expect(unsafe_code, reason = "parts are reached by their addresses")]

use crate::atomic::{AtomicPtr, Ordering};
use std::iter::repeat_with;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

use super::chunk::{CHUNK_SIZE, Chunk};
use crate::backing::PrivatePages;
use crate::kernels;

/// The owner of parts. It is asked for new ones only; links lead to those that are there.
#[derive(Debug)]
pub(super) struct Arena<T> {
    slabs: Mutex<Vec<Slab<T>>>,
    /// Pages that parts lie in, kept for their memory alone.
    pages: Mutex<Vec<PrivatePages>>,
}

/// Parts in one allocation, as a bare pointer: moving a `Box` would end the life of pointers into it.
#[derive(Debug)]
struct Slab<T>(NonNull<[T]>);

// SAFETY: a slab owns its parts as a box would.
unsafe impl<T: Send> Send for Slab<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Slab<T> {}

impl<T> Drop for Slab<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a box, and this is the only place that makes it one again.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Self {
            slabs: Mutex::new(Vec::new()),
            pages: Mutex::new(Vec::new()),
        }
    }

    /// Takes `parts` in, to stay where they are until the arena goes.
    pub(super) fn add(&self, parts: Box<[T]>) -> &[T] {
        let parts = NonNull::from(Box::leak(parts));
        self.slabs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Slab(parts));
        // SAFETY: slabs are dropped with the arena only, which is borrowed as long as what is returned.
        unsafe { parts.as_ref() }
    }
}

impl Arena<Chunk> {
    /// Takes the chunks in that `pages` consist of. `None` if they are not whole ones at addresses that chunks may have.
    pub(super) fn adopt(&self, mut pages: PrivatePages) -> Option<&[Chunk]> {
        let range = pages.as_mut_ptr_range();
        let bytes = range.end.addr().checked_sub(range.start.addr())?;
        let first = NonNull::new(range.start)?.cast::<Chunk>();
        // Not so where a model checker has other integers.
        let is_plain = size_of::<Chunk>() == CHUNK_SIZE;
        if !is_plain || !first.is_aligned() || !bytes.is_multiple_of(CHUNK_SIZE) {
            return None;
        }
        let chunks = NonNull::slice_from_raw_parts(first, bytes / CHUNK_SIZE);
        self.pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(pages);
        // SAFETY: the pages are readable and writable memory of their holder, which this arena is from now on until it goes; nothing
        // else reaches them. They are aligned, and a chunk is nothing but atomic integers without gaps, as its size says, so any bytes are chunks.
        Some(unsafe { chunks.as_ref() })
    }
}

/// A part that its holder may change its mind about, with no life of its own: good as long as the arena is.
#[derive(Debug)]
pub(super) struct Part<T>(NonNull<T>);

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Part<T> {}

// SAFETY: it is a shared reference in all but its life.
unsafe impl<T: Sync> Send for Part<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Part<T> {}

impl<T> Part<T> {
    pub(super) fn of(part: &T) -> Self {
        Self(NonNull::from(part))
    }

    /// The part, which lies in `arena`.
    #[inline]
    pub(super) fn get(self, _arena: &Arena<T>) -> &T {
        // SAFETY: the rule above: the part is of this arena, so it is there as long as that is borrowed.
        unsafe { self.0.as_ref() }
    }
}

/// Parts side by side, as [`Part`] is one.
#[derive(Debug)]
pub(super) struct Parts<T>(NonNull<[T]>);

// SAFETY: it is a shared reference in all but its life.
unsafe impl<T: Sync> Send for Parts<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Parts<T> {}

impl<T> Parts<T> {
    pub(super) fn of(parts: &[T]) -> Self {
        Self(NonNull::from(parts))
    }

    /// The parts, which lie in `arena`.
    pub(super) fn get<'a>(&self, _arena: &'a Arena<T>) -> &'a [T] {
        // SAFETY: the rule above: the parts are of this arena, so they are there as long as that is borrowed.
        unsafe { self.0.as_ref() }
    }
}

/// A way from one part to another, which readers may take while the writer turns it elsewhere.
#[derive(Debug)]
pub(super) struct Link<T>(AtomicPtr<T>);

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self::none()
    }
}

impl<T> Link<T> {
    /// A link that leads nowhere yet.
    pub(super) fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Leads nowhere again.
    pub(super) fn clear(&self) {
        self.0.store(ptr::null_mut(), Ordering::Release);
    }
}

// Links are shared, so what they lead to has to be.
impl<T: Sync> Link<T> {
    /// Leads to `part` from now on; who follows it there sees what was stored there before.
    pub(super) fn set(&self, part: &T) {
        self.0
            .store(ptr::from_ref(part).cast_mut(), Ordering::Release);
    }

    /// The part it leads to.
    #[inline]
    pub(super) fn get(&self) -> Option<&T> {
        // SAFETY: the rule above: what was set is a part of an arena that goes together with everything that holds links, and
        // parts are only ever changed through their atomics.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Whether it leads to `part`.
    #[inline]
    pub(super) fn leads_to(&self, part: &T) -> bool {
        ptr::eq(self.0.load(Ordering::Acquire), part)
    }
}

/// The writer's half of an arena: which parts are free.
#[derive(Debug)]
pub(super) struct Pool<T> {
    free: Vec<Part<T>>,
    parts: usize,
    /// A new slab has one part for so many that there are.
    share: usize,
}

impl<T: Default> Pool<T> {
    pub(super) const fn new(share: usize) -> Self {
        Self {
            free: Vec::new(),
            parts: 0,
            share,
        }
    }

    /// A part nobody uses, in the state its last user left it in.
    pub(super) fn take<'a>(&mut self, arena: &'a Arena<T>) -> &'a T {
        if self.free.is_empty() {
            self.add_slab(arena, (self.parts / self.share).max(1));
        }
        match self.free.pop() {
            Some(part) => part.get(arena),
            None => unreachable!("a slab has parts"),
        }
    }

    /// Makes sure that so many parts are free, the new ones side by side.
    pub(super) fn reserve(&mut self, arena: &Arena<T>, parts: usize) {
        let missing = parts.saturating_sub(self.free.len());
        if missing > 0 {
            self.add_slab(arena, missing);
        }
    }

    fn add_slab(&mut self, arena: &Arena<T>, len: usize) {
        let mut parts = kernels::vec_in_large_pages(len);
        parts.extend(repeat_with(T::default).take(len));
        let parts = arena.add(parts.into_boxed_slice());
        // The first comes out first.
        self.free.extend(parts.iter().rev().map(Part::of));
        self.parts += len;
    }

    /// Counts parts that came into the arena by another way.
    pub(super) const fn count(&mut self, parts: usize) {
        self.parts += parts;
    }

    /// Gives a part back. Readers may still look at it; what they see there they throw away.
    pub(super) fn put(&mut self, part: &T) {
        self.free.push(Part::of(part));
    }

    /// What the arena's parts and this take, the two structs themselves aside.
    pub(super) const fn memory_bytes(&self) -> u64 {
        bytes_of::<T>(self.parts) + bytes_of::<Part<T>>(self.free.capacity())
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
    use std::sync::atomic::AtomicU32;

    #[test]
    fn parts_are_distinct_and_stay() {
        let arena = Arena::<AtomicU32>::new();
        let mut pool = Pool::new(64);
        let count: u32 = if cfg!(miri) { 300 } else { 20_000 };
        let parts: Vec<&AtomicU32> = (0..count).map(|_| pool.take(&arena)).collect();
        let places: HashSet<_> = parts.iter().map(|&part| ptr::from_ref(part)).collect();
        assert_eq!(places.len(), parts.len());
        for (value, part) in (0..).zip(&parts) {
            part.store(value, Ordering::Relaxed);
        }
        for (value, part) in (0..).zip(&parts) {
            assert_eq!(part.load(Ordering::Relaxed), value);
        }
        assert!(pool.memory_bytes() >= u64::from(count) * 4);
    }

    #[test]
    fn what_is_given_back_is_taken_again() {
        let arena = Arena::<AtomicU32>::new();
        let mut pool = Pool::new(8);
        let first = pool.take(&arena);
        let before = pool.parts;
        pool.put(first);
        assert!(ptr::eq(pool.take(&arena), first));
        assert_eq!(pool.parts, before);
    }

    #[test]
    fn links_lead_where_they_were_set_to_wherever_the_arena_goes() {
        let arena = Arena::<AtomicU32>::new();
        let link = Link::none();
        assert!(link.get().is_none());
        link.set(Pool::new(8).take(&arena));
        let arena = Box::new(arena);
        link.get().unwrap().store(7, Ordering::Relaxed);
        assert_eq!(link.get().unwrap().load(Ordering::Relaxed), 7);
        assert!(link.leads_to(link.get().unwrap()));
        link.clear();
        assert!(link.get().is_none());
        drop(arena);
    }
}
