//! What the tests share: numbers from a printed seed, random values, scripts of operations, and what fuzzers check.

pub mod fuzz;
mod rng;
mod script;

pub use rng::Rng;
pub use script::{Operation, script};
