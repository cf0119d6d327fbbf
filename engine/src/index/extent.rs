//! Where an entry lies, in one word.

/// Puts extents in the order of their offsets.
pub fn sort_by_offset(extents: &mut [Extent]) {
    // As plain numbers with the offset on top: there is one such sort in the program.
    for extent in &mut *extents {
        extent.0 = extent.0.rotate_left(u64::BITS - OFFSET_BITS);
    }
    extents.sort_unstable();
    for extent in extents {
        extent.0 = extent.0.rotate_right(u64::BITS - OFFSET_BITS);
    }
}

/// An entry's metadata offset (48 bits) and its payload's length (16 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extent(u64);

const OFFSET_BITS: u32 = 48;
const OFFSET_MASK: u64 = (1 << OFFSET_BITS) - 1;
/// The length field of a deletion, only while an index is being built.
const DELETED: u64 = 0xfffe;
/// The length field of a payload that is too long for it.
const LONG: u64 = 0xffff;

impl Extent {
    /// The extent of a payload of `payload_len` bytes that ends at `metadata_offset`, which is below 2^48 and not 0.
    #[must_use]
    pub const fn new(metadata_offset: u64, payload_len: u64) -> Self {
        let len = if payload_len < DELETED {
            payload_len
        } else {
            LONG
        };
        Self(len << OFFSET_BITS | metadata_offset & OFFSET_MASK)
    }

    /// A deletion whose metadata lies at `metadata_offset`.
    #[must_use]
    pub const fn deletion(metadata_offset: u64) -> Self {
        Self(DELETED << OFFSET_BITS | metadata_offset & OFFSET_MASK)
    }

    /// The word, never 0.
    #[must_use]
    pub const fn to_word(self) -> u64 {
        self.0
    }

    /// The extent a word stands for; `None` for 0, which is the empty place.
    #[must_use]
    pub const fn from_word(word: u64) -> Option<Self> {
        if word == 0 { None } else { Some(Self(word)) }
    }

    /// Where the metadata starts and the payload ends.
    #[must_use]
    pub const fn metadata_offset(self) -> u64 {
        self.0 & OFFSET_MASK
    }

    /// The payload's length; `None` when it is long, and only the metadata tells.
    #[must_use]
    pub const fn payload_len(self) -> Option<u64> {
        match self.0 >> OFFSET_BITS {
            LONG | DELETED => None,
            len => Some(len),
        }
    }

    /// Whether this marks a deletion.
    #[must_use]
    pub const fn is_deletion(self) -> bool {
        self.0 >> OFFSET_BITS == DELETED
    }
}
