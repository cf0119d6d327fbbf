//! Requests and answers as the other side writes and reads them, for tests.

/// Adds an operation.
pub fn operation(request: &mut Vec<u8>, code: u32, flags: u32, key: &[u8], value: &[u8]) {
    let lengths = [key.len(), value.len()].map(|length| u32::try_from(length).unwrap());
    for word in [code | flags << 8, lengths[0], lengths[1]] {
        request.extend_from_slice(&word.to_le_bytes());
    }
    request.extend_from_slice(key);
    request.extend_from_slice(value);
    request.resize(request.len().next_multiple_of(4), 0);
}

/// Announces the next `count` operations as a batch.
pub fn batch(request: &mut Vec<u8>, count: u32) {
    for word in [6, count, 0] {
        request.extend_from_slice(&word.to_le_bytes());
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Done,
    None,
    Value(Vec<u8>),
    Number(f64),
    Error(u32, String),
    /// Offset and length, version and generation.
    Extent(f64, f64, (f64, u32)),
    Versioned((f64, u32), Vec<u8>),
    /// Keys with their kinds and values, and the cursor.
    Page(Vec<(Vec<u8>, u32, Vec<u8>)>, Option<Vec<u8>>),
    /// Tails and sizes, and whether it is a deletion.
    List(Vec<(f64, f64, bool)>),
}

/// All answers in `bytes`.
pub fn answers(bytes: &[u8]) -> Vec<Answer> {
    let mut left = Left(bytes);
    let mut answers = Vec::new();
    while !left.0.is_empty() {
        let (kind, length) = (left.word(), left.word());
        let mut body = Left(left.padded(length));
        answers.push(match kind {
            0 => Answer::Done,
            1 => Answer::None,
            2 => Answer::Value(body.rest()),
            3 => Answer::Number(body.float()),
            4 => {
                let code = body.word();
                let message = body.sized();
                let (_cause, _why) = (body.sized(), body.sized());
                Answer::Error(code, String::from_utf8(message).unwrap())
            }
            5 => Answer::Extent(body.float(), body.float(), body.version()),
            6 => Answer::Versioned(body.version(), body.rest()),
            7 => body.page(),
            8 => {
                let count = body.word();
                assert_eq!(body.word(), 0);
                let entries = (0..count).map(|_| {
                    let entry = (body.float(), body.float(), body.word() == 1);
                    assert_eq!(body.word(), 0);
                    entry
                });
                Answer::List(entries.collect())
            }
            _ => panic!("an answer of kind {kind}"),
        });
        assert!(body.0.is_empty(), "{} bytes too many", body.0.len());
    }
    answers
}

struct Left<'a>(&'a [u8]);

impl<'a> Left<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn padded(&mut self, length: u32) -> &'a [u8] {
        let length = length as usize;
        let taken = self.take(length);
        let pad = self.take(length.next_multiple_of(4) - length);
        assert!(pad.iter().all(|byte| *byte == 0));
        taken
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).to_vec()
    }

    fn word(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    fn float(&mut self) -> f64 {
        f64::from_le_bytes(self.take(8).try_into().unwrap())
    }

    fn sized(&mut self) -> Vec<u8> {
        let length = self.word();
        self.take(length as usize).to_vec()
    }

    fn version(&mut self) -> (f64, u32) {
        let version = (self.float(), self.word());
        assert_eq!(self.word(), 0);
        version
    }

    fn page(&mut self) -> Answer {
        let (count, cursor) = (self.word(), self.word());
        let cursor = (cursor != u32::MAX).then(|| self.padded(cursor).to_vec());
        let mut entries = Vec::new();
        for _ in 0..count {
            let (key, kind, value) = (self.word(), self.word(), self.word());
            let both = self.padded(key + value);
            let (key, value) = both.split_at(key as usize);
            entries.push((key.to_vec(), kind, value.to_vec()));
        }
        Answer::Page(entries, cursor)
    }
}
