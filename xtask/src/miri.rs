//! The engine's unsafe code under Miri, which sees what no test can: misuse of memory that happens to work.

use anyhow::{Result, bail};

use crate::context::Context;

/// The modules with `unsafe` that need no system call Miri lacks (a file mapping is one), and the index, whose
/// lock-free readers Miri's scheduler interleaves.
const FILTERS: [&str; 4] = ["backing::memory", "kernels", "index", "pin"];

/// Runs those modules' unit tests.
pub fn run(ctx: &Context) -> Result<()> {
    let probe = ["run", "nightly", "cargo", "miri", "--version"];
    if ctx.output(ctx.command("rustup").args(probe)).is_err() {
        bail!(
            "Miri is missing: `rustup toolchain install nightly --component miri --component rust-src` installs it"
        );
    }
    let mut command = ctx.command("rustup");
    command.args([
        "run",
        "nightly",
        "cargo",
        "miri",
        "test",
        "--package",
        "tailstone",
        "--lib",
        "--",
    ]);
    command.args(FILTERS);
    // The tests print the time and read seeds from the environment.
    command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
    command.env("CARGO_TARGET_DIR", ctx.target_dir.join("miri"));
    ctx.run_tests(&mut command)?;
    println!("{}", ctx.tally());
    if !ctx.tally().is_good() {
        bail!("no test ran under Miri");
    }
    Ok(())
}
