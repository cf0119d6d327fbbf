//! Runs a WASI command, such as a test program, with one directory and the caller's standard streams.

use std::path::Path;

use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::runtime::{compile, new_engine, new_linker, new_store};

/// Runs the command component at `path` with `arguments`, its own name among them, and `directory` as its root; the
/// status it ended with.
pub fn run_command(
    path: &Path,
    arguments: &[String],
    directory: &Path,
    limits: Limits,
) -> Result<u8> {
    let engine = new_engine()?;
    let component = compile(&engine, path)?;
    let linker = new_linker(&engine).map_err(Error::Component)?;

    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio()
        .args(arguments)
        .allow_blocking_current_thread(true);
    wasi.preopened_dir(directory, "/", FsPerms::ReadWrite)
        .map_err(Error::Component)?;
    let mut store = new_store(&engine, wasi.build(), &limits);
    let command = Command::instantiate(&mut store, &component, &linker)
        .map_err(|e| Error::of_call(e, limits.call))?;
    match command.wasi_cli_run().call_run(&mut store) {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(1),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(status)) => Ok(u8::try_from(*status).unwrap_or(1)),
            None => Err(Error::of_call(error, limits.call)),
        },
    }
}
