//! Builds the WASI component and runs the tests of it: in its host, under wasmtime, and in Node.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::context::Context;
use crate::{guests, web};

/// Where what is built lies in the target folder.
pub const BUILT: &str = "wasm32-unknown-unknown/wasm";

/// No C library lies under this target, so the component imports what our own code calls and nothing else. The linker
/// comes with the toolchain; it wraps what it links into a component.
const TARGET: &str = "wasm32-unknown-unknown";
const FLAGS: &str = "-C target-feature=+simd128 -C linker=wasm-component-ld";

/// The target whose programs are commands, for tests.
const TEST_TARGET: &str = "wasm32-wasip2";
const TEST_FLAGS: &str = "-C target-feature=+simd128";

/// Builds `wasm/component` to `target/wasm32-unknown-unknown/wasm/tailstone_component.wasm`.
pub fn build(ctx: &Context) -> Result<()> {
    build_packages(ctx, &["tailstone-component"])
}

/// Builds each of these packages to a component beside it, named as the package with `_` for `-`.
pub fn build_packages(ctx: &Context, packages: &[&str]) -> Result<()> {
    let mut command = ctx.cargo(["build", "--profile", "wasm", "--target", TARGET]);
    for package in packages {
        command.args(["--package", package]);
    }
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", FLAGS);
    ctx.run(&mut command)
}

/// The one profile that wasmtime is built in, but for benchmarks.
pub const HOST_PROFILE: &str = "lean";

/// Builds `tailstone-host`; where it lies.
pub fn build_host(ctx: &Context) -> Result<PathBuf> {
    ctx.run(&mut ctx.cargo([
        "build",
        "--profile",
        HOST_PROFILE,
        "--package",
        "tailstone-host",
        "--all-features",
    ]))?;
    let name = format!("tailstone-host{}", std::env::consts::EXE_SUFFIX);
    Ok(ctx.target_dir.join(HOST_PROFILE).join(name))
}

/// Runs the tests of the component's host and, unless it has to be `quick`, those of the component and the engine on wasm32 and
/// those of the component in Node.
pub fn test(ctx: &Context, quick: bool) -> Result<()> {
    build(ctx)?;
    guests::build(ctx)?;
    let host = build_host(ctx)?;
    ctx.run_tests(&mut ctx.cargo([
        "test",
        "--profile",
        HOST_PROFILE,
        "--package",
        "tailstone-host",
        "--all-features",
    ]))?;
    if quick {
        return Ok(());
    }
    by_cargo_component(ctx, &host)?;
    // Whatever comes of one, the other is tried too.
    let wasmtime = under_wasmtime(ctx, &host);
    let node = in_node(ctx, &host);
    wasmtime.and(node)
}

/// Builds the component by `cargo component build`, where that command is installed, and holds what comes of it to every case.
fn by_cargo_component(ctx: &Context, host: &Path) -> Result<()> {
    let version = ctx.cargo(["component", "--version"]).output()?;
    if !version.status.success() {
        eprintln!("  `cargo component` is not installed: nothing is built by it");
        return Ok(());
    }
    let target = ctx.target_dir.join("cargo-component");
    let mut build = ctx.cargo(["component", "build", "--release"]);
    build.args(["--package", "tailstone-component"]);
    ctx.run(build.env("CARGO_TARGET_DIR", &target))?;
    let component = target.join("wasm32-wasip1/release/tailstone_component.wasm");
    let mut conformance = ctx.command(host);
    conformance.arg("conformance").arg(component);
    ctx.run(conformance.args(["--cases".as_ref(), ctx.target_dir.join(BUILT).as_os_str()]))
}

fn under_wasmtime(ctx: &Context, host: &Path) -> Result<()> {
    let directory = ctx.target_dir.join("wasi-tests");
    std::fs::create_dir_all(&directory)?;
    let runner = format!(
        "{} run --timeout 10m --no-cache --directory {}",
        host.display(),
        directory.display()
    );
    for package in ["tailstone-component", "tailstone"] {
        let mut command = ctx.cargo([
            "test",
            "--profile",
            HOST_PROFILE,
            "--lib",
            "--target",
            TEST_TARGET,
        ]);
        command.args(["--package", package]);
        command.env("CARGO_TARGET_WASM32_WASIP2_RUNNER", &runner);
        command.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", TEST_FLAGS);
        ctx.run_tests(&mut command)?;
    }
    Ok(())
}

/// Runs the component over the files of Node's shim, and one file between it, the command line and the component's host.
fn in_node(ctx: &Context, host: &Path) -> Result<()> {
    ctx.run(&mut ctx.cargo(["build", "--package", "tailstone-cli", "--bin", "tailstone"]))?;
    let component = ctx.target_dir.join(BUILT).join("tailstone_component.wasm");
    let folder = ctx.root.join("tests/component");
    web::install(ctx, &folder)?;
    let mut node = ctx.command("node");
    node.args(["--test", "--test-concurrency=2", "--test-reporter=spec"])
        .current_dir(&folder)
        .env("TAILSTONE_COMPONENT", component)
        .env("TAILSTONE_BIN", web::binary(ctx, "tailstone", "debug"))
        .env("TAILSTONE_HOST", host);
    ctx.run_tests(&mut node)
}
