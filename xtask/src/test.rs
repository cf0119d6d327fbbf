//! Everything that must hold before a change is taken: formatting, lints on every target, documentation, tests.
//!
//! All stages run even if one fails, and the numbers of tests that ran come last.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::context::Context;
use crate::{component, examples, guests, loom, setup, tidy, web};

/// What the debug and the release run test. The host and the component have their own stage, in one profile, since
/// building wasmtime twice takes longer than everything else together.
const TESTED: [&str; 6] = [
    "--package",
    "tailstone",
    "--package",
    "tailstone-cli",
    "--package",
    "tailstone-tests",
];
/// In debug alone: the tasks themselves, as what they make bindings with takes minutes to optimise, and what runs as wasm.
const TASKS: [&str; 6] = [
    "--package",
    "xtask",
    "--package",
    "tailstone-web",
    "--package",
    "tailstone-conformance",
];
/// What is optional, so that it is checked too.
const FEATURES: [&str; 2] = [
    "--features",
    "tailstone/arrow,tailstone/bytemuck,tailstone/extensions,tailstone/parallel,tailstone/serde",
];
/// The same of the host, where it is among what is checked.
const HOST_FEATURES: [&str; 2] = [
    "--features",
    "tailstone-host/async,tailstone-host/conformance,tailstone-host/redis",
];
const DENY: [&str; 3] = ["--", "-D", "warnings"];
const SIMD128: &str = "-C target-feature=+simd128";

type Stage = (&'static str, fn(&Context) -> Result<()>);

const QUICK: [Stage; 3] = [
    ("format", format),
    ("lints, host", lints_quick),
    ("tests, engine, debug", tests_quick),
];

const FULL: [Stage; 15] = [
    ("setup", setup::run),
    ("format", format),
    ("tidy", tidy::run),
    ("lints, host", lints_host),
    ("lints, browser", lints_browser),
    ("lints, WASI", lints_wasi),
    ("lints, Windows", lints_windows),
    ("documentation", documentation),
    ("tests, debug", tests_debug),
    ("tests, release", tests_release),
    ("tests, documentation", tests_documentation),
    ("examples", examples::run),
    ("tests, interleavings", loom::run),
    ("tests, component", |ctx| component::test(ctx, false)),
    ("tests, browser", |ctx| web::test(ctx, false)),
];

/// Runs the stages and says what came of them.
pub fn run(ctx: &Context, quick: bool) -> ExitCode {
    let stages: &[Stage] = if quick { &QUICK } else { &FULL };
    let begun = Instant::now();
    let mut summary = Vec::new();
    let mut good = true;
    for (name, stage) in stages {
        eprintln!("\n== {name}");
        let stage_begun = Instant::now();
        let verdict = match stage(ctx) {
            Ok(()) => "ok".to_owned(),
            Err(error) => {
                good = false;
                format!("FAILED: {error:#}")
            }
        };
        let line = format!(
            "{name:<24}{:>7.1} s  {verdict}",
            stage_begun.elapsed().as_secs_f64()
        );
        eprintln!("== {line}");
        summary.push(line);
    }
    println!();
    for line in summary {
        println!("{line}");
    }
    println!("{:<24}{:>7.1} s", "in all", begun.elapsed().as_secs_f64());
    println!("{}", ctx.tally());
    if good && ctx.tally().is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn format(ctx: &Context) -> Result<()> {
    ctx.run(&mut ctx.cargo(["fmt", "--all", "--check"]))
}

fn lints_quick(ctx: &Context) -> Result<()> {
    let mut command = ctx.cargo(["clippy", "--all-targets"]);
    ctx.run(command.args(TESTED).args(TASKS).args(DENY))
}

fn lints_host(ctx: &Context) -> Result<()> {
    // The peers are other people's stores, some of them large; linting them would build them.
    let mut command = ctx.cargo([
        "clippy",
        "--workspace",
        "--exclude",
        "tailstone-peers",
        "--exclude",
        "tailstone-host-peers",
        "--all-targets",
    ]);
    ctx.run(command.args(FEATURES).args(HOST_FEATURES).args(DENY))
}

fn lints_browser(ctx: &Context) -> Result<()> {
    let clippy = || {
        let mut command = ctx.cargo([
            "clippy",
            "--package",
            "tailstone",
            "--package",
            "tailstone-web",
        ]);
        command
            .args(["--target", "wasm32-unknown-unknown"])
            .args(DENY);
        command
    };
    ctx.run(&mut clippy())?;
    let mut tests = ctx.cargo(["clippy", "--package", "tailstone-web", "--test", "browser"]);
    ctx.run(
        tests
            .args(["--target", "wasm32-unknown-unknown"])
            .args(DENY),
    )?;
    ctx.run(clippy().env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", SIMD128))
}

fn lints_wasi(ctx: &Context) -> Result<()> {
    let mut command = ctx.cargo([
        "clippy",
        "--package",
        "tailstone",
        "--package",
        "tailstone-component",
    ]);
    ctx.run(command.args(["--target", "wasm32-wasip2"]).args(DENY))?;
    let mut command = ctx.cargo(["clippy"]);
    for package in guests::PACKAGES {
        command.args(["--package", package]);
    }
    ctx.run(
        command
            .args(["--target", "wasm32-unknown-unknown"])
            .args(DENY),
    )
}

fn lints_windows(ctx: &Context) -> Result<()> {
    let mut command = ctx.cargo(["clippy", "--package", "tailstone"]);
    ctx.run(command.args(["--target", setup::WINDOWS]).args(DENY))
}

fn documentation(ctx: &Context) -> Result<()> {
    // The program first: it has the engine's name, whose pages then take the place of its own.
    for package in ["tailstone-cli", "tailstone-host", "tailstone"] {
        let mut command = ctx.cargo(["doc", "--no-deps", "--all-features", "--package", package]);
        ctx.run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

fn tests_quick(ctx: &Context) -> Result<()> {
    ctx.run_tests(&mut ctx.cargo(["test", "--package", "tailstone", "--tests"]))
}

fn tests_debug(ctx: &Context) -> Result<()> {
    tests(ctx, &TASKS)
}

fn tests_release(ctx: &Context) -> Result<()> {
    tests(ctx, &["--release"])
}

fn tests(ctx: &Context, more: &[&str]) -> Result<()> {
    let mut command = ctx.cargo(["test", "--no-fail-fast", "--tests", "--examples"]);
    ctx.run_tests(command.args(FEATURES).args(TESTED).args(more))
}

fn tests_documentation(ctx: &Context) -> Result<()> {
    let before = ctx.tally();
    let mut command = ctx.cargo(["test", "--doc", "--package", "tailstone"]);
    ctx.run_tests(command.args(FEATURES))?;
    if ctx.tally() == before {
        bail!("no example of the documentation ran");
    }
    Ok(())
}
