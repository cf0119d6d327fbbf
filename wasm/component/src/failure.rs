//! What went wrong, in the words of each interface.

use tailstone_interface::Refusal;
use wasip2::filesystem::types::ErrorCode;

use crate::bindings::exports::tailstone::store::stores;
use crate::bindings::exports::wasi::{keyvalue0_2_0_draft, keyvalue0_2_0_draft2};
use crate::file::io_error;

impl From<Refusal> for stores::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchStore => Self::NoSuchStore,
            Refusal::AccessDenied => Self::AccessDenied,
            Refusal::InvalidArgument(sentence) => Self::InvalidArgument(sentence),
            Refusal::QuotaExceeded(sentence) => Self::QuotaExceeded(sentence),
            Refusal::Corrupt(sentence) => Self::Corrupt(sentence),
            Refusal::StaleCursor => Self::StaleCursor,
            Refusal::ReadOnly => Self::ReadOnly,
            Refusal::Locked(sentence) => Self::Locked(sentence),
            Refusal::Other(sentence) => Self::Other(sentence),
        }
    }
}

macro_rules! in_words_of {
    ($error:path) => {
        impl From<Refusal> for $error {
            fn from(refusal: Refusal) -> Self {
                match refusal {
                    Refusal::NoSuchStore => Self::NoSuchStore,
                    Refusal::AccessDenied | Refusal::ReadOnly => Self::AccessDenied,
                    other => Self::Other(other.to_string()),
                }
            }
        }
    };
}

in_words_of!(keyvalue0_2_0_draft::store::Error);
in_words_of!(keyvalue0_2_0_draft2::store::Error);

/// The failure of a call that the engine had no part in.
pub fn failure(code: ErrorCode) -> Refusal {
    io_error(code).into()
}
