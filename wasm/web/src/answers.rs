//! Answers as they lie in memory: one after the other, each a header of two words and what belongs to its kind.
//!
//! Invariant: between two calls there are only whole answers, each starting at a multiple of four.

use crate::failure::{Code, Description};
use crate::number;
use crate::version::Version;

const DONE: u32 = 0;
const NONE: u32 = 1;
const VALUE: u32 = 2;
const NUMBER: u32 = 3;
const ERROR: u32 = 4;
const EXTENT: u32 = 5;
const VERSIONED: u32 = 6;
const PAGE: u32 = 7;
const LIST: u32 = 8;

/// How an entry of a page says that it has no value with it, has one, or has one that is asked for by itself.
pub const KEY_ALONE: u32 = 0;
pub const KEY_WITH_VALUE: u32 = VALUE;
pub const KEY_OF_LONG_VALUE: u32 = EXTENT;

/// In the place of a cursor's length: there is none.
const NO_CURSOR: u32 = u32::MAX;

/// Answers in memory that is used again.
#[derive(Debug, Default)]
pub struct Answers {
    bytes: Vec<u8>,
    extents: u32,
    refused: u32,
}

/// One entry of a [list](Answers::list).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Listed {
    pub tail: u64,
    pub size: u64,
    pub is_deletion: bool,
}

impl Answers {
    /// Without answers; what is kept of the memory depends on what it held last.
    pub fn clear(&mut self) {
        let used = self.bytes.len();
        self.bytes.clear();
        if self.bytes.capacity() > crate::KEPT_BYTES && used < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(crate::KEPT_BYTES);
        }
        self.extents = 0;
        self.refused = 0;
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many extents are among the answers.
    pub const fn extents(&self) -> u32 {
        self.extents
    }

    /// How many of the answers say that there was no space.
    pub const fn refused(&self) -> u32 {
        self.refused
    }

    pub fn done(&mut self) {
        self.open(DONE).close();
    }

    pub fn none(&mut self) {
        self.open(NONE).close();
    }

    pub fn number(&mut self, number: u64) {
        let mut answer = self.open(NUMBER);
        answer.float(number);
        answer.close();
    }

    pub fn error(&mut self, error: &Description) {
        if matches!(error.code, Code::Quota) {
            self.refused = self.refused.saturating_add(1);
        }
        let mut answer = self.open(ERROR);
        answer.word(error.code as u32);
        for text in [&error.message, &error.cause_name, &error.cause_message] {
            answer.length(text.len());
            answer.push(text.as_bytes());
        }
        answer.close();
    }

    pub fn extent(&mut self, offset: u64, length: u64, version: Version) {
        self.extents = self.extents.saturating_add(1);
        let mut answer = self.open(EXTENT);
        answer.float(offset);
        answer.float(length);
        answer.version(version);
        answer.close();
    }

    /// A value of so many bytes that `fill` writes; no answer at all if that fails.
    pub fn value<E>(
        &mut self,
        version: Option<Version>,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut answer = match version {
            Some(version) => {
                let mut answer = self.open(VERSIONED);
                answer.version(version);
                answer
            }
            None => self.open(VALUE),
        };
        answer.fill(length, fill)?;
        answer.close();
        Ok(())
    }

    pub fn list(&mut self, entries: &[Listed]) {
        let mut answer = self.open(LIST);
        answer.length(entries.len());
        answer.word(0);
        for entry in entries {
            answer.float(entry.tail);
            answer.float(entry.size);
            answer.word(entry.is_deletion.into());
            answer.word(0);
        }
        answer.close();
    }

    /// A page of `count` keys, which come through what is returned.
    pub fn page(&mut self, count: usize, cursor: Option<&[u8]>) -> Answer<'_> {
        let mut answer = self.open(PAGE);
        answer.length(count);
        match cursor {
            Some(cursor) => {
                answer.length(cursor.len());
                answer.push(cursor);
            }
            None => answer.word(NO_CURSOR),
        }
        answer.pad();
        answer
    }

    fn open(&mut self, kind: u32) -> Answer<'_> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&kind.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        Answer {
            answers: self,
            start,
            is_whole: false,
        }
    }
}

/// An answer that is being written; it leaves nothing behind if it is not closed.
#[must_use = "an answer that is not closed is none"]
pub struct Answer<'a> {
    answers: &'a mut Answers,
    start: usize,
    is_whole: bool,
}

impl Answer<'_> {
    /// Bytes so far, its header included.
    pub fn len(&self) -> usize {
        self.answers.bytes.len() - self.start
    }

    /// An entry of a page, whose value of so many bytes is written by `fill`.
    pub fn entry<E>(
        &mut self,
        key: &[u8],
        kind: u32,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.length(key.len());
        self.word(kind);
        self.length(length);
        self.push(key);
        self.fill(length, fill)?;
        self.pad();
        Ok(())
    }

    /// Says how long it is, and keeps it.
    pub fn close(mut self) {
        let length = self.len().saturating_sub(8);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        if let Some(place) = self.answers.bytes.get_mut(self.start + 4..self.start + 8) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        self.pad();
        self.is_whole = true;
    }

    fn push(&mut self, bytes: &[u8]) {
        self.answers.bytes.extend_from_slice(bytes);
    }

    fn word(&mut self, word: u32) {
        self.push(&word.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.word(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn float(&mut self, number: u64) {
        self.push(&number::to_js(number).to_le_bytes());
    }

    fn version(&mut self, version: Version) {
        self.float(version.number);
        self.word(version.generation);
        self.word(0);
    }

    fn fill<E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // Not by `resize`, which stores byte after byte where code is made small.
        let mut bytes = vec![0; length];
        fill(&mut bytes)?;
        self.answers.bytes.append(&mut bytes);
        Ok(())
    }

    fn pad(&mut self) {
        let length = self.answers.bytes.len().next_multiple_of(4);
        self.answers.bytes.resize(length, 0);
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            self.answers.bytes.truncate(self.start);
        }
    }
}

#[cfg(test)]
mod tests;
