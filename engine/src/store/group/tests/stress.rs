//! Threads in any order: groups beside compactions, batches, syncs and readers, and with a medium that fails now and then. Nobody
//! waits for good, each is told the truth, and what was acknowledged is there.

use super::*;
use crate::backing::device::faulty::{Call as DeviceCall, Fault};
use crate::backing::device::seeded::Seeded;
use crate::error::Error;
use crate::{DataStoreReader, DataStoreWriter};
use std::io::ErrorKind;
use std::sync::mpsc;

const WRITERS: usize = 8;

/// Fails if `run` does not come to its end: threads that wait for each other are left behind.
fn within_the_watchdog(run: impl FnOnce() + Send + 'static) {
    let (ended, end) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        run();
        ended.send(()).unwrap();
    });
    let ended = end.recv_timeout(WATCHDOG);
    assert_ne!(
        ended,
        Err(mpsc::RecvTimeoutError::Timeout),
        "threads wait for each other"
    );
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A value that says whose and which it is.
fn value(writer: usize, version: u64) -> Vec<u8> {
    let mut random = Seeded::new(version * 100 + writer as u64);
    let len = 9 + random.len_below(400);
    let mut value = random.bytes(len);
    value[0] = u8::try_from(writer).unwrap() + 1;
    value[1..9].copy_from_slice(&version.to_le_bytes());
    value
}

/// The version of a value, all of whose bytes are looked at; 0 for none.
fn version(found: Option<impl AsRef<[u8]>>, writer: usize) -> u64 {
    let Some(found) = found else {
        return 0;
    };
    let version = u64::from_le_bytes(found.as_ref()[1..9].try_into().unwrap());
    assert_eq!(found.as_ref(), value(writer, version));
    version
}

fn key(writer: usize) -> Vec<u8> {
    format!("writer {writer}").into_bytes()
}

#[test]
#[cfg(any(unix, windows))]
#[cfg_attr(miri, ignore = "maps a file")]
fn groups_beside_everything_else() {
    within_the_watchdog(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let writes = if cfg!(debug_assertions) { 60 } else { 200 };
        let store = options().open(&path).unwrap();
        let (done, finished) = (AtomicU64::new(0), std::sync::atomic::AtomicBool::new(false));
        let goes_on = || !finished.load(Ordering::SeqCst);
        std::thread::scope(|threads| {
            for writer in 0..WRITERS {
                let (store, done, finished) = (&store, &done, &finished);
                threads.spawn(move || {
                    let bucket = store.bucket("bucket").unwrap();
                    for nth in 1..=writes {
                        store.write(&key(writer), &value(writer, nth)).unwrap();
                        let read = store.read(&key(writer)).unwrap();
                        assert_eq!(version(read, writer), nth);
                        if nth % 4 == 0 {
                            bucket.set(&key(writer), &value(writer, nth)).unwrap();
                            store.write(b"everybody's", &value(writer, nth)).unwrap();
                            store.delete(b"everybody's").unwrap();
                        }
                    }
                    if done.fetch_add(1, Ordering::SeqCst) + 1 == WRITERS as u64 {
                        finished.store(true, Ordering::SeqCst);
                    }
                });
            }
            threads.spawn(|| {
                let mut before = [0; WRITERS];
                while goes_on() {
                    for (writer, before) in before.iter_mut().enumerate() {
                        let now = version(store.read(&key(writer)).unwrap(), writer);
                        assert!(now >= *before);
                        *before = now;
                    }
                }
            });
            threads.spawn(|| {
                while goes_on() {
                    store.compact().unwrap();
                    store.sync().unwrap();
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            threads.spawn(|| {
                let large = vec![1; 100_000];
                while goes_on() {
                    store.batch_write(&[(b"x", b"1"), (b"y", &large)]).unwrap();
                    store.rename(b"x", b"z").unwrap();
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        });
        let check = |store: &crate::DataStore| {
            let bucket = store.bucket("bucket").unwrap();
            for writer in 0..WRITERS {
                assert_eq!(version(store.read(&key(writer)).unwrap(), writer), writes);
                assert_eq!(version(bucket.get(&key(writer)).unwrap(), writer), writes);
            }
            assert_eq!(store.len().unwrap(), 2 * WRITERS + 2);
        };
        check(&store);
        store.close().unwrap();
        let store = options().open(&path).unwrap();
        assert!(store.recovery_report().is_clean());
        check(&store);
    });
}

/// One call of the medium fails somewhere, and at the end the power goes.
fn run_with_a_fault(seed: u64) {
    let what = format!("seed {seed}");
    let device = HeldDevice::default();
    let store = store_on(&device);
    let mut random = Seeded::new(seed);
    let calls = [
        DeviceCall::Sync,
        DeviceCall::Write,
        DeviceCall::SetLen,
        DeviceCall::Read,
    ];
    let call = calls[random.len_below(4)];
    device
        .faulty
        .plan(call, random.below(12), Fault::Torn(ErrorKind::TimedOut));
    let run = |writer: usize| {
        let (mut acknowledged, mut asked) = (0, 0);
        for nth in 1..=12 {
            match store.write(&key(writer), &value(writer, nth)) {
                Ok(_) => acknowledged = nth,
                Err(Error::Latched) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut, "{what}"),
            }
            asked = nth;
        }
        (acknowledged, asked)
    };
    let threads: Vec<(u64, u64)> = std::thread::scope(|threads| {
        let run = &run;
        let threads: Vec<_> = (0..WRITERS)
            .map(|writer| threads.spawn(move || run(writer)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    device.faulty.heal();
    for (writer, (acknowledged, _)) in threads.iter().enumerate() {
        let read = store.read(&key(writer)).unwrap();
        assert_eq!(version(read, writer), *acknowledged, "{what}");
    }
    for crash in 0..8 {
        let what = format!("{what}, crash {crash}");
        let left = HeldDevice {
            faulty: device.faulty.crash(seed + crash),
            ..HeldDevice::default()
        };
        let backing = DeviceBacking::new(left, 64 << 10).unwrap();
        // A single entry that was being written may be kept as a damaged one.
        let store = match Store::open_with(backing, &options().verify_reads(true)) {
            Ok(store) => store,
            Err(Error::NotAStore { .. })
                if threads.iter().all(|(acknowledged, _)| *acknowledged == 0) =>
            {
                continue;
            }
            Err(error) => panic!("{what}: {error}"),
        };
        let mut damaged = 0;
        for (writer, (acknowledged, asked)) in threads.iter().enumerate() {
            match store.read(&key(writer)) {
                Ok(read) => {
                    let version = version(read, writer);
                    assert!(
                        (*acknowledged..=*asked).contains(&version),
                        "{what}: {version}"
                    );
                }
                Err(Error::Corrupt { .. }) if acknowledged < asked => damaged += 1,
                Err(error) => panic!("{what}: {error}"),
            }
        }
        assert!(damaged <= store.recovery_report().damaged_entries, "{what}");
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "needs threads")]
#[cfg_attr(miri, ignore = "many threads")]
fn groups_on_a_medium_that_fails() {
    let rounds = std::env::var("TAILSTONE_ROUNDS").ok();
    let rounds = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(60);
    within_the_watchdog(move || (0..rounds).for_each(run_with_a_fault));
}
