//! `tailstone-host run` and `compile`: plugins on the command line.

use std::path::{Path, PathBuf};

use tailstone_host::{Cache, Error, Limits, Result, Sandbox};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::arguments::RunArguments;
use crate::grants;
use crate::report;

/// Runs a plugin: the calls that it was asked for, or itself if it is a program; the program's status.
pub fn run(arguments: &RunArguments, limits: Limits) -> Result<u8> {
    let sandbox = Sandbox::new(
        limits,
        &cache(arguments.cache.as_deref(), arguments.no_cache),
    )?;
    let plugin = sandbox.load(&arguments.program)?;
    let stores = grants::context(&arguments.stores);

    let mut wasi = WasiCtxBuilder::new();
    let name = arguments.program.display().to_string();
    wasi.inherit_stdio()
        .args(&[&[name][..], &arguments.args].concat())
        .allow_blocking_current_thread(true);
    if let Some(directory) = &arguments.directory {
        wasi.preopened_dir(directory, "/", FsPerms::ReadWrite)
            .map_err(Error::Component)?;
    }
    if arguments.invoke.is_empty() {
        return plugin.run(stores, wasi.build());
    }
    let mut running = plugin.start(stores, wasi.build())?;
    for call in &arguments.invoke {
        let answer = running.invoke(call)?;
        report::bytes(format!("{answer}\n").as_bytes())?;
    }
    Ok(0)
}

/// Compiles plugins into the cache, so that they start at once from then on.
pub fn compile(programs: &[PathBuf], folder: Option<&Path>, limits: Limits) -> Result<u8> {
    let sandbox = Sandbox::new(limits, &cache(folder, false))?;
    for program in programs {
        sandbox.load(program)?;
    }
    Ok(0)
}

fn cache(folder: Option<&Path>, is_off: bool) -> Cache {
    match folder {
        _ if is_off => Cache::Off,
        Some(folder) => Cache::Folder(folder.to_path_buf()),
        None => Cache::User,
    }
}
