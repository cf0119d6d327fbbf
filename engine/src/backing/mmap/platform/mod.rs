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
pub(super) use linux::{is_never, keeps_reserved_space, set_aside};
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(super) use no_reservation::{is_never, keeps_reserved_space, set_aside};
#[cfg(unix)]
pub(super) use unix::{
    MAPS_PAST_END, adopt_owner_and_permissions, cut, grow_for_mapping, is_at, is_same_file,
    never_wait, private, read_at, sync_directory_of, write_at,
};
#[cfg(windows)]
pub(super) use windows::{
    MAPS_PAST_END, adopt_owner_and_permissions, cut, grow_for_mapping, is_at, is_never,
    is_same_file, keeps_reserved_space, never_wait, private, read_at, set_aside, sync_directory_of,
    write_at,
};
