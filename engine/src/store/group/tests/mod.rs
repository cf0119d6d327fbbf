//! A device whose syncs can be held, so that a queue builds up behind one, and that keeps what crashes would leave.

mod crashes;
mod rules;
mod stress;

use super::super::Store;
use crate::backing::device::faulty::FaultyDevice;
use crate::backing::device::{Device, DeviceBacking};
use crate::options::{Durability, Options};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

type Held = Store<DeviceBacking<HeldDevice>>;

/// Nothing in these tests takes so long unless threads wait for each other for good.
const WATCHDOG: Duration = Duration::from_mins(1);

#[derive(Clone, Default)]
struct HeldDevice {
    faulty: FaultyDevice,
    gate: Arc<Gate>,
    witness: Arc<Witness>,
}

#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    is_closed: bool,
    inside: usize,
}

/// What crashes would leave after each change of the device.
#[derive(Default)]
struct Witness {
    /// How many of them at each.
    crashes: AtomicU64,
    /// The greatest tail that was acknowledged.
    acknowledged: AtomicU64,
    left: Mutex<Vec<Left>>,
}

struct Left {
    device: FaultyDevice,
    acknowledged: u64,
    what: String,
}

impl HeldDevice {
    fn watch(&self, what: &str) {
        let crashes = self.witness.crashes.load(Ordering::Relaxed);
        let mut left = self.witness.left.lock().unwrap();
        for seed in 0..crashes {
            let acknowledged = self.witness.acknowledged.load(Ordering::SeqCst);
            let seed = seed + 1000 * left.len() as u64;
            left.push(Left {
                device: self.faulty.crash(seed),
                acknowledged,
                what: format!("after {what}, seed {seed}"),
            });
        }
    }

    fn close_gate(&self) {
        self.gate.state.lock().unwrap().is_closed = true;
    }

    fn open_gate(&self) {
        self.gate.state.lock().unwrap().is_closed = false;
        self.gate.changed.notify_all();
    }

    /// Lets the sync that is held go on.
    fn let_one_in(&self) {
        let mut state = self.gate.state.lock().unwrap();
        assert!(state.is_closed && state.inside == 1);
        state.inside = 0;
        self.gate.changed.notify_all();
    }

    /// The same, and waits for the next one to come.
    fn let_one_through(&self) {
        self.let_one_in();
        until("another sync", || {
            self.gate.state.lock().unwrap().inside == 1
        });
    }

    fn wait_for_a_sync(&self) {
        until("a sync", || self.gate.state.lock().unwrap().inside == 1);
    }
}

impl Device for HeldDevice {
    fn len(&self) -> io::Result<u64> {
        self.faulty.len()
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.faulty.read_at(at, buf)
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        let written = self.faulty.write_at(at, buf);
        self.watch("a write");
        written
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let set = self.faulty.set_len(len);
        self.watch("a cut");
        set
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.gate.state.lock().unwrap();
        assert_eq!(state.inside, 0, "two syncs at a time");
        state.inside = 1;
        while state.is_closed && state.inside == 1 {
            state = self.gate.changed.wait(state).unwrap();
        }
        state.inside = 0;
        drop(state);
        let synced = self.faulty.sync();
        self.watch("a sync");
        synced
    }
}

fn options() -> Options {
    Options::new().durability(Durability::Sync)
}

fn store_on(device: &HeldDevice) -> Held {
    let backing = DeviceBacking::new(device.clone(), 64 << 10).unwrap();
    Store::open_with(backing, &options()).unwrap()
}

/// Waits for something that threads are sure to come to.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < WATCHDOG, "waited for {what} in vain");
        std::thread::yield_now();
    }
}

/// Has `calls` made at the same time, each by its own thread and all of them while a sync is held, so that they form one group in
/// their order; `behind` then runs while that group's own sync is held, if there is one.
fn together(store: &Held, device: &HeldDevice, calls: Vec<Call<'_>>) {
    together_and(store, device, calls, || {});
}

type Call<'a> = Box<dyn FnOnce() + Send + 'a>;

fn together_and(store: &Held, device: &HeldDevice, calls: Vec<Call<'_>>, behind: impl FnOnce()) {
    use crate::DataStoreWriter;
    device.close_gate();
    std::thread::scope(|threads| {
        threads.spawn(|| store.write(b"the one in front", b"of the group").unwrap());
        device.wait_for_a_sync();
        for (nth, call) in (1..).zip(calls) {
            threads.spawn(call);
            until("a place in the queue", || store.group.waiting() == nth);
        }
        behind();
        device.open_gate();
    });
}
