//! What opening accepts, cuts and refuses; the checks and the rescue of files that it refuses.
//!
//! | file | owns |
//! |---|---|
//! | `recover` | the decision: clean, torn, damaged, no store |
//! | `chain` | the walk from a tail back to 0, every step well-formed |
//! | `walk` | the same walk at opening, with the checks that keep a damaged link from losing entries unnoticed |
//! | `batch` | whether all of an atomic batch is there |
//! | `scan`, `sieve` | the greatest offset at which a sound entry ends |
//! | `prefixes`, `polynomial` | the checksum of any range from two prefix checksums |
//! | `survey` | every sound entry of a file, damaged or not, newest first |
//! | `verify`, `salvage` | what a survey tells, and what it rescues |
//! | `intact` | up to where a file is as it was written |
//! | `window`, `report` | reading backwards; what a person is told |
//!
//! Nothing here changes the medium, and an I/O error is returned as one, never taken for an end.
//!
//! Memory: windows of at most 1 MiB; prefix checksums, built only for a tail made of a great many near-entries,
//! take at most a 64th of the file and at most 32 MiB (a 1,024th of files above 32 GiB), and 1 MiB.

mod batch;
mod chain;
mod intact;
mod polynomial;
mod prefixes;
mod recover;
mod report;
mod salvage;
mod scan;
mod sieve;
mod survey;
mod verify;
mod walk;
mod window;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod sample;

pub use chain::Chain;
pub use intact::intact_up_to;
pub use recover::{Step, recover};
pub use report::{Outcome, RecoveryReport};
pub use salvage::{SalvageReport, SalvagedEntry, salvage};
pub(crate) use verify::verify_up_to;
pub use verify::{Damage, DamageKind, VerifyReport, verify, verify_parallel};
pub(crate) use walk::walk_from;
