//! What the tests share: numbers from a printed seed, random values, and scripts of operations.

mod rng;
mod script;

pub use rng::Rng;
pub use script::{Operation, script};
