//! Values of 1 MiB that come from a file and go into one, of this store, whose streams hold no value in memory of the caller's.

use super::loading::in_folder;
use super::{Job, count_of};
use crate::data::{self, Values};
use crate::engines::TAILSTONE_FILE;
use crate::measured::{Rows, timed};
use crate::peer::Outcome;
use std::fs::File;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use tailstone::{DataStore, DataStoreReader, DataStoreWriter, EntryStream};

const BYTES: u64 = 1 << 20;

/// Makes a file that holds the values behind each other, and says how many.
pub fn source(job: &Job<'_>, folder: &Path) -> Outcome<(PathBuf, u64)> {
    let (path, count) = (folder.join("source"), count_of(job, BYTES));
    let mut values = Values::new(usize::try_from(BYTES)?);
    let mut file = File::create(&path)?;
    for record in 0..count {
        file.write_all(values.of(record))?;
    }
    file.sync_all()?;
    Ok((path, count))
}

/// Whether two files hold the same.
pub fn same(left: &Path, right: &Path) -> Outcome {
    if std::fs::read(left)? == std::fs::read(right)? {
        return Ok(());
    }
    Err("what came out is not what went in".into())
}

/// Copies by calls of `read` and `write` of 1 MiB.
pub fn in_pieces(mut source: impl Read, mut target: impl Write) -> Outcome {
    let mut buffer = vec![0; usize::try_from(BYTES)?];
    loop {
        let read = source.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(piece) if read > 0 => target.write_all(piece)?,
            _ => return Ok(()),
        }
    }
}

/// In by `write_stream` and by `write_sized`, out by a stream.
pub fn run(job: &Job<'_>) -> Outcome<Rows> {
    if job.home != "tailstone" {
        return Ok(Rows::new());
    }
    in_folder(&job.scratch(), |folder| {
        let (source, count) = source(job, folder)?;
        let store = DataStore::open(&folder.join(TAILSTONE_FILE))?;
        let written = timed(count, || {
            let file = File::open(&source)?;
            for record in 0..count {
                store.write_stream(&data::key(record), &mut (&file).take(BYTES))?;
            }
            Ok(())
        })?;
        let sized = DataStore::open(&folder.join("sized.tsl"))?;
        let written_sized = timed(count, || {
            let mut file = File::open(&source)?;
            for record in 0..count {
                sized.write_sized(&data::key(record), BYTES, &mut file)?;
            }
            Ok(())
        })?;
        let target = folder.join("target");
        let read = timed(count, || {
            let mut file = File::create(&target)?;
            for record in 0..count {
                let value = store.read(&data::key(record))?.ok_or("a lost value")?;
                let mut stream = EntryStream::from(value);
                while let piece = stream.fill_buf()?
                    && !piece.is_empty()
                {
                    let length = piece.len();
                    file.write_all(piece)?;
                    stream.consume(length);
                }
            }
            Ok(())
        })?;
        same(&source, &target)?;
        store.close()?;
        sized.close()?;
        Ok(vec![
            ("stream-write".to_owned(), written),
            ("stream-write-sized".to_owned(), written_sized),
            ("stream-read".to_owned(), read),
        ])
    })
}
