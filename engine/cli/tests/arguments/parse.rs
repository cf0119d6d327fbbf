//! One command line, from bytes.

use crate::args::Arguments;
use clap::Parser;
use std::ffi::OsString;

/// Parses the lines of `data` as the words of a command line: a command, or an error that can be told.
pub fn parse(data: &[u8]) {
    let words = data.split(|&byte| byte == b'\n').map(word);
    let line: Vec<OsString> = std::iter::once("tailstone".into()).chain(words).collect();
    match Arguments::try_parse_from(line) {
        Ok(arguments) => assert!(!format!("{arguments:?}").is_empty()),
        Err(error) => {
            assert!(matches!(error.exit_code(), 0 | 2), "{error}");
            assert!(!error.render().to_string().is_empty());
        }
    }
}

#[cfg(unix)]
fn word(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn word(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
