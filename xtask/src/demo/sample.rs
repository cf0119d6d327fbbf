//! The files the demonstration stores, in a folder of their own: the same for every face, whatever happens elsewhere.
//!
//! Only what every face can hold is among them: a plain entry is neither empty nor the single byte 0, and a name is
//! Unicode that a picker and a command line take as it is.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::demo::table::megabytes;
use crate::tidy::{MADE, walk};

/// The default sample has at most so many files and bytes, so that the slowest face, the page in a browser, is through
/// in well under a minute.
const FILES_MAX: u64 = 5_000;
const BYTES_MAX: u64 = 256 << 20;

/// What is taken of a toolchain, below its root, and how many files the sample may have then: thousands of small pages,
/// and room for some hundred libraries of up to tens of megabytes.
const TOOLCHAIN: [(&str, u64); 2] = [("share/doc", 4_500), ("lib/rustlib", FILES_MAX)];

/// Up to this length a file is copied rather than linked.
const COPIED_BYTES_MAX: u64 = 1 << 20;

/// The files, all below one folder.
pub struct Sample {
    folder: PathBuf,
    taken_from: Vec<PathBuf>,
    files: u64,
    bytes: u64,
    unfit: u64,
    too_many: u64,
}

impl Sample {
    /// Fills `folder`, which must be new, with the files of `named` or with the default ones.
    pub fn stage(ctx: &Context, named: Option<&Path>, folder: PathBuf) -> Result<Self> {
        let mut sample = Self {
            folder,
            taken_from: Vec::new(),
            files: 0,
            bytes: 0,
            unfit: 0,
            too_many: 0,
        };
        if let Some(named) = named {
            sample.add("", named, &[], (u64::MAX, u64::MAX))?;
        } else {
            let most = (FILES_MAX, BYTES_MAX);
            sample.add("workspace/", &ctx.root, &MADE, most)?;
            let sysroot = ctx.output(ctx.command("rustc").args(["--print", "sysroot"]))?;
            for (name, files_max) in TOOLCHAIN {
                let folder = Path::new(sysroot.trim()).join(name);
                if folder.is_dir() {
                    let most = (files_max, BYTES_MAX);
                    sample.add("toolchain/", &folder, &[], most)?;
                }
            }
        }
        if sample.files == 0 {
            bail!("no file with anything in it to store");
        }
        Ok(sample)
    }

    /// Adds the files below `from` until the sample has `most` files and bytes; what does not fit is passed over.
    fn add(
        &mut self,
        prefix: &str,
        from: &Path,
        skipped: &[&str],
        (files_max, bytes_max): (u64, u64),
    ) -> Result<()> {
        self.taken_from.push(from.to_path_buf());
        for path in walk(from, skipped)? {
            let len = fs::metadata(&path)
                .with_context(|| format!("could not look at {}", path.display()))?
                .len();
            let key = key_of(path.strip_prefix(from).unwrap_or(&path));
            let (Some(key), true) = (key, is_entry(&path, len)?) else {
                self.unfit += 1;
                continue;
            };
            if self.files >= files_max || self.bytes.saturating_add(len) > bytes_max {
                self.too_many += 1;
                continue;
            }
            place(&path, &self.folder.join(format!("{prefix}{key}")), len)?;
            self.files += 1;
            self.bytes += len;
        }
        Ok(())
    }

    /// Where they lie; the path of each below it is its key.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many they are.
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// How long they are together.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = megabytes(self.bytes);
        write!(f, "{} files, {megabytes} MB, of", self.files)?;
        for folder in &self.taken_from {
            write!(f, " {}", folder.display())?;
        }
        if self.unfit > 0 {
            write!(
                f,
                "; left out: {} that are empty, a single zero byte or named in a way that not every face can say",
                self.unfit
            )?;
        }
        if self.too_many > 0 {
            write!(
                f,
                "; {} more were too much for a demonstration",
                self.too_many
            )?;
        }
        Ok(())
    }
}

/// The path with slashes, unless a name in it is not Unicode or has characters that mean something to a face.
fn key_of(path: &Path) -> Option<String> {
    let mut names = Vec::new();
    for name in path.components() {
        let name = name.as_os_str().to_str()?;
        if name.contains(|c: char| c.is_control() || c == '\\') {
            return None;
        }
        names.push(name);
    }
    Some(names.join("/"))
}

/// Whether a plain entry can hold the file.
fn is_entry(path: &Path, len: u64) -> Result<bool> {
    match len {
        0 => Ok(false),
        1 => Ok(
            fs::read(path).with_context(|| format!("could not read {}", path.display()))? != [0],
        ),
        _ => Ok(true),
    }
}

/// Large files get a second name where the file system can do that, so that gigabytes take no time and no room. Small ones
/// are copied: somebody may be at work on them, and what an editor does to a file it does under all names.
fn place(from: &Path, to: &Path, len: u64) -> Result<()> {
    let could_not = || format!("could not put {} at {}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(could_not)?;
    }
    if len > COPIED_BYTES_MAX && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).with_context(could_not)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::key_of;

    #[test]
    fn keys_are_paths_with_slashes() {
        let path = Path::new("größe").join("a b.txt");
        assert_eq!(key_of(&path).unwrap(), "größe/a b.txt");
        assert_eq!(key_of(Path::new("line\nbreak")), None);
        #[cfg(unix)]
        assert_eq!(key_of(Path::new("back\\slash")), None);
    }
}
