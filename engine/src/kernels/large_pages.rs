//! Memory in large pages, where the system has them: tables that are read all over then miss the TLB less often.

/// Below so many bytes large pages would hardly be filled.
const WORTH_ASKING: usize = 4 << 20;

/// An empty vector with room for `len` elements, in large pages if that is much and the system has them.
pub(crate) fn vec_in_large_pages<T>(len: usize) -> Vec<T> {
    let room = Vec::with_capacity(len);
    prefer_large_pages(&room);
    room
}

/// Asks for large pages for what `room` has room for, if that is much.
pub(crate) fn prefer_large_pages<T>(room: &Vec<T>) {
    let bytes = room.capacity().saturating_mul(size_of::<T>());
    if bytes >= WORTH_ASKING {
        ask(room.as_ptr().cast::<u8>(), bytes);
    }
}

/// Asks for large pages behind `bytes` bytes at `start`, which belong to the caller. A hint: it changes nothing but time.
#[cfg(all(target_os = "linux", not(miri)))]
#[expect(unsafe_code, reason = "the system call takes a bare address")]
fn ask(start: *const u8, bytes: usize) {
    use rustix::mm::{Advice, madvise};
    /// The largest page of any Linux; the call takes multiples of the system's.
    const PAGE: usize = 64 << 10;
    let skipped = start.addr().wrapping_neg() % PAGE;
    let len = bytes.saturating_sub(skipped) / PAGE * PAGE;
    let from = start.wrapping_add(skipped).cast_mut().cast();
    // SAFETY: the range lies inside the caller's memory, and this advice changes neither what it holds nor what may be
    // done with it. A refusal means that there are no large pages.
    let _ = unsafe { madvise(from, len, Advice::LinuxHugepage) };
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask(_start: *const u8, _bytes: usize) {}
