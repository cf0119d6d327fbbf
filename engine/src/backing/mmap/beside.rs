//! Names for files that lie beside another one while work on it goes on.
//!
//! Invariant: the name follows from the other file's name alone, so that a later attempt finds what an earlier one left, and
//! it is no name that anybody would give a file of their own.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

/// The longest name that is repeated in the reserved one; names end at 255 bytes on most file systems.
const MAX_NAME_BYTES: usize = 200;

/// What the file beside the other is for.
#[derive(Clone, Copy)]
pub(super) struct Purpose {
    /// Goes into the hash.
    tag: &'static str,
    /// Ends the name.
    suffix: &'static str,
}

/// A compacted store on its way to take the place of the other.
pub(super) const COMPACTION: Purpose = Purpose {
    tag: "tailstone/compaction/1",
    suffix: ".tailstone-compacting",
};

/// A backup on its way to the name of the other.
pub(super) const BACKUP: Purpose = Purpose {
    tag: "tailstone/backup/1",
    suffix: ".tailstone-backup",
};

/// The name kept beside the file at `path` for this purpose. The hash ties it to the file's name.
pub(super) fn reserved_path(path: &Path, purpose: Purpose) -> io::Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path names no file",
        ));
    };
    let mut hash = Xxh3::new();
    hash.update(purpose.tag.as_bytes());
    hash.update(name.as_encoded_bytes());
    let mut reserved = OsString::from(".");
    if name.len() <= MAX_NAME_BYTES {
        reserved.push(name);
        reserved.push(".");
    }
    reserved.push(format!("{:016x}{}", hash.digest(), purpose.suffix));
    Ok(path.with_file_name(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_and_purpose_has_its_name() {
        let of = |name: &str, purpose| reserved_path(&Path::new("/in").join(name), purpose);
        let name = of("a.tsl", COMPACTION).unwrap();
        assert_eq!(name.parent(), Some(Path::new("/in")));
        let text = name.file_name().unwrap().to_str().unwrap();
        assert!(text.starts_with(".a.tsl."), "{text}");
        assert!(text.ends_with(".tailstone-compacting"), "{text}");
        assert_ne!(name, of("a.tsl", BACKUP).unwrap());
        assert_ne!(name, of("b.tsl", COMPACTION).unwrap());
        let long = "n".repeat(250);
        let reserved = of(&long, BACKUP).unwrap();
        assert!(reserved.file_name().unwrap().len() < 100);
        assert!(reserved_path(Path::new("/"), BACKUP).is_err());
    }
}
