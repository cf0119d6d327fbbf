//! One value that readers borrow without a lock or a count that they share, while a writer may put another in its place.
//!
//! A reader notes which value it looks at in a slot of its own thread (a *hazard pointer*); who replaces a value keeps it until no
//! slot holds it any more. That is a store, a fence and a load for a reader, in few instructions: a read by key is so short that a
//! general library for this was a third of it.
//!
//! Invariant: a value is dropped only after it was replaced and, later, found in no slot. Slots are looked through behind a fence
//! that stands against the readers' one: either the reader sees that the value was replaced, or its slot is seen.

#[cfg(not(loom))]
mod blocks;
#[cfg(not(loom))]
mod current;
#[cfg(loom)]
mod for_loom;
mod slots;

#[cfg(not(loom))]
pub(crate) use current::Current;
#[cfg(loom)]
pub(crate) use for_loom::Current;
