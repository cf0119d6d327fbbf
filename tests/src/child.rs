//! This test program once more, as another process: to be killed, or to have less of something.
//!
//! A test that calls [`playing`] first is a role: it does nothing unless the process was started to play it.

use std::ffi::OsStr;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const ROLE: &str = "TAILSTONE_TEST_ROLE";
const PATH: &str = "TAILSTONE_TEST_PATH";

/// A command that runs the test `role` alone, with `path` to work on. Where `wrapper` is not empty, a shell runs that first, and
/// goes on to the test with `exec "$@"`.
///
/// # Panics
///
/// If this program does not know where it lies itself.
#[must_use]
#[expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails there and then"
)]
pub fn command(role: &str, path: &Path, wrapper: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = if wrapper.is_empty() {
        Command::new(program)
    } else {
        let mut shell = Command::new("sh");
        shell.args([OsStr::new("-c"), OsStr::new(wrapper), OsStr::new("sh")]);
        shell.arg(program);
        shell
    };
    command
        .args([role, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(PATH, path)
        .stdout(Stdio::piped());
    command
}

/// The path to work on, if this process was started to play `role`.
#[must_use]
pub fn playing(role: &str) -> Option<PathBuf> {
    let is_it = std::env::var(ROLE).is_ok_and(|played| played == role);
    is_it.then(|| std::env::var_os(PATH).map(PathBuf::from))?
}

/// The numbers that follow `word` at the start of a line, up to the end of the output. A line that was cut short is none.
pub fn numbers_after(word: &str, mut output: impl BufRead) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
        let text = String::from_utf8_lossy(&line);
        let number: Option<u64> = text
            .strip_suffix('\n')
            .and_then(|line| line.strip_prefix(word)?.trim().parse().ok());
        numbers.extend(number);
        line.clear();
    }
    numbers
}

/// How often or how long a test goes on: `name` from the environment, or `short`.
#[must_use]
pub fn amount(name: &str, short: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(short)
}
