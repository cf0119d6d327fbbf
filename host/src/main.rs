//! `tailstone-host`: the store inside a wasmtime sandbox, from the command line.

mod arguments;
mod report;
mod store;

use std::process::ExitCode;

use clap::Parser;
use tailstone_host::{Limits, Result, run_command};

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
    let limits = Limits::default().with_memory_bytes(usize::from(arguments.max_memory) << 20);
    let limits = match arguments.timeout {
        Some(seconds) => limits.with_call(std::time::Duration::from_secs(seconds)),
        None => limits,
    };
    match &arguments.task {
        Task::Store {
            file,
            component,
            command,
        } => store::run(file, component.as_deref(), limits, command),
        Task::Run {
            directory,
            program,
            args,
        } => {
            let mut all = vec![program.display().to_string()];
            all.extend_from_slice(args);
            run_command(program, &all, directory, limits)
        }
    }
}
