//! Syncs that are asked for, on a medium whose syncs can be held and fail, and which knows what each brought to stable storage.

use super::super::Store;
use crate::backing::{Backing, MemoryBacking, MemoryView, Rewrite};
use crate::{DataStoreReader, DataStoreWriter, Durability, Error, Options};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes so long unless threads wait for each other for good.
const WATCHDOG: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    is_closed: bool,
    is_inside: bool,
    fails: bool,
    writes: Writes,
    syncs: u64,
    /// What was written when the last sync that succeeded began.
    stable: u64,
}

/// What becomes of writes.
#[derive(Default, PartialEq)]
enum Writes {
    #[default]
    Succeed,
    /// They wait until they are to fail.
    Wait,
    Fail,
}

#[derive(Default)]
struct Gated {
    bytes: MemoryBacking,
    gate: Arc<Gate>,
}

impl Gate {
    fn set(&self, change: impl FnOnce(&mut GateState)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn wait_until_inside(&self) {
        until(|| self.state.lock().unwrap().is_inside);
    }

    fn syncs(&self) -> u64 {
        self.state.lock().unwrap().syncs
    }
}

/// Lets the thread go on that a failed test would wait for.
struct OpenAtLast<'g>(&'g Gate);

impl Drop for OpenAtLast<'_> {
    fn drop(&mut self) {
        self.0.set(|state| state.is_closed = false);
    }
}

impl Rewrite for Gated {
    fn create_replacement(&self) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn commit_replacement(&self, _: &Self) -> io::Result<()> {
        Ok(())
    }
}

impl Backing for Gated {
    type View = MemoryView;
    const WRITES_BESIDE_SYNCS: bool = true;

    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.bytes.read(at, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<MemoryView> {
        self.bytes.view(range)
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.bytes.write(at, parts)?;
        if self.gate.state.lock().unwrap().writes == Writes::Succeed {
            return Ok(());
        }
        self.gate.set(|state| state.is_closed = false);
        until(|| self.gate.state.lock().unwrap().writes == Writes::Fail);
        Err(io::Error::other("the disk is gone"))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.bytes.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        let begun_with = self.bytes.len()?;
        let mut state = self.gate.state.lock().unwrap();
        assert!(!state.is_inside, "two syncs at a time");
        state.is_inside = true;
        state.syncs += 1;
        while state.is_closed {
            state = self.gate.changed.wait(state).unwrap();
        }
        state.is_inside = false;
        if state.fails {
            return Err(io::Error::other("the disk is gone"));
        }
        state.stable = begun_with;
        Ok(())
    }
}

fn opened(options: &Options) -> (Store<Gated>, Arc<Gate>) {
    let gate = Arc::new(Gate::default());
    let medium = Gated {
        bytes: MemoryBacking::new(),
        gate: Arc::clone(&gate),
    };
    (Store::open_with(medium, options).unwrap(), gate)
}

fn until(is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < WATCHDOG, "waited in vain");
        thread::yield_now();
    }
}

