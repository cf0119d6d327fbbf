//! Small functions that code written for the reference calls.

use crate::error::{Error, Result};
use crate::format::compute_hash;
use std::path::{Path, PathBuf};

/// Keys in a namespace of their own: 16 bytes, the hash of the prefix and the hash of the key, both little-endian.
#[derive(Debug, Clone)]
pub struct NamespaceHasher {
    prefix: [u8; 8],
}

impl NamespaceHasher {
    /// The namespace that `prefix` names.
    #[must_use]
    pub fn new(prefix: &[u8]) -> Self {
        Self {
            prefix: compute_hash(prefix).to_le_bytes(),
        }
    }

    /// The key that stands for `key` in this namespace, 16 bytes.
    #[must_use]
    pub fn namespace(&self, key: &[u8]) -> Vec<u8> {
        [self.prefix, compute_hash(key).to_le_bytes()].concat()
    }
}

/// The path with `.` and `extension` behind its last part: `a.txt` and `bk` make `a.txt.bk`.
#[must_use]
pub fn append_extension(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// A number of bytes for people, in units of 1024: `512 bytes`, `1.50 KB`, `2.00 GB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
pub fn format_bytes(bytes: u64) -> String {
    let scaled = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..0x400 => format!("{bytes} bytes"),
        0x400..0x10_0000 => format!("{:.2} KB", scaled(1 << 10)),
        0x10_0000..0x4000_0000 => format!("{:.2} MB", scaled(1 << 20)),
        _ => format!("{:.2} GB", scaled(1 << 30)),
    }
}

/// A size as people write it: a number and, in either case, nothing, `K`, `KB`, `M`, `MB`, `G` or `GB`, in units of 1024.
///
/// What is no such number, or too large to address, is a message.
pub fn parse_buffer_size(text: &str) -> std::result::Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| !c.is_ascii_digit());
    let factor: usize = match lower.get(digits.len()..).map(str::trim) {
        Some("") => 1,
        Some("k" | "kb") => 1 << 10,
        Some("m" | "mb") => 1 << 20,
        Some("g" | "gb") => 1 << 30,
        _ => {
            return Err(format!(
                "'{text}' has no unit that is known here: K, M or G"
            ));
        }
    };
    let number: usize = digits
        .parse()
        .map_err(|_| format!("'{text}' is not a size"))?;
    number
        .checked_mul(factor)
        .ok_or_else(|| format!("'{text}' is more than can be addressed"))
}

/// Whether there is a regular file at `path`: [`Error::NoSuchFile`] or [`Error::NotAFile`] if not.
pub fn verify_file_existence(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(Error::NotAFile(path.to_path_buf())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::NoSuchFile(path.to_path_buf()))
        }
        Err(source) => Err(Error::Io {
            doing: "look at a file",
            source,
        }),
    }
}

#[cfg(feature = "bytemuck")]
pub use typed::align_or_copy;

#[cfg(feature = "bytemuck")]
mod typed {
    //! Values as arrays of numbers.

    use std::borrow::Cow;

    /// The little-endian elements that `bytes` hold: borrowed where they lie if their address allows it, else decoded one by
    /// one with `from_le_bytes`. Values read from a store lie at multiples of 64.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use tailstone::utils::align_or_copy;
    /// use tailstone::{DataStoreReader, DataStoreWriter, MemoryStore};
    ///
    /// let store = MemoryStore::new();
    /// store.write(b"embedding", &[0.5_f32, -1.0, 2.0].map(f32::to_le_bytes).concat())?;
    /// let value = store.read(b"embedding")?.unwrap();
    /// let numbers = align_or_copy(&value, f32::from_le_bytes);
    /// assert!(matches!(numbers, Cow::Borrowed([0.5, -1.0, 2.0])));
    /// # Ok::<(), tailstone::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If `bytes` is no multiple of `N` long, or `N` is not the size of an element.
    pub fn align_or_copy<T: bytemuck::AnyBitPattern, const N: usize>(
        bytes: &[u8],
        from_le_bytes: fn([u8; N]) -> T,
    ) -> Cow<'_, [T]> {
        assert!(
            size_of::<T>() == N,
            "an element has {} bytes, not {N}",
            size_of::<T>()
        );
        let (elements, rest) = bytes.as_chunks::<N>();
        assert!(
            rest.is_empty(),
            "{} bytes are no whole number of elements of {N}",
            bytes.len()
        );
        if cfg!(target_endian = "little")
            && let Ok(borrowed) = bytemuck::try_cast_slice(bytes)
        {
            return Cow::Borrowed(borrowed);
        }
        Cow::Owned(elements.iter().copied().map(from_le_bytes).collect())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn aligned_elements_are_borrowed_and_others_decoded() {
            let numbers = [1_u32, 2, 0xdead_beef];
            let bytes: &[u8] = bytemuck::cast_slice(&numbers);
            assert!(
                matches!(align_or_copy(bytes, u32::from_le_bytes), Cow::Borrowed(n) if n == numbers)
            );
            let shifted = [&[0], bytes].concat();
            let both = [
                align_or_copy(&shifted[1..], u32::from_le_bytes),
                align_or_copy(bytes, u32::from_le_bytes),
            ];
            assert_eq!(both[0], both[1]);
        }

        #[test]
        #[should_panic(expected = "no whole number")]
        fn a_part_of_an_element_is_refused() {
            let _ = align_or_copy(&[0; 7], u32::from_le_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        assert_eq!(format_bytes(512), "512 bytes");
        assert_eq!(format_bytes(1024), "1.00 KB");
        assert_eq!(format_bytes(3 << 29), "1.50 GB");
    }

    #[test]
    fn sizes_from_people() {
        assert_eq!(parse_buffer_size("64K"), Ok(65_536));
        assert_eq!(parse_buffer_size(" 2 gb "), Ok(2 << 30));
        for bad in [
            "",
            "K",
            "12 parsecs",
            "-1",
            "99999999999999999999",
            "18446744073709551615k",
        ] {
            assert!(parse_buffer_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_namespaced_key_is_two_hashes() {
        let key = NamespaceHasher::new(b"alice").namespace(b"key1");
        assert_eq!(
            key.get(..8),
            Some(&0x4da1_0dd6_1a01_16b0_u64.to_le_bytes()[..])
        );
        assert_eq!(
            key.get(8..),
            Some(&0x384d_070c_d5d8_29e2_u64.to_le_bytes()[..])
        );
    }
}
