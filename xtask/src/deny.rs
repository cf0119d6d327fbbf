//! What is depended on: known faults, licences, where it comes from, as `deny.toml` says.

use anyhow::Result;

use crate::context::Context;

/// Asks `cargo deny`, where that is installed.
pub fn run(ctx: &Context) -> Result<()> {
    if ctx.find_program(&["cargo-deny"]).is_none() {
        println!("skipped: `cargo install --locked cargo-deny` installs what this needs");
        return Ok(());
    }
    ctx.run(&mut ctx.cargo(["deny", "--workspace", "check"]))
}
