//! What the tests share: numbers from a printed seed, random values, scripts of operations, what fuzzers check, processes
//! to be killed, and counts of memory and of system calls.

pub mod allocations;
pub mod child;
pub mod fuzz;
mod rng;
mod script;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod system_calls;

pub use rng::Rng;
pub use script::{Operation, script};
