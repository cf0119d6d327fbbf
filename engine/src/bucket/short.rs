//! Bytes of any length that need no memory of their own as long as they are few: names of buckets, and keys.

use std::fmt;
use std::ops::Deref;

/// Bytes, in place up to `N` of them.
#[derive(Clone)]
pub(crate) enum ShortBytes<const N: usize> {
    /// So many of these.
    Here([u8; N], usize),
    /// More than fit here.
    Elsewhere(Vec<u8>),
}

impl<const N: usize> ShortBytes<N> {
    /// The parts one behind the other.
    #[inline]
    pub(crate) fn concat(parts: &[&[u8]]) -> Self {
        let mut here = [0; N];
        let mut len = 0;
        for part in parts {
            let end = len + part.len();
            let Some(room) = here.get_mut(len..end) else {
                return Self::Elsewhere(parts.concat());
            };
            room.copy_from_slice(part);
            len = end;
        }
        Self::Here(here, len)
    }
}

impl<const N: usize> Deref for ShortBytes<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Here(bytes, len) => bytes.get(..*len).unwrap_or_default(),
            Self::Elsewhere(bytes) => bytes,
        }
    }
}

impl<const N: usize> PartialEq for ShortBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<const N: usize> Eq for ShortBytes<N> {}

impl<const N: usize> fmt::Debug for ShortBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::ShortBytes;

    #[test]
    fn parts_are_joined_whether_they_fit_or_not() {
        for (parts, fits) in [
            (&[][..], true),
            (&[&b""[..], b""][..], true),
            (&[b"abc", b"", b"d"], true),
            (&[b"abc", b"de"], false),
            (&[b"", b"abcdefgh"], false),
        ] {
            let bytes = ShortBytes::<4>::concat(parts);
            assert_eq!(*bytes, *parts.concat());
            assert_eq!(matches!(bytes, ShortBytes::Here(..)), fits);
            assert_eq!(bytes, bytes.clone());
        }
    }
}
