//! First steps: a store, its values where they lie, and what is left after a crash.
//!
//! `cargo run --example first_steps`

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};

use tailstone::{DataStore, DataStoreReader, DataStoreWriter, EntryStream};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.tsl");

    // A store is one file. Opening creates it; whoever opens it while we have it gets `Error::Locked`.
    let store = DataStore::open(&path)?;
    assert!(DataStore::open(&path).is_err());

    // Keys and values are bytes. A write appends, and every write returns the tail: the length of the store after it.
    store.write(b"greeting", b"good morning")?;
    let tail = store.write(b"greeting", b"good evening")?;
    assert_eq!(tail, store.tail());

    // What is read is no copy: it is the value where it lies in the mapped file, and stays valid and the same through
    // later writes, through compaction, even after the store is gone.
    let greeting = store.read(b"greeting")?.ok_or("there is no greeting")?;
    store.write(b"greeting", b"good night")?;
    assert_eq!(&*greeting, b"good evening");

    // Several entries in one append cost little more than one.
    let fruit: Vec<_> = (0..1000)
        .map(|n| (format!("fruit {n}"), format!("apple {n}")))
        .collect();
    let entries: Vec<(&[u8], &[u8])> = fruit
        .iter()
        .map(|(key, value)| (key.as_bytes(), value.as_bytes()))
        .collect();
    store.batch_write(&entries)?;
    assert_eq!(store.len()?, 1001);

    // A reader is for hot loops: no lock, no counter, no allocation on the way of its reads. It sees what others write.
    let mut reader = store.reader();
    assert_eq!(reader.get(b"fruit 7"), Some(&b"apple 7"[..]));
    assert_eq!(reader.get(b"fruit 1000"), None);

    // What is too long for memory goes in and out as a stream.
    let mut source = std::io::repeat(b'z').take(5_000_000);
    store.write_stream(b"long", &mut source)?;
    let long = store.read(b"long")?.ok_or("the stream is not there")?;
    let mut stream = EntryStream::from(long);
    let mut first = [0; 4];
    stream.read_exact(&mut first)?;
    assert_eq!(&first, b"zzzz");

    // Keys get other names, and go. Deleting what is not there appends nothing.
    store.rename(b"fruit 7", b"favourite")?;
    store.delete(b"long")?;
    let before = store.tail();
    store.delete(b"long")?;
    assert_eq!(store.tail(), before);

    // The bytes of what was overwritten or deleted are still in the file, until it is compacted: beneath readers and
    // writers, who go on.
    println!(
        "before compaction: {} bytes, {} of them to save",
        store.file_size()?,
        store.stats().compaction_savings
    );
    store.compact()?;
    println!(
        "after it: {} bytes for {} keys",
        store.file_size()?,
        store.len()?
    );
    assert!(store.tail() < before);
    // A reader stays with the bytes of before until it is told otherwise.
    assert_eq!(reader.get(b"favourite"), Some(&b"apple 7"[..]));
    assert!(reader.refresh(&store));
    assert_eq!(reader.get(b"favourite"), Some(&b"apple 7"[..]));

    // Closing syncs and reports what dropping could not. A reader holds on to the file, so it goes first.
    drop(reader);
    store.close()?;

    // A crash in the middle of a write leaves the beginning of an entry at the end of the file. Opening cuts it off and says so;
    // everything before is there. A file with damage in its middle is refused instead, and `salvage` rescues the rest.
    let whole = fs::metadata(&path)?.len();
    File::options()
        .append(true)
        .open(&path)?
        .write_all(b"half of an ent")?;
    let store = DataStore::open(&path)?;
    println!("after a torn write: {}", store.recovery_report());
    assert_eq!(store.tail(), whole);
    let favourite = store.read(b"favourite")?.ok_or("the favourite is gone")?;
    assert_eq!(&*favourite, b"apple 7");
    Ok(())
}
