//! The demonstration: a folder of real files goes into a store through each face, comes out again, and is compared.
//!
//! Every face is a program of its own, built for speed, that is given a folder and prints one line of JSON; this one only
//! starts them, so it needs no optimising itself. Each has to have handled exactly the sample.

mod sample;
mod table;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::demo::sample::Sample;
use crate::demo::table::{Report, Row, table};
use crate::{component, setup, web};

/// Memory that the sandbox may take, in MiB: all that 32 bits address, since a value is there several times over and a
/// named folder may have large ones.
const SANDBOX_MEMORY: &str = "4GiB";

/// Where the sample is, below the demonstration's folder.
const SAMPLE: &str = "sample";
/// Where the component puts what it is given.
const COMPONENT_BUCKET: &str = "default";
/// The page names a file by its path from the picked folder's parent, and keeps files in a bucket of their own.
const PAGE_PREFIX: &str = "sample/";
const PAGE_BUCKET: &str = "files";

/// What the times of storing cover; they are not the same thing.
const WHAT_COUNTS: &str = "\
Storing counts natively until the sync that closes the store, in the component without it, and in the page with the \
sync and with reading the picked files.";

/// What every face is given.
struct Stage<'a> {
    ctx: &'a Context,
    sample: &'a Sample,
    /// Where the stores go.
    out: &'a Path,
}

/// Runs every face on `folder`, or on the default sample, and prints the table.
pub fn run(ctx: &Context, folder: Option<&Path>, serve: bool) -> Result<()> {
    let out = ctx.target_dir.join("demo");
    let named = folder.map(|folder| find(folder, &out)).transpose()?;
    setup::run(ctx)?;
    let native = build_native(ctx)?;
    component::build(ctx)?;
    let host = component::build_host(ctx)?;

    clear(&out)?;
    let sample = Sample::stage(ctx, named.as_deref(), out.join(SAMPLE))?;
    println!("\n{sample}");
    let stage = Stage {
        ctx,
        sample: &sample,
        out: &out,
    };
    let rows = [
        stage.native(&native).context("the native face")?,
        stage.component(&host).context("the component's face")?,
        stage.browser().context("the browser's face")?,
    ];
    println!("\n{}", table(&rows)?);
    println!("{WHAT_COUNTS}\n");
    println!("Opened by the native engine, each file of the sample compared, byte for byte:");
    for row in &rows {
        print!("  {}", stage.compare(&native, row)?);
    }
    if serve {
        web::pages(ctx, true)?;
    }
    Ok(())
}

impl Stage<'_> {
    /// The sample in a memory-mapped file.
    fn native(&self, program: &Path) -> Result<Row> {
        let store = self.out.join("native.tsl");
        let mut command = self.ctx.command(program);
        let output = self
            .ctx
            .output(command.arg(self.sample.folder()).arg(&store))?;
        self.row("native, memory-mapped", "", &output, vec![store])
    }

    /// The sample through the component, in a sandbox that sees the demonstration's folder.
    fn component(&self, host: &Path) -> Result<Row> {
        let store = self.out.join("component.tsl");
        let mut command = self.ctx.command(host);
        command.args(["--max-memory", SANDBOX_MEMORY, "store"]);
        command.arg(&store).arg("import").arg(self.sample.folder());
        let output = self.ctx.output(&mut command)?;
        let row = self.row("WASI component in wasmtime", "", &output, vec![store])?;
        // Once more from the file alone: the import read it back in the session that wrote it.
        let mut command = self.ctx.command(host);
        command.args(["--max-memory", SANDBOX_MEMORY, "store"]);
        command.arg(row.store()?);
        self.ctx
            .output(command.arg("check").arg(self.sample.folder()))?;
        Ok(Row {
            bucket: Some(COMPONENT_BUCKET),
            ..row
        })
    }

    /// The sample through the page's folder picker.
    fn browser(&self) -> Result<Row> {
        let output = web::demo(self.ctx, self.sample.folder(), self.out)?;
        let left = vec![self.out.join("browser.tsl"), self.out.join("browser.png")];
        let row = self.row("page in a headless browser", PAGE_PREFIX, &output, left)?;
        Ok(Row {
            bucket: Some(PAGE_BUCKET),
            ..row
        })
    }

    /// The face's row, if it reports to have stored and compared the whole sample.
    fn row(
        &self,
        face: &'static str,
        key_prefix: &'static str,
        output: &str,
        left: Vec<PathBuf>,
    ) -> Result<Row> {
        let report = Report::parse(output)?;
        let expected = (self.sample.files(), self.sample.bytes());
        ensure!(
            (report.files, report.bytes) == expected,
            "of {expected:?} files and bytes it was {:?}",
            (report.files, report.bytes)
        );
        for path in &left {
            ensure!(path.is_file(), "it left no {}", path.display());
        }
        Ok(Row {
            face,
            report,
            key_prefix,
            bucket: None,
            left,
        })
    }

    fn compare(&self, native: &Path, row: &Row) -> Result<String> {
        let mut command = self.ctx.command(native);
        command.arg("--compare").arg(row.store()?);
        command.arg(self.sample.folder()).arg(row.key_prefix);
        command.args(row.bucket);
        self.ctx.output(&mut command)
    }
}

/// The folder by its full path: programs start in the workspace's root, and the user may be elsewhere.
fn find(folder: &Path, out: &Path) -> Result<PathBuf> {
    let found =
        fs::canonicalize(folder).with_context(|| format!("no folder {}", folder.display()))?;
    ensure!(found.is_dir(), "{} is not a folder", folder.display());
    let is_ours = fs::canonicalize(out).is_ok_and(|out| found.starts_with(out));
    ensure!(
        !is_ours,
        "{} belongs to the demonstration, which starts by emptying it",
        folder.display()
    );
    Ok(found)
}

fn build_native(ctx: &Context) -> Result<PathBuf> {
    let mut command = ctx.cargo(["build", "--release", "--package", "tailstone-tests"]);
    ctx.run(command.args(["--bin", "native-demo"]))?;
    let name = format!("native-demo{}", std::env::consts::EXE_SUFFIX);
    Ok(ctx.target_dir.join("release").join(name))
}

/// Removes what an earlier run left.
fn clear(out: &Path) -> Result<()> {
    match fs::remove_dir_all(out) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", out.display()))
        }
        _ => fs::create_dir_all(out).with_context(|| format!("could not make {}", out.display())),
    }
}
