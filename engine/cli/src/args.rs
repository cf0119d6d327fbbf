//! The words of the command line: `tailstone <FILE> <COMMAND>`, and what each command may be told.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::plan::{self, Plan};
use crate::size;

/// A key-value store in one file
#[derive(Debug, Parser)]
#[command(
    name = "tailstone",
    version,
    override_usage = "tailstone <FILE> <COMMAND>",
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = "Payloads and reports go to standard output, everything else to standard error.\n\
        Exit status: 0 done, 1 not found, 2 wrong usage, 3 damaged or not a store, 4 in use by another, 5 I/O."
)]
pub struct Arguments {
    /// The store's file
    #[arg(required = true)]
    pub file: Option<PathBuf>,

    /// Switches that every command takes
    #[command(flatten)]
    pub switches: Switches,

    /// Look for keys in this bucket, not among the plain entries; a bucket takes any value, an empty one too
    #[arg(long, global = true, value_name = "NAME", help_heading = COMMON)]
    pub bucket: Option<String>,

    /// What to do with it
    #[command(subcommand)]
    pub command: Command,
}

/// Over the switches of every command, which its own stand before.
pub const COMMON: &str = "Common options";

/// Switches that every command takes.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = COMMON)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct Switches {
    /// Report as a line of JSON on standard output; listings print one for each key
    #[arg(long, global = true)]
    pub json: bool,

    /// Leave the file as it is; commands that only read always do
    #[arg(long, global = true)]
    pub read_only: bool,

    /// Return once everything is on stable storage
    #[arg(long, global = true)]
    pub sync: bool,

    /// Say more on standard error.
    #[arg(
        short,
        long,
        global = true,
        help = "Say more on standard error, as RUST_LOG=info does"
    )]
    pub verbose: bool,
}

impl Switches {
    /// Whether to say more than failures: by `--verbose` or `RUST_LOG`.
    pub fn is_verbose(self) -> bool {
        self.verbose || std::env::var("RUST_LOG").is_ok_and(|filter| asks_for_logs(&filter))
    }
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
    /// List the keys of a bucket in order; without --bucket, the hashes and sizes of the plain entries
    ///
    /// Of a plain entry only the hash of its key is in the file, so those are listed as `hash size`, newest first. Keys of a bucket
    /// are printed as they are into a pipe; on a terminal, what would not show is escaped.
    Keys {
        /// Only keys that begin with this; needs --bucket
        #[arg(long, value_name = "PREFIX")]
        prefix: Option<String>,
        /// End each line with a zero byte, for `xargs -0`: keys may hold line ends
        #[arg(short = '0', long)]
        null: bool,
    },
    /// List the names of the buckets that hold keys
    Buckets {
        /// End each line with a zero byte, for `xargs -0`: names may hold line ends
        #[arg(short = '0', long)]
        null: bool,
    },
    /// Measure this disk, with a store in FILE, which must not exist and is removed again
    #[command(long_about = plan::ABOUT)]
    Bench(Plan),
    /// Store every file below a folder; its path there is the key
    ///
    /// With --bucket, which takes empty files too and can be exported.
    Import {
        /// The folder
        folder: PathBuf,
        /// What stands before the path in every key, as it is
        #[arg(long, default_value = "")]
        prefix: String,
    },
    /// Write every key of a bucket to a file below a folder
    ///
    /// Needs --bucket: keys outside buckets are not stored, and cannot be listed.
    Export {
        /// The folder, made if it is missing
        folder: PathBuf,
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
    /// Print the manual page; needs no file
    Man {
        /// Write this page and one for each command into a folder instead, such as ~/.local/share/man/man1
        #[arg(long, value_name = "FOLDER")]
        into: Option<PathBuf>,
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
            Self::Bench(_) => Some("bench"),
            Self::Import { .. } => Some("import"),
            Self::Read { .. }
            | Self::Copy { .. }
            | Self::Backup { .. }
            | Self::Info
            | Self::Metadata { .. }
            | Self::History { .. }
            | Self::Verify
            | Self::Salvage { .. }
            | Self::Keys { .. }
            | Self::Buckets { .. }
            | Self::Export { .. }
            | Self::Completions { .. }
            | Self::Man { .. } => None,
        }
    }

    /// Whether the command is about keys, which may be those of a bucket; all others are about the whole file.
    pub const fn takes_bucket(&self) -> bool {
        matches!(
            self,
            Self::Read { .. }
                | Self::Write { .. }
                | Self::Copy { .. }
                | Self::Move { .. }
                | Self::Rename { .. }
                | Self::Delete { .. }
                | Self::Metadata { .. }
                | Self::History { .. }
                | Self::Keys { .. }
                | Self::Import { .. }
                | Self::Export { .. }
        )
    }
}

/// Whether a filter in the usual form, `info` or `tailstone=debug,other=warn`, lets through what this program has to tell.
fn asks_for_logs(filter: &str) -> bool {
    let directives = filter.split(',').map(str::trim);
    let mut levels = directives.filter_map(|directive| match directive.split_once('=') {
        None => Some(directive),
        Some((target, level)) => (target == "tailstone").then_some(level),
    });
    let wanted = |level: &str| {
        let level = level.to_ascii_lowercase();
        matches!(level.as_str(), "info" | "debug" | "trace" | "tailstone")
    };
    levels.next_back().is_some_and(wanted)
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

    use super::{Arguments, Command, asks_for_logs, parse_ratio};

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
    fn logs_are_asked_for_in_the_usual_form() {
        for filter in [
            "info",
            "DEBUG",
            "trace",
            "tailstone=info",
            "warn,tailstone=debug",
            "tailstone",
        ] {
            assert!(asks_for_logs(filter), "{filter}");
        }
        for filter in [
            "",
            "warn",
            "off",
            "other=trace",
            "tailstone=error",
            "info,tailstone=off",
        ] {
            assert!(!asks_for_logs(filter), "{filter}");
        }
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
