//! Writers that share syncs: each appends, and one sync makes stable what all have appended until it begins.
//!
//! Invariants: entries count in the order in which they lie in the file; none is visible, and no writer returns, before a sync that
//! began after it was appended has succeeded.

use super::commit::Appended;
use super::{Generation, Store, Writer};
use crate::backing::Backing;
use crate::error::Result;
use crate::options::Durability;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Commits that were appended and wait for a sync, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    commits: VecDeque<Appended>,
    /// How many there ever were.
    issued: u64,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }
}

/// Who syncs, and what for.
#[derive(Debug, Default)]
pub(crate) struct SharedSync {
    /// Whether somebody syncs for all at this moment.
    busy: Mutex<bool>,
    /// Told when that ends. No lock is handed on: who finds that its commit counts goes on while the next sync runs already, and has
    /// its next commit ready when that ends.
    idle: Condvar,
    /// Of the commits that ever waited, so many count.
    settled: AtomicU64,
}

impl SharedSync {
    fn has_settled(&self, nth: u64) -> bool {
        self.settled.load(Ordering::Acquire) >= nth
    }

    /// Waits until commit `nth` counts, or it is the caller's turn to sync.
    fn turn(&self, nth: u64) -> Option<Turn<'_>> {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let mut busy = self
            .idle
            .wait_while(busy, |busy| *busy && !self.has_settled(nth))
            .unwrap_or_else(PoisonError::into_inner);
        if self.has_settled(nth) {
            return None;
        }
        *busy = true;
        Some(Turn(self))
    }
}

/// The right to sync for all, until it is dropped.
struct Turn<'s>(&'s SharedSync);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.busy.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.idle.notify_all();
    }
}

impl Writer {
    /// Whether a change of this key was appended and waits for its sync.
    pub(crate) fn awaits(&self, key_hash: u64) -> bool {
        self.waiting
            .commits
            .iter()
            .any(|appended| appended.has(key_hash))
    }
}

impl<B: Backing> Store<B> {
    /// Makes a commit count that was appended, at once or with a sync that others share, and returns the tail behind it.
    pub(super) fn acknowledge(
        &self,
        mut writer: MutexGuard<'_, Writer>,
        generation: &Generation<B>,
        appended: Appended,
    ) -> Result<u64> {
        let Some(end) = appended.end() else {
            writer.give_back(appended);
            return Ok(generation.tail());
        };
        // What the entries replace is looked up when they are published only on a medium in memory; others have it looked up
        // before, when those that wait are not in the index yet.
        let shares = self.settings().durability == Durability::Sync && B::IN_MEMORY;
        if !shares {
            if self.settings().durability == Durability::Sync {
                self.sync_generation(generation)?;
            }
            writer.end = end;
            Self::publish(&mut writer, generation, &appended);
            writer.give_back(appended);
            return Ok(end);
        }
        writer.end = end;
        writer.waiting.commits.push_back(appended);
        writer.waiting.issued += 1;
        let nth = writer.waiting.issued;
        drop(writer);
        self.await_sync(nth).map(|()| end)
    }

    /// Returns once commit `nth` counts.
    fn await_sync(&self, nth: u64) -> Result<()> {
        let shared = &self.shared_sync;
        let Some(_turn) = shared.turn(nth) else {
            return Ok(());
        };
        // What is appended from here on may or may not be covered; it is left to the next turn.
        let (generation, issued) = {
            let writer = self.lock_writer();
            if shared.has_settled(nth) {
                return Ok(());
            }
            (self.current.load_full(), writer.waiting.issued)
        };
        let synced = self.sync_generation(&generation);
        let mut writer = self.lock_writer();
        match synced {
            Ok(()) => {
                self.publish_waiting_until(&mut writer, issued);
                Ok(())
            }
            // Somebody who holds the lock settled it, and only then a sync failed.
            Err(_) if shared.has_settled(nth) => Ok(()),
            Err(error) => {
                writer.waiting.commits.clear();
                Err(error)
            }
        }
    }

