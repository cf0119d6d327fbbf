//! The directory that was granted, and which names in it can be those of a store.
//!
//! Invariant: a name that leaves this file has one component, so no spelling of a path, a separator or a link leads out
//! of the directory, whatever the host would make of it.

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};

use tailstone_interface::Refusal as Error;

use crate::bindings::exports::tailstone::store::stores::Access;
use crate::failure::failure;
use crate::file::WasiFile;

/// What is put behind the name of a store to name its lock file; no store may be named so.
const LOCK_SUFFIX: &str = ".lock";

/// The same for the file that a compaction writes.
const REPLACEMENT_SUFFIX: &str = ".compact";

/// The longest name, in bytes, so that the names made of it fit into the 255 that file systems take.
const LONGEST_NAME: usize = 255 - REPLACEMENT_SUFFIX.len();

/// A name that lies in the granted directory.
#[derive(Debug)]
pub struct Name(String);

impl Name {
    /// Takes `name` if it is the plain name of a file.
    pub fn new(name: String) -> Result<Self, Error> {
        let refusal = if name.is_empty() {
            "the name of a store is empty".to_owned()
        } else if name.len() > LONGEST_NAME {
            format!(
                "a name of {} bytes is too long for a store; {LONGEST_NAME} are the most",
                name.len()
            )
        } else if name == "." || name == ".." || name.contains(['/', '\\', ':']) {
            format!("`{name}` is not a plain name; a store lies directly in the granted directory")
        } else if name.contains(char::is_control) {
            "the name of a store has a control character in it".to_owned()
        } else if name.ends_with(LOCK_SUFFIX) || name.ends_with(REPLACEMENT_SUFFIX) {
            format!("`{name}` is how a file beside a store is named")
        } else {
            return Ok(Self(name));
        };
        Err(Error::InvalidArgument(refusal))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the lock file beside it.
    pub fn of_lock(&self) -> String {
        format!("{}{LOCK_SUFFIX}", self.0)
    }

    /// The name of the file that a compaction writes beside it.
    pub fn of_replacement(&self) -> String {
        format!("{}{REPLACEMENT_SUFFIX}", self.0)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// The granted directory: the first of those that the host opened beforehand.
pub fn granted() -> Result<Descriptor, Error> {
    match get_directories().into_iter().next() {
        Some((directory, _path)) => Ok(directory),
        None => Err(Error::AccessDenied),
    }
}

/// Opens the file of this name. Links are not followed: they may lead to what was not granted.
pub fn open(directory: &Descriptor, name: &Name, access: Access) -> Result<WasiFile, Error> {
    let (create, flags) = match access {
        Access::Read => (OpenFlags::empty(), DescriptorFlags::READ),
        Access::Write => (
            OpenFlags::empty(),
            DescriptorFlags::READ | DescriptorFlags::WRITE,
        ),
        Access::Create => (
            OpenFlags::CREATE,
            DescriptorFlags::READ | DescriptorFlags::WRITE,
        ),
    };
    // To open what is no file may take for ever.
    if let Ok(stat) = directory.stat_at(PathFlags::empty(), name.as_str())
        && stat.type_ != DescriptorType::RegularFile
    {
        return Err(not_a_file(name));
    }
    let file = directory
        .open_at(PathFlags::empty(), name.as_str(), create, flags)
        .map_err(|code| open_failure(code, name))?;
    match file.get_type().map_err(failure)? {
        DescriptorType::RegularFile => Ok(WasiFile::new(file)),
        _ => Err(not_a_file(name)),
    }
}

fn open_failure(code: ErrorCode, name: &Name) -> Error {
    match code {
        ErrorCode::NoEntry => Error::NoSuchStore,
        ErrorCode::IsDirectory | ErrorCode::Loop => not_a_file(name),
        other => failure(other),
    }
}

fn not_a_file(name: &Name) -> Error {
    Error::InvalidArgument(format!("{} is not a regular file", name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass_and_paths_do_not() {
        for name in [
            "a",
            "notes.tsl",
            "...",
            ".hidden",
            "-rf",
            "ünï",
            "a b",
            &"n".repeat(LONGEST_NAME),
        ] {
            assert_eq!(Name::new(name.to_owned()).unwrap().as_str(), name);
        }
        let long = "n".repeat(LONGEST_NAME + 1);
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "/a",
            "a/",
            "../a",
            "a\\b",
            "C:a",
            "a\0",
            "a\u{85}b",
            "a.lock",
            "a.compact",
            "a.compact",
            &long,
        ] {
            assert!(
                matches!(Name::new(name.to_owned()), Err(Error::InvalidArgument(_))),
                "{name:?}"
            );
        }
        assert_eq!(Name::new("a".to_owned()).unwrap().of_lock(), "a.lock");
    }
}
