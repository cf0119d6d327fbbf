//! `export`: a bucket's keys as files below a folder. The store is only read.

use std::path::Path;

use tailstone::folder::ExportOptions;

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::import;
use crate::open;
use crate::progress::Progress;

/// Writes every key of `bucket` that `options` ask for to a file below `folder`.
pub fn export(
    file: &Path,
    switches: Switches,
    folder: &Path,
    bucket: Option<&str>,
    options: &ExportOptions,
) -> Result {
    let Some(name) = bucket else {
        let message =
            "export needs --bucket: keys outside buckets are not stored, only their hashes are";
        return Err(Failure::new(Status::Usage, message));
    };
    let store = open::to_read(file, switches)?;
    let mut progress = Progress::new("export", None);
    let mut update = |_, bytes| progress.update(bytes, None);
    let found = store
        .bucket(name)?
        .export_folder(folder, options, &mut update)?;
    drop(progress);
    import::report(switches, "Exported", folder, bucket, &found)
}
