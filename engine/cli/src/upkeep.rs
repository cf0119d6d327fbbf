//! `compact` and `verify`: what keeps a store small, and what tells whether it is sound.

use std::path::Path;

use serde::Serialize;
use tailstone::backing::{MmapBacking, OpenMode};
use tailstone::recovery::{Damage, DamageKind, VerifyReport, verify_parallel};
use tailstone::{DataStore, Options};

use crate::args::Switches;
use crate::exit::{Failure, Result, Status};
use crate::json::{self, Table, hex};
use crate::open;
use crate::progress::Progress;
use crate::size;

/// How many damaged places are listed for a person; `--json` lists all that the report holds.
const LISTED_MAX: usize = 20;

#[derive(Serialize)]
struct Rewrite {
    compacted: bool,
    before_bytes: u64,
    after_bytes: u64,
    live_keys: u64,
}

#[derive(Serialize)]
struct Verified {
    file: String,
    sound: bool,
    file_bytes: u64,
    entries: u64,
    deletions: u64,
    payload_bytes: u64,
    unreferenced_bytes: u64,
    damaged_count: u64,
    damaged: Vec<Damaged>,
}

#[derive(Serialize)]
struct Damaged {
    offset: u64,
    key_hash: Option<String>,
    what: &'static str,
}

/// Rewrites the store without what was overwritten or deleted; with `at_least`, if that saves this part of the file.
pub fn compact(file: &Path, switches: Switches, at_least: Option<f64>) -> Result {
    let store = open::to_change(file, switches)?;
    let before_bytes = store.tail();
    let mut progress = Progress::new("compact", None);
    let mut tell = |done, total| progress.update(done, Some(total));
    let compacted = if let Some(ratio) = at_least {
        store.compact_if_with_progress(ratio, &mut tell)?
    } else {
        store.compact_with_progress(&mut tell)?;
        true
    };
    drop(progress);
    let stats = store.stats();
    open::release(store, switches)?;
    let report = Rewrite {
        compacted,
        before_bytes,
        after_bytes: stats.file_bytes,
        live_keys: stats.live_keys,
    };
    let name = file.display();
    let words = if compacted {
        format!(
            "Compacted {name}: {} are now {}",
            size::format(report.before_bytes),
            size::format(report.after_bytes)
        )
    } else {
        format!(
            "Left {name} as it is: a compaction would save {} of {}",
            size::format(stats.compaction_savings),
            size::format(report.before_bytes)
        )
    };
    json::confirm(switches, &report, &words)
}

/// Checks every checksum and every link, also of a file that no longer opens.
pub fn verify(file: &Path, switches: Switches) -> Result {
    let named = |error| Failure::with_file(file, error);
    let backing = MmapBacking::open(file, OpenMode::ReadOnly).map_err(named)?;
    let mut progress = Progress::new("verify", None);
    let found = verify_parallel(&backing, &mut |done, total| {
        progress.update(done, Some(total));
    })?;
    drop(progress);
    if found.entries == 0 {
        // Without any entry there is nothing to be damaged; opening tells an empty store from somebody's file.
        DataStore::open_with(backing, &Options::new().read_only(true)).map_err(named)?;
    }
    let report = Verified::new(file, &found);
    json::show(switches, &report, &report.table())?;
    if report.sound {
        return Ok(());
    }
    let message = format!(
        "{}: {found}; `salvage` writes every sound entry into a new file",
        report.file
    );
    Err(Failure::new(Status::Damaged, message))
}

impl Verified {
    fn new(file: &Path, found: &VerifyReport) -> Self {
        Self {
            file: file.display().to_string(),
            sound: found.is_sound(),
            file_bytes: found.file_len,
            entries: found.entries,
            deletions: found.tombstones,
            payload_bytes: found.payload_bytes,
            unreferenced_bytes: found.unreferenced_bytes,
            damaged_count: found.damaged_count,
            damaged: found.damaged.iter().map(Damaged::new).collect(),
        }
    }

    fn table(&self) -> String {
        let mut table = Table::new("VERIFIED")
            .line("STORAGE FILE", &self.file)
            .line("FILE SIZE", size::format(self.file_bytes))
            .line(
                "ENTRIES",
                format_args!("{} ({} deletions)", self.entries, self.deletions),
            )
            .line("PAYLOAD", size::format(self.payload_bytes))
            .line("IN NO ENTRY", size::format(self.unreferenced_bytes))
            .line("DAMAGED", self.damaged_count);
        for place in self.damaged.iter().take(LISTED_MAX) {
            let key = place.key_hash.as_deref().unwrap_or("unknown");
            let label = format!("  OFFSET {}", place.offset);
            table = table.line(&label, format_args!("{} (key hash {key})", place.what));
        }
        if self.damaged.len() > LISTED_MAX {
            table = table.line("  AND MORE", "--json lists them");
        }
        table.finish()
    }
}

impl Damaged {
    fn new(damage: &Damage) -> Self {
        Self {
            offset: damage.offset,
            key_hash: damage.key_hash.map(hex),
            what: match damage.kind {
                DamageKind::Payload => "the payload does not have its checksum",
                DamageKind::Link => "the link to the entry before is wrong",
                DamageKind::Missing => "an entry is missing",
                _ => "damaged",
            },
        }
    }
}
