//! The manual pages, made from the words of the command line and what those cannot say: statuses, files, examples.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::exit::{Failure, Result, Status, tell};
use crate::usage;

const STATUSES: [(&str, &str); 6] = [
    (
        "0",
        "Done. That the reader of standard output went away is no failure.",
    ),
    ("1", "There is no such key, or no such store."),
    (
        "2",
        "The command cannot mean what was asked; nothing was changed.",
    ),
    (
        "3",
        "The store is damaged, or the file is no store. It was not changed: see tailstone-verify(1) and tailstone-salvage(1).",
    ),
    (
        "4",
        "Another program has the store open in a way that excludes this one.",
    ),
    (
        "5",
        "The file, the input or the output failed, for want of space or of permission for instance.",
    ),
];

const ENVIRONMENT: [(&str, &str); 2] = [
    (
        "RUST_LOG",
        "With info, debug or trace, or tailstone= and one of them: the same as --verbose.",
    ),
    (
        "FORCE_NO_TTY",
        "If set, write does not read its value from standard input.",
    ),
];

const FILES: [(&str, &str); 3] = [
    (
        "FILE",
        "The store, one file that any name will do for. Commands that write create it where it is missing; \
         commands that only read need no permission to write it and never change it.",
    ),
    (
        "*.tailstone-compacting, *.tailstone-backup",
        "Beside the store or the backup: what is being made, put in place when it is whole, discarded or gone on with later if not.",
    ),
    (
        "FILE.baseline",
        "What bench compares with, removed before it ends.",
    ),
];

const EXAMPLES: [(&str, &str); 8] = [
    (
        "tailstone notes.tsl write greeting \"good morning\"",
        "Store a value, and create the store if it is missing.",
    ),
    (
        "tar c photos | tailstone notes.tsl write photos.tar --sync",
        "Store a stream in constant memory, and return once it is on stable storage.",
    ),
    (
        "tailstone notes.tsl read photos.tar | tar t",
        "Print a value as it is.",
    ),
    (
        "tailstone notes.tsl write ada 1815 --bucket born",
        "Store a value in a bucket, where keys can be listed and values may be empty.",
    ),
    (
        "tailstone notes.tsl keys --bucket born --prefix a",
        "List keys in order.",
    ),
    (
        "tailstone notes.tsl history greeting",
        "Show every version that is still in the file.",
    ),
    (
        "tailstone notes.tsl verify || tailstone notes.tsl salvage rescued.tsl",
        "Check a store, and rescue what is sound of a damaged one.",
    ),
    (
        "tailstone /mnt/disk/bench.tsl bench",
        "Measure what a store on this disk would do.",
    ),
];

/// Prints the page of the program; with a folder, writes it there with one page for each command.
pub fn man(into: Option<&Path>) -> Result {
    let Some(folder) = into else {
        let page = main_page(&root()).map_err(|error| Failure::output(&error))?;
        return io::stdout()
            .write_all(&page)
            .map_err(|error| Failure::output(&error));
    };
    let failed = |error: &io::Error| {
        let message = format!(
            "could not write manual pages to {}: {error}",
            folder.display()
        );
        Failure::new(Status::Io, message)
    };
    let written = write_all(folder).map_err(|error| failed(&error))?;
    tell(
        "",
        &format!("Wrote {written} pages to {}", folder.display()),
    );
    Ok(())
}

fn write_all(folder: &Path) -> io::Result<usize> {
    DirBuilder::new().recursive(true).create(folder)?;
    let root = root();
    fs::write(folder.join("tailstone.1"), main_page(&root)?)?;
    let mut written = 1;
    for command in root.get_subcommands() {
        let name = format!("tailstone-{}.1", command.get_name());
        fs::write(folder.join(name), command_page(command)?)?;
        written += 1;
    }
    Ok(written)
}

/// The words of the command line, each command with its full name and the switches of all.
fn root() -> Command {
    let mut root = usage::command().disable_help_subcommand(true);
    root.build();
    root
}

fn main_page(root: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(root.clone()).manual("User commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    section(
        &mut page,
        "DESCRIPTION",
        "A store is one file that entries are appended to; nothing in it is rewritten. A key is a text, a value any bytes. \
         Payloads and reports go to standard output, everything else to standard error.",
    )?;
    man.render_options_section(&mut page)?;
    let commands = root.get_subcommands().map(|command| {
        let name = format!("tailstone-{}(1)", command.get_name());
        let about = command.get_about().map(ToString::to_string);
        (name, about.unwrap_or_default())
    });
    list(&mut page, "COMMANDS", commands)?;
    list(&mut page, "EXIT STATUS", STATUSES)?;
    list(&mut page, "ENVIRONMENT", ENVIRONMENT)?;
    list(&mut page, "FILES", FILES)?;
    list(&mut page, "EXAMPLES", EXAMPLES)?;
    Ok(page)
}

fn command_page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(format!("tailstone-{}", command.get_name()))
        .source(format!("tailstone {}", env!("CARGO_PKG_VERSION")))
        .manual("User commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    section(
        &mut page,
        "SEE ALSO",
        "tailstone(1), which tells exit statuses as well",
    )?;
    Ok(page)
}

fn section(page: &mut Vec<u8>, title: &str, text: &str) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]).text([roman(text)]);
    roff.to_writer(page)
}

fn list<N: Into<String>, T: Into<String>>(
    page: &mut Vec<u8>,
    title: &str,
    items: impl IntoIterator<Item = (N, T)>,
) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (name, text) in items {
        roff.control("TP", [])
            .text([bold(name.into())])
            .text([roman(text.into())]);
    }
    roff.to_writer(page)
}
