//! The kernels of wasm by themselves: one program under wasmtime, in Node and in a headless browser, with SIMD and without.

use anyhow::Result;

use crate::context::Context;
use crate::{component, web};

/// Builds it as modules are built that are handed out, and prints what each place takes.
pub fn run(ctx: &Context) -> Result<()> {
    let host = component::build_host(ctx)?;
    web::browser_project(ctx)?;
    let host = format!("{} run --no-cache --timeout 10m", host.display());
    let node = format!("node {}", ctx.root.join("www/bench/kernels.mjs").display());
    let browser = format!("{node} --browser");
    for (title, feature) in [("SIMD", "+simd128"), ("no SIMD", "-simd128")] {
        // Wasmtime is given components, scripts know the preview of WASI before those.
        for (place, target, runner) in [
            ("wasmtime", "wasm32-wasip2", &host),
            ("Node", "wasm32-wasip1", &node),
            ("browser", "wasm32-wasip1", &browser),
        ] {
            println!("\n== {place}, {title}\n");
            let mut cargo = ctx.cargo(["bench", "--package", "tailstone", "--profile", "wasm"]);
            cargo.args(["--bench", "wasm_kernels", "--target", target]);
            let prefix = format!("CARGO_TARGET_{}", target.to_uppercase().replace('-', "_"));
            cargo.env(format!("{prefix}_RUNNER"), runner);
            let flags = format!("-C target-feature={feature}");
            ctx.run(cargo.env(format!("{prefix}_RUSTFLAGS"), flags))?;
        }
    }
    Ok(())
}
