//! Builds the WASI component and runs the tests of it and of its host.

use anyhow::Result;

use crate::context::Context;

/// Builds `wasm/component`.
pub fn build(_ctx: &Context) -> Result<()> {
    anyhow::bail!("the component is not built yet")
}

/// Runs the component's tests under wasmtime, through [`Context::run_tests`].
pub fn test(_ctx: &Context, _quick: bool) -> Result<()> {
    anyhow::bail!("the component has no tests yet")
}
