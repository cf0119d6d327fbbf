//! Bytes with holes: what a test device holds, so that offsets past 4 GiB cost nothing.

use std::collections::BTreeMap;

const BLOCK: usize = 4096;
const BLOCK_LEN: u64 = BLOCK as u64;

/// A run of bytes of which only blocks that were written take memory; the others are zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Sparse {
    len: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

impl Sparse {
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buf` from `at` on as far as the bytes go; how many it were.
    pub(super) fn read(&self, at: u64, buf: &mut [u8]) -> usize {
        let left = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let count = left.min(buf.len());
        let (mut at, mut out) = (at, buf.get_mut(..count).unwrap_or_default());
        while !out.is_empty() {
            let start = place(at);
            let (now, later) = out.split_at_mut(out.len().min(BLOCK - start));
            match self.blocks.get(&(at / BLOCK_LEN)) {
                Some(block) => {
                    now.copy_from_slice(block.get(start..start + now.len()).unwrap_or_default());
                }
                None => now.fill(0),
            }
            at += now.len() as u64;
            out = later;
        }
        count
    }

    /// Puts `bytes` at `at`, which they do not overflow.
    pub(super) fn write(&mut self, mut at: u64, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.len = self.len.max(at + bytes.len() as u64);
        while !bytes.is_empty() {
            let start = place(at);
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - start));
            let block = self
                .blocks
                .entry(at / BLOCK_LEN)
                .or_insert_with(|| Box::new([0; BLOCK]));
            if let Some(target) = block.get_mut(start..start + now.len()) {
                target.copy_from_slice(now);
            }
            at += now.len() as u64;
            bytes = later;
        }
    }

    /// Cuts, or extends with zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        self.blocks.split_off(&len.div_ceil(BLOCK_LEN));
        if let Some(block) = self.blocks.get_mut(&(len / BLOCK_LEN)) {
            block.get_mut(place(len)..).unwrap_or_default().fill(0);
        }
        self.len = len;
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at % BLOCK_LEN).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_cut_bytes_are_zero() {
        let mut sparse = Sparse::default();
        sparse.write(5 << 30, b"far away");
        sparse.write(4_090, b"across blocks");
        assert_eq!((sparse.len(), sparse.blocks.len()), ((5 << 30) + 8, 3));
        let mut buf = [9; 20];
        assert_eq!(sparse.read(4_088, &mut buf), 20);
        assert_eq!(&buf, b"\0\0across blocks\0\0\0\0\0");
        assert_eq!(sparse.read((5 << 30) + 4, &mut buf), 4);
        assert_eq!(&buf[..4], b"away");
        assert_eq!(sparse.read(6 << 30, &mut buf), 0);
        sparse.set_len(4_097);
        sparse.set_len(5_000);
        assert_eq!(sparse.read(4_094, &mut buf), 20);
        assert_eq!(&buf[..5], b"ss \0\0");
        assert_eq!(sparse.len(), 5_000);
    }
}
