//! Linux: space is set aside in the file system before it is stored to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{FallocateFlags, FsWord, fallocate, fstatfs};
use rustix::io::Errno;

/// File systems that overwrite space where `fallocate` put it, so that a store to it cannot find the disk full: ext4
/// (ext2 and ext3 share its number and refuse to set aside), XFS and tmpfs. What writes each block anew elsewhere (btrfs,
/// ZFS, F2FS, bcachefs) can run out of space at any store, and overlays do not say what lies below them.
const KEEPERS: [FsWord; 3] = [0xef53, 0x5846_5342, 0x0102_1994];

/// Whether a store to space that was set aside cannot fail for want of space.
pub(in super::super) fn keeps_reserved_space(file: &File) -> bool {
    fstatfs(file).is_ok_and(|about| KEEPERS.contains(&about.f_type))
}

/// Lengthens the file from `from` to `to`, zeros that have their place on the medium.
pub(in super::super) fn set_aside(file: &File, from: u64, to: u64) -> io::Result<()> {
    loop {
        match fallocate(file, FallocateFlags::empty(), from, to.saturating_sub(from)) {
            Err(Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}

/// Whether an error of [`set_aside`] means that this file system never will.
pub(in super::super) fn is_never(error: &io::Error) -> bool {
    let never = [
        Errno::OPNOTSUPP,
        Errno::NOSYS,
        Errno::NODEV,
        Errno::INVAL,
        Errno::PERM,
    ];
    never
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// The memory that this process may have in bytes: all there is, or what its control groups allow.
pub(in super::super) fn memory() -> u64 {
    let about = read_short(Path::new("/proc/meminfo")).unwrap_or_default();
    let total = about
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes = total.and_then(|total| total.trim().strip_suffix("kB"));
    let kibibytes: Option<u64> = kibibytes.and_then(|total| total.trim().parse().ok());
    let total = kibibytes.map_or(u64::MAX, |kibibytes| kibibytes.saturating_mul(1024));
    let groups = read_short(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let allowed = allowed_by_groups(Path::new("/sys/fs/cgroup"), &groups);
    total.min(allowed.unwrap_or(u64::MAX))
}

/// The least that a control group of either version allows, out of the folder where they are mounted.
fn allowed_by_groups(root: &Path, groups: &str) -> Option<u64> {
    let mut least = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else {
            continue;
        };
        let (root, name) = if controllers.is_empty() {
            (root.to_path_buf(), "memory.max")
        } else if controllers.split(',').any(|one| one == "memory") {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            continue;
        };
        // A group has no more than those above it; in a container its own path may not be there, but the root is its own.
        for group in Path::new(group.trim_start_matches('/')).ancestors() {
            let limit = read_short(&root.join(group).join(name));
            let limit: Option<u64> = limit.and_then(|text| text.trim().parse().ok());
            least = least.into_iter().chain(limit).min();
        }
    }
    least
}

/// The text of a file of a few lines that the system makes up, by one read.
fn read_short(path: &Path) -> Option<String> {
    let mut bytes = [0; 4096];
    let len = File::open(path).ok()?.read(&mut bytes).ok()?;
    String::from_utf8(bytes.get(..len)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let allowed = |groups: &str| allowed_by_groups(root.path(), groups);
        assert_eq!(allowed(""), None);
        assert_eq!(allowed("0::/a/b\n"), None);
        put("a/b/memory.max", "max\n");
        assert_eq!(allowed("0::/a/b\n"), None);
        put("a/memory.max", "5000\n");
        assert_eq!(allowed("0::/a/b\n"), Some(5000));
        put("memory.max", "7000\n");
        assert_eq!(allowed("0::/nowhere\n"), Some(7000));
        put("memory/c/memory.limit_in_bytes", "300\n");
        assert_eq!(allowed("4:cpu,memory:/c\n0::/a\n"), Some(300));
        assert_eq!(allowed("4:cpu:/c\nno line of this kind\n"), None);
    }

    #[test]
    fn there_is_some_memory() {
        assert!((1 << 20..1 << 50).contains(&memory()));
    }
}
