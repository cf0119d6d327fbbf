//! `tailstone`: a store from the command line. Payloads and reports go to standard output, everything else to
//! standard error; the exit status says what kind of failure it was.

mod args;
mod backup;
mod exit;
mod export;
mod history;
mod import;
mod json;
mod keys;
mod open;
mod progress;
mod report;
mod salvage;
mod size;
mod upkeep;
mod values;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use tailstone::folder::ExportOptions;

use crate::args::{Arguments, Command, Switches};
use crate::exit::{Failure, Result, Status, tell};

fn main() -> ExitCode {
    let begun = std::time::Instant::now();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let switches = arguments.switches;
    let ended = run(arguments);
    if switches.verbose {
        tell("", &format!("took {:.3} s", begun.elapsed().as_secs_f64()));
    }
    match ended {
        Ok(()) => Status::Done.into(),
        Err(failure) => failure.finish(),
    }
}

fn run(arguments: Arguments) -> Result {
    let Arguments {
        file,
        switches,
        command,
    } = arguments;
    if let Some(word) = command.writes().filter(|_| switches.read_only) {
        let message = format!("`{word}` changes the store, which --read-only forbids");
        return Err(Failure::new(Status::Usage, message));
    }
    match (command, file) {
        (Command::Completions { shell }, _) => completions(shell),
        (_, None) => Err(Failure::new(
            Status::Usage,
            "no file given: usage is tailstone <FILE> <COMMAND>",
        )),
        (command, Some(file)) => dispatch(&file, switches, command),
    }
}

fn dispatch(file: &Path, switches: Switches, command: Command) -> Result {
    match command {
        Command::Read { key, buffer_size } => values::read(file, switches, &key, buffer_size),
        Command::Write { key, value } => values::write(file, switches, &key, value.as_deref()),
        Command::Copy { key, target } => keys::copy(file, switches, &key, &target),
        Command::Move { key, target } => keys::transfer(file, switches, &key, &target),
        Command::Rename { old, new } => keys::rename(file, switches, &old, &new),
        Command::Delete { key } => keys::delete(file, switches, &key),
        Command::Compact { at_least } => upkeep::compact(file, switches, at_least),
        Command::Backup { target } => backup::backup(file, switches, &target),
        Command::Info => report::info(file, switches),
        Command::Metadata { key } => report::metadata(file, switches, &key),
        Command::History { key } => history::history(file, switches, &key),
        Command::Verify => upkeep::verify(file, switches),
        Command::Salvage { target } => salvage::salvage(file, switches, &target),
        Command::Import {
            folder,
            bucket,
            prefix,
        } => import::import(file, switches, &folder, bucket.as_deref(), &prefix),
        Command::Export {
            folder,
            bucket,
            prefix,
            overwrite,
        } => {
            let options = ExportOptions::new().prefix(prefix).overwrite(overwrite);
            export::export(file, switches, &folder, bucket.as_deref(), &options)
        }
        Command::Completions { shell } => completions(shell),
    }
}

fn completions(shell: clap_complete::Shell) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tailstone", &mut script);
    io::stdout()
        .write_all(&script)
        .map_err(|error| Failure::output(&error))
}

/// Help and version as they are; anything else as one line.
fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _closed = error.print();
            Status::Done.into()
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _closed = error.print();
            Status::Usage.into()
        }
        _ => {
            let text = error.to_string();
            let lines = text.lines().map(str::trim);
            let words: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            tell("", &format!("{} (--help tells more)", words.join(" ")));
            Status::Usage.into()
        }
    }
}
