//! Values that arrive piece by piece: gathered out of everybody's way, then appended in one go.
//!
//! The writer lock is taken when the value is whole, so a slow source stalls nobody.

use super::Store;
use super::append::APPEND;
use super::plan::{Appended, Planned};
use crate::backing::{Backing, Spool};
use crate::error::{Error, Result};
use crate::format::{METADATA_SIZE, compute_hash};
use std::io::{self, Read, SeekFrom, Write};

/// Bytes of a stream that are kept in memory; what is longer is spooled where the backing has a place for it.
pub const STREAM_BUFFER_BYTES: usize = 1 << 20;
/// Bytes that go from a spool to the store at once.
const SPOOLED_PIECE: usize = STREAM_BUFFER_BYTES / 8;

/// A value being written piece by piece; [`finish`](Self::finish) stores it, dropping it leaves no trace.
///
/// Memory stays at [`STREAM_BUFFER_BYTES`] and an eighth of that for stores in files. A backing that has no second place to write to (memory, a
/// bare device) keeps the whole value in memory until then.
pub struct EntryWriter<'s, B: Backing> {
    store: &'s Store<B>,
    key_hash: u64,
    digest: Digest,
    buffer: Vec<u8>,
    spool: Option<Box<dyn Spool>>,
    /// Set when the backing was asked for a spool and had none.
    memory_only: bool,
}

/// What the metadata and the checks need to know of a stream.
#[derive(Default)]
pub(crate) struct Digest {
    crc: crate::kernels::crc32::Hasher,
    len: u64,
    has_content: bool,
}

impl Digest {
    fn update(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.len = self
            .len
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.has_content = self.has_content || bytes.iter().any(|byte| *byte != 0);
    }

    /// Refuses what a stream cannot store.
    pub(crate) const fn check(&self) -> Result<()> {
        match (self.len, self.has_content) {
            (0, _) => Err(Error::EmptyPayload),
            (_, false) => Err(Error::ReservedPayload),
            _ => Ok(()),
        }
    }

    /// Refuses what no plain entry can hold.
    #[cfg(any(unix, windows))]
    const fn check_whole(&self) -> Result<()> {
        match (self.len, self.has_content) {
            (2.., _) => Ok(()),
            _ => self.check(),
        }
    }

    fn checksum(&self) -> [u8; 4] {
        self.crc.clone().finalize().to_le_bytes()
    }
}

impl<B: Backing> Store<B> {
    /// A writer for the value of `key`, visible once it is finished.
    pub fn entry_writer(&self, key: &[u8]) -> EntryWriter<'_, B> {
        self.entry_writer_with_key_hash(compute_hash(key))
    }

    /// A writer for the value of the key that hashes to `key_hash`.
    pub fn entry_writer_with_key_hash(&self, key_hash: u64) -> EntryWriter<'_, B> {
        EntryWriter {
            store: self,
            key_hash,
            digest: Digest::default(),
            buffer: Vec::new(),
            spool: None,
            memory_only: false,
        }
    }

    /// Stores `len` bytes of `source` as the value of `key`, straight into the store: for what is at hand, such as a
    /// file. Other writers wait meanwhile, and `source` must not write to this store.
    ///
    /// Fails with `UnexpectedEof`, nothing visible, if `source` ends before that.
    pub fn write_sized(&self, key: &[u8], len: u64, source: &mut impl Read) -> Result<u64> {
        self.write_sized_if(compute_hash(key), len, source, || Ok(()))
    }

    /// The same for a key hash, if nothing speaks against it once it is this writer's turn.
    pub(crate) fn write_sized_if(
        &self,
        key_hash: u64,
        len: u64,
        source: &mut impl Read,
        check: impl FnOnce() -> Result<()>,
    ) -> Result<u64> {
        self.append_sized(key_hash, len, source, check, Digest::check)
    }

    /// The same for a file that lies there whole: as of other values that are written at once, zeros are values, but for a single one.
    #[cfg(any(unix, windows))]
    pub(crate) fn write_file(&self, key: &[u8], len: u64, source: &mut impl Read) -> Result<u64> {
        self.append_sized(
            compute_hash(key),
            len,
            source,
            || Ok(()),
            Digest::check_whole,
        )
    }

    /// Appends `len` bytes of `source` as one value, if `judge` finds nothing wrong with it, and publishes it.
    fn append_sized(
        &self,
        key_hash: u64,
        len: u64,
        source: &mut impl Read,
        check: impl FnOnce() -> Result<()>,
        judge: impl FnOnce(&Digest) -> Result<()>,
    ) -> Result<u64> {
        let mut writer = self.lock_writer();
        self.check_writable()?;
        check()?;
        let generation = self.current.load();
        let tail = generation.tail();
        // The checksum comes last in the file, so it can be filled in when the value has gone by.
        let draft = Planned::new(tail, key_hash, len, [0; 4])?;
        let mut appended = Appended::default();
        self.append_or_cut(&mut writer, &generation, || {
            let mut digest = Digest::default();
            let mut at = append(&generation.backing, tail, &[draft.pad()])?;
            let mut buffer =
                vec![0; STREAM_BUFFER_BYTES.min(usize::try_from(len).unwrap_or(usize::MAX))];
            while digest.len < len {
                let left = usize::try_from(len - digest.len).unwrap_or(usize::MAX);
                let most = left.min(buffer.len());
                let piece = buffer.get_mut(..most).unwrap_or_default();
                // Each of its reads may be a call into another world, so it is asked for as much as there is room.
                source.read_exact(piece).map_err(Error::io(SOURCE))?;
                digest.update(piece);
                at = append(&generation.backing, at, &[piece])?;
            }
            judge(&digest)?;
            let planned = Planned::new(tail, key_hash, len, digest.checksum())?;
            appended.add(&generation, &planned)?;
            append(&generation.backing, at, &[&planned.trailer()])
        })?;
        self.settle(&mut writer, &generation, &appended)
    }
}

