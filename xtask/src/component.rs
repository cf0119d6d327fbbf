//! Builds the WASI component and runs the tests of it and of its host.

use std::path::PathBuf;

use anyhow::Result;

use crate::context::Context;

/// No C library lies under this target, so the component imports what our own code calls and nothing else. The linker
/// comes with the toolchain; it wraps what it links into a component.
const TARGET: &str = "wasm32-unknown-unknown";
const FLAGS: &str = "-C target-feature=+simd128 -C linker=wasm-component-ld";

/// The target whose programs are commands, for tests.
const TEST_TARGET: &str = "wasm32-wasip2";
const TEST_FLAGS: &str = "-C target-feature=+simd128";

/// Builds `wasm/component` to `target/wasm32-unknown-unknown/wasm/tailstone_component.wasm`.
pub fn build(ctx: &Context) -> Result<()> {
    let mut command = ctx.cargo(["build", "--package", "tailstone-component"]);
    command.args(["--profile", "wasm", "--target", TARGET]);
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", FLAGS);
    ctx.run(&mut command)
}

/// Builds `tailstone-host`, in the one profile that wasmtime is built in; where it lies.
pub fn build_host(ctx: &Context) -> Result<PathBuf> {
    ctx.run(&mut ctx.cargo(["build", "--release", "--package", "tailstone-host"]))?;
    let name = format!("tailstone-host{}", std::env::consts::EXE_SUFFIX);
    Ok(ctx.target_dir.join("release").join(name))
}

/// Runs the component's tests under wasmtime, and the engine's own unit tests on wasm32 unless it has to be `quick`.
pub fn test(ctx: &Context, quick: bool) -> Result<()> {
    build(ctx)?;
    let host = build_host(ctx)?;
    ctx.run_tests(&mut ctx.cargo(["test", "--release", "--package", "tailstone-host"]))?;
    if quick {
        return Ok(());
    }
    let directory = ctx.target_dir.join("wasi-tests");
    std::fs::create_dir_all(&directory)?;
    let runner = format!(
        "{} run --timeout 600 --directory {}",
        host.display(),
        directory.display()
    );
    for package in ["tailstone-component", "tailstone"] {
        let mut command = ctx.cargo(["test", "--release", "--lib", "--target", TEST_TARGET]);
        command.args(["--package", package]);
        command.env("CARGO_TARGET_WASM32_WASIP2_RUNNER", &runner);
        command.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", TEST_FLAGS);
        ctx.run_tests(&mut command)?;
    }
    Ok(())
}
