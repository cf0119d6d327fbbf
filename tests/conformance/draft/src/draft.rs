//! What this draft has its own way: cursors that are numbers, and counts without a sign.

use tailstone_conformance::{Case, Verdict, cases, equal};

pub use crate::bindings::wasi::keyvalue0_2_0_draft::{atomics, batch, store};

use crate::keyvalue::Room;
use store::{Bucket, Error, KeyResponse};

/// The cases of what is counted here.
pub const NUMBERS: &[Case<Room>] = cases![numbers_past_those_with_a_sign_are_counted];

/// There is nothing to swap with.
pub const SWAPS: &[Case<Room>] = &[];

/// Behind what a page begins.
pub type Cursor = u64;

/// What is counted.
pub type Number = u64;

/// A page of keys.
pub fn list_keys(bucket: &Bucket, cursor: Option<&Cursor>) -> Result<KeyResponse, Error> {
    bucket.list_keys(cursor.copied())
}

/// What no page ever ended with.
pub fn nonsense() -> Vec<Cursor> {
    vec![0, 1, 10, 12_345, 1 << 32, u64::MAX - 1, u64::MAX]
}

fn numbers_past_those_with_a_sign_are_counted(room: &Room) -> Verdict {
    const SIGNED: u64 = i64::MAX.unsigned_abs();
    equal("the sum", &room.increment("count", SIGNED)?, &SIGNED)?;
    equal("the sum", &room.increment("count", 1)?, &(SIGNED + 1))?;
    room.has("count", b"9223372036854775808")
}