const SOURCE: &str = "read the source of a value";
const SPOOL: &str = "spool a value";

/// Writes `parts` at `at` and returns where they end.
fn append<B: Backing>(backing: &B, at: u64, parts: &[&[u8]]) -> Result<u64> {
    backing.write(at, parts).map_err(Error::io(APPEND))?;
    Ok(parts.iter().fold(at, |at, part| {
        at.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX))
    }))
}

impl<B: Backing> EntryWriter<'_, B> {
    /// Stores what was written as the value and returns the store's new tail.
    ///
    /// An empty value and one of zeros alone are refused: [`Error::EmptyPayload`], [`Error::ReservedPayload`].
    pub fn finish(self) -> Result<u64> {
        self.finish_if(|| Ok(()))
    }

    /// The same, if nothing speaks against it once it is this writer's turn.
    pub(crate) fn finish_if(mut self, check: impl FnOnce() -> Result<()>) -> Result<u64> {
        self.digest.check()?;
        if let Some(spool) = &mut self.spool {
            spool.seek(SeekFrom::Start(0)).map_err(Error::io(SPOOL))?;
        }
        let mut writer = self.store.lock_writer();
        self.store.check_writable()?;
        check()?;
        let generation = self.store.current.load();
        let tail = generation.tail();
        let planned = Planned::new(tail, self.key_hash, self.digest.len, self.digest.checksum())?;
        let mut appended = Appended::default();
        appended.add(&generation, &planned)?;
        let store = self.store;
        store.append_or_cut(&mut writer, &generation, || {
            self.append_to(&generation.backing, tail, &planned)
        })?;
        self.store.settle(&mut writer, &generation, &appended)
    }

    /// Puts the entry, whose value was gathered, behind `tail`.
    fn append_to(&mut self, backing: &B, tail: u64, planned: &Planned) -> Result<()> {
        let Some(spool) = &mut self.spool else {
            append(
                backing,
                tail,
                &[planned.pad(), &self.buffer, &planned.trailer()],
            )?;
            return Ok(());
        };
        let mut at = append(backing, tail, &[planned.pad()])?;
        let mut piece = Vec::with_capacity(SPOOLED_PIECE);
        loop {
            piece.clear();
            spool
                .take(SPOOLED_PIECE as u64)
                .read_to_end(&mut piece)
                .map_err(Error::io(SPOOL))?;
            if piece.is_empty() {
                break;
            }
            at = append(backing, at, &[&piece])?;
        }
        at = append(backing, at, &[&self.buffer])?;
        if at.checked_add(METADATA_SIZE) != Some(planned.end()) {
            return Err(Error::Io {
                doing: SPOOL,
                source: io::ErrorKind::UnexpectedEof.into(),
            });
        }
        append(backing, at, &[&planned.trailer()])?;
        Ok(())
    }

    /// Takes all of `source`, without a copy before the buffer.
    pub(crate) fn fill_from(&mut self, source: &mut impl Read) -> Result<()> {
        loop {
            // Whether there is more than the buffer holds is known once there is a byte of it.
            let mut next = [0];
            if self.is_full() {
                let got = read_some(source, &mut next).map_err(Error::io(SOURCE))?;
                if got == 0 {
                    return Ok(());
                }
                self.write_all(&next).map_err(Error::io(SPOOL))?;
            }
            // What has no other place than memory stays in the buffer, and is still taken in large pieces.
            let room = match STREAM_BUFFER_BYTES.checked_sub(self.buffer.len()) {
                Some(room) if room > 0 => room,
                _ => STREAM_BUFFER_BYTES,
            };
            let before = self.buffer.len();
            let got = source
                .take(room as u64)
                .read_to_end(&mut self.buffer)
                .map_err(Error::io(SOURCE))?;
            if got == 0 {
                return Ok(());
            }
            self.digest.update(self.buffer.get(before..).unwrap_or(&[]));
        }
    }

    /// Whether what comes next has no room in the buffer, and may have another.
    const fn is_full(&self) -> bool {
        self.buffer.len() >= STREAM_BUFFER_BYTES && !self.memory_only
    }

    /// Moves a full buffer to the spool, if there is a place for one.
    fn make_room(&mut self) -> io::Result<()> {
        if !self.is_full() {
            return Ok(());
        }
        if self.spool.is_none() {
            self.spool = self.store.current.load().backing.spool()?;
            self.memory_only = self.spool.is_none();
        }
        if let Some(spool) = &mut self.spool {
            spool.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// At least one byte, or none at the end.
fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

impl<B: Backing> Write for EntryWriter<'_, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.make_room()?;
        let room = STREAM_BUFFER_BYTES.saturating_sub(self.buffer.len());
        let taken = if self.memory_only {
            bytes
        } else {
            bytes.get(..room).unwrap_or(bytes)
        };
        self.buffer.extend_from_slice(taken);
        self.digest.update(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<B: Backing> std::fmt::Debug for EntryWriter<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryWriter")
            .field("length", &self.digest.len)
            .finish_non_exhaustive()
    }
}
