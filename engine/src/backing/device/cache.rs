//! Pages of a device in a fixed amount of memory.
//!
//! A page belongs to one set of [`WAYS`] frames, chosen by its number; within the set the frames are given up in the
//! order of a clock hand that passes over those used since it last came by. So there is no map to keep and no list to
//! mend. A frame knows which of its bytes are those of the device: an append need not read the page it ends up in.

use std::ops::Range;

/// Bytes in a page.
pub(super) const PAGE: usize = 4096;
const PAGE_LEN: u64 = PAGE as u64;

/// Frames in a set.
const WAYS: usize = 8;

/// What a frame takes beside its page.
const FRAME_COST: usize = PAGE + size_of::<Frame>() + 1;

#[derive(Debug)]
struct Frame {
    page: u64,
    /// The bytes at hand; none means that the frame is free.
    valid: Range<usize>,
    used: bool,
    bytes: Option<Box<[u8; PAGE]>>,
}

impl Frame {
    const FREE: Self = Self {
        page: 0,
        valid: 0..0,
        used: false,
        bytes: None,
    };
}

/// The frames and a clock hand for each set.
#[derive(Debug)]
pub(super) struct PageCache {
    frames: Vec<Frame>,
    hands: Vec<u8>,
    ways: usize,
}

impl PageCache {
    /// A cache that never takes more than `capacity` bytes; pages are allocated when they are first needed.
    pub(super) fn new(capacity: usize) -> Self {
        let count = capacity / FRAME_COST;
        let ways = count.min(WAYS);
        let sets = count.checked_div(ways).unwrap_or(0);
        Self {
            frames: (0..sets * ways).map(|_| Frame::FREE).collect(),
            hands: vec![0; sets],
            ways,
        }
    }

    /// Copies the bytes at `at` into `out`, all of them or none. They must not cross a page.
    pub(super) fn load(&mut self, at: u64, out: &mut [u8]) -> bool {
        let (page, start) = split(at);
        let wanted = start..start + out.len();
        let Some(frame) = self.frame_of(page) else {
            return false;
        };
        if wanted.start < frame.valid.start || wanted.end > frame.valid.end {
            return false;
        }
        let bytes = frame.bytes.as_deref().and_then(|bytes| bytes.get(wanted));
        let Some(bytes) = bytes else {
            return false;
        };
        out.copy_from_slice(bytes);
        frame.used = true;
        true
    }

    /// Whether the byte at `at` and the `len - 1` behind it, in one page, are at hand.
    pub(super) fn holds(&mut self, at: u64, len: usize) -> bool {
        let (page, start) = split(at);
        self.frame_of(page)
            .is_some_and(|frame| frame.valid.start <= start && start + len <= frame.valid.end)
    }

    /// Takes over `bytes`, which the device has at `at`; older bytes in front of them and behind them stay at hand where
    /// they touch.
    pub(super) fn store(&mut self, mut at: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (page, start) = split(at);
            let (now, later) = bytes.split_at(bytes.len().min(PAGE - start));
            self.store_in_page(page, start, now);
            at = at.saturating_add(PAGE_LEN - start as u64);
            bytes = later;
        }
    }

    /// Forgets everything at `at` and behind it.
    pub(super) fn forget_from(&mut self, at: u64) {
        let (cut, keep) = split(at);
        for frame in &mut self.frames {
            if frame.page > cut {
                frame.valid = 0..0;
            } else if frame.page == cut {
                frame.valid.end = frame.valid.end.min(keep);
                frame.valid.start = frame.valid.start.min(frame.valid.end);
            }
        }
    }

    /// The bytes it takes now.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        let pages = self
            .frames
            .iter()
            .filter(|frame| frame.bytes.is_some())
            .count();
        pages * PAGE + self.frames.capacity() * size_of::<Frame>() + self.hands.capacity()
    }

    fn store_in_page(&mut self, page: u64, start: usize, bytes: &[u8]) {
        let Some(frame) = self.frame_for(page) else {
            return;
        };
        let new = start..start + bytes.len();
        let target = frame.bytes.get_or_insert_with(|| Box::new([0; PAGE]));
        let Some(target) = target.get_mut(new.clone()) else {
            return;
        };
        target.copy_from_slice(bytes);
        let touches = new.start <= frame.valid.end && frame.valid.start <= new.end;
        frame.valid = if touches && !frame.valid.is_empty() {
            new.start.min(frame.valid.start)..new.end.max(frame.valid.end)
        } else {
            new
        };
        frame.page = page;
        frame.used = true;
    }

    /// The set of `page`; empty when the cache has no frames.
    fn set(&self, page: u64) -> (usize, Range<usize>) {
        // Fibonacci hashing: neighbours, and pages at any stride, spread over all sets.
        let mixed = page.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let sets = self.hands.len();
        let set = usize::try_from((mixed * sets as u64) >> 32).unwrap_or(0);
        (set, set * self.ways..(set + 1) * self.ways)
    }

    fn frame_of(&mut self, page: u64) -> Option<&mut Frame> {
        let (_, frames) = self.set(page);
        let frames = self.frames.get_mut(frames)?;
        frames
            .iter_mut()
            .find(|frame| frame.page == page && !frame.valid.is_empty())
    }

    /// The frame that holds `page` or shall hold it.
    fn frame_for(&mut self, page: u64) -> Option<&mut Frame> {
        let (set, frames) = self.set(page);
        let frames = self.frames.get_mut(frames)?;
        let hand = self.hands.get_mut(set)?;
        let held = frames
            .iter()
            .position(|frame| frame.page == page && !frame.valid.is_empty());
        let free = || frames.iter().position(|frame| frame.valid.is_empty());
        let place = held.or_else(free);
        if let Some(place) = place {
            return frames.get_mut(place);
        }
        loop {
            let place = usize::from(*hand) % frames.len();
            *hand = hand.wrapping_add(1) % 8;
            if frames.get(place)?.used {
                frames.get_mut(place)?.used = false;
            } else {
                let frame = frames.get_mut(place)?;
                frame.valid = 0..0;
                return Some(frame);
            }
        }
    }
}

