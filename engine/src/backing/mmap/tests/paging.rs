//! Pages that come one by one, as the system tells of the mapping.

use super::Folder;
use crate::backing::Backing;
use std::path::Path;

/// Whether the mappings of a file for reading have the flag of random reads; all of them or none.
fn is_read_at_random(path: &Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let (mut is_ours, mut flags) = (false, Vec::new());
    for line in maps.lines() {
        match line.strip_prefix("VmFlags:") {
            None if !line.contains(": ") => {
                is_ours = line.ends_with(path.to_str().unwrap()) && line.contains(" r--s ");
            }
            Some(all) if is_ours => flags.push(all.split_whitespace().any(|flag| flag == "rr")),
            _ => {}
        }
    }
    assert!(!flags.is_empty(), "it is not mapped");
    assert!(flags.iter().all(|flag| *flag == flags[0]), "{flags:?}");
    flags[0]
}

#[test]
fn a_file_too_long_for_memory_is_read_page_by_page() {
    let folder = Folder::new();
    let (path, backing) = (folder.file(), folder.create());
    let bytes: Vec<u8> = (0..3_u32 << 20)
        .map(|at| u8::try_from(at / 8 % 251).unwrap())
        .collect();
    backing.write(0, &[&bytes]).unwrap();
    assert!(!is_read_at_random(&path));
    backing.reads.consider_with(3 << 20, 8 << 20);
    assert!(!is_read_at_random(&path), "it fits");
    backing.reads.consider_with(3 << 20, 4 << 20);
    assert!(is_read_at_random(&path));
    // Also what is mapped later. No longer hole than this: space is set aside for all of it.
    backing.write(40 << 20, &[b"far"]).unwrap();
    assert!(is_read_at_random(&path));
    // Hints change nothing, wherever they point.
    for range in [0..3 << 20, 5..6, 1 << 20..u64::MAX, 30 << 30..40 << 30] {
        backing.will_read(range);
    }
    assert!(backing.view(0..3 << 20).unwrap().as_ref() == bytes);
    assert_eq!(backing.peek(100..164), bytes.get(100..164));
    let mut read = vec![0; 1 << 20];
    backing.read(1 << 20, &mut read).unwrap();
    assert!(read == bytes[1 << 20..2 << 20]);
}
