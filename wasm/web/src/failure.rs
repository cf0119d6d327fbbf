//! Errors on their way across the boundary: what the browser threw becomes an [`io::Error`], what the engine says
//! becomes a JavaScript `Error` with a `code`.

use js_sys::{Error as JsError, Reflect};
use std::fmt;
use std::io;
use tailstone::Error;
use wasm_bindgen::prelude::*;

/// Why an exported call failed.
pub enum Failure {
    /// The engine refused or failed.
    Engine(Error),
    /// The store was closed before.
    Closed,
    /// An argument makes no sense.
    Invalid(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Engine(error) => {
                describe(code_of(&error), &error.to_string(), cause_of(&error))
            }
            Failure::Closed => describe("closed", "the store was closed", None),
            Failure::Invalid(what) => describe("invalid", what, None),
        }
    }
}

/// The `code` that a program acts on.
fn code_of(error: &Error) -> &'static str {
    match error {
        Error::Io { source, .. } => match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "quota",
            io::ErrorKind::WouldBlock => "locked",
            io::ErrorKind::NotConnected => "closed",
            _ => "io",
        },
        Error::Locked(_) => "locked",
        Error::NotAStore { .. } => "not-a-store",
        Error::Corrupt { .. } => "corrupt",
        Error::EmptyPayload
        | Error::ReservedPayload
        | Error::ReservedKey { .. }
        | Error::KeyNotFound
        | Error::LengthMismatch { .. }
        | Error::NoSuchTail { .. }
        | Error::SameStore
        | Error::SameTarget
        | Error::TooLarge { .. }
        | Error::NotAddressable { .. } => "invalid",
        _ => "io",
    }
}

fn describe(code: &str, message: &str, cause: Option<JsError>) -> JsValue {
    let error = JsError::new(message);
    // Setting a property of a fresh object cannot fail.
    let _set = Reflect::set(&error, &"code".into(), &code.into());
    if let Some(cause) = cause {
        let _set = Reflect::set(&error, &"cause".into(), &cause);
    }
    error.into()
}

/// What the browser threw, if that was the reason.
fn cause_of(error: &Error) -> Option<JsError> {
    let Error::Io { source, .. } = error else {
        return None;
    };
    let thrown = source.get_ref()?.downcast_ref::<Thrown>()?;
    let cause = JsError::new(&thrown.message);
    cause.set_name(&thrown.name);
    Some(cause)
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
    use super::code_of;
    use std::io;
    use tailstone::Error;

    #[test]
    fn codes_follow_the_cause() {
        let io = |kind: io::ErrorKind| Error::Io {
            doing: "append an entry",
            source: kind.into(),
        };
        assert_eq!(code_of(&io(io::ErrorKind::StorageFull)), "quota");
        assert_eq!(code_of(&io(io::ErrorKind::WouldBlock)), "locked");
        assert_eq!(code_of(&io(io::ErrorKind::NotConnected)), "closed");
        assert_eq!(code_of(&io(io::ErrorKind::Other)), "io");
        assert_eq!(code_of(&Error::Latched), "io");
        assert_eq!(code_of(&Error::EmptyPayload), "invalid");
        assert_eq!(code_of(&Error::NotAStore { length: 3 }), "not-a-store");
        let damage = Error::Corrupt {
            offset: 64,
            what: "a link",
        };
        assert_eq!(code_of(&damage), "corrupt");
    }
}
