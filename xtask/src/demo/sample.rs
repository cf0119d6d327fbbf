//! The files the demonstration stores: of a folder, or of the workspace and the Rust toolchain.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::demo::megabytes;
use crate::tidy::{MADE, walk};

/// The default sample takes no more of the toolchain than this, so that a browser's part ends in reasonable time.
const DEFAULT_BYTES_MAX: u64 = 256 << 20;

/// Where a toolchain keeps many files, below its root; the first that exists is taken.
const TOOLCHAIN_FOLDERS: [&str; 2] = ["share/doc", "lib/rustlib"];

/// One file of the sample.
pub struct Source {
    /// Under which key it is stored: its path below the folder, with slashes.
    pub key: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Files, in a fixed order, each key once.
pub struct Sample {
    sources: Vec<Source>,
    bytes: u64,
    folders: Vec<PathBuf>,
    empty: u64,
    left_out: u64,
}

impl Sample {
    /// Lists `folder`, or the default folders.
    pub fn collect(ctx: &Context, folder: Option<&Path>) -> Result<Self> {
        let mut sample = Self {
            sources: Vec::new(),
            bytes: 0,
            folders: Vec::new(),
            empty: 0,
            left_out: 0,
        };
        if let Some(folder) = folder {
            sample.add("", folder, &[], u64::MAX)?;
        } else {
            sample.add("workspace/", &ctx.root, &MADE, u64::MAX)?;
            let sysroot = ctx.output(ctx.command("rustc").args(["--print", "sysroot"]))?;
            let sysroot = Path::new(sysroot.trim());
            let mut folders = TOOLCHAIN_FOLDERS.iter().map(|name| sysroot.join(name));
            if let Some(folder) = folders.find(|folder| folder.is_dir()) {
                sample.add("toolchain/", &folder, &[], DEFAULT_BYTES_MAX)?;
            }
        }
        if sample.sources.is_empty() {
            bail!("no file with anything in it to store");
        }
        Ok(sample)
    }

    fn add(&mut self, prefix: &str, folder: &Path, skipped: &[&str], bytes_max: u64) -> Result<()> {
        self.folders.push(folder.to_path_buf());
        for path in walk(folder, skipped)? {
            let bytes = fs::metadata(&path)
                .with_context(|| format!("could not look at {}", path.display()))?
                .len();
            if bytes == 0 {
                // A plain entry is never empty; this is said in the listing.
                self.empty += 1;
                continue;
            }
            if self.bytes.saturating_add(bytes) > bytes_max {
                self.left_out += 1;
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path);
            let key = format!("{prefix}{}", name.to_string_lossy().replace('\\', "/"));
            self.bytes += bytes;
            self.sources.push(Source { key, path });
        }
        Ok(())
    }

    /// All files.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// How many they are.
    pub fn files(&self) -> u64 {
        u64::try_from(self.sources.len()).unwrap_or(u64::MAX)
    }

    /// How long they are together.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = megabytes(self.bytes());
        write!(f, "{} files, {megabytes} MB, of", self.files())?;
        for folder in &self.folders {
            write!(f, " {}", folder.display())?;
        }
        if self.empty > 0 {
            write!(f, "; {} empty ones are left out", self.empty)?;
        }
        if self.left_out > 0 {
            write!(
                f,
                "; {} more were too much for a demonstration",
                self.left_out
            )?;
        }
        Ok(())
    }
}
