//! Opening the store for a command: no more rights than it needs, and a word about what recovery did.

use std::path::Path;

use tailstone::{DataStore, Durability, Options};

use crate::args::Switches;
use crate::exit::{Failure, Result, tell};

/// Opens an existing store for a command that only reads. Nothing is written, not even a torn tail is cut.
pub fn to_read(file: &Path, switches: Switches) -> Result<DataStore> {
    open(
        file,
        switches,
        &Options::new().create(false).read_only(true),
    )
}

/// Opens an existing store for a command that changes it.
pub fn to_change(file: &Path, switches: Switches) -> Result<DataStore> {
    open(file, switches, &Options::new().create(false))
}

/// Opens a store for a command that adds to it, and creates it if it is missing.
pub fn to_add(file: &Path, switches: Switches) -> Result<DataStore> {
    open(file, switches, &Options::new())
}

/// Lets go of a store that was changed. Without `--sync` the system writes it out when it likes, as after any program.
pub fn release(store: DataStore, switches: Switches) -> Result {
    if switches.sync {
        store.close()?;
    }
    Ok(())
}

fn open(file: &Path, switches: Switches, options: &Options) -> Result<DataStore> {
    let durability = if switches.sync {
        Durability::Sync
    } else {
        Durability::Buffered
    };
    let store = options
        .clone()
        .durability(durability)
        .open(file)
        .map_err(|error| Failure::with_file(file, error))?;
    let report = store.recovery_report();
    if !report.is_clean() || switches.is_verbose() {
        tell("", &format!("{}: {report}", file.display()));
    }
    Ok(store)
}
