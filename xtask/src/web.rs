//! Builds the engine for the browser with its TypeScript package, and the pages; runs the tests that need a browser.
//!
//! Of the machine it needs node with npm, and for the tests a Chromium; everything else is pinned in lock files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::bench_web;
use crate::component;
use crate::context::Context;

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `wasm/web` and the package, in `wasm/web/pkg`, and prints its size on the wire.
pub fn build(ctx: &Context) -> Result<()> {
    let js = ctx.root.join("wasm/web/js");
    let pkg = ctx.root.join("wasm/web/pkg");
    let wasm = compile(ctx)?;
    make_empty(&pkg)?;
    let generated = js.join("generated");
    Bindgen::new()
        .input_path(&wasm)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&generated)
        .with_context(|| format!("could not make bindings for {}", wasm.display()))?;
    install(ctx, &js)?;
    let built = generated.join("tailstone_web_bg.wasm");
    copy(&built, &generated.join("tailstone.wasm"))?;
    copy(&built, &pkg.join("tailstone.wasm"))?;
    ctx.run(npm(ctx, &js)?.args(["run", "--silent", "build"]))?;
    copy(&js.join("package.dist.json"), &pkg.join("package.json"))?;
    copy(&js.join("README.md"), &pkg.join("README.md"))?;
    for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
        copy(&ctx.root.join(license), &pkg.join(license))?;
    }
    let mut sizes = ctx.command("node");
    sizes.arg(js.join("sizes.mjs")).arg(&pkg);
    ctx.run(sizes.arg(generated.join("sizes.json")))
}

/// Builds the pages in `www/` and, if asked, serves them until interrupted.
pub fn pages(ctx: &Context, serve: bool) -> Result<()> {
    build(ctx)?;
    let pkg = ctx.root.join("www/pkg/tailstone");
    make_empty(&pkg)?;
    for file in fs::read_dir(ctx.root.join("wasm/web/pkg"))? {
        let file = file?;
        copy(&file.path(), &pkg.join(file.file_name()))?;
    }
    ctx.run(npm(ctx, &ctx.root.join("wasm/web/js"))?.args(["run", "--silent", "pages"]))?;
    bench_web::page(ctx)?;
    if serve {
        ctx.run(
            ctx.command("node")
                .args(["www/serve.mjs", "--port", "8017"]),
        )?;
    }
    Ok(())
}

/// Builds the pages and, unless `quick`, runs the browser tests, with the command line and, where it has been built, the
/// component's host for what goes from one face to another.
pub fn test(ctx: &Context, quick: bool) -> Result<()> {
    if quick {
        return Ok(());
    }
    rust_tests(ctx)?;
    pages(ctx, false)?;
    ctx.run(&mut ctx.cargo(["build", "--package", "tailstone-cli", "--bin", "tailstone"]))?;
    let tests = browser_project(ctx)?;
    let mut node = ctx.command("node");
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
        .current_dir(&tests)
        .env("TAILSTONE_BIN", binary(ctx, "tailstone", "debug"));
    // Built by the component's tests, which come first; it takes too long to be built for one test.
    let host = binary(ctx, "tailstone-host", component::HOST_PROFILE);
    if host.is_file() {
        node.env("TAILSTONE_HOST", host);
    }
    // Whatever comes of one, the others are tried too.
    let browser = ctx.run_tests(&mut node);
    browser
        .and(without_browser(ctx))
        .and(write_reference(ctx))
        .and(packaging(ctx))
}

/// Writes the reference of the npm package, out of the declarations that it is published with, to `wasm/web/docs`.
pub fn reference(ctx: &Context) -> Result<()> {
    build(ctx)?;
    write_reference(ctx)
}

/// Runs the tests of `wasm/web` that need a browser's worker. Cargo builds them and hands each program to this very program.
fn rust_tests(ctx: &Context) -> Result<()> {
    let script = browser_project(ctx)?.join("rust.mjs");
    let mut runner = std::env::current_exe()?.into_os_string();
    runner.push(" wasm-test-runner ");
    runner.push(script);
    let mut cargo = ctx.cargo(["test", "--package", "tailstone-web", "--test", "browser"]);
    cargo.args(["--target", TARGET]);
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    ctx.run_tests(&mut cargo)
}