fn waiting(store: &Store<Gated>) -> usize {
    store.syncs.lock().waiting
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn others_write_and_read_while_one_syncs() {
    let (store, gate) = opened(&Options::new());
    store.write(b"before", b"1").unwrap();
    gate.set(|state| state.is_closed = true);
    thread::scope(|threads| {
        let syncing = threads.spawn(|| store.sync());
        gate.wait_until_inside();
        let _last = OpenAtLast(&gate);
        let others = threads.spawn(|| {
            let tail = store.write(b"meanwhile", b"2").unwrap();
            assert_eq!(store.read(b"meanwhile").unwrap().unwrap().as_slice(), b"2");
            assert!(store.delete(b"before").unwrap() > tail);
        });
        until(|| others.is_finished());
        assert!(!syncing.is_finished());
        gate.set(|state| state.is_closed = false);
        syncing.join().unwrap().unwrap();
    });
    // What was written meanwhile has a sync of its own, once.
    assert_eq!(gate.syncs(), 1);
    store.sync().unwrap();
    assert_eq!(gate.syncs(), 2);
    store.sync().unwrap();
    assert_eq!(gate.syncs(), 2);
    assert_eq!(gate.state.lock().unwrap().stable, store.tail());
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn who_asks_during_a_sync_shares_the_next_one() {
    const THREADS: u8 = 7;
    let (store, gate) = opened(&Options::new());
    store.write(b"first", b"1").unwrap();
    gate.set(|state| state.is_closed = true);
    thread::scope(|threads| {
        threads.spawn(|| store.sync().unwrap());
        gate.wait_until_inside();
        let _last = OpenAtLast(&gate);
        for nth in 0..THREADS {
            let (store, gate) = (&store, &gate);
            threads.spawn(move || {
                let tail = store.write(&[nth], b"2").unwrap();
                store.sync().unwrap();
                assert!(gate.state.lock().unwrap().stable >= tail);
            });
        }
        until(|| waiting(&store) == usize::from(THREADS));
        gate.set(|state| state.is_closed = false);
    });
    assert_eq!(gate.syncs(), 2);
    assert_eq!(waiting(&store), 0);
}

/// The system tells of a failure once: who waited must not try again and hear that all is well.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_failed_sync_is_everybodys() {
    for durability in [Durability::Buffered, Durability::Sync] {
        let (store, gate) = opened(&Options::new().durability(durability));
        store.write(b"first", b"1").unwrap();
        store.sync().unwrap();
        store.write(b"second", b"2").unwrap();
        gate.set(|state| (state.is_closed, state.fails) = (true, true));
        thread::scope(|threads| {
            let first = threads.spawn(|| match durability {
                Durability::Buffered => store.sync(),
                Durability::Sync => store.write(b"third", b"3").map(|_| ()),
            });
            gate.wait_until_inside();
            let _last = OpenAtLast(&gate);
            let others = [(); 3].map(|()| threads.spawn(|| store.sync()));
            until(|| waiting(&store) == others.len());
            gate.set(|state| state.is_closed = false);
            assert!(matches!(first.join().unwrap(), Err(Error::Io { .. })));
            for other in others {
                assert!(matches!(other.join().unwrap(), Err(Error::Latched)));
            }
        });
        gate.set(|state| state.fails = false);
        assert_eq!(waiting(&store), 0);
        assert!(matches!(store.write(b"more", b"4"), Err(Error::Latched)));
        assert!(matches!(store.sync(), Err(Error::Latched)));
    }
}

/// Where the old file's last bytes were lost, a compaction may have copied what was lost: the old one stays.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_compaction_waits_for_a_sync_and_gives_way_to_its_failure() {
    for fails in [true, false] {
        let (store, gate) = opened(&Options::new());
        store.write(b"key", b"1").unwrap();
        store.write(b"key", b"2").unwrap();
        gate.set(|state| (state.is_closed, state.fails) = (true, fails));
        thread::scope(|threads| {
            let syncing = threads.spawn(|| store.sync());
            gate.wait_until_inside();
            let _last = OpenAtLast(&gate);
            let compacting = threads.spawn(|| store.compact());
            until(|| store.syncs.lock().asleep == 1);
            assert_eq!(store.compactions(), 0);
            gate.set(|state| state.is_closed = false);
            assert_eq!(syncing.join().unwrap().is_err(), fails);
            let compacted = compacting.join().unwrap();
            assert_eq!(matches!(compacted, Err(Error::Latched)), fails);
        });
        assert_eq!(store.compactions(), u64::from(!fails));
        assert_eq!(store.read(b"key").unwrap().unwrap().as_slice(), b"2");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn what_was_synced_is_stable_whoever_did_it() {
    let rounds = if cfg!(miri) { 5 } else { 300 };
    for durability in [Durability::Buffered, Durability::Sync] {
        let (store, gate) = opened(&Options::new().durability(durability));
        let (ended, writes) = (AtomicBool::new(false), AtomicU64::new(0));
        thread::scope(|threads| {
            let syncing = [0_u8, 1, 2, 3].map(|nth| {
                let (store, gate, writes) = (&store, &gate, &writes);
                threads.spawn(move || {
                    for round in 0..rounds {
                        let tail = store.write(&[nth], &[nth; 100]).unwrap();
                        if round % 7 == 0 {
                            thread::yield_now();
                        }
                        store.sync().unwrap();
                        assert!(gate.state.lock().unwrap().stable >= tail);
                        writes.fetch_add(1, Ordering::Relaxed);
                    }
                })
            });
            threads.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    store.write(b"beside", &[5; 100]).unwrap();
                    thread::yield_now();
                }
            });
            for thread in syncing {
                thread.join().unwrap();
            }
            ended.store(true, Ordering::Relaxed);
        });
        assert_eq!(writes.load(Ordering::Relaxed), 4 * rounds);
        assert_eq!(waiting(&store), 0);
    }
}

/// The last of a store that fails for good is no write of which somebody was told that it failed.
#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
fn a_write_that_fails_beside_a_failing_sync_leaves_nothing() {
    let (store, gate) = opened(&Options::new());
    store.write(b"before", b"1").unwrap();
    let tail = store.tail();
    gate.set(|state| (state.is_closed, state.fails) = (true, true));
    let _open = OpenAtLast(&gate);
    thread::scope(|scope| {
        let syncing = scope.spawn(|| {
            store.sync().unwrap_err();
            gate.set(|state| state.writes = Writes::Fail);
        });
        gate.wait_until_inside();
        gate.set(|state| state.writes = Writes::Wait);
        let batch = [(&b"a"[..], &b"1"[..]), (b"b", b"2")];
        store.batch_write(&batch).unwrap_err();
        syncing.join().unwrap();
    });
    assert!(matches!(store.write(b"after", b"1"), Err(Error::Latched)));
    assert_eq!(store.current.load().backing.len().unwrap(), tail);
}
