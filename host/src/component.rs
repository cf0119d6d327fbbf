//! Where the component lies.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The component's file name.
pub const COMPONENT_FILE: &str = "tailstone_component.wasm";

/// The variable that names the component.
const VARIABLE: &str = "TAILSTONE_COMPONENT";

/// Where `cargo xtask component` leaves it, beside the folder that cargo puts this program into.
const BUILT: &str = "wasm32-unknown-unknown/wasm";

/// Finds a guest that `cargo xtask guests` leaves beside the component.
pub fn find_guest(name: &str) -> Result<PathBuf> {
    let beside = |place: PathBuf| place.with_file_name(name);
    let mut places = places().into_iter().map(beside);
    places.find(|place| place.is_file()).ok_or_else(|| {
        Error::Usage(format!(
            "{name} was not found; `cargo xtask guests` builds it"
        ))
    })
}

/// Finds the component: what was `named`, or else what `TAILSTONE_COMPONENT` names, or else `tailstone_component.wasm`
/// beside this program or where the workspace's build leaves it.
pub fn find_component(named: Option<&Path>) -> Result<PathBuf> {
    let places = match named {
        Some(path) => vec![path.to_path_buf()],
        None => places(),
    };
    match places.iter().find(|place| place.is_file()) {
        Some(place) => Ok(place.clone()),
        None => Err(Error::NoComponent(places)),
    }
}

fn places() -> Vec<PathBuf> {
    if let Some(path) = env::var_os(VARIABLE) {
        return vec![path.into()];
    }
    let program = env::current_exe().unwrap_or_default();
    // A program lies in `target/release`, a test of it in `target/release/deps`.
    let folders: Vec<&Path> = program.ancestors().skip(1).take(3).collect();
    let beside = folders.first().map(|folder| folder.join(COMPONENT_FILE));
    let built = folders
        .iter()
        .skip(1)
        .map(|folder| folder.join(BUILT).join(COMPONENT_FILE));
    beside.into_iter().chain(built).collect()
}
