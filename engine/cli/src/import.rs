//! `import`: a folder's files into the store; and how both directions report.

use std::path::Path;

use serde::Serialize;
use tailstone::folder::{FolderReport, ImportOptions, Skipped};

use crate::args::Switches;
use crate::exit::{Failure, Result, Status, tell};
use crate::json;
use crate::open;
use crate::progress::Progress;
use crate::size;

#[derive(Serialize)]
struct Moved<'a> {
    folder: String,
    bucket: Option<&'a str>,
    files: u64,
    bytes: u64,
    skipped_count: u64,
    missing_count: u64,
    skipped: Vec<Left>,
}

#[derive(Serialize)]
struct Left {
    name: String,
    why: String,
}

impl From<&Skipped> for Left {
    fn from(skipped: &Skipped) -> Self {
        Self {
            name: String::from_utf8_lossy(&skipped.name).into_owned(),
            why: skipped.reason.to_string(),
        }
    }
}

/// Stores every file below `folder`, in `bucket` or as plain values. The store's own file is left out, if it lies there.
pub fn import(
    file: &Path,
    switches: Switches,
    folder: &Path,
    bucket: Option<&str>,
    prefix: &str,
) -> Result {
    // Before anything is opened, so that no file is left behind.
    let is_folder = std::fs::metadata(folder).map(|metadata| metadata.is_dir());
    if !is_folder.is_ok_and(|is_folder| is_folder) {
        let message = format!("{} is no folder that can be read", folder.display());
        return Err(Failure::new(Status::Io, message));
    }
    let store = open::to_add(file, switches)?;
    let options = ImportOptions::new().prefix(prefix).leave_out(file);
    let mut progress = Progress::new("import", None);
    let mut update = |_, bytes| progress.update(bytes, None);
    let found = match bucket {
        Some(bucket) => store
            .bucket(bucket)?
            .import_folder(folder, &options, &mut update)?,
        None => store.import_folder(folder, &options, &mut update)?,
    };
    drop(progress);
    open::release(store, switches)?;
    report(switches, "Imported", folder, bucket, &found)
}

/// Says what came of it. What should have been taken along and was not ends the program as a failure, after all the rest.
pub fn report(
    switches: Switches,
    done: &str,
    folder: &Path,
    bucket: Option<&str>,
    found: &FolderReport,
) -> Result {
    let report = Moved {
        folder: folder.display().to_string(),
        bucket,
        files: found.files,
        bytes: found.bytes,
        skipped_count: found.skipped_count,
        missing_count: found.missing_count,
        skipped: found.skipped.iter().map(Left::from).collect(),
    };
    if !switches.json {
        for left in &report.skipped {
            tell("", &format!("skipped {}: {}", left.name, left.why));
        }
    }
    let words = format!(
        "{done} {} files, {}; skipped {}",
        report.files,
        size::format(report.bytes),
        report.skipped_count
    );
    json::confirm(switches, &report, &words)?;
    if found.is_complete() {
        return Ok(());
    }
    let message = format!(
        "{} files are missing from what was asked for",
        report.missing_count
    );
    Err(Failure::new(Status::Io, message))
}
