//! The demonstration's native face, and the check that other faces' files hold the same: one line of JSON each.
//!
//! Keys are the paths of the files below the folder, with slashes. A difference is a failure, never a figure.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;
use tailstone::{DataStore, DataStoreReader, DataStoreWriter};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str =
    "usage: native-demo FOLDER STORE\n       native-demo --compare STORE FOLDER [PREFIX [BUCKET]]";

/// A file of the folder.
struct Source {
    key: String,
    path: PathBuf,
}

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match args.as_slice() {
        [word, store, folder] if word == "--compare" => compare(store, folder, "", None),
        [word, store, folder, prefix] if word == "--compare" => {
            compare(store, folder, &prefix.to_string_lossy(), None)
        }
        [word, store, folder, prefix, bucket] if word == "--compare" => {
            let bucket = bucket.to_string_lossy();
            compare(store, folder, &prefix.to_string_lossy(), Some(&bucket))
        }
        [folder, store] if folder != "--compare" => demonstrate(folder, store),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Stores every file of `folder` in a new store, opens that again and compares each value with its file.
///
/// The clock runs while the engine works, not while the files are read.
fn demonstrate(folder: impl AsRef<Path>, store: impl AsRef<Path>) -> Result<serde_json::Value> {
    let path = store.as_ref();
    let sources = sources(folder.as_ref())?;
    let put = store_all(&sources, path)?;
    let checked = check_all(&sources, path, "", None)?;
    if checked.keys != sources.len() {
        let (files, keys) = (sources.len(), checked.keys);
        return Err(format!("{files} files were stored, {keys} keys are there").into());
    }
    Ok(json!({
        "files": sources.len(),
        "bytes": checked.bytes,
        "put_ms": millis(put),
        "get_ms": millis(checked.spent),
        "verified": true,
        "store_bytes": fs::metadata(path)?.len(),
    }))
}

/// Compares each file of `folder` with what a store from anywhere has under its path, `prefix` before it, in `bucket` or among
/// the plain entries.
fn compare(
    store: impl AsRef<Path>,
    folder: impl AsRef<Path>,
    prefix: &str,
    bucket: Option<&str>,
) -> Result<serde_json::Value> {
    let path = store.as_ref();
    let sources = sources(folder.as_ref())?;
    let checked = check_all(&sources, path, prefix, bucket)?;
    Ok(json!({
        "store": path.to_string_lossy(),
        "files": sources.len(),
        "bytes": checked.bytes,
        "identical": true,
    }))
}

/// The time until everything is on stable storage.
fn store_all(sources: &[Source], path: &Path) -> Result<Duration> {
    let mut spent = Duration::ZERO;
    let store = DataStore::options().create_new(true).open(path)?;
    for source in sources {
        let bytes = contents(source)?;
        let begun = Instant::now();
        store
            .write(source.key.as_bytes(), &bytes)
            .map_err(|error| format!("could not store {}: {error}", source.key))?;
        spent += begun.elapsed();
    }
    let begun = Instant::now();
    store.close()?;
    Ok(spent + begun.elapsed())
}

/// What came of reading a store.
struct Checked {
    keys: usize,
    bytes: u64,
    spent: Duration,
}

fn check_all(
    sources: &[Source],
    path: &Path,
    prefix: &str,
    bucket: Option<&str>,
) -> Result<Checked> {
    let begun = Instant::now();
    let store = DataStore::options()
        .read_only(true)
        .create(false)
        .open(path)?;
    let bucket = bucket.map(|name| store.bucket(name)).transpose()?;
    let mut checked = Checked {
        keys: store.len()?,
        bytes: 0,
        spent: begun.elapsed(),
    };
    for source in sources {
        let bytes = contents(source)?;
        let key = format!("{prefix}{}", source.key);
        let begun = Instant::now();
        // The comparison is part of the time: a value is a view of the file, whose pages are read when somebody looks at them.
        let found = match &bucket {
            Some(bucket) => bucket.get(key.as_bytes())?.map(|value| *value == *bytes),
            None => store.read(key.as_bytes())?.map(|value| value == bytes),
        };
        checked.spent += begun.elapsed();
        if found != Some(true) {
            let what = if found.is_some() {
                "another value"
            } else {
                "nothing"
            };
            return Err(format!("{} has {what} under {key}", path.display()).into());
        }
        checked.bytes += u64::try_from(bytes.len())?;
    }
    Ok(checked)
}

/// Every file below `folder` that a plain entry can hold: not the empty ones and not the single zero byte.
fn sources(folder: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((current, prefix)) = folders.pop() {
        let entries = fs::read_dir(&current)
            .map_err(|error| format!("could not list {}: {error}", current.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(
                    format!("the name of {} is not Unicode", entry.path().display()).into(),
                );
            };
            let (path, key) = (entry.path(), format!("{prefix}{name}"));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push((path, format!("{key}/")));
            } else if kind.is_file() {
                sources.push(Source { key, path });
            }
        }
    }
    let mut kept = Vec::with_capacity(sources.len());
    for source in sources {
        let is_short = fs::metadata(&source.path)?.len() <= 1;
        if !is_short || !matches!(contents(&source)?.as_slice(), [] | [0]) {
            kept.push(source);
        }
    }
    if kept.is_empty() {
        return Err(format!("{} has no file to store", folder.display()).into());
    }
    kept.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(kept)
}

fn contents(source: &Source) -> Result<Vec<u8>> {
    Ok(fs::read(&source.path)
        .map_err(|error| format!("could not read {}: {error}", source.path.display()))?)
}

/// Milliseconds with three places.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{DataStore, compare, demonstrate};

    #[test]
    fn what_is_stored_compares_and_what_changed_does_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("files");
        fs::create_dir_all(folder.join("deeper")).unwrap();
        fs::write(folder.join("a.txt"), "one").unwrap();
        fs::write(folder.join("deeper/b.bin"), [7; 5000]).unwrap();
        fs::write(folder.join("empty"), "").unwrap();
        fs::write(folder.join("zero"), [0]).unwrap();
        let store = place.path().join("files.tsl");

        let line = demonstrate(&folder, &store).unwrap();
        assert_eq!(line["files"], 2);
        assert_eq!(line["bytes"], 5003);
        assert_eq!(line["store_bytes"], fs::metadata(&store).unwrap().len());
        assert_eq!(compare(&store, &folder, "", None).unwrap()["files"], 2);

        // In a bucket there is something else again.
        assert!(compare(&store, &folder, "", Some("files")).is_err());
        let filled = DataStore::open(&store).unwrap();
        let files = filled.bucket("files").unwrap();
        files.set(b"in/a.txt", b"one").unwrap();
        files.set(b"in/deeper/b.bin", &[7; 5000]).unwrap();
        filled.close().unwrap();
        assert_eq!(
            compare(&store, &folder, "in/", Some("files")).unwrap()["files"],
            2
        );

        // Nothing is there under other names, and a changed byte is seen.
        assert!(compare(&store, &folder, "elsewhere/", None).is_err());
        fs::write(folder.join("a.txt"), "two").unwrap();
        assert!(compare(&store, &folder, "", None).is_err());
    }
}
