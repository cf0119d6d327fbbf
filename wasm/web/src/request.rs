//! Requests as they lie in memory: operations one after the other, each a header of three words, its key and its value.
//!
//! Invariant: whatever the bytes are, reading them ends, borrows from them and does not fail otherwise than with [`Malformed`].

use crate::number;

/// The bytes are no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// What a request asks for; each but the first two kinds is answered once.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation<'r> {
    /// The operations behind it are of this bucket.
    Bucket(&'r [u8]),
    Set(Set<'r>),
    Get {
        key: &'r [u8],
        is_versioned: bool,
    },
    Size(&'r [u8]),
    Delete(&'r [u8]),
    Range {
        key: &'r [u8],
        offset: u64,
        length: u64,
    },
    /// Sets and deletions that count together.
    Batch(Operations<'r>),
    PutIf {
        key: &'r [u8],
        /// Version and generation of the value as it must be now; `None` is that there must be none.
        expected: Option<(f64, u32)>,
        /// The new value; `None` deletes.
        new: Option<&'r [u8]>,
    },
    Keys(Keys<'r>),
    Count,
    Clear,
    History {
        key: &'r [u8],
        limit: u32,
    },
    /// The value as of a tail.
    Version {
        key: &'r [u8],
        tail: u64,
        is_versioned: bool,
    },
    Locate(&'r [u8]),
}

/// A value to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set<'r> {
    pub key: &'r [u8],
    pub value: &'r [u8],
    /// Milliseconds since 1970; 0 is never.
    pub expires_at: u64,
}

/// A page of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys<'r> {
    pub prefix: &'r [u8],
    pub with_values: bool,
    pub limit: u32,
    pub limit_bytes: u32,
    pub cursor: Option<&'r [u8]>,
}

/// The operations of a request that are still to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations<'r>(&'r [u8]);

impl<'r> Operations<'r> {
    /// The operations in `bytes`; they begin with a bucket. All are read once, so that nothing of a broken request is carried out.
    pub fn of(bytes: &'r [u8]) -> Result<Self, Malformed> {
        for (nth, operation) in Self(bytes).enumerate() {
            if !matches!(operation?, Operation::Bucket(_)) && nth == 0 {
                return Err(Malformed);
            }
        }
        Ok(Self(bytes))
    }

    /// The next operation; a batch only where one may be.
    fn read(&mut self, is_in_batch: bool) -> Option<Operation<'r>> {
        let word = self.word()?;
        let (code, flags) = (word & 0xff, word >> 8);
        let (first, second) = (self.word()?, self.word()?);
        if code == 6 {
            let is_sound = flags == 0 && second == 0 && !is_in_batch;
            return is_sound
                .then(|| self.take_batch(first))?
                .map(Operation::Batch);
        }
        let key = self.take(first)?;
        let mut value = Operations(self.take(second)?);
        self.skip_padding(first, second)?;
        let is_flagged = flags == 1;
        let operation = match code {
            0 => Operation::Bucket(key),
            1 => Operation::Set(Set {
                key,
                expires_at: if is_flagged { value.number()? } else { 0 },
                value: value.rest(),
            }),
            2 => Operation::Get {
                key,
                is_versioned: is_flagged,
            },
            3 => Operation::Size(key),
            4 => Operation::Delete(key),
            5 => Operation::Range {
                key,
                offset: value.number()?,
                length: value.number()?,
            },
            7 => {
                let expected = (value.float()?, value.word()?);
                value.word()?;
                let new = value.rest();
                Operation::PutIf {
                    key,
                    expected: (flags & 1 == 0).then_some(expected),
                    new: (flags & 2 == 0).then_some(new),
                }
            }
            8 => Operation::Keys(Keys {
                prefix: key,
                with_values: is_flagged,
                limit: value.word()?,
                limit_bytes: value.word()?,
                cursor: match value.word()? {
                    0 => None,
                    _ => Some(value.rest()),
                },
            }),
            9 => Operation::Count,
            10 => Operation::Clear,
            11 => Operation::History {
                key,
                limit: value.word()?,
            },
            12 => Operation::Version {
                key,
                tail: value.number()?,
                is_versioned: is_flagged,
            },
            13 => Operation::Locate(key),
            _ => return None,
        };
        let known_flags = match code {
            1 | 2 | 8 | 12 => 1,
            7 => 3,
            _ => 0,
        };
        (flags & !known_flags == 0).then_some(operation)
    }

    /// The next `count` operations, if each is a set or a deletion.
    fn take_batch(&mut self, count: u32) -> Option<Self> {
        let bytes = self.0;
        for _ in 0..count {
            match self.read(true)? {
                Operation::Set(_) | Operation::Delete(_) => {}
                _ => return None,
            }
        }
        let taken = bytes.len().checked_sub(self.0.len())?;
        bytes.get(..taken).map(Self)
    }

    fn take(&mut self, length: u32) -> Option<&'r [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn rest(&mut self) -> &'r [u8] {
        std::mem::take(&mut self.0)
    }

    fn skip_padding(&mut self, key: u32, value: u32) -> Option<()> {
        let over = key.wrapping_add(value) % 4;
        self.take((4 - over) % 4).map(drop)
    }

    fn word(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*word))
    }

    fn float(&mut self) -> Option<f64> {
        let (float, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(f64::from_le_bytes(*float))
    }

    fn number(&mut self) -> Option<u64> {
        self.float().map(number::from_js)
    }
}

impl<'r> Iterator for Operations<'r> {
    type Item = Result<Operation<'r>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let operation = self.read(false).ok_or(Malformed);
        if operation.is_err() {
            self.0 = &[];
        }
        Some(operation)
    }
}

#[cfg(test)]
mod tests;
