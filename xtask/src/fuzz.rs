//! Fuzzing: libFuzzer on each target of `engine/fuzz`, from the inputs that are kept there.
//!
//! It is built by a nightly compiler's own means, so that nothing else has to be installed; `cargo fuzz` works there as well.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::context::Context;

const MANIFEST: &str = "engine/fuzz/Cargo.toml";
const CORPUS: &str = "engine/fuzz/corpus";
/// Whole stores to begin with, for targets that take one.
const STORES: &str = "tests/data/0.1.0";
/// What makes the compiler count which edges a run takes, and the address sanitizer.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Ccodegen-units=1";
/// Limits for one input: seconds, and MiB at once.
const LIMITS: [&str; 4] = [
    "-timeout=20",
    "-malloc_limit_mb=300",
    "-rss_limit_mb=2048",
    "-max_len=16384",
];
/// The longest input that is kept, in bytes.
const KEPT_BYTES: &str = "-max_len=4096";

/// What to fuzz, and how.
#[derive(clap::Args)]
pub struct Options {
    /// One target; by default all of them in turn
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Add what was found, reduced to what takes new ways, to the inputs that are kept
    #[arg(long)]
    keep: bool,
}

/// Runs the targets; fails at the first input that does not hold, which is left in `engine/fuzz/artifacts`.
pub fn run(ctx: &Context, options: &Options) -> Result<()> {
    let mut targets = targets(ctx)?;
    if let Some(wanted) = &options.target {
        targets.retain(|target| target == wanted);
        if targets.is_empty() {
            bail!("no target is called {wanted}: see {CORPUS}");
        }
    }
    let built = build(ctx)?;
    for target in targets {
        let found = ctx.target_dir.join("fuzz/corpus").join(&target);
        let artifacts = ctx.root.join("engine/fuzz/artifacts").join(&target);
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder)
                .with_context(|| format!("could not create {}", folder.display()))?;
        }
        let kept = ctx.root.join(CORPUS).join(&target);
        let program = built.join(&target);
        let mut command = ctx.command(&program);
        command.args(LIMITS);
        command.arg(format!("-max_total_time={}", options.seconds));
        command.arg(format!("-artifact_prefix={}/", artifacts.display()));
        ctx.run(command.args([&found, &kept]).arg(STORES))?;
        if options.keep {
            let mut command = ctx.command(&program);
            ctx.run(command.args(["-merge=1", KEPT_BYTES]).args([&kept, &found]))?;
        }
    }
    Ok(())
}

fn targets(ctx: &Context) -> Result<Vec<String>> {
    let folder = ctx.root.join(CORPUS);
    let entries =
        fs::read_dir(&folder).with_context(|| format!("could not list {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Builds all targets and says where they are.
fn build(ctx: &Context) -> Result<PathBuf> {
    let host = ctx.nightly_host()?;
    let target_dir = ctx.target_dir.join("fuzz");
    let mut command = ctx.nightly(["build", "--release", "--manifest-path", MANIFEST]);
    command.args(["--target", &host]);
    command.env("CARGO_TARGET_DIR", &target_dir);
    ctx.run(command.env("RUSTFLAGS", FLAGS))?;
    Ok(target_dir.join(host).join("release"))
}
