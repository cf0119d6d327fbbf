//! Test material: files built by the format, a backing over a vector, pseudo-random bytes.

use super::recover::{Step, recover};
use super::report::RecoveryReport;
use crate::Result;
use crate::backing::Backing;
use crate::format::{EntryMetadata, compute_checksum, pre_pad};
use std::cell::Cell;
use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What recovery finds: the ends of the entries, oldest first.
pub(super) fn open(bytes: &[u8]) -> Result<(RecoveryReport, Vec<u64>)> {
    let mut ends = Vec::new();
    let report = recover(&Bytes::new(bytes.to_vec()), |step| {
        match step {
            Step::Entry(entry) => ends.push(entry.end()),
            Step::Again => ends.clear(),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    assert_eq!(report.entries, ends.len() as u64);
    assert_eq!(ends.first().copied().unwrap_or(0), report.tail);
    ends.reverse();
    Ok((report, ends))
}

/// A file under construction, and where each of its entries ends.
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    pub(super) ends: Vec<u64>,
}

impl Sample {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn tail(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(super) fn put(&mut self, key_hash: u64, payload: &[u8]) {
        let prev = self.tail();
        self.bytes.extend(pre_pad(prev));
        self.finish(key_hash, prev, payload);
    }

    pub(super) fn delete(&mut self, key_hash: u64) {
        self.finish(key_hash, self.tail(), &[0]);
    }

    fn finish(&mut self, key_hash: u64, prev: u64, payload: &[u8]) {
        self.bytes.extend(payload);
        self.bytes
            .extend(EntryMetadata::new(key_hash, prev, compute_checksum(payload)).serialize());
        self.ends.push(self.tail());
    }

    /// Tombstones, long and short values, zeros, small integers, a store within the store, a copy of its own start.
    pub(super) fn mixed() -> Self {
        let mut random = Random::new(3);
        let mut sample = Self::new();
        sample.put(1, b"world!");
        sample.put(2, &[0; 90]);
        sample.delete(1);
        sample.delete(2);
        sample.put(3, &random.bytes(150));
        let mut nested = Self::new();
        for key in 1..5 {
            nested.put(key, &random.bytes(30));
        }
        nested.delete(2);
        sample.put(4, &nested.bytes);
        sample.put(5, &[0, 0]);
        let integers: Vec<u8> = (0..40_u64)
            .flat_map(|i| (i * 7 % 90).to_le_bytes())
            .collect();
        sample.put(6, &integers);
        let own_start = sample.bytes.clone();
        sample.put(7, &own_start);
        let tails: Vec<u8> = sample
            .ends
            .iter()
            .flat_map(|end| end.to_le_bytes())
            .collect();
        sample.put(3, &tails);
        sample.delete(4);
        sample.put(8, &[0; 130]);
        sample.put(9, &random.bytes(64));
        sample
    }
}

/// A backing over a vector that counts its reads and may fail at one of them.
pub(super) struct Bytes {
    content: Arc<[u8]>,
    reads: Cell<u64>,
    fails_at: Option<u64>,
}

impl Bytes {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            content: bytes.into(),
            reads: Cell::new(0),
            fails_at: None,
        }
    }

    pub(super) fn failing(bytes: Vec<u8>, fails_at: u64) -> Self {
        Self {
            fails_at: Some(fails_at),
            ..Self::new(bytes)
        }
    }

    pub(super) fn reads(&self) -> u64 {
        self.reads.get()
    }

    fn range(&self, range: &Range<u64>) -> io::Result<Range<usize>> {
        let read = self.reads.replace(self.reads.get() + 1);
        if self.fails_at == Some(read) {
            return Err(io::Error::other("a fault for the test"));
        }
        assert!(range.start <= range.end, "{range:?}");
        if range.end > self.content.len() as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
    }
}

/// A shared view of part of the vector.
#[derive(Clone)]
pub(super) struct Part(Arc<[u8]>, Range<usize>);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.0[self.1.clone()]
    }
}

impl Backing for Bytes {
    type View = Part;

    fn len(&self) -> io::Result<u64> {
        Ok(self.content.len() as u64)
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        let range = self.range(&(at..at + buf.len() as u64))?;
        buf.copy_from_slice(&self.content[range]);
        Ok(())
    }

    fn view(&self, range: Range<u64>) -> io::Result<Part> {
        Ok(Part(Arc::clone(&self.content), self.range(&range)?))
    }

    fn write(&self, _: u64, _: &[&[u8]]) -> io::Result<()> {
        panic!("recovery never writes");
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        panic!("recovery never truncates");
    }

    fn sync(&self) -> io::Result<()> {
        panic!("recovery never syncs");
    }
}

/// A backing that several threads may read.
pub(super) struct Shared(pub(super) Arc<[u8]>);

impl Backing for Shared {
    type View = Part;

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        let view = self.view(at..at + buf.len() as u64)?;
        buf.copy_from_slice(view.as_ref());
        Ok(())
    }

    fn view(&self, range: Range<u64>) -> io::Result<Part> {
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        Ok(Part(Arc::clone(&self.0), range))
    }

    fn write(&self, _: u64, _: &[&[u8]]) -> io::Result<()> {
        panic!("recovery never writes");
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        panic!("recovery never truncates");
    }

    fn sync(&self) -> io::Result<()> {
        panic!("recovery never syncs");
    }
}

/// Splitmix64: reproducible bytes from a seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes())
            .flatten()
            .take(length)
            .collect()
    }
}
