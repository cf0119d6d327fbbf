//! What differs between systems, one file each with the same functions.
//!
//! Invariant: no `cfg` on a system elsewhere in the backing but for the writable window, which only Linux has.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod no_reservation;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use linux::{is_never, keeps_reserved_space, memory, set_aside};
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(super) use no_reservation::{is_never, keeps_reserved_space, memory, set_aside};
#[cfg(unix)]
pub(super) use unix::{
    MAPS_PAST_END, adopt_owner_and_permissions, cut, expect_random_reads, grow_for_mapping, is_at,
    is_same_file, never_wait, private, read_at, will_read, write_at,
};
#[cfg(windows)]
pub(super) use windows::{
    MAPS_PAST_END, adopt_owner_and_permissions, cut, expect_random_reads, grow_for_mapping, is_at,
    is_never, is_same_file, keeps_reserved_space, memory, never_wait, private, read_at, set_aside,
    will_read, write_at,
};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Brings the directory entry of `path` to stable storage.
pub(super) fn sync_directory_of(path: &std::path::Path) -> std::io::Result<()> {
    #[cfg(test)]
    DIRECTORY_SYNCS.with_borrow_mut(|paths| paths.push(path.to_path_buf()));
    system::sync_directory_of(path)
}

#[cfg(test)]
thread_local! {
    /// What this thread had brought to stable storage so.
    pub(super) static DIRECTORY_SYNCS: std::cell::RefCell<Vec<std::path::PathBuf>> =
        const { std::cell::RefCell::new(Vec::new()) };
}
