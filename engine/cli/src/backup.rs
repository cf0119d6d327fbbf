//! `backup`: the store as it is now, in another file. The store itself is only read.

use std::path::Path;

use serde::Serialize;
use tailstone::Error;

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::json;
use crate::open;
use crate::progress::Progress;
use crate::size;

#[derive(Serialize)]
struct BackedUp {
    target: String,
    copied_bytes: u64,
    present_bytes: u64,
    tail: u64,
}

/// Copies the store into the file at `target`, or what is new into an earlier backup there.
pub fn backup(file: &Path, switches: Switches, target: &Path) -> Result {
    let store = open::to_read(file, switches)?;
    let mut progress = Progress::new("backup", None);
    let done = store
        .backup(target, &mut |done, total| {
            progress.update(done, Some(total));
        })
        .map_err(|error| refused(target, error))?;
    drop(progress);
    let report = BackedUp {
        target: target.display().to_string(),
        copied_bytes: done.copied_bytes,
        present_bytes: done.present_bytes,
        tail: done.tail,
    };
    let words = format!(
        "Backed {} up to {}: {} copied, {} were there",
        file.display(),
        report.target,
        size::format(report.copied_bytes),
        size::format(report.present_bytes)
    );
    json::confirm(switches, &report, &words)
}

/// The store was opened before, so what is wrong now is wrong with the target; the error alone would not say so.
fn refused(target: &Path, error: Error) -> Failure {
    let name = target.display();
    match error {
        Error::SameStore => {
            let message = format!("{name} is the store itself; a backup needs a file of its own");
            Failure::new(Status::Usage, message)
        }
        other => Failure::with_file(target, other),
    }
}
