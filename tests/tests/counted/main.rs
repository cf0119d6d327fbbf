//! What operations cost, counted and not timed: system calls, allocations, bytes of the file, page faults.
//!
//! Each bound stands beside what was measured when it was set, and close to it: who makes something worse finds out here, and who makes
//! it better brings the bound down.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails there and then"
)]
#![cfg(target_os = "linux")]

mod allocations;
mod file_bytes;
mod page_faults;
#[cfg(target_env = "gnu")]
mod system_calls;

use std::path::{Path, PathBuf};

use tailstone::{DataStore, DataStoreWriter, Options};
use tailstone_tests::Rng;
use tailstone_tests::allocations::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Numbers of file systems where space that was set aside is stored to: ext4, XFS and tmpfs. Elsewhere every write is a system call.
const STORED_TO: [i64; 3] = [EXT4, 0x5846_5342, 0x0102_1994];
const EXT4: i64 = 0xef53;

fn file_system(folder: &Path) -> i64 {
    nix::sys::statfs::statfs(folder)
        .unwrap()
        .filesystem_type()
        .0
}

fn is_ext4(folder: &Path) -> bool {
    file_system(folder) == EXT4
}

/// Whether small writes are stores here; says so if they are not.
fn is_stored_to(folder: &Path) -> bool {
    let is_one = STORED_TO.contains(&file_system(folder));
    if !is_one {
        println!("skipped: no ext4, XFS or tmpfs below {}", folder.display());
    }
    is_one
}

/// A key of 24 bytes for each number.
fn key(number: u64) -> [u8; 24] {
    let mut key = *b"a key of 24 bytes ......";
    key[16..].copy_from_slice(&number.to_le_bytes());
    key
}

/// A folder, beside this test's program: `/tmp` may lie in memory, and a store's file should not.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn without_snapshots() -> Options {
    Options::new().snapshots(false)
}

/// Fills a store with `count` values of 150 bytes, 1,000 at a time.
fn fill(store: &DataStore, count: u64) {
    let value = [7; 150];
    let numbers: Vec<u64> = (0..count).collect();
    for chunk in numbers.chunks(1000) {
        write_batch(store, chunk, &value);
    }
}

/// Where a closed store lies in `folder`, with `count` values and a snapshot of its index.
fn filled(folder: &tempfile::TempDir, count: u64) -> PathBuf {
    let path = folder.path().join("store");
    let store = DataStore::open(&path).unwrap();
    fill(&store, count);
    store.snapshot_index().unwrap();
    store.close().unwrap();
    path
}

fn write_batch(store: &DataStore, numbers: &[u64], value: &[u8]) {
    let keys: Vec<_> = numbers.iter().copied().map(key).collect();
    let entries: Vec<(&[u8], &[u8])> = keys.iter().map(|key| (&key[..], value)).collect();
    store.batch_write(&entries).unwrap();
}

/// All keys below `count`, in a random order.
fn shuffled(count: u64) -> Vec<[u8; 24]> {
    let mut rng = Rng::new(11);
    let mut keys: Vec<_> = (0..count).map(key).collect();
    for end in (1..keys.len()).rev() {
        let other = rng.below(end + 1);
        keys.swap(end, other);
    }
    keys
}
