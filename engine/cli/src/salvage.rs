//! `salvage`: every sound entry that can be found, in a new store. The damaged file is only read.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use tailstone::backing::{Backing, MmapBacking, OpenMode};
use tailstone::format::is_reserved_hash;
use tailstone::recovery::{self, SalvageReport, SalvagedEntry};
use tailstone::{DataStore, DataStoreWriter, Error, NULL_BYTE, Options};

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::json;
use crate::open;
use crate::progress::Progress;

/// Entries and bytes of payload that are gathered for one append.
const GATHERED_ENTRIES: usize = 1024;
const GATHERED_BYTES: u64 = 4 << 20;

type View = <MmapBacking as Backing>::View;

#[derive(Serialize)]
struct Salvaged {
    target: String,
    file_bytes: u64,
    entries: u64,
    payload_bytes: u64,
    damaged_entries: u64,
    lost_bytes: u64,
    renamed_entries: u64,
}

/// Writes every sound entry of `file` into a new store at `target`, deletions included, oldest first.
pub fn salvage(file: &Path, switches: Switches, target: &Path) -> Result {
    let source = MmapBacking::open(file, OpenMode::ReadOnly)
        .map_err(|error| Failure::with_file(file, error))?;
    let store = Options::new()
        .create_new(true)
        .open(target)
        .map_err(|error| match &error {
            Error::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                exists(target)
            }
            Error::NotAFile(_) => exists(target),
            _ => Failure::with_file(target, error),
        })?;
    let found = match rescue(&source, &store) {
        Ok(found) if found.entries > 0 => found,
        nothing => {
            // The file was made here a moment ago, and holds less than what was asked for.
            drop(store);
            let _left_over = fs::remove_file(target);
            let length = nothing?.file_len;
            return Err(Failure::with_file(file, Error::NotAStore { length }));
        }
    };
    store.sync()?;
    open::release(store, switches)?;
    let report = Salvaged {
        target: target.display().to_string(),
        file_bytes: found.file_len,
        entries: found.entries,
        payload_bytes: found.payload_bytes,
        damaged_entries: found.damaged_entries,
        lost_bytes: found.lost_bytes,
        renamed_entries: found.renamed_entries,
    };
    json::confirm(switches, &report, &format!("{}: {found}", report.target))
}

fn exists(target: &Path) -> Failure {
    let message = format!(
        "{} exists; salvage writes into a new file only",
        target.display()
    );
    Failure::new(Status::Usage, message)
}

fn rescue(source: &MmapBacking, target: &DataStore) -> tailstone::Result<SalvageReport> {
    let mut progress = Progress::new("salvage", None);
    let mut gathered = Gathered {
        source,
        target,
        entries: Vec::new(),
        bytes: 0,
    };
    let found = recovery::salvage(
        source,
        &mut |entry| gathered.take(&entry),
        &mut |done, total| {
            progress.update(done, Some(total));
        },
    )?;
    gathered.hand_over()?;
    Ok(found)
}

/// Entries on their way; the views keep their bytes where they lie in the damaged file.
struct Gathered<'a> {
    source: &'a MmapBacking,
    target: &'a DataStore,
    entries: Vec<(u64, Option<View>)>,
    bytes: u64,
}

impl Gathered<'_> {
    fn take(&mut self, entry: &SalvagedEntry) -> tailstone::Result<()> {
        // What the engine keeps for itself describes the old file, and is made anew for the new one.
        if is_reserved_hash(entry.key_hash) {
            return Ok(());
        }
        let view = if entry.is_tombstone {
            None
        } else {
            let view = self.source.view(entry.payload.clone());
            Some(view.map_err(|source| Error::Io {
                doing: "read an entry of the damaged store",
                source,
            })?)
        };
        self.bytes += entry.payload.end.saturating_sub(entry.payload.start);
        self.entries.push((entry.key_hash, view));
        if self.entries.len() >= GATHERED_ENTRIES || self.bytes >= GATHERED_BYTES {
            self.hand_over()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> tailstone::Result<()> {
        let batch = self
            .entries
            .iter()
            .map(|(key_hash, view)| {
                (
                    *key_hash,
                    view.as_ref().map_or(&NULL_BYTE[..], AsRef::as_ref),
                )
            })
            .collect();
        self.target.batch_write_with_key_hashes(batch, true)?;
        self.entries.clear();
        self.bytes = 0;
        Ok(())
    }
}
