//! Every thread's slots.
//!
//! Invariant: a slot is taken and given back by the thread that has its block and by nobody else. Blocks are never freed: a thread that
//! ends leaves its block to one that begins.

use super::slots::Slot;
use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// So many values can one thread look at; more are counted.
const SLOTS: usize = 8;

/// The slots of one thread, on cache lines of their own.
#[repr(align(128))]
struct Block([Slot; SLOTS]);

/// All blocks there are, and those that no thread has.
struct Blocks {
    all: Vec<&'static Block>,
    free: Vec<&'static Block>,
}

static BLOCKS: Mutex<Blocks> = Mutex::new(Blocks {
    all: Vec::new(),
    free: Vec::new(),
});

/// The block of this thread.
struct Mine(Cell<Option<&'static Block>>);

thread_local! {
    static MINE: Mine = const { Mine(Cell::new(None)) };
}

/// Hands a slot to `note`, and returns both; `None` if all of this thread are taken, or the thread is about to end.
#[inline]
pub(super) fn with_free_slot<R>(
    note: impl FnOnce(&'static Slot) -> R,
) -> Option<(&'static Slot, R)> {
    let block = MINE.try_with(|mine| mine.0.get()).ok()?;
    let block = match block {
        Some(block) => block,
        None => adopt()?,
    };
    let slot = block.0.iter().find(|slot| slot.is_free())?;
    Some((slot, note(slot)))
}

/// A block for this thread, which has none yet.
#[cold]
fn adopt() -> Option<&'static Block> {
    let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    let block = blocks.free.pop().unwrap_or_else(|| {
        let slots = [const { Slot::new() }; SLOTS];
        let block = Box::leak(Box::new(Block(slots)));
        blocks.all.push(block);
        block
    });
    if MINE.try_with(|mine| mine.0.set(Some(block))).is_err() {
        blocks.free.push(block);
        return None;
    }
    Some(block)
}

impl Drop for Mine {
    fn drop(&mut self) {
        if let Some(block) = self.0.take() {
            let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.free.push(block);
        }
    }
}

/// All that is noted now. To be asked behind a fence.
pub(super) fn held() -> Vec<*mut ()> {
    let blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    let slots = blocks.all.iter().flat_map(|block| &block.0);
    let noted = slots.map(Slot::noted);
    noted.filter(|noted| !noted.is_null()).collect()
}
