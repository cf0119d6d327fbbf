//! What comes of requests, on memory and on a device behind a write buffer, and of bytes that are none.

use super::wire::{self, Answer, answers};
use super::*;
use tailstone::backing::MemoryBacking;
use tailstone::backing::device::faulty::{Call, Fault, FaultyDevice};
use tailstone::backing::device::{DeviceBacking, WriteBehind};
use tailstone::{MemoryStore, Options};

/// A store and what a worker has beside it.
struct Worker<B: Backing> {
    store: Store<B>,
    backing: B,
    answers: Answers,
    changes: Changes,
}

impl Worker<MemoryBacking> {
    /// On memory, whose own clones are other media: nothing that reads values through the second one.
    fn on_memory() -> Self {
        Self {
            store: MemoryStore::new(),
            backing: MemoryBacking::new(),
            answers: Answers::default(),
            changes: Changes::default(),
        }
    }
}

/// A device that is shared by the store and by the one who reads past it.
type Shared = DeviceBacking<FaultyDevice>;

impl Worker<Shared> {
    fn on(device: &FaultyDevice) -> Self {
        let backing = || DeviceBacking::new(device.clone(), 0).unwrap();
        Self {
            store: Store::open_with(backing(), &Options::new()).unwrap(),
            backing: backing(),
            answers: Answers::default(),
            changes: Changes::default(),
        }
    }
}
