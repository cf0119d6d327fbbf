//! Runs the binary on stores in a folder of its own, and says what came of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

/// A folder with at most one store that commands are run on.
pub struct Bench {
    folder: TempDir,
}

/// How one run ended.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    /// A bench whose store holds `entries`.
    pub fn with(entries: &[(&str, &str)]) -> Self {
        let bench = Self::new();
        for (key, value) in entries {
            bench.run(&["write", key, value]).expect_status(0);
        }
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the store is, or would be.
    pub fn store(&self) -> PathBuf {
        self.path("store.tsl")
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.store()).unwrap()
    }

    /// The command line `tailstone <store> <args>`, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_on(&self.store(), args)
    }

    pub fn command_on(&self, file: &Path, args: &[&str]) -> Command {
        let mut command = bare(&[]);
        command.current_dir(self.folder.path()).arg(file).args(args);
        command
    }

    /// Runs `tailstone <store> <args>` with nothing on its standard input.
    pub fn run(&self, args: &[&str]) -> Run {
        finish(&mut self.command(args))
    }

    pub fn run_on(&self, file: &Path, args: &[&str]) -> Run {
        finish(&mut self.command_on(file, args))
    }

    /// Runs `tailstone <store> <args>` with `input` piped in.
    pub fn run_with(&self, args: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The program may refuse before it has read everything; its end of the pipe is then closed.
        let feeder = thread::spawn(move || {
            let _refused = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        output.into()
    }
}

/// The binary with `args` alone.
pub fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailstone"));
    command
        .args(args)
        .stdin(Stdio::null())
        .env_remove("FORCE_NO_TTY");
    command
}

/// Runs `command` to its end.
pub fn finish(command: &mut Command) -> Run {
    command.output().unwrap().into()
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("ended by a signal"),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// The run, if it ended with `status`. One that failed says why in one line, and nothing else anywhere.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        if status != 0 {
            let errors = self
                .stderr
                .lines()
                .filter(|line| line.starts_with("error: "));
            assert_eq!(errors.count(), 1, "{self:?}");
        }
        self
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}
