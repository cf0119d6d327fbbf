//! Time travel: a store never rewrites what is in it, so it still has what was there before.
//!
//! `cargo run --example time_travel`

use std::collections::BTreeMap;
use std::error::Error;

use tailstone::{Batch, DataStore, DataStoreReader, DataStoreWriter, MemoryStore, Version};

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
        println!(
            "{name:>8} at {moment:>4}: {} keys",
            then.iter_entries().count()
        );
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

    // The past lasts until a compaction, which keeps one version of each key and begins the tails anew, so tails of before are
    // worth nothing after it. A view that is held keeps its own bytes alive.
    let then = store.as_of(opened)?;
    store.compact()?;
    assert_eq!(store.history(b"ada").count(), 1);
    assert!(store.as_of(paid).is_err());
    assert_eq!(then.read(b"ada")?.as_deref(), Some(&b"100"[..]));
    store.close()?;
    feed()
}

/// The same log read forwards is a feed: whoever keeps the tail up to which they have seen it asks for what came after. Here a
/// map follows a bucket, whose entries carry their keys; it might as well be a search index or a copy on another machine.
fn feed() -> Result<(), Box<dyn Error>> {
    let store = MemoryStore::new();
    let stock = store.bucket("stock")?;
    let mut seen = 0;
    let mut copy = BTreeMap::new();

    for day in 1..=3 {
        stock.set(b"apples", format!("{day}0 kg").as_bytes())?;
        stock.set(format!("delivery {day}").as_bytes(), b"")?;
        if day == 3 {
            stock.delete(b"delivery 1")?;
        }
        let mut news = 0;
        loop {
            let page = stock.changes(seen, 2)?;
            for change in &page.changes {
                news += 1;
                let key = change.key().ok_or("a change of no key")?.to_vec();
                if change.is_deletion() {
                    copy.remove(&key);
                } else {
                    let value = change.value()?.ok_or("a change without a value")?;
                    copy.insert(key, value.to_vec());
                }
            }
            // To be kept beside the copy, so that a restart goes on from here.
            seen = page.tail;
            if page.is_last {
                break;
            }
        }
        println!("day {day}: {news} changes up to {seen}");
        assert_eq!(news, if day == 3 { 3 } else { 2 });
    }

    // The copy has what the bucket has.
    let keys = stock.iter_keys(b"").collect::<Result<Vec<_>, _>>()?;
    assert!(keys.iter().eq(copy.keys()));
    for (key, value) in &copy {
        assert_eq!(stock.get(key)?.as_deref(), Some(value.as_slice()));
    }
    assert_eq!(copy.len(), 3);
    Ok(())
}

fn amount(value: Option<&[u8]>) -> Result<u32, Box<dyn Error>> {
    Ok(std::str::from_utf8(value.ok_or("no account")?)?.parse()?)
}
