//! Pages of a medium that are the holder's own: what is stored to them reaches neither the medium nor anybody else.

#[cfg(any(unix, windows))]
use super::mmap::PrivateMapping;

/// Bytes of one range of a medium, copied page by page as they are stored to. Made by [`Backing::private_pages`](super::Backing::private_pages).
///
/// They stay at one address until this is dropped. On a machine whose words are not little-endian there are none.
#[derive(Debug)]
pub struct PrivatePages {
    #[cfg(any(unix, windows))]
    mapping: PrivateMapping,
    #[cfg(not(any(unix, windows)))]
    mapping: std::convert::Infallible,
}

#[cfg(any(unix, windows))]
impl PrivatePages {
    pub(super) const fn new(mapping: PrivateMapping) -> Self {
        Self { mapping }
    }

    /// The first byte, whose memory is this value's alone to read and write, and how many there are.
    pub(crate) fn as_mut_ptr_range(&mut self) -> std::ops::Range<*mut u8> {
        self.mapping.as_mut_ptr_range()
    }
}

#[cfg(not(any(unix, windows)))]
impl PrivatePages {
    /// The first byte, whose memory is this value's alone to read and write, and how many there are.
    pub(crate) fn as_mut_ptr_range(&mut self) -> std::ops::Range<*mut u8> {
        match self.mapping {}
    }
}