    /// The writer's state with no commit waiting: for those whose changes depend on what is in the store.
    pub(crate) fn lock_settled_writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let mut writer = self.lock_writer();
        if !writer.waiting.is_empty() {
            self.sync_generation(&self.current.load())?;
            self.publish_waiting(&mut writer);
        }
        Ok(writer)
    }

    /// Makes all commits count that wait; a sync that began after the last of them was appended has succeeded.
    pub(crate) fn publish_waiting(&self, writer: &mut Writer) {
        let issued = writer.waiting.issued;
        self.publish_waiting_until(writer, issued);
    }

    fn publish_waiting_until(&self, writer: &mut Writer, issued: u64) {
        // Compaction leaves none waiting, so they all lie behind the tail of this generation.
        let generation = self.current.load();
        let waiting = u64::try_from(writer.waiting.commits.len()).unwrap_or(u64::MAX);
        let first = writer.waiting.issued - waiting;
        for _ in first..issued {
            let Some(appended) = writer.waiting.commits.pop_front() else {
                break;
            };
            Self::publish(writer, &generation, &appended);
            writer.give_back(appended);
        }
        let settled = self.shared_sync.settled.load(Ordering::Relaxed);
        self.shared_sync
            .settled
            .store(settled.max(issued), Ordering::Release);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use crate::backing::{Backing, MemoryBacking, MemoryView};
    use crate::{DataStoreReader, DataStoreWriter, Durability, Error, Options, Store};
    use std::io;
    use std::ops::Range;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    /// Memory whose syncs take the time that the test gives them.
    struct Slow {
        memory: MemoryBacking,
        syncs: Arc<AtomicU64>,
        sync: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
    }

    impl Backing for Slow {
        type View = MemoryView;

        const IN_MEMORY: bool = true;

        fn len(&self) -> io::Result<u64> {
            self.memory.len()
        }

        fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
            self.memory.read(at, buf)
        }

        fn view(&self, range: Range<u64>) -> io::Result<MemoryView> {
            self.memory.view(range)
        }

        fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
            self.memory.write(at, parts)
        }

        fn truncate(&self, len: u64) -> io::Result<()> {
            self.memory.truncate(len)
        }

        fn sync(&self) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            (self.sync)()
        }
    }

    fn open(
        sync: impl Fn() -> io::Result<()> + Send + Sync + 'static,
    ) -> (Store<Slow>, Arc<AtomicU64>) {
        let syncs = Arc::default();
        let backing = Slow {
            memory: MemoryBacking::new(),
            syncs: Arc::clone(&syncs),
            sync: Box::new(sync),
        };
        let options = Options::new().durability(Durability::Sync);
        (Store::open_with(backing, &options).unwrap(), syncs)
    }

    #[test]
    fn writers_at_once_share_syncs() {
        let (store, syncs) = open(|| {
            thread::sleep(Duration::from_millis(5));
            Ok(())
        });
        let (threads, writes) = (8_u8, 20_u8);
        thread::scope(|scope| {
            for thread in 0..threads {
                let store = &store;
                scope.spawn(move || {
                    for nth in 0..writes {
                        let key = [thread, nth];
                        let tail = match nth % 4 {
                            0 => store
                                .write_stream(&key, &mut &[thread, 1, nth][..])
                                .unwrap(),
                            1 => store.batch_write(&[(&key, &[thread, 1, nth])]).unwrap(),
                            _ => store.write(&key, &[thread, 1, nth]).unwrap(),
                        };
                        // Its own writes are there, and so is what lies before them.
                        assert!(store.tail() >= tail);
                        let value = store.read(&key).unwrap().unwrap();
                        assert_eq!(value.as_slice(), [thread, 1, nth]);
                        // The same key again and again, from all of them, and one that comes and goes.
                        store.write(b"shared", &[thread, 2, nth]).unwrap();
                        if nth % 5 == 4 {
                            store.delete(&[thread, nth - 1]).unwrap();
                            let from = [thread, nth - 2];
                            store.rename(&from, &[thread, nth - 2, 0]).unwrap();
                            assert!(store.read(&from).unwrap().is_none());
                        }
                    }
                });
            }
        });
        let (threads, writes) = (usize::from(threads), usize::from(writes));
        assert_eq!(store.len().unwrap(), threads * writes / 5 * 4 + 1);
        let calls = threads * writes * 2;
        let syncs = syncs.load(Ordering::Relaxed);
        assert!(syncs < calls as u64 / 2, "{syncs} syncs for {calls} writes");
        let report = store.verify(&mut |_, _| {}).unwrap();
        assert!(report.damaged.is_empty(), "{report:?}");
    }

    #[test]
    fn nothing_is_seen_before_its_sync() {
        let (begun, has_begun) = channel::<()>();
        let (let_go, may_go): (Sender<bool>, Receiver<bool>) = channel();
        let (begun, may_go) = (Mutex::new(begun), Mutex::new(may_go));
        let (store, _) = open(move || {
            begun.lock().unwrap().send(()).unwrap();
            match may_go.lock().unwrap().recv() {
                Ok(true) => Ok(()),
                _ => Err(io::ErrorKind::Other.into()),
            }
        });
        thread::scope(|scope| {
            let first = scope.spawn(|| store.write(b"first", b"1"));
            has_begun.recv().unwrap();
            // Appended while the sync runs, so it waits for the next one.
            let second = scope.spawn(|| store.write(b"second", b"2"));
            while store.lock_writer().waiting.commits.len() < 2 {
                thread::yield_now();
            }
            assert!(!first.is_finished() && !second.is_finished());
            assert_eq!((store.tail(), store.len().unwrap()), (0, 0));
            let_go.send(true).unwrap();
            assert_eq!(first.join().unwrap().unwrap(), 21);
            has_begun.recv().unwrap();
            assert!(store.read(b"first").unwrap().is_some());
            assert!(store.read(b"second").unwrap().is_none());
            // This sync fails, and another writer waits for the one after it.
            let third = scope.spawn(|| store.write(b"third", b"3"));
            while store.lock_writer().waiting.commits.len() < 2 {
                thread::yield_now();
            }
            let_go.send(false).unwrap();
            assert!(matches!(second.join().unwrap(), Err(Error::Io { .. })));
            assert!(matches!(third.join().unwrap(), Err(Error::Latched)));
        });
        assert_eq!((store.tail(), store.len().unwrap()), (21, 1));
        assert!(matches!(store.write(b"more", b"4"), Err(Error::Latched)));
        assert!(matches!(store.rename(b"first", b"x"), Err(Error::Latched)));
        assert_eq!(store.read(b"first").unwrap().unwrap().as_slice(), b"1");
    }
}