/// The number of the page that holds `at`, and where in it.
pub(super) const fn split(at: u64) -> (u64, usize) {
    let within = (at % PAGE_LEN) as usize;
    (at / PAGE_LEN, within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(cache: &mut PageCache, at: u64, len: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; len];
        cache.load(at, &mut out).then_some(out)
    }

    #[test]
    fn takes_no_more_than_its_capacity_whatever_comes() {
        for capacity in [
            0,
            1,
            FRAME_COST - 1,
            FRAME_COST,
            5 * FRAME_COST,
            100_000,
            1 << 20,
        ] {
            let mut cache = PageCache::new(capacity);
            for page in 0..1_000 {
                cache.store(page * 7 * PAGE_LEN, &[1; PAGE]);
            }
            let taken = cache.taken();
            assert!(taken <= capacity, "{taken} of {capacity}");
            assert_eq!(taken > PAGE, capacity >= FRAME_COST);
        }
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut cache = PageCache::new(FRAME_COST * WAYS);
        for page in 0..8 {
            cache.store(page * PAGE_LEN, &[page.to_le_bytes()[0]; PAGE]);
        }
        for page in 8..60 {
            assert!(
                cache.load(3 * PAGE_LEN + 9, &mut [0; 1]),
                "page 3 lost at {page}"
            );
            cache.store(page * PAGE_LEN, &[page.to_le_bytes()[0]; PAGE]);
        }
        assert_eq!(held(&mut cache, 3 * PAGE_LEN, 2), Some(vec![3, 3]));
        assert_eq!(held(&mut cache, 0, 1), None);
    }

    #[test]
    fn only_bytes_that_were_stored_are_served() {
        let mut cache = PageCache::new(10 * FRAME_COST);
        cache.store(100, b"abc");
        assert_eq!(held(&mut cache, 100, 3).as_deref(), Some(&b"abc"[..]));
        assert_eq!(held(&mut cache, 99, 2), None);
        assert_eq!(held(&mut cache, 102, 2), None);
        cache.store(103, b"def");
        cache.store(98, b"__");
        assert_eq!(held(&mut cache, 98, 8).as_deref(), Some(&b"__abcdef"[..]));
        cache.store(101, b"X");
        assert_eq!(held(&mut cache, 98, 8).as_deref(), Some(&b"__aXcdef"[..]));
        cache.store(200, b"far");
        assert_eq!(held(&mut cache, 98, 8), None);
        assert_eq!(held(&mut cache, 200, 3).as_deref(), Some(&b"far"[..]));
        cache.store(PAGE_LEN - 2, b"over");
        assert_eq!(held(&mut cache, PAGE_LEN, 2).as_deref(), Some(&b"er"[..]));
        cache.forget_from(PAGE_LEN - 1);
        assert_eq!(held(&mut cache, PAGE_LEN, 1), None);
        assert_eq!(held(&mut cache, PAGE_LEN - 1, 1), None);
        assert_eq!(
            held(&mut cache, PAGE_LEN - 2, 1).as_deref(),
            Some(&b"o"[..])
        );
        cache.forget_from(0);
        assert_eq!(held(&mut cache, PAGE_LEN - 2, 1), None);
    }
}
