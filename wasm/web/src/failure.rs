//! Errors on their way across the boundary: what the browser threw becomes an [`io::Error`], what the engine says
//! becomes a JavaScript `Error` with a `code`.

use crate::number;
use js_sys::{Error as JsError, Reflect};
use std::fmt;
use std::io;
use tailstone::Error;
use wasm_bindgen::prelude::*;

/// What a program acts on; the numbers are those of error answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Quota,
    Locked,
    Corrupt,
    NotAStore,
    Closed,
    Invalid,
    Io,
}

/// Why an exported call failed.
pub enum Failure {
    /// The engine refused or failed.
    Engine(Error),
    /// The store was closed before.
    Closed,
    /// An argument makes no sense.
    Invalid(&'static str),
}

/// A failure as it leaves the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub code: Code,
    pub message: String,
    /// Name and message of what the browser threw; empty if it threw nothing.
    pub cause_name: String,
    pub cause_message: String,
}

impl Code {
    const fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Locked => "locked",
            Self::Corrupt => "corrupt",
            Self::NotAStore => "not-a-store",
            Self::Closed => "closed",
            Self::Invalid => "invalid",
            Self::Io => "io",
        }
    }

    const fn of_kind(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Quota,
            io::ErrorKind::WouldBlock => Self::Locked,
            io::ErrorKind::NotConnected => Self::Closed,
            _ => Self::Io,
        }
    }

    fn of(error: &Error) -> Self {
        match error {
            Error::Io { source, .. } => Self::of_kind(source.kind()),
            Error::Locked(_) => Self::Locked,
            Error::NotAStore { .. } => Self::NotAStore,
            Error::Corrupt { .. } => Self::Corrupt,
            Error::EmptyPayload
            | Error::ReservedPayload
            | Error::ReservedKey { .. }
            | Error::KeyNotFound
            | Error::KeyTooLong { .. }
            | Error::HashCollision { .. }
            | Error::LengthMismatch { .. }
            | Error::NoSuchTail { .. }
            | Error::SameStore
            | Error::SameTarget
            | Error::TooLarge { .. }
            | Error::NotAddressable { .. } => Self::Invalid,
            _ => Self::Io,
        }
    }
}

impl Description {
    /// What the engine says.
    pub fn of(error: &Error) -> Self {
        let thrown = match error {
            Error::Io { source, .. } => source.get_ref().and_then(|source| source.downcast_ref()),
            _ => None,
        };
        let (cause_name, cause_message) = thrown
            .map_or_else(Default::default, |thrown: &Thrown| {
                (thrown.name.clone(), thrown.message.clone())
            });
        Self {
            code: Code::of(error),
            message: error.to_string(),
            cause_name,
            cause_message,
        }
    }

    fn new(code: Code, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            cause_name: String::new(),
            cause_message: String::new(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let damage_at = match failure {
            Failure::Engine(Error::Corrupt { offset, .. }) => Some(offset),
            _ => None,
        };
        let description = match failure {
            Failure::Engine(error) => Description::of(&error),
            Failure::Closed => Description::new(Code::Closed, "the store was closed"),
            Failure::Invalid(what) => Description::new(Code::Invalid, what),
        };
        let error = JsError::new(&description.message);
        // Setting a property of a fresh object cannot fail.
        let _set = Reflect::set(&error, &"code".into(), &description.code.name().into());
        if let Some(offset) = damage_at {
            let _set = Reflect::set(&error, &"offset".into(), &number::to_js(offset).into());
        }
        if !description.cause_name.is_empty() {
            let cause = JsError::new(&description.cause_message);
            cause.set_name(&description.cause_name);
            let _set = Reflect::set(&error, &"cause".into(), &cause);
        }
        error.into()
    }
}

/// What the browser threw, in words: its value cannot leave the thread, which an [`io::Error`] may.
#[derive(Debug)]
struct Thrown {
    name: String,
    message: String,
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Thrown {}

/// What a call into the browser threw, as the engine understands it.
#[expect(clippy::needless_pass_by_value, reason = "used with `map_err`")]
pub fn thrown(value: JsValue) -> io::Error {
    let text = |name: &str| {
        let property = Reflect::get(&value, &name.into()).ok();
        property.and_then(|property| property.as_string())
    };
    let name = text("name").unwrap_or_else(|| "Error".to_owned());
    let message = text("message").unwrap_or_default();
    let kind = match name.as_str() {
        "QuotaExceededError" => io::ErrorKind::StorageFull,
        "NoModificationAllowedError" => io::ErrorKind::WouldBlock,
        "InvalidStateError" => io::ErrorKind::NotConnected,
        "NotFoundError" => io::ErrorKind::NotFound,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, Thrown { name, message })
}

#[cfg(test)]
mod tests {
    use super::{Code, Description, Thrown};
    use std::io;
    use tailstone::Error;

    #[test]
    fn codes_follow_the_cause() {
        let io = |kind: io::ErrorKind| Error::Io {
            doing: "append an entry",
            source: kind.into(),
        };
        let damage = Error::Corrupt {
            offset: 64,
            what: "a link",
        };
        for (error, code) in [
            (io(io::ErrorKind::StorageFull), Code::Quota),
            (io(io::ErrorKind::WouldBlock), Code::Locked),
            (io(io::ErrorKind::NotConnected), Code::Closed),
            (io(io::ErrorKind::Other), Code::Io),
            (Error::Latched, Code::Io),
            (Error::EmptyPayload, Code::Invalid),
            (Error::NotAStore { length: 3 }, Code::NotAStore),
            (damage, Code::Corrupt),
        ] {
            assert_eq!(Code::of(&error), code, "{error}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_list_of_codes() {
        let codes = [
            "quota",
            "locked",
            "corrupt",
            "not-a-store",
            "closed",
            "invalid",
            "io",
        ];
        for code in [
            Code::Quota,
            Code::Locked,
            Code::Corrupt,
            Code::NotAStore,
            Code::Closed,
            Code::Invalid,
            Code::Io,
        ] {
            assert_eq!(codes[code as usize], code.name());
        }
    }

    #[test]
    fn what_was_thrown_is_kept() {
        let thrown = Thrown {
            name: "QuotaExceededError".to_owned(),
            message: "full".to_owned(),
        };
        let description = Description::of(&Error::Io {
            doing: "append an entry",
            source: io::Error::new(io::ErrorKind::StorageFull, thrown),
        });
        assert_eq!(description.code, Code::Quota);
        assert_eq!(description.cause_name, "QuotaExceededError");
        assert_eq!(description.cause_message, "full");
        assert_eq!(
            description.message,
            "could not append an entry: QuotaExceededError: full"
        );
    }
}
