//! What an instance may take, each limit by name.

use std::time::Duration;

use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

use crate::state::State;

/// Core instances, memories and tables of one component; ours has one memory and a few small instances.
const INSTANCES: usize = 64;
/// Entries of one table.
pub(crate) const TABLE_ELEMENTS: usize = 65_536;
/// Files, streams and directories that an instance may hold open.
const OPEN_HANDLES: usize = 256;

/// What an instance may take.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// How long one call may compute. Waiting for the medium is not counted but ends with the call.
    pub call: Duration,
    /// How far the memory of an instance may grow, in bytes. A value needs its length there two or three times over.
    pub memory_bytes: usize,
    /// How many instances there may be at a time in one [`Sandbox`](crate::Sandbox) or [`Runtime`](crate::Runtime); address
    /// space is reserved for them. Starting another one is an error.
    pub instances: u32,
}

impl Default for Limits {
    /// A minute, 1 GiB and 256 instances.
    fn default() -> Self {
        Self {
            call: Duration::from_mins(1),
            memory_bytes: 1 << 30,
            instances: 256,
        }
    }
}

impl Limits {
    /// These limits with another time for each call.
    #[must_use]
    pub const fn with_call(mut self, call: Duration) -> Self {
        self.call = call;
        self
    }

    /// These limits with another bound on the memory.
    #[must_use]
    pub const fn with_memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// These limits with another number of instances at a time.
    #[must_use]
    pub const fn with_instances(mut self, instances: u32) -> Self {
        self.instances = instances;
        self
    }

    pub(crate) fn for_store(&self) -> StoreLimits {
        StoreLimitsBuilder::new()
            .memory_size(self.memory_bytes)
            .table_elements(TABLE_ELEMENTS)
            .instances(INSTANCES)
            .memories(INSTANCES)
            .tables(INSTANCES)
            .build()
    }

    /// Puts `store` under these limits; its first call must still set the deadline.
    pub(crate) fn apply(&self, store: &mut Store<State>) {
        store.limiter(|state| &mut state.limits);
        // What one call may make the host allocate: no more than what can lie in the guest's memory.
        store.set_hostcall_fuel(self.memory_bytes);
        store.set_max_component_handles(OPEN_HANDLES);
        store.data_mut().table.set_max_capacity(OPEN_HANDLES);
        store.epoch_deadline_trap();
    }
}
