//! Files that a benchmark makes: only where there was none, and gone with it. And the plain file that it compares with.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tailstone::{DataStore, Error, Options};

use super::latency::Latency;
use super::records::Values;
use crate::exit::{Failure, Result, Status};

/// A name that nobody had; whatever lies there is removed when this goes.
pub struct Made {
    path: PathBuf,
    is_kept: bool,
}

impl Made {
    /// Takes the name; that there is something is a failure, and it stays.
    pub fn take(path: &Path) -> Result<Self> {
        match File::options().write(true).create_new(true).open(path) {
            Ok(_) => Ok(Self {
                path: path.to_path_buf(),
                is_kept: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let name = path.display();
                let message = format!("{name} exists; bench works in files of its own only");
                Err(Failure::new(Status::Usage, message))
            }
            Err(source) => {
                let doing = "make a file to measure in";
                Err(Failure::with_file(path, Error::Io { doing, source }))
            }
        }
    }

    /// An empty store in place of what lies there.
    pub fn new_store(&self) -> Result<DataStore> {
        fs::write(&self.path, []).map_err(|source| failed("empty the store's file", source))?;
        self.open(&Options::new())
    }

    /// The store that lies there.
    pub fn open(&self, options: &Options) -> Result<DataStore> {
        Ok(options.clone().create(false).open(&self.path)?)
    }

    /// An empty plain file in place of what lies there.
    pub fn new_file(&self) -> Result<File> {
        File::create(&self.path).map_err(|source| failed("empty the plain file", source))
    }

    /// Leaves what lies there.
    pub const fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !self.is_kept {
            let _left_over = fs::remove_file(&self.path);
        }
    }
}

/// Appends `count` values to the plain file.
pub fn append(mut file: &File, values: &mut Values, count: u32) -> Result {
    for number in 0..count {
        file.write_all(values.of(number)).map_err(plainly)?;
    }
    Ok(())
}

/// The same with a sync after each.
pub fn append_synced(
    mut file: &File,
    values: &mut Values,
    count: u32,
    latency: &mut Latency,
) -> Result {
    for number in 0..count {
        let value = values.of(number);
        latency
            .time(|| file.write_all(value).and_then(|()| file.sync_data()))
            .map_err(plainly)?;
    }
    Ok(())
}

fn plainly(source: io::Error) -> Failure {
    failed("write the plain file", source)
}

fn failed(doing: &'static str, source: io::Error) -> Failure {
    Error::Io { doing, source }.into()
}
