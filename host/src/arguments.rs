//! The words of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// The tailstone store inside a wasmtime sandbox
#[derive(Debug, Parser)]
#[command(
    name = "tailstone-host",
    version,
    arg_required_else_help = true,
    after_help = "Exit status: 0 done, 1 not found, 2 wrong usage, 3 damaged or not a store, 4 in use by another, 5 anything else."
)]
pub struct Arguments {
    /// Seconds that one call into the sandbox may compute
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<u64>,

    /// Memory of the sandbox, in MiB
    #[arg(long, global = true, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub max_memory: u16,

    /// What to do
    #[command(subcommand)]
    pub task: Task,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Work on a store with the engine inside the sandbox, which sees the folder of the file and nothing else
    Store {
        /// The store's file
        file: PathBuf,
        /// The component; by default what `TAILSTONE_COMPONENT` names, or the file beside this program, or the workspace's build
        #[arg(long, value_name = "WASM")]
        component: Option<PathBuf>,
        /// What to do with the store
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Run a WASI command with one directory and the standard streams
    #[command(hide = true)]
    Run {
        /// The directory it sees as its root
        #[arg(long, value_name = "DIR")]
        directory: PathBuf,
        /// The command's component
        program: PathBuf,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

/// What to do with a store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Store a value under a key; the store is created if it is missing
    Put {
        /// The key
        key: String,
        /// The value; without it, standard input is stored
        #[arg(allow_negative_numbers = true)]
        value: Option<String>,
    },
    /// Print the value of a key
    Get {
        /// The key
        key: String,
    },
    /// Delete a key
    Delete {
        /// The key
        key: String,
    },
    /// Say whether a key has a value; status 1 if it has none
    Exists {
        /// The key
        key: String,
    },
    /// Show figures about the store
    Info {
        /// As one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Put every file of a folder into the store and compare what is read back; prints one line of JSON
    Import {
        /// The folder; links in it are not followed
        folder: PathBuf,
    },
    /// Compare the files of a folder with what the store has for them; prints one line of JSON
    Check {
        /// The folder
        folder: PathBuf,
    },
    /// Remove the lock file that a killed writer left behind; refused while any program has the store open
    Unlock,
}
