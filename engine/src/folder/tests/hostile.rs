//! Keys and links that want to lead an export out of its folder.

use super::{export, reasons, scratch, tree, write};
use crate::MemoryStore;
use crate::folder::ExportOptions;
use std::fs;
use std::path::{Path, PathBuf};

/// Keys that want out: put together from what has got others out. The folder lies deeper than any of them climbs, and what is
/// absolute names a folder of this test, so that a broken export is seen and still harms nobody.
#[test]
fn nothing_is_written_outside_whatever_the_keys_are() {
    let seed = 0x5afe_f01d_u64;
    println!("seed {seed:#x}");
    let parts: [&[u8]; 20] = [
        b"..",
        b".",
        b"",
        b"a",
        b"b",
        b"\0",
        b"..\\..",
        b"C:",
        b"\\\\host\\share",
        b"con",
        b"NUL",
        b"a:b",
        b"link",
        b"dangling",
        b"up",
        b"\xff\xfe",
        b"~",
        b"outside",
        b"a\nb",
        &[b'n'; 300],
    ];
    let mut state = seed;
    let mut next = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    let store = MemoryStore::new();
    let bucket = store.bucket("hostile").unwrap();
    for key in [
        "../x",
        "../../x",
        "a/../../x",
        "..",
        "/",
        "",
        "link/x",
        "up/x",
        "a//b",
    ] {
        bucket.set(key.as_bytes(), b"hostile").unwrap();
    }
    for _ in 0..600 {
        let key: Vec<&[u8]> = (0..=next(5)).map(|_| parts[next(parts.len())]).collect();
        let key = key.join(&b'/');
        if !key.starts_with(b"/") {
            bucket.set(&key, b"hostile").unwrap();
        }
    }
    for overwrites in [false, true] {
        let (folder, _) = scratch();
        let deep = Path::new("inner/1/2/3/4/5/6/7/8");
        let root = folder.path().join(deep);
        fs::create_dir_all(&root).unwrap();
        write(folder.path(), "outside/kept", b"kept");
        let absolute = folder.path().join("outside/x");
        let absolute = absolute.to_str().unwrap();
        bucket.set(absolute.as_bytes(), b"hostile").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(folder.path().join("outside"), root.join("link")).unwrap();
            symlink(folder.path().join("outside/made"), root.join("dangling")).unwrap();
            symlink("..", root.join("up")).unwrap();
            fs::create_dir(root.join("b")).unwrap();
            symlink(folder.path().join("outside"), root.join("b/link")).unwrap();
        }
        let outside = |(path, _): &(PathBuf, Vec<u8>)| !path.starts_with(deep);
        let before: Vec<_> = tree(folder.path()).into_iter().filter(outside).collect();
        let report = export(&bucket, &root, &ExportOptions::new().overwrite(overwrites));
        let after: Vec<_> = tree(folder.path()).into_iter().filter(outside).collect();
        assert_eq!(after, before);
        assert!(
            report.files > 20 && report.missing_count > 200,
            "{report:?}"
        );
        let skipped = reasons(&report);
        for key in ["../x", absolute, "a/../../x", "/", "", ".."] {
            assert_eq!(skipped[key], "Name", "{key}");
        }
        // What was written is what was counted, the links aside that were taken by a key's own file.
        let written = tree(&root)
            .into_values()
            .filter(|value| value == b"hostile");
        assert_eq!(u64::try_from(written.count()).unwrap(), report.files);
    }
}