/// Makes bindings for a test program, beside it, and has `script` run it in a browser.
pub fn run_rust_tests(ctx: &Context, script: &Path, program: &Path) -> Result<()> {
    let folder = program.with_extension("bindings");
    Bindgen::new()
        .input_path(program)
        .web(true)?
        .debug(true)
        .typescript(false)
        .out_name("tests")
        .generate(&folder)
        .with_context(|| format!("could not make bindings for {}", program.display()))?;
    ctx.run(ctx.command("node").arg(script).arg(folder))
}

/// Stores the files of `folder` in the built page, in a headless browser, and reads them back. Leaves `browser.tsl` and
/// `browser.png` in `out`, and gives the one line of JSON that `tests/browser/demo.mjs` prints.
pub fn demo(ctx: &Context, folder: &Path, out: &Path) -> Result<String> {
    pages(ctx, false)?;
    let tests = browser_project(ctx)?;
    let mut node = ctx.command("node");
    node.arg(tests.join("demo.mjs")).arg(folder).arg(out);
    ctx.output(&mut node)
}

fn write_reference(ctx: &Context) -> Result<()> {
    let folder = ctx.root.join("wasm/web/reference");
    install(ctx, &folder)?;
    ctx.run(npm(ctx, &folder)?.args(["run", "--silent", "build"]))
}

/// The parts of the package that need no browser.
fn without_browser(ctx: &Context) -> Result<()> {
    let folder = ctx.root.join("tests/web");
    install(ctx, &folder)?;
    let mut node = ctx.command("node");
    node.args(["--test", "--test-reporter=spec"])
        .current_dir(&folder);
    ctx.run_tests(&mut node)
}

/// Packs the built package and tries it as strangers would: bundlers, runtimes, type checkers, linters of packages.
fn packaging(ctx: &Context) -> Result<()> {
    let folder = ctx.root.join("tests/packaging");
    install(ctx, &folder)?;
    let mut node = ctx.command("node");
    // Each of these waits for a browser or another program most of its time.
    node.args(["--test", "--test-concurrency=2", "--test-reporter=spec"])
        .current_dir(&folder);
    ctx.run_tests(&mut node)
}

/// Compiles the crate with SIMD, which every browser with these file handles has.
fn compile(ctx: &Context) -> Result<PathBuf> {
    let mut cargo = ctx.cargo(["rustc", "--package", "tailstone-web", "--lib"]);
    // As this alone: beside an `rlib` nothing is optimised across crates, and a twelfth of the module is for nothing.
    cargo.args(["--crate-type", "cdylib"]);
    cargo.args(["--target", TARGET, "--profile", "wasm"]);
    cargo.args([
        "--config",
        &format!("target.{TARGET}.rustflags=[\"-C\",\"target-feature=+simd128\"]"),
    ]);
    // The bindings are made by the features that the module says it uses; stripping would take that away.
    cargo.args(["--config", "profile.wasm.strip=\"none\""]);
    ctx.run(&mut cargo)?;
    Ok(ctx.target_dir.join(TARGET).join("wasm/tailstone_web.wasm"))
}

/// The folder of the browser tests, with what they need installed.
pub fn browser_project(ctx: &Context) -> Result<PathBuf> {
    let tests = ctx.root.join("tests/browser");
    install(ctx, &tests)?;
    Ok(tests)
}

/// Installs what the lock file in `folder` pins, unless that has been done since it changed.
pub fn install(ctx: &Context, folder: &Path) -> Result<()> {
    let changed = modified(&folder.join("package-lock.json"));
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= changed {
        return Ok(());
    }
    ctx.run(npm(ctx, folder)?.args(["ci", "--no-audit", "--no-fund"]))
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

pub fn npm(ctx: &Context, folder: &Path) -> Result<Command> {
    let Some(program) = ctx.find_program(&["npm", "npm.cmd"]) else {
        bail!("npm is not on the path; install node 20 or later");
    };
    let mut command = ctx.command(program);
    command.current_dir(folder);
    Ok(command)
}

/// Where cargo puts a program of the workspace.
pub fn binary(ctx: &Context, name: &str, profile: &str) -> PathBuf {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    ctx.target_dir.join(profile).join(name)
}

/// The folder, with nothing in it of what an earlier build named otherwise.
pub fn make_empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("could not empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
