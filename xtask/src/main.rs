//! Every task of the workspace: `cargo xtask <task>`.

mod bench_kernels;
mod bench_web;
mod component;
mod context;
mod demo;
mod deny;
mod examples;
mod fuzz;
mod guests;
mod loom;
mod miri;
mod other_languages;
mod sanitize;
mod setup;
mod tally;
mod test;
mod tidy;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::context::Context;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and shows the workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the other tasks need and is missing; quick when nothing is
    Setup,
    /// Store a folder of real files through every face, read them back and show the rates
    Demo {
        /// The folder; by default the workspace's sources and the toolchain's library
        folder: Option<PathBuf>,
        /// Serve the page for a person afterwards
        #[arg(long)]
        serve: bool,
    },
    /// Check and test everything on every target
    Test {
        /// Formatting, lints and the engine's debug tests only
        #[arg(long)]
        quick: bool,
    },
    /// Build the engine for the browser and its package
    Wasm,
    /// Build the npm package and write its reference to wasm/web/docs
    WebDocs,
    /// Run a build of the browser's tests in Rust: cargo calls this
    #[command(hide = true)]
    WasmTestRunner {
        /// What runs it in a browser
        script: PathBuf,
        /// The test program
        program: PathBuf,
    },
    /// Build the WASI component
    Component,
    /// Build the guests: those that try a provider of stores, and the plugins
    Guests {
        /// Those in other languages than Rust instead, and run them; needs npm, and Python with its venv
        #[arg(long)]
        other_languages: bool,
    },
    /// Build the pages
    Www {
        /// Serve them until interrupted
        #[arg(long)]
        serve: bool,
    },
    /// Compare the store with others, draw the plots of it, or print the README's table
    Bench {
        /// With rocksdb, whose build takes a C++ compiler, libclang and a quarter of an hour
        #[arg(long)]
        rocksdb: bool,
        /// Handed on to the benchmark program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measure what a plugin's calls take, by who answers them
    BenchHost {
        /// Handed on to the benchmark program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measure the package and its peers in a browser
    BenchWeb(bench_web::Options),
    /// Measure the kernels of wasm, under wasmtime, in Node and in a browser
    BenchKernels,
    /// Run the examples
    Examples,
    /// Write the manual pages of the command line, one for each command
    Man,
    /// Run the engine's unsafe code under Miri
    Miri,
    /// Run the index and the publishing of entries under loom, which tries their interleavings
    Loom,
    /// Fuzz opening, recovery and what reads damaged files; needs a nightly compiler
    Fuzz(fuzz::Options),
    /// Run the tests with threads under a sanitizer; needs a nightly compiler with its sources
    Sanitize {
        /// Which one
        sanitizer: sanitize::Sanitizer,
    },
    /// Check what is depended on for known faults and for licences
    Deny,
    /// Check the house rules that no compiler checks
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let ctx = Context::new()?;
    match task {
        Task::Setup => setup::run(&ctx)?,
        Task::Demo { folder, serve } => demo::run(&ctx, folder.as_deref(), serve)?,
        // Its last line is the number of tests, whatever came of them.
        Task::Test { quick } => return Ok(test::run(&ctx, quick)),
        Task::Wasm => web::build(&ctx)?,
        Task::WebDocs => web::reference(&ctx)?,
        Task::WasmTestRunner { script, program } => web::run_rust_tests(&ctx, &script, &program)?,
        Task::Component => component::build(&ctx)?,
        Task::Guests {
            other_languages: true,
        } => other_languages::run(&ctx)?,
        Task::Guests { .. } => guests::build(&ctx)?,
        Task::Www { serve } => web::pages(&ctx, serve)?,
        Task::Bench { rocksdb, args } => {
            let mut command = ctx.cargo(["run", "--release", "--package", "tailstone-peers"]);
            // What is made of kept figures needs no other store.
            let from_kept = |arg: &String| ["--plot", "--table"].contains(&arg.as_str());
            let from_kept = args.iter().any(from_kept);
            if rocksdb {
                command.args(["--features", "rocksdb"]);
            } else if !from_kept {
                command.args(["--features", "peers"]);
            }
            ctx.run(command.arg("--").args(args))?;
        }
        Task::BenchHost { args } => {
            guests::build(&ctx)?;
            let mut command = ctx.cargo(["run", "--release", "--package", "tailstone-host-peers"]);
            ctx.run(command.arg("--").args(args))?;
        }
        Task::BenchKernels => bench_kernels::run(&ctx)?,
        Task::BenchWeb(options) => bench_web::run(&ctx, &options)?,
        Task::Examples => examples::run(&ctx)?,
        Task::Man => {
            let folder = ctx.target_dir.join("man");
            let mut command =
                ctx.cargo(["run", "--package", "tailstone-cli", "--", "man", "--into"]);
            ctx.run(command.arg(folder))?;
        }
        Task::Miri => miri::run(&ctx)?,
        Task::Loom => loom::run(&ctx)?,
        Task::Fuzz(options) => fuzz::run(&ctx, &options)?,
        Task::Sanitize { sanitizer } => sanitize::run(&ctx, sanitizer)?,
        Task::Deny => deny::run(&ctx)?,
        Task::Tidy => tidy::run(&ctx)?,
    }
    Ok(ExitCode::SUCCESS)
}
