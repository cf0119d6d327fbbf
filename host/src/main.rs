//! `tailstone-host`: the store inside a wasmtime sandbox, from the command line.

mod arguments;
#[cfg(feature = "conformance")]
mod cases;
mod grants;
mod report;
mod run;
mod store;

use std::process::ExitCode;

use clap::Parser;
use tailstone_host::{Limits, Result};

use crate::arguments::{Arguments, Task};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(status) => status.into(),
        Err(error) => {
            report::complain(&error.to_string());
            error.exit_status().into()
        }
    }
}

fn run(arguments: &Arguments) -> Result<u8> {
    let limits = Limits::default()
        .with_memory_bytes(arguments.max_memory)
        .with_call(arguments.timeout);
    match &arguments.task {
        Task::Store {
            file,
            component,
            bucket,
            command,
        } => store::run(file, component.as_deref(), bucket, limits, command),
        Task::Run(arguments) => run::run(arguments, limits),
        #[cfg(feature = "conformance")]
        Task::Conformance(arguments) => cases::run(arguments, limits),
        Task::Compile { cache, programs } => run::compile(programs, cache.as_deref(), limits),
    }
}
