//! What a call changed, for those who watch.

/// What became of a key, or of all keys of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Set = 1,
    Deleted = 2,
    Cleared = 3,
}

/// Records of changes, in memory that is used again; none are kept while nobody watches.
#[derive(Debug, Default)]
pub struct Changes {
    bytes: Vec<u8>,
    is_watched: bool,
}

impl Changes {
    pub fn watch(&mut self, on: bool) {
        self.is_watched = on;
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(crate::KEPT_BYTES);
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds a record: three words, the bucket, the key, and zeros up to a multiple of four.
    pub fn add(&mut self, change: Change, bucket: &[u8], key: &[u8]) {
        if !self.is_watched {
            return;
        }
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        for word in [change as u32, length(bucket), length(key)] {
            self.bytes.extend_from_slice(&word.to_le_bytes());
        }
        self.bytes.extend_from_slice(bucket);
        self.bytes.extend_from_slice(key);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Changes};

    #[test]
    fn records_start_at_words_and_only_while_somebody_watches() {
        let mut changes = Changes::default();
        changes.add(Change::Set, b"b", b"before");
        assert!(changes.bytes().is_empty());
        changes.watch(true);
        changes.add(Change::Deleted, b"bu", b"key");
        changes.add(Change::Cleared, b"abcd", b"");
        let words = [
            [2, 2, 3].map(u32::to_le_bytes),
            [3, 4, 0].map(u32::to_le_bytes),
        ];
        let expected = [
            words[0].as_flattened(),
            b"bukey\0\0\0",
            words[1].as_flattened(),
            b"abcd",
        ];
        assert_eq!(changes.bytes(), expected.concat());
        changes.clear();
        assert!(changes.bytes().is_empty());
    }
}
