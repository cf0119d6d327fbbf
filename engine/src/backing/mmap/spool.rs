//! Scratch space for streams, beside the store so that it has the store's room.
//!
//! Invariant: the file has no name once it is handed out (on Windows: it loses it with its last handle), so nothing is left behind.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::compute_hash;

/// Tells apart the scratch files of one process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// An empty scratch file in the folder of the store at `path`.
pub(super) fn beside(path: &Path) -> io::Result<File> {
    let store = compute_hash(path.as_os_str().as_encoded_bytes());
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!(
        ".{store:016x}.{}.{number}.tailstone-spool",
        std::process::id()
    );
    let path = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    // It has a name for a moment, and what goes in may be nobody else's business.
    #[cfg(unix)]
    super::platform::private(&mut options);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        /// `FILE_FLAG_DELETE_ON_CLOSE`.
        const DELETE_ON_CLOSE: u32 = 0x0400_0000;
        options.custom_flags(DELETE_ON_CLOSE);
    }
    let file = options.open(&path)?;
    if cfg!(unix) {
        fs::remove_file(&path)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};

    #[cfg(unix)]
    #[test]
    fn scratch_space_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = beside(&folder.path().join("store")).unwrap();
        file.write_all(b"scratch").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "scratch");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
