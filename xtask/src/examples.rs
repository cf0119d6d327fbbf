//! The engine's examples: each is run, and fails with its assertions.

use std::fs;

use anyhow::{Result, bail};

use crate::context::Context;

/// Runs every file in the folder, whatever came of the one before.
pub fn run(ctx: &Context) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(ctx.root.join("engine/examples"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(
                path.file_stem()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    let mut failed = Vec::new();
    for name in &names {
        let mut command = ctx.cargo(["run", "--quiet", "--package", "tailstone", "--example"]);
        if let Err(error) = ctx.run(command.arg(name)) {
            failed.push(error.to_string());
        }
    }
    if names.is_empty() {
        bail!("no example was found");
    }
    if !failed.is_empty() {
        bail!("{}", failed.join("; "));
    }
    Ok(())
}
