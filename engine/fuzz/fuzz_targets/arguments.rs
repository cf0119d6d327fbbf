//! What libFuzzer makes up, as words of the command line.
#![no_main]

#[allow(dead_code)]
#[path = "../../cli/src/args.rs"]
mod args;
#[allow(dead_code)]
#[path = "../../cli/src/plan.rs"]
mod plan;
#[allow(dead_code)]
#[path = "../../cli/src/size.rs"]
mod size;

#[path = "../../cli/tests/arguments/parse.rs"]
mod parse;

libfuzzer_sys::fuzz_target!(|data: &[u8]| parse::parse(data));
