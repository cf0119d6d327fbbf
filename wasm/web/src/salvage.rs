//! What can be done for a file that opening refuses: finding out up to where it is whole, and rescuing what is sound.

use crate::backing::WebBacking;
use crate::clock;
use crate::handle::SyncHandle;
use crate::number;
use crate::store::{Result, io_failure, object};
use js_sys::Object;
use tailstone::backing::Backing;
use tailstone::format::{TOMBSTONE, is_reserved_hash};
use tailstone::recovery;
use tailstone::{DataStoreWriter, Error, Options, Store};
use wasm_bindgen::prelude::*;

/// Where the last entry ends that is sound, as are all before it down to `from`, the end of an entry or 0; less than `from` if there is
/// damage below that. The file is read from its end, or from `end` if that comes before, down to there, and not changed.
#[wasm_bindgen(js_name = intactUpTo)]
pub fn intact_up_to(handle: SyncHandle, from: f64, end: f64) -> Result<f64> {
    let backing = WebBacking::open(handle).map_err(io_failure("ask for the length"))?;
    let length = backing.len().map_err(io_failure("ask for the length"))?;
    let (from, end) = (number::from_js(from), number::from_js(end).min(length));
    let intact = recovery::intact_up_to(&backing, from, end)?;
    Ok(number::to_js(intact))
}

/// Writes every sound entry of `from` into the empty file `into`, in their order, and flushes that; `from` is not changed.
///
/// It takes as much memory as the longest value.
#[wasm_bindgen]
pub fn salvage(from: SyncHandle, into: SyncHandle) -> Result<Object> {
    clock::wind();
    let damaged = WebBacking::open(from).map_err(io_failure("ask for the length"))?;
    let target = WebBacking::open(into).map_err(io_failure("open the spare file"))?;
    let rescued = Store::open_with(target.clone(), &Options::new().clock(clock::now))?;
    let mut bytes = 0;
    let report = recovery::salvage(
        &damaged,
        &mut |entry| {
            if is_reserved_hash(entry.key_hash) {
                return Ok(());
            }
            let payload = damaged.view(entry.payload).map_err(|source| Error::Io {
                doing: "read the damaged store",
                source,
            })?;
            let value = if entry.is_tombstone {
                &TOMBSTONE
            } else {
                payload.as_ref()
            };
            let tail = rescued.batch_write_with_key_hashes(vec![(entry.key_hash, value)], true)?;
            bytes = tail;
            Ok(())
        },
        &mut |_, _| {},
    )?;
    rescued.close()?;
    target
        .buffer()
        .trim()
        .map_err(io_failure("cut the file to its tail"))?;
    Ok(object(&[
        ("rescued", report.entries),
        ("damaged", report.damaged_entries),
        ("lost", report.lost_bytes),
        ("bytes", bytes),
    ]))
}
