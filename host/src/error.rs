//! Every way in which the host can fail, and the exit status that stands for it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::Trap;

use crate::bindings::Refusal;

/// What most calls return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed. Each message is one sentence.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The component refused the call.
    Refused(Refusal),
    /// No value has this key.
    KeyNotFound(String),
    /// There is no file at this path.
    NoSuchFile(PathBuf),
    /// The path names something other than a regular file.
    NotAFile(PathBuf),
    /// A program outside the sandbox has the store open in a way that excludes this one.
    InUse(PathBuf),
    /// The component is at none of these places.
    NoComponent(Vec<PathBuf>),
    /// What was read back is not what was put, or not there.
    Differs(String),
    /// A call computed for longer than it may; its instance is gone.
    TimedOut(Duration),
    /// The component could not be compiled, linked or called; its instance is gone.
    Component(wasmtime::Error),
    /// What was asked for has no meaning; the sentence says why.
    Usage(String),
    /// An earlier call did not return, and its instance is gone.
    Over,
    /// Something outside the component failed.
    Io {
        /// What the host was doing.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// The status a program ends with: 1 not found, 2 wrong usage, 3 damaged or not a store, 4 locked, 5 anything else.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::KeyNotFound(_) | Self::NoSuchFile(_) | Self::Refused(Refusal::NoSuchStore) => 1,
            Self::NotAFile(_)
            | Self::Usage(_)
            | Self::NoComponent(_)
            | Self::Refused(Refusal::InvalidArgument(_) | Refusal::ReadOnly) => 2,
            Self::Differs(_) | Self::Refused(Refusal::Corrupt(_)) => 3,
            Self::InUse(_) | Self::Refused(Refusal::Locked(_)) => 4,
            _ => 5,
        }
    }

    /// Names what the host was doing when the system's answer came back.
    pub(crate) const fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// Tells a deadline from other traps.
    pub(crate) fn of_call(error: wasmtime::Error, allowed: Duration) -> Self {
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => Self::TimedOut(allowed),
            _ => Self::Component(error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => match refusal {
                Refusal::NoSuchStore => f.write_str("there is no such store"),
                Refusal::AccessDenied => f.write_str("the component was not granted this file"),
                Refusal::StaleCursor => f.write_str("the cursor is stale; start again"),
                Refusal::ReadOnly => f.write_str("the store cannot be written to"),
                Refusal::InvalidArgument(sentence)
                | Refusal::QuotaExceeded(sentence)
                | Refusal::Corrupt(sentence)
                | Refusal::Locked(sentence)
                | Refusal::Other(sentence) => f.write_str(sentence),
            },
            Self::KeyNotFound(key) => write!(f, "Key '{key}' not found"),
            Self::NoSuchFile(path) => write!(f, "there is no file at {}", path.display()),
            Self::NotAFile(path) => write!(f, "{} is not a regular file", path.display()),
            Self::InUse(path) => write!(f, "{} is in use by another program", path.display()),
            Self::NoComponent(places) => {
                f.write_str("the component was not found; build it with `cargo xtask component` or name it with --component; looked at ")?;
                for (index, place) in places.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{}", place.display())?;
                }
                Ok(())
            }
            Self::Differs(name) => write!(
                f,
                "what the store has for '{name}' is not what the file has"
            ),
            Self::TimedOut(allowed) => write!(
                f,
                "the component computed for more than {allowed:?} in one call"
            ),
            Self::Component(error) => write!(f, "the component failed: {}", in_words(error)),
            Self::Usage(sentence) => f.write_str(sentence),
            Self::Over => f.write_str("an earlier call did not return; start the plugin again"),
            Self::Io { doing, source } => write!(f, "could not {doing}: {source}"),
        }
    }
}

/// An error with its causes, as one sentence: what is not linked is named in one of them, why in another. The calls that a trap ended are left
/// out, which few plugins have names for.
pub fn in_words(error: &wasmtime::Error) -> String {
    let causes = error.chain().map(ToString::to_string);
    let told = causes.filter(|cause| !cause.starts_with("error while executing at wasm backtrace"));
    told.collect::<Vec<_>>().join(": ")
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn what_went_wrong_is_told_with_its_causes_and_without_calls() {
        let error = wasmtime::Error::msg("resource implementation is missing")
            .context("component imports instance `a:b/c`")
            .context("error while executing at wasm backtrace:\n    0: a function");
        let sentence = "component imports instance `a:b/c`: resource implementation is missing";
        assert_eq!(in_words(&error), sentence);
    }
}
