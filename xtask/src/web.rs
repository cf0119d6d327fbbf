//! Builds the engine for the browser with its TypeScript package, and runs the tests that need a browser.

use anyhow::Result;

use crate::context::Context;

/// Builds `wasm/web` and the package.
pub fn build(_ctx: &Context) -> Result<()> {
    anyhow::bail!("the browser face is not built yet")
}

/// Runs the unit tests on wasm32 and, unless `quick`, the browser tests; through [`Context::run_tests`].
pub fn test(_ctx: &Context, _quick: bool) -> Result<()> {
    anyhow::bail!("the browser face has no tests yet")
}

/// Builds the pages in `www/` and, if asked, serves them until interrupted.
pub fn pages(_ctx: &Context, _serve: bool) -> Result<()> {
    anyhow::bail!("there are no pages yet")
}
