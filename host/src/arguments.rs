//! The words of the command line.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};

use crate::grants::StoreGrant;

/// The tailstone store inside a wasmtime sandbox
#[derive(Debug, Parser)]
#[command(
    name = "tailstone-host",
    version,
    arg_required_else_help = true,
    after_help = "Exit status: 0 done, 1 not found, 2 wrong usage, 3 damaged or not a store, 4 in use by another, 5 anything else."
)]
pub struct Arguments {
    /// How long one call into the sandbox may compute, such as `2s` or `500ms`
    #[arg(long, global = true, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    pub timeout: Duration,

    /// Memory of the sandbox, such as `64MiB`; 4 GiB at most
    #[arg(long, global = true, value_name = "BYTES", default_value = "1GiB", value_parser = memory)]
    pub max_memory: usize,

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
        /// The bucket of the store
        #[arg(long, value_name = "NAME", default_value = "default")]
        bucket: String,
        /// What to do with the store
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Run a plugin with the stores that it is granted, and nothing else
    Run(RunArguments),
    #[cfg(feature = "conformance")]
    /// Hold a provider of stores to what it ought to do, case by case; status 5 if a case does not hold
    Conformance(ConformanceArguments),
    /// Compile plugins, so that `run` starts them at once
    Compile {
        /// Where compiled plugins are kept; nobody else may write there
        #[arg(long, value_name = "DIR")]
        cache: Option<PathBuf>,
        /// The plugins' components
        #[arg(required = true)]
        programs: Vec<PathBuf>,
    },
}

/// What to try.
#[cfg(feature = "conformance")]
#[derive(Debug, Args)]
pub struct ConformanceArguments {
    /// A component: one that exports cases, or one that provides `wasi:keyvalue` or `tailstone:store` and needs files at most
    pub component: PathBuf,
    /// Where the guests with the cases are; by default where they are built
    #[arg(long, value_name = "DIR")]
    pub cases: Option<PathBuf>,
    /// Run its cases in this store, written as for `run`, which must be empty; by default in a new file, and in memory
    #[arg(long, value_name = "GRANT")]
    pub store: Option<StoreGrant>,
    /// The name that a provider knows an empty store by
    #[arg(long, value_name = "NAME", default_value = "conformance")]
    pub identifier: String,
}

/// What to run, and with what.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Grant a store: NAME=FILE, or NAME=memory or NAME=redis://HOST; `:ro` or `:append` behind it for less than reading and
    /// writing; then limits: `,quota=64MiB`, `,file=`, `,entries=`, `,key=`, `,value=`, `,handles=`, `,page=`, `,rate=` (bytes a second)
    #[arg(long = "store", value_name = "GRANT")]
    pub stores: Vec<StoreGrant>,
    /// Call a function that the plugin exports, such as 'visit("ada")'; several are called one after the other in one instance
    #[arg(long, value_name = "CALL")]
    pub invoke: Vec<String>,
    /// A directory that it sees as its root
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Where compiled plugins are kept; nobody else may write there
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// Keep no compiled plugins
    #[arg(long, conflicts_with = "cache")]
    pub no_cache: bool,
    /// The plugin's component
    pub program: PathBuf,
    /// Its arguments, if it is a program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

fn memory(text: &str) -> Result<usize, String> {
    let bytes = text.parse::<ByteSize>()?.0;
    if (1 << 16..=1 << 32).contains(&bytes) {
        return usize::try_from(bytes).map_err(|error| error.to_string());
    }
    Err("from 64KiB to 4GiB".to_owned())
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
    /// Print the keys, a line each, ordered by their bytes
    Scan {
        /// Only those that begin with this
        #[arg(default_value = "")]
        prefix: String,
        /// End each with a zero byte in the place of a line's end: keys may have lines
        #[arg(long)]
        null: bool,
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
