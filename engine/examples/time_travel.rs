//! Time travel: a store never rewrites what is in it, so it still has what was there before.
//!
//! `cargo run --example time_travel`

use std::error::Error;

use tailstone::{Batch, DataStore, DataStoreReader, DataStoreWriter, Version};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let store = DataStore::open(&folder.path().join("accounts.tsl"))?;

    // Two accounts, and what happens to them. Every write returns the tail, which is a moment in the life of the store: the
    // names of moments cost nothing, so they can be kept with a log line, an audit record, a report.
    store.write(b"ada", b"100")?;
    let opened = store.write(b"alan", b"50")?;
    let paid = store.commit(
        Batch::new()
            .put(b"ada", &b"70"[..])
            .put(b"alan", &b"80"[..]),
    )?;
    let closed = store.delete(b"alan")?;
    store.write(b"ada", b"75")?;

    // The store as it was at each of them. A view is cheap to have and reads like the store; what has changed since is looked for
    // along the chain of entries.
    for (name, moment, ada, alan) in [
        ("opened", opened, &b"100"[..], Some(&b"50"[..])),
        ("paid", paid, b"70", Some(b"80")),
        ("closed", closed, b"70", None),
    ] {
        let then = store.as_of(moment)?;
        let (was_ada, was_alan) = (then.read(b"ada")?, then.read(b"alan")?);
        assert_eq!(was_ada.as_deref(), Some(ada), "{name}");
        assert_eq!(was_alan.as_deref(), alan, "{name}");
        println!("{name:>8} at {moment:>4}: {} keys", then.len()?);
    }

    // A payment changed both accounts together: there is no moment with one half of it. The offset at which its entries begin is
    // the moment before, and anything in between is no tail.
    let sums: Vec<u32> = [opened, paid]
        .into_iter()
        .map(|moment| -> Result<u32, Box<dyn Error>> {
            let then = store.as_of(moment)?;
            Ok(amount(then.read(b"ada")?.as_deref())? + amount(then.read(b"alan")?.as_deref())?)
        })
        .collect::<Result<_, _>>()?;
    assert_eq!(sums, [150, 150]);
    assert!(store.as_of(paid - 1).is_err());

    // Every version of one key, newest first, deletions included.
    let versions: Vec<Version> = store.history(b"alan").collect::<Result<_, _>>()?;
    for version in &versions {
        match version.value() {
            Some(value) => println!(
                "alan had {} from {} on",
                String::from_utf8_lossy(value),
                version.tail()
            ),
            None => println!("alan was closed at {}", version.tail()),
        }
    }
    assert_eq!(versions.len(), 3);
    assert!(versions.first().is_some_and(Version::is_deletion));

    // Closing the account was a mistake: what was there right before goes back in, without a backup.
    let deletion = versions.first().ok_or("no version")?;
    let before = store.as_of(deletion.offset())?.read(b"alan")?;
    store.write(b"alan", &before.ok_or("there was nothing before")?)?;
    assert_eq!(store.read(b"alan")?.as_deref(), Some(&b"80"[..]));

    // The past lasts until a compaction, which keeps one version of each key. A view that is held keeps its own bytes alive.
    let then = store.as_of(opened)?;
    store.compact()?;
    assert_eq!(store.history(b"ada").count(), 1);
    assert!(store.as_of(opened).is_err());
    assert_eq!(then.read(b"ada")?.as_deref(), Some(&b"100"[..]));
    store.close()?;
    Ok(())
}

fn amount(value: Option<&[u8]>) -> Result<u32, Box<dyn Error>> {
    Ok(std::str::from_utf8(value.ok_or("no account")?)?.parse()?)
}
