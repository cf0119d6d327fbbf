//! Where the workspace lies and how a task starts another program: from the root, printed, and failing with it.

use std::cell::Cell;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::tally::Tally;

/// What every task is given.
pub struct Context {
    /// The workspace's root.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target_dir: PathBuf,
    /// The cargo that started this program.
    pub cargo: OsString,
    tally: Cell<Tally>,
}

impl Context {
    /// Looks around: cargo tells a program that it runs where its manifest is and which cargo it is itself.
    pub fn new() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let target_dir = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self {
            root,
            target_dir,
            cargo,
            tally: Cell::default(),
        })
    }

    /// A command that starts `program` in the root.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// A cargo command, such as `ctx.cargo(["build", "--release"])`.
    pub fn cargo<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(args);
        command
    }

    /// The same by a nightly compiler.
    pub fn nightly<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.command("rustup");
        command.args(["run", "nightly", "cargo"]).args(args);
        command
    }

    /// What the nightly compiler compiles for here; fails without one.
    pub fn nightly_host(&self) -> Result<String> {
        let probe = ["run", "nightly", "rustc", "--print", "host-tuple"];
        let host = self.output(self.command("rustup").args(probe)).context(
            "`rustup toolchain install nightly --component rust-src` installs what this needs",
        )?;
        Ok(host.trim().to_owned())
    }

    /// Prints and runs `command`; fails when it does.
    #[expect(
        clippy::unused_self,
        reason = "reads as the other ways to run a command"
    )]
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let line = announce(command);
        let status = command
            .status()
            .with_context(|| format!("could not start {line}"))?;
        if !status.success() {
            bail!("{line}: {status}");
        }
        Ok(())
    }

    /// Runs `command` quietly and gives what it printed.
    #[expect(
        clippy::unused_self,
        reason = "reads as the other ways to run a command"
    )]
    pub fn output(&self, command: &mut Command) -> Result<String> {
        let line = display(command);
        let output = command
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("could not start {line}"))?;
        if !output.status.success() {
            bail!("{line}: {}", output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("{line}: not UTF-8"))
    }

    /// Like [`run`](Self::run) for a test runner: passes its output through and counts the results it announces, in
    /// the words of cargo's runner or of node's.
    pub fn run_tests(&self, command: &mut Command) -> Result<()> {
        let line = announce(command);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {line}"))?;
        let mut tally = self.tally.get();
        if let Some(stdout) = child.stdout.take() {
            let mut reader = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes)? > 0 {
                io::stdout().write_all(&bytes)?;
                tally.note(&String::from_utf8_lossy(&bytes));
                bytes.clear();
            }
        }
        self.tally.set(tally);
        let status = child.wait()?;
        if !status.success() {
            bail!("{line}: {status}");
        }
        Ok(())
    }

    /// What the test runners have announced so far.
    pub fn tally(&self) -> Tally {
        self.tally.get()
    }

    /// The first of `names` that is an executable on `PATH`.
    #[expect(
        clippy::unused_self,
        reason = "part of what a task may ask about its surroundings"
    )]
    pub fn find_program(&self, names: &[&str]) -> Option<PathBuf> {
        let path = env::var_os("PATH")?;
        names
            .iter()
            .flat_map(|name| env::split_paths(&path).map(move |dir| dir.join(name)))
            .find(|candidate| is_executable(candidate))
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

fn announce(command: &Command) -> String {
    let line = display(command);
    eprintln!("$ {line}");
    line
}

/// The command as one would type it, with the variables it sets.
fn display(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("{}='{}' ", name.display(), value.display()));
    let mut line: String = variables.collect();
    line.push_str(&name.to_string_lossy());
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&arg.to_string_lossy());
    }
    line
}
