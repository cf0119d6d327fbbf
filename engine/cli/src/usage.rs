//! The command line as it is parsed and shown: what the words alone do not say about each command.
//!
//! Every switch is taken everywhere; help shows those that mean something to the command.

use clap::error::Result;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use crate::args::Arguments;

/// Commands that work without a store.
const FILELESS: [&str; 2] = ["completions", "man"];
/// Commands that write, here or into another file.
const WRITING: [&str; 9] = [
    "write", "copy", "move", "rename", "delete", "compact", "backup", "salvage", "import",
];
/// Commands that have nothing to report as JSON.
const SILENT: [&str; 3] = ["read", "completions", "man"];
/// Commands about keys, which may be those of a bucket.
const KEYED: [&str; 11] = [
    "read", "write", "copy", "move", "rename", "delete", "metadata", "history", "keys", "import",
    "export",
];

/// Parses what the program was started with.
pub fn parse() -> Result<Arguments> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// All words of the command line.
pub fn command() -> Command {
    let root = Arguments::command();
    let names: Vec<_> = root
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    names.iter().fold(root, |root, name| {
        root.mut_subcommand(name, |command| hide_switches(with_file(command)))
    })
}

/// Clap leaves the file out of the usage, since not every command needs it.
fn with_file(command: Command) -> Command {
    if FILELESS.contains(&command.get_name()) {
        return command;
    }
    let mut usage = format!("tailstone <FILE> {} [OPTIONS]", command.get_name());
    for argument in command.get_positionals() {
        usage.push_str(&format_positional(argument));
    }
    command.override_usage(usage)
}

fn format_positional(argument: &Arg) -> String {
    let name = argument
        .get_value_names()
        .and_then(<[_]>::first)
        .map_or_else(
            || argument.get_id().as_str().to_uppercase(),
            ToString::to_string,
        );
    if argument.is_required_set() {
        format!(" <{name}>")
    } else {
        format!(" [{name}]")
    }
}

/// A hidden switch of the same name keeps the common one out of the command's help, and its value counts all the same.
fn hide_switches(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let name = name.as_str();
    let flag = |id, long| {
        Arg::new(id)
            .long(long)
            .action(ArgAction::SetTrue)
            .global(true)
            .hide(true)
    };
    let mut hidden = Vec::new();
    if !WRITING.contains(&name) {
        hidden.push(flag("sync", "sync"));
    }
    if SILENT.contains(&name) {
        hidden.push(flag("json", "json"));
    }
    if FILELESS.contains(&name) {
        hidden.push(flag("read_only", "read-only"));
    }
    if !KEYED.contains(&name) {
        hidden.push(Arg::new("bucket").long("bucket").global(true).hide(true));
    }
    command.args(hidden)
}

#[cfg(test)]
mod tests {
    use super::{FILELESS, KEYED, SILENT, WRITING, command};

    #[test]
    fn is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_name_is_a_command() {
        let root = command();
        for name in [&FILELESS[..], &WRITING, &SILENT, &KEYED].concat() {
            assert!(root.find_subcommand(name).is_some(), "{name}");
        }
    }

    #[test]
    fn usage_begins_with_the_file() {
        let mut root = command();
        root.build();
        for (name, usage) in [
            ("read", "tailstone <FILE> read [OPTIONS] <KEY>"),
            ("write", "tailstone <FILE> write [OPTIONS] <KEY> [VALUE]"),
            ("completions", "tailstone completions [OPTIONS] <SHELL>"),
        ] {
            let command = root.find_subcommand_mut(name).unwrap();
            assert_eq!(
                command.render_usage().to_string(),
                format!("Usage: {usage}")
            );
        }
    }
}
