//! How the program ends: one status for each kind of failure, and one line that says what it was.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use tailstone::Error;

/// What the caller of the program learns from its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All was done.
    Done = 0,
    /// There is no such key, or no such store.
    NotFound = 1,
    /// The command cannot mean what was asked.
    Usage = 2,
    /// The store is damaged, or the file is no store.
    Damaged = 3,
    /// Another program has the store open.
    Locked = 4,
    /// The medium, the input or the output failed.
    Io = 5,
}

/// Why a command stopped.
#[derive(Debug)]
pub struct Failure {
    status: Status,
    message: String,
}

/// What commands return.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure that ends the program with `status`; `message` becomes one line.
    pub fn new(status: Status, message: impl Display) -> Self {
        Self {
            status,
            message: message.to_string(),
        }
    }

    /// What went wrong with the file at `path`, which some errors do not name.
    pub fn with_file(path: &Path, error: Error) -> Self {
        let names_nothing = matches!(
            &error,
            Error::Io { .. } | Error::NotAStore { .. } | Error::Corrupt { .. }
        );
        let mut failure = Self::from(error);
        if names_nothing {
            failure.message = format!("{}: {}", path.display(), failure.message);
        }
        failure
    }

    /// No value has this key.
    pub fn no_key(key: &str) -> Self {
        Self::new(Status::NotFound, format_args!("Key '{key}' not found"))
    }

    /// Standard output did not take what was written. That nobody reads it any more is how a pipeline ends early, and
    /// no failure.
    pub fn output(source: &io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Status::Done, "");
        }
        Self::new(
            Status::Io,
            format_args!("could not write to standard output: {source}"),
        )
    }

    /// Tells standard error, unless there is nothing to tell, and gives the status.
    pub fn finish(&self) -> ExitCode {
        if self.status != Status::Done {
            tell("error: ", &self.message);
        }
        self.status.into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::KeyNotFound | Error::NoSuchFile(_) => Status::NotFound,
            Error::NotAStore { .. } | Error::Corrupt { .. } => Status::Damaged,
            Error::Locked(_) => Status::Locked,
            Error::NotAFile(_)
            | Error::ReadOnly
            | Error::EmptyPayload
            | Error::ReservedPayload
            | Error::ReservedKey { .. }
            | Error::SameStore
            | Error::SameTarget
            | Error::LengthMismatch { .. }
            | Error::NoSuchTail { .. }
            | Error::KeyTooLong { .. }
            | Error::HashCollision { .. }
            | Error::NotACounter { .. }
            | Error::NotARatio => Status::Usage,
            _ => Status::Io,
        };
        Self::new(status, error)
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// Writes one line to standard error, in which no key or name steers a terminal. Where even that fails there is nobody left to tell.
pub fn tell(prefix: &str, message: &str) {
    use io::Write;
    let line = one_line(message);
    let _unheard = writeln!(io::stderr().lock(), "{prefix}{line}");
}

fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for letter in message.chars() {
        match letter {
            '\n' | '\r' => line.push(' '),
            _ if letter.is_control() => line.extend(letter.escape_debug()),
            _ => line.push(letter),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use tailstone::Error;

    use super::{Failure, Status, one_line};

    #[test]
    fn each_error_has_its_status() {
        let io_error = || io::Error::from(io::ErrorKind::StorageFull);
        for (error, status) in [
            (Error::KeyNotFound, Status::NotFound),
            (Error::NoSuchFile("a".into()), Status::NotFound),
            (Error::EmptyPayload, Status::Usage),
            (Error::NotAFile("a".into()), Status::Usage),
            (
                Error::KeyTooLong {
                    length: 65_537,
                    maximum: 65_536,
                },
                Status::Usage,
            ),
            (Error::HashCollision { key_hash: 1 }, Status::Usage),
            (Error::NotAStore { length: 1 }, Status::Damaged),
            (
                Error::Corrupt {
                    offset: 1,
                    what: "x",
                },
                Status::Damaged,
            ),
            (Error::Locked("a".into()), Status::Locked),
            (Error::Latched, Status::Io),
            (
                Error::Io {
                    doing: "append",
                    source: io_error(),
                },
                Status::Io,
            ),
        ] {
            let name = format!("{error:?}");
            assert_eq!(Failure::from(error).status, status, "{name}");
        }
    }

    #[test]
    fn a_message_is_a_line_of_letters() {
        assert_eq!(one_line("a\nb\r\n'ключ'"), "a b  'ключ'");
        assert_eq!(one_line("\x1b[31m\u{9b}"), "\\u{1b}[31m\\u{9b}");
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::output(&closed).status, Status::Done);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Failure::output(&full).status, Status::Io);
    }
}
