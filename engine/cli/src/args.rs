//! The words of the command line: `tailstone <FILE> <COMMAND>`, and what each command may be told.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::size;

/// A key-value store in one file
#[derive(Debug, Parser)]
#[command(
    name = "tailstone",
    version,
    override_usage = "tailstone <FILE> <COMMAND>",
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = "Exit status: 0 done, 1 not found, 2 wrong usage, 3 damaged or not a store, 4 in use by another, 5 I/O."
)]
pub struct Arguments {
    /// The store's file
    #[arg(required = true)]
    pub file: Option<PathBuf>,

    /// Switches that every command takes
    #[command(flatten)]
    pub switches: Switches,

    /// What to do with it
    #[command(subcommand)]
    pub command: Command,
}

/// Switches that every command takes.
#[derive(Debug, Clone, Copy, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct Switches {
    /// Report as one line of JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,

    /// Leave the file as it is; commands that only read always do
    #[arg(long, global = true)]
    pub read_only: bool,

    /// Return once everything is on stable storage
    #[arg(long, global = true)]
    pub sync: bool,

    /// Say more on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the value of a key
    Read {
        /// The key
        key: String,
        /// Bytes handed out at a time, such as 64K, 1M or 1GiB
        #[arg(short, long, value_name = "SIZE", default_value = "64K", value_parser = size::parse)]
        buffer_size: usize,
    },
    /// Store a value under a key
    Write {
        /// The key
        key: String,
        /// The value; without it, standard input is stored
        #[arg(allow_negative_numbers = true)]
        value: Option<String>,
    },
    /// Copy a key with its value into another store
    Copy {
        /// The key
        key: String,
        /// The other store's file, created if it is missing
        target: PathBuf,
    },
    /// Move a key with its value into another store
    Move {
        /// The key
        key: String,
        /// The other store's file, created if it is missing
        target: PathBuf,
    },
    /// Give a value another key
    Rename {
        /// The key it has
        old: String,
        /// The key it gets
        new: String,
    },
    /// Delete a key
    Delete {
        /// The key
        key: String,
    },
    /// Rewrite the file without what was overwritten or deleted
    Compact {
        /// Only if that saves at least this part of the file, from 0 to 1
        #[arg(long = "if", value_name = "RATIO", value_parser = parse_ratio, allow_negative_numbers = true)]
        at_least: Option<f64>,
    },
    /// Copy the store as it is now into another file, or bring an earlier backup up to date
    Backup {
        /// The backup's file: missing, an earlier backup, which gets what is new, or another store, which is replaced
        target: PathBuf,
    },
    /// Show figures about the store
    Info,
    /// Show where a value lies, its size and its checksum
    Metadata {
        /// The key
        key: String,
    },
    /// Show every version of a key that is still in the file, newest first
    History {
        /// The key
        key: String,
    },
    /// Check every checksum and every link
    Verify,
    /// Write every sound entry that can be found into a new store
    Salvage {
        /// The new store's file, which must not exist
        target: PathBuf,
    },
    /// Store every file below a folder; its path there is the key
    Import {
        /// The folder
        folder: PathBuf,
        /// Into this bucket, which takes empty files too and can be exported
        #[arg(long)]
        bucket: Option<String>,
        /// What stands before the path in every key, as it is
        #[arg(long, default_value = "")]
        prefix: String,
    },
    /// Write every key of a bucket to a file below a folder
    Export {
        /// The folder, made if it is missing
        folder: PathBuf,
        /// The bucket; keys outside buckets are not stored, and cannot be listed
        #[arg(long)]
        bucket: Option<String>,
        /// Only keys that begin so; files are named by what follows
        #[arg(long, default_value = "")]
        prefix: String,
        /// Replace files that exist
        #[arg(long)]
        overwrite: bool,
    },
    /// Print completions for a shell; needs no file
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// The word that asks for a command which changes the store; `None` for those that only read it.
    pub const fn writes(&self) -> Option<&'static str> {
        match self {
            Self::Write { .. } => Some("write"),
            Self::Move { .. } => Some("move"),
            Self::Rename { .. } => Some("rename"),
            Self::Delete { .. } => Some("delete"),
            Self::Compact { .. } => Some("compact"),
            Self::Import { .. } => Some("import"),
            Self::Read { .. }
            | Self::Copy { .. }
            | Self::Backup { .. }
            | Self::Info
            | Self::Metadata { .. }
            | Self::History { .. }
            | Self::Verify
            | Self::Salvage { .. }
            | Self::Export { .. }
            | Self::Completions { .. } => None,
        }
    }
}

/// Reads a part of a whole.
fn parse_ratio(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err(format!("`{text}` is no number from 0 to 1")),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, Command, parse_ratio};

    #[test]
    fn is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_file_is_needed_by_all_but_completions() {
        let parsed =
            Arguments::try_parse_from(["tailstone", "a.tsl", "read", "k", "-b", "1K"]).unwrap();
        assert!(parsed.file.is_some());
        assert!(matches!(
            parsed.command,
            Command::Read {
                buffer_size: 1024,
                ..
            }
        ));
        let parsed = Arguments::try_parse_from(["tailstone", "completions", "bash"]).unwrap();
        assert!(parsed.file.is_none());
        assert!(Arguments::try_parse_from(["tailstone", "a.tsl"]).is_err());
    }

    #[test]
    fn switches_stand_anywhere() {
        let parsed = Arguments::try_parse_from(["tailstone", "a.tsl", "info", "--json"]).unwrap();
        assert!(parsed.switches.json);
        let parsed = Arguments::try_parse_from(["tailstone", "--json", "a.tsl", "info"]).unwrap();
        assert!(parsed.switches.json);
    }

    #[test]
    fn a_ratio_is_a_number_from_0_to_1() {
        for (text, ratio) in [("0", 0.0), ("1", 1.0), ("0.25", 0.25), (".5", 0.5)] {
            assert_eq!(parse_ratio(text), Ok(ratio));
        }
        for text in ["", "-0.1", "1.01", "30", "30%", "NaN", "inf", "half"] {
            assert!(parse_ratio(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_may_be_a_negative_number() {
        let parsed =
            Arguments::try_parse_from(["tailstone", "a.tsl", "write", "k", "-5.5"]).unwrap();
        assert!(
            matches!(parsed.command, Command::Write { value: Some(value), .. } if value == "-5.5")
        );
    }
}
