//! Bytes read from a device, in aligned memory of their own.

use std::collections::TryReserveError;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

/// The alignment of the first byte.
const ALIGNMENT: usize = 64;

/// From here on it is asked first whether there is that much memory, which the allocation itself cannot answer.
const PROBED_LEN: usize = 1 << 20;

/// Bytes of a [`DeviceBacking`](super::DeviceBacking), copied from it; a clone shares them.
#[derive(Clone)]
pub struct DeviceView {
    buffer: Arc<Vec<u8>>,
    start: usize,
}

impl DeviceView {
    /// `len` bytes that `fill` writes; they are zero when it gets them.
    pub(super) fn filled(
        len: u64,
        fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let size = len
            .checked_add(ALIGNMENT - 1)
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let mut buffer = zeroed(size)?;
        let start = buffer.as_ptr().addr().wrapping_neg() % ALIGNMENT;
        buffer.truncate(start + len);
        fill(buffer.get_mut(start..).unwrap_or_default())?;
        Ok(Self {
            buffer: Arc::new(buffer),
            start,
        })
    }
}

/// So many zeros. They come from the allocator, for which long ones cost nothing: a `resize` of what was reserved stores byte after
/// byte where code is made small.
pub(crate) fn zeroed(len: usize) -> Result<Vec<u8>, TryReserveError> {
    if len >= PROBED_LEN {
        Vec::<u8>::new().try_reserve_exact(len)?;
    }
    Ok(vec![0; len])
}

impl Deref for DeviceView {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

impl AsRef<[u8]> for DeviceView {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for DeviceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceView")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligned_at_every_length() {
        for len in (0..200).chain([PROBED_LEN as u64 * 2]) {
            let view = DeviceView::filled(len, |buf| {
                buf.fill(7);
                Ok(())
            });
            let view = view.unwrap();
            assert_eq!(view.as_ptr().addr() % ALIGNMENT, 0);
            assert_eq!(view.len() as u64, len);
            assert!(view.clone().as_ref() == vec![7; view.len()]);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it gives up where an allocator refuses")]
    fn memory_that_does_not_exist_is_an_error() {
        for len in [u64::MAX, 1 << 62] {
            let refused = DeviceView::filled(len, |_| Ok(())).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
        }
    }
}
