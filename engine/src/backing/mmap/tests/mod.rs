//! Tests of the file backing: the contract, growth past a reservation, and what views outlive. Opening and full disks have
//! files of their own.

mod directories;
mod full;
mod opening;
#[cfg(target_os = "linux")]
mod paging;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::append::GRANULE;
use super::{MmapBacking, OpenMode, platform};
use crate::backing::{Backing, Resident, Rewrite, conformance};

/// A folder that goes with the test, and names for files in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn create(&self) -> MmapBacking {
        MmapBacking::open(self.file(), OpenMode::Create).unwrap()
    }

    /// As `create`, with address space for `reservation` bytes to begin with.
    fn create_reserving(&self, reservation: u64) -> MmapBacking {
        MmapBacking::open_reserving(&self.file(), OpenMode::Create, reservation).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

/// Runs the test `name` of this module again in a process of its own, with `folder` for it to work in; `wrapper` is a shell
/// script that ends in `exec "$@"`.
fn in_child(name: &str, folder: &Path, wrapper: &str) -> std::process::Output {
    let module = module_path!().split_once("::").unwrap().1;
    Command::new("sh")
        .args(["-c", wrapper, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("{module}::{name}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, folder)
        .output()
        .unwrap()
}

/// Set in a child; the folder to work in.
const CHILD: &str = "TAILSTONE_MMAP_TEST_CHILD";

fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

#[test]
fn keeps_the_contract() {
    for reservation in [super::mapping::FIRST_RESERVATION, 4096] {
        let mut folders = Vec::new();
        let mut make = || {
            let folder = Folder::new();
            let backing = folder.create_reserving(reservation);
            folders.push(folder);
            backing
        };
        conformance::backing(&mut make);
        conformance::resident(&mut make);
        conformance::rewrite(&mut make);
        conformance::concurrent_readers(&mut make);
    }
}

#[test]
fn keeps_the_contract_by_writes_alone() {
    let mut folders = Vec::new();
    let mut make = || {
        let folder = Folder::new();
        let backing = folder.create_reserving(4096);
        backing.writer().unwrap().only_write();
        folders.push(folder);
        backing
    };
    conformance::backing(&mut make);
    conformance::concurrent_readers(&mut make);
}

#[test]
fn growing_past_the_reservation_moves_nobody() {
    let folder = Folder::new();
    let backing = folder.create_reserving(4096);
    let mut views = Vec::new();
    let mut borrowed = Vec::new();
    let mut at = 0_u64;
    for step in 0..200_u64 {
        let bytes =
            vec![u8::try_from(step).unwrap(); 1 + usize::try_from(step * 97 % 5000).unwrap()];
        backing.write(at, &[&bytes]).unwrap();
        let end = at + u64::try_from(bytes.len()).unwrap();
        views.push((backing.view(at..end).unwrap(), bytes.clone()));
        let slice = backing.bytes(at..end).unwrap();
        borrowed.push((slice, slice.as_ptr(), bytes));
        at = end;
    }
    assert!(
        backing.reads.mappings() > 3,
        "{} mappings only",
        backing.reads.mappings()
    );
    for (slice, address, bytes) in &borrowed {
        assert_eq!((slice, slice.as_ptr()), (&bytes.as_slice(), *address));
    }
    backing.truncate(at).unwrap();
    drop(backing);
    std::fs::remove_file(folder.file()).unwrap();
    for (view, bytes) in &views {
        assert_eq!(view.as_ref(), bytes);
    }
}

#[test]
fn sizes_on_both_sides_of_every_threshold_come_back() {
    let folder = Folder::new();
    let backing = folder.create();
    let mut model = Vec::new();
    let mut at = 0;
    for size in [
        1,
        150,
        20 << 10,
        (20 << 10) + 1,
        96 << 10,
        (96 << 10) + 1,
        3 << 20,
        5,
    ] {
        for parts in [1, 3, 2000] {
            let bytes: Vec<u8> = (0..size)
                .map(|n| u8::try_from((n * 7 + parts) % 251).unwrap())
                .collect();
            let pieces: Vec<&[u8]> = bytes.chunks(bytes.len().div_ceil(parts)).collect();
            backing.write(at, &pieces).unwrap();
            model.extend_from_slice(&bytes);
            at = u64::try_from(model.len()).unwrap();
        }
        if size == (20 << 10) + 1 {
            backing.sync().unwrap();
        }
    }
    assert!(backing.bytes(0..at).unwrap() == model);
    let mut read = vec![0; model.len()];
    backing.read(0, &mut read).unwrap();
    assert!(read == model);
    backing.truncate(at).unwrap();
    drop(backing);
    assert!(std::fs::read(folder.file()).unwrap() == model);
}

#[test]
fn reopening_goes_on_where_the_file_ended() {
    let folder = Folder::new();
    let mut model = Vec::new();
    for round in 0..6_u8 {
        let backing = folder.create();
        let at = backing.len().unwrap();
        assert_eq!(at, u64::try_from(model.len()).unwrap());
        let bytes = vec![round; 40_001];
        for (n, byte) in bytes.chunks(9).enumerate() {
            backing
                .write(at + 9 * u64::try_from(n).unwrap(), &[byte])
                .unwrap();
        }
        model.extend_from_slice(&bytes);
        backing.sync().unwrap();
        backing
            .truncate(u64::try_from(model.len()).unwrap())
            .unwrap();
    }
    assert!(std::fs::read(folder.file()).unwrap() == model);
}

#[test]
fn space_is_set_aside_in_proportion() {
    let folder = Folder::new();
    let backing = folder.create();
    if !platform::keeps_reserved_space(&backing.file) {
        eprintln!("skipped: space is not set aside on this file system");
        return;
    }
    let part = [1; 1000];
    for n in 0..3000 {
        backing.write(n * 1000, &[&part]).unwrap();
        let (len, end) = (backing.len().unwrap(), (n + 1) * 1000);
        assert!(
            len >= end && len <= (2 * end).max(2 * GRANULE),
            "{len} bytes for {end}"
        );
    }
}

/// Space that was cut off is no longer set aside: a store there would fault, and the system's refusal to ready the page would
/// put an end to storing.
#[test]
fn storing_goes_on_after_a_cut() {
    let folder = Folder::new();
    let backing = folder.create();
    if !platform::keeps_reserved_space(&backing.file) {
        eprintln!("skipped: space is not set aside on this file system");
        return;
    }
    for cut in [0, 5000, 64 << 10, 100_000] {
        backing.write(0, &[&vec![1; 200_000]]).unwrap();
        backing.truncate(cut).unwrap();
        backing.write(cut, &[b"behind the cut"]).unwrap();
        assert_eq!(backing.bytes(cut..cut + 14), Some(&b"behind the cut"[..]));
        assert!(backing.writer().unwrap().stores(), "cut at {cut}");
    }
}

#[test]
fn what_was_just_synced_in_large_pages_is_not_stored_to() {
    let folder = Folder::new();
    let backing = folder.create();
    if !platform::keeps_reserved_space(&backing.file) {
        eprintln!("skipped: space is not set aside on this file system");
        return;
    }
    let mut at = 0;
    let mut model = Vec::new();
    let mut how = Vec::new();
    let mut write = |rounds| {
        for _ in 0..rounds {
            let record = [u8::try_from(at % 251).unwrap(); 200];
            how.push(backing.writer().unwrap().stores_pay(at, 200, 1));
            backing.write(at, &[&record]).unwrap();
            model.extend_from_slice(&record);
            at += 200;
        }
        how.iter().filter(|stored| **stored).count()
    };
    let mut expected = 10_000;
    assert_eq!(write(expected), expected, "all of them were stored");
    backing.sync().unwrap();
    assert_eq!(write(10), expected, "none of them was, after the sync");
    // The large pages end half a mebibyte on at most; the small ones behind them are stored to.
    let few = write(3000) - expected;
    assert!((300..3000).contains(&few), "{few}");
    expected += few;
    // And after a mebibyte pages are large again.
    assert_eq!(write(4000), expected + 4000);
    backing.sync().unwrap();
    assert_eq!(write(10), expected + 4000);
    assert!(backing.bytes(0..at).unwrap() == model);
}

#[test]
fn a_write_past_the_largest_offset_is_an_error() {
    let folder = Folder::new();
    let backing = folder.create();
    backing.write(0, &[b"kept"]).unwrap();
    for at in [u64::MAX, u64::MAX - 1, i64::MAX.unsigned_abs(), 1 << 62] {
        assert!(backing.write(at, &[b"ab"]).is_err(), "{at}");
    }
    assert_eq!(backing.bytes(0..4), Some(&b"kept"[..]));
    backing.write(4, &[b" and on"]).unwrap();
    assert_eq!(backing.bytes(0..11), Some(&b"kept and on"[..]));
}

#[cfg(unix)]
#[test]
fn a_replacement_takes_name_permissions_and_lock_over() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let old = folder.create();
    std::fs::set_permissions(folder.file(), std::fs::Permissions::from_mode(0o640)).unwrap();
    old.write(0, &[b"old bytes"]).unwrap();
    let view = old.view(0..9).unwrap();
    let new = old.create_replacement().unwrap();
    new.write(0, &[b"new"]).unwrap();
    new.truncate(3).unwrap();
    assert_eq!(folder.names().len(), 2);
    old.commit_replacement(&new).unwrap();
    assert!(old.commit_replacement(&new).is_err());
    assert_eq!(
        (new.path(), folder.names()),
        (folder.file().as_path(), vec![String::from("store")])
    );
    drop(old);
    assert_eq!(view.as_ref(), b"old bytes");
    assert!(
        MmapBacking::open(folder.file(), OpenMode::Create).is_err(),
        "the lock came along"
    );
    drop(new);
    assert_eq!(
        std::fs::metadata(folder.file())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o640
    );
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"new");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_when_its_file_is_replaced() {
    let folder = Folder::new();
    let link = folder.0.path().join("link");
    drop(folder.create());
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    let old = MmapBacking::open(&link, OpenMode::Create).unwrap();
    let new = old.create_replacement().unwrap();
    new.write(0, &[b"new"]).unwrap();
    old.commit_replacement(&new).unwrap();
    assert_eq!(new.path(), link);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read(folder.file()).unwrap().starts_with(b"new"));
}

#[test]
fn an_abandoned_replacement_goes_and_no_other_file_does() {
    let folder = Folder::new();
    let store = folder.create();
    let replacement = store.create_replacement().unwrap();
    let leftover = replacement.path().to_path_buf();
    drop(replacement);
    assert!(!leftover.exists());
    // As a killed process leaves it, and a name that is only like it.
    let alike = folder.0.path().join(".store.tailstone-compacting");
    std::fs::write(&leftover, b"half").unwrap();
    std::fs::write(&alike, b"somebody's").unwrap();
    let replacement = store.create_replacement().unwrap();
    assert_eq!(replacement.len().unwrap(), 0);
    drop((replacement, store));
    std::fs::write(&leftover, b"half").unwrap();
    drop(MmapBacking::open(folder.file(), OpenMode::ReadOnly).unwrap());
    assert!(leftover.exists(), "reading changes nothing");
    drop(folder.create());
    assert!(!leftover.exists());
    assert_eq!(std::fs::read(&alike).unwrap(), b"somebody's");
}
