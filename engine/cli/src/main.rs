//! `tailstone`: a store from the command line. Payloads and reports go to standard output, everything else to
//! standard error; the exit status says what kind of failure it was.

mod args;
mod backup;
mod bench;
mod exit;
mod export;
mod history;
mod import;
mod json;
mod keys;
mod listing;
mod man;
mod open;
mod place;
mod plan;
mod progress;
mod report;
mod salvage;
mod size;
mod terminal;
mod upkeep;
mod usage;
mod values;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use tailstone::folder::ExportOptions;

use crate::args::{Arguments, Command, Switches};
use crate::exit::{Failure, Result, Status, tell};

fn main() -> ExitCode {
    let begun = std::time::Instant::now();
    let arguments = match usage::parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let switches = arguments.switches;
    let is_verbose = switches.is_verbose();
    let ended = run(arguments);
    if is_verbose {
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
        bucket,
        command,
    } = arguments;
    if bucket.is_some() && !command.takes_bucket() {
        let message = "this command is about the whole file and does not go with --bucket";
        return Err(Failure::new(Status::Usage, message));
    }
    if let Some(word) = command.writes().filter(|_| switches.read_only) {
        let message = format!("`{word}` changes the store, which --read-only forbids");
        return Err(Failure::new(Status::Usage, message));
    }
    match (command, file) {
        (Command::Completions { shell }, _) => completions(shell),
        (Command::Man { into }, _) => man::man(into.as_deref()),
        (_, None) => Err(Failure::new(
            Status::Usage,
            "no file given: usage is tailstone <FILE> <COMMAND>",
        )),
        (command, Some(file)) => dispatch(&file, switches, bucket.as_deref(), command),
    }
}

fn dispatch(file: &Path, switches: Switches, bucket: Option<&str>, command: Command) -> Result {
    match command {
        Command::Read { key, buffer_size } => {
            values::read(file, switches, bucket, &key, buffer_size)
        }
        Command::Write { key, value } => {
            values::write(file, switches, bucket, &key, value.as_deref())
        }
        Command::Copy { key, target } => keys::copy(file, switches, bucket, &key, &target),
        Command::Move { key, target } => keys::transfer(file, switches, bucket, &key, &target),
        Command::Rename { old, new } => keys::rename(file, switches, bucket, &old, &new),
        Command::Delete { key } => keys::delete(file, switches, bucket, &key),
        Command::Compact { at_least } => upkeep::compact(file, switches, at_least),
        Command::Backup { target } => backup::backup(file, switches, &target),
        Command::Info => report::info(file, switches),
        Command::Metadata { key } => report::metadata(file, switches, bucket, &key),
        Command::History { key } => history::history(file, switches, bucket, &key),
        Command::Verify => upkeep::verify(file, switches),
        Command::Salvage { target } => salvage::salvage(file, switches, &target),
        Command::Keys { prefix, null } => {
            listing::keys(file, switches, bucket, prefix.as_deref(), null)
        }
        Command::Buckets { null } => listing::buckets(file, switches, null),
        Command::Bench(plan) => bench::run(file, switches, &plan),
        Command::Import { folder, prefix } => {
            import::import(file, switches, &folder, bucket, &prefix)
        }
        Command::Export {
            folder,
            prefix,
            overwrite,
        } => {
            let options = ExportOptions::new().prefix(prefix).overwrite(overwrite);
            export::export(file, switches, &folder, bucket, &options)
        }
        Command::Completions { shell } => completions(shell),
        Command::Man { into } => man::man(into.as_deref()),
    }
}

fn completions(shell: clap_complete::Shell) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut usage::command(), "tailstone", &mut script);
    io::stdout()
        .write_all(&script)
        .map_err(|error| Failure::output(&error))
}

/// Help and version as they are; anything else as one line.
fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Ok(()) => Status::Done.into(),
            Err(error) => Failure::output(&error).finish(),
        },
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
