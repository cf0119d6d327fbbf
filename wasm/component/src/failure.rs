//! What went wrong, in the words of the interface.

use std::io;

use tailstone::Error as EngineError;
use wasip2::filesystem::types::ErrorCode;

use crate::bindings::exports::tailstone::store::stores::Error;
use crate::file::io_error;

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::ReadOnly => Self::ReadOnly,
            EngineError::NotAStore { .. } | EngineError::Corrupt { .. } => {
                Self::Corrupt(error.to_string())
            }
            EngineError::EmptyPayload
            | EngineError::ReservedPayload
            | EngineError::ReservedKey { .. } => Self::InvalidArgument(error.to_string()),
            EngineError::Io { source, .. } => from_kind(source.kind(), error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        from_kind(error.kind(), error.to_string())
    }
}

/// The failure of a call that the engine had no part in.
pub fn failure(code: ErrorCode) -> Error {
    io_error(code).into()
}

fn from_kind(kind: io::ErrorKind, sentence: String) -> Error {
    match kind {
        io::ErrorKind::PermissionDenied => Error::AccessDenied,
        io::ErrorKind::QuotaExceeded => Error::QuotaExceeded(sentence),
        io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
        _ => Error::Other(sentence),
    }
}
