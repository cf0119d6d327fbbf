//! Every task of the workspace, in Rust.
fn main() {}
