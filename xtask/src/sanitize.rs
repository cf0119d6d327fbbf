//! The tests with threads, and those of damaged files, under a sanitizer of the compiler.

use anyhow::{Result, bail};

use crate::context::Context;

/// A sanitizer.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Sanitizer {
    /// Races between threads
    Thread,
    /// Misuse of memory
    Address,
}

/// Tests of the workspace that have several threads, or read what is damaged.
const TESTS: [&str; 5] = [
    "readers_beside_a_writer",
    "readers_of_everything",
    "backups",
    "bit_rot",
    "faults",
];

/// Runs them with the standard library built anew, so that it is watched as well.
pub fn run(ctx: &Context, sanitizer: Sanitizer) -> Result<()> {
    let host = ctx.nightly_host()?;
    let name = match sanitizer {
        Sanitizer::Thread => "thread",
        Sanitizer::Address => "address",
    };
    let command = |args: &[&str]| {
        let mut command = ctx.nightly(["test", "-Zbuild-std", "--target", &host]);
        command.args(args);
        command.env("RUSTFLAGS", format!("-Zsanitizer={name} -Copt-level=1"));
        command.env(
            "CARGO_TARGET_DIR",
            ctx.target_dir.join("sanitize").join(name),
        );
        // Tests ask for more memory than there is, and are to be told so.
        for options in ["TSAN_OPTIONS", "ASAN_OPTIONS"] {
            command.env(options, "allocator_may_return_null=1");
        }
        command
    };
    let mut engine = command(&["--package", "tailstone", "--lib", "--"]);
    ctx.run_tests(engine.args(["index::", "backing::", "bucket::", "store::"]))?;
    let mut whole = command(&["--package", "tailstone-tests"]);
    whole.args(TESTS.iter().flat_map(|test| ["--test", *test]));
    ctx.run_tests(&mut whole)?;
    println!("{}", ctx.tally());
    if !ctx.tally().is_good() {
        bail!("no test ran under the sanitizer");
    }
    Ok(())
}
