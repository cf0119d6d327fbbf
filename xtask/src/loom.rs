//! Interleavings: the index, the tail and the switch at a compaction under loom, which tries the orders in which threads may go on.
//!
//! `TAILSTONE_SWITCHES` adds switches between threads to those that are tried, and takes many times as long with each.

use anyhow::{Result, bail};

use crate::context::Context;

/// Runs the tests that are made for loom.
pub fn run(ctx: &Context) -> Result<()> {
    let before = ctx.tally();
    let mut command = ctx.cargo([
        "test",
        "--profile",
        "lean",
        "--package",
        "tailstone",
        "--lib",
    ]);
    command.arg("interleavings");
    command.env("RUSTFLAGS", "--cfg loom");
    command.env("CARGO_TARGET_DIR", ctx.target_dir.join("loom"));
    ctx.run_tests(&mut command)?;
    if ctx.tally() == before {
        bail!("no test ran under loom");
    }
    Ok(())
}
