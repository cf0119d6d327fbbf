//! The benchmark in a browser: builds its page with the peers' packages, and runs it without a person.

use std::path::PathBuf;

use anyhow::Result;

use crate::context::Context;
use crate::web;

const PROJECT: &str = "www/bench";

#[derive(clap::Args)]
pub struct Options {
    /// How often every store is measured
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Smaller counts, and no store of a million keys
    #[arg(long)]
    quick: bool,
    /// Only these stores, with commas between them
    #[arg(long)]
    peers: Option<String>,
    /// Where to write the figures, and the plot beside them
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Builds the pages and measures every store in a headless browser; prints the figures.
pub fn run(ctx: &Context, options: &Options) -> Result<()> {
    web::install(ctx, &ctx.root.join(PROJECT))?;
    web::pages(ctx, false)?;
    web::browser_project(ctx)?;
    let mut node = ctx.command("node");
    node.arg("www/bench/headless.mjs");
    node.args(["--rounds", &options.rounds.to_string()]);
    if options.quick {
        node.arg("--quick");
    }
    if let Some(peers) = &options.peers {
        node.args(["--peers", peers]);
    }
    if let Some(json) = &options.json {
        // Programs are started from the root; the file was named from where the task was.
        let json = std::path::absolute(json)?;
        node.arg("--json").arg(&json);
        node.arg("--svg").arg(json.with_extension("svg"));
    }
    ctx.run(&mut node)
}

/// Builds the benchmark's page beside the others; says so and leaves it out where its packages are not installed.
pub fn page(ctx: &Context) -> Result<()> {
    let project = ctx.root.join(PROJECT);
    if !project.join("node_modules").is_dir() {
        eprintln!("  bench.html is left out: `cargo xtask setup` installs what it measures");
        return Ok(());
    }
    ctx.run(web::npm(ctx, &project)?.args(["run", "--silent", "build"]))
}
