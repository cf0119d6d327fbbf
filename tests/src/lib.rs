//! What the tests share: numbers from a printed seed, random values, scripts of operations, what fuzzers check, processes
//! to be killed, and counts of memory.

pub mod allocations;
pub mod child;
pub mod fuzz;
mod rng;
mod script;

pub use rng::Rng;
pub use script::{Operation, script};
