//! What `simd-r-drive-extensions` offers above a plain store, under the same names and with the same bytes: optional values, values
//! that expire, imported folders.
//!
//! Invariant: what that crate writes and can read back is read here as the same value, and what is written here either reads there as the
//! same value or, where that crate would lose it, as an error of the kind `InvalidData`; never as another value.
//!
//! | | key | value |
//! |---|---|---|
//! | option | [`NamespaceHasher`] of F7 `option` FD | `Some`: `bitcode` 0.6; `None`: FF FE |
//! | expiring | [`NamespaceHasher`] of F7 `ttl` FD | Unix time in seconds at which it expires (8 bytes, little-endian), then `bitcode` 0.6 |
//! | file | the path below the folder with `/`, or [`NamespaceHasher`] of it | the file's bytes |
//!
//! Three encodings of a `Some` cannot be stored as they are: nothing at all (`()`), one zero byte (`0u8`, `false`, empty lists), which is how
//! a deletion looks, and FF FE, which is how `None` looks. They have eight bytes behind them, the XXH3-64 of `tailstone/option/1`,
//! little-endian. `bitcode` takes exactly as many bytes as a value of a type has, so these are undecodable to that crate, and nothing
//! that it wrote is taken for one of them here.
//!
//! Types need `bitcode`'s derived `Encode` and `Decode`, of the same version.
//!
//! [`NamespaceHasher`]: crate::NamespaceHasher

mod expiring;
#[cfg(any(unix, windows))]
mod files;
mod option;

pub use expiring::StorageCacheExt;
#[cfg(any(unix, windows))]
pub use files::StorageFileImportExt;
pub use option::{StorageOptionExt, deserialize_option, serialize_option};

/// The paths that the two functions have there.
pub mod utils {
    pub use super::option::{deserialize_option, serialize_option};

    /// The paths that the two functions have there.
    pub mod option_serializer {
        pub use super::{deserialize_option, serialize_option};
    }
}

use crate::error::{Error, Result};
use bitcode::DecodeOwned;

fn decode<T: DecodeOwned>(bytes: &[u8]) -> Result<T> {
    bitcode::decode(bytes).map_err(|error| Error::NotDecodable {
        reason: error.to_string(),
    })
}
