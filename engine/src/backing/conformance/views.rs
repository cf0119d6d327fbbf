//! Views and borrows: they stay as they are whatever happens to the backing.

use crate::backing::device::seeded::Seeded;
use crate::backing::{Backing, Resident, Rewrite};
use std::ops::Range;

/// A view keeps its address and its bytes through growth, through a cut behind it, and through the drop of the backing.
pub fn views_never_change<B: Backing>(make: &mut dyn FnMut() -> B) {
    let mut random = Seeded::new(7);
    let b = make();
    let mut model = Vec::new();
    let mut held: Vec<(B::View, usize, Range<usize>)> = Vec::new();
    let rounds = if cfg!(miri) { 40 } else { 300 };
    for _ in 0..rounds {
        let len = 1 + random.len_below(3_000);
        let bytes = random.bytes(len);
        b.write(model.len() as u64, &[&bytes]).unwrap();
        model.extend_from_slice(&bytes);
        let start = random.len_below(model.len());
        let end = start + 1 + random.len_below((model.len() - start).min(10_000));
        let view = b.view(start as u64..end as u64).unwrap();
        let address = view.as_ref().as_ptr().addr();
        held.push((view, address, start..end));
    }
    let keep = held.iter().map(|(.., range)| range.end).max().unwrap();
    b.truncate(keep as u64).unwrap();
    b.write(keep as u64, &[&random.bytes(50_000)]).unwrap();
    let copies: Vec<B::View> = held.iter().map(|(view, ..)| view.clone()).collect();
    drop(b);
    for ((view, address, range), copy) in held.iter().zip(&copies) {
        assert_eq!(view.as_ref().as_ptr().addr(), *address);
        assert!(
            view.as_ref() == &model[range.clone()],
            "view of {range:?} changed"
        );
        assert!(
            copy.as_ref() == &model[range.clone()],
            "clone of the view of {range:?} differs"
        );
    }
}

/// The address of a view is a multiple of 64 if its offset is one.
pub fn views_are_aligned<B: Backing>(make: &mut dyn FnMut() -> B) {
    let b = make();
    let mut at = 0;
    for step in [1, 20, 64, 100, 4_096, 3, 70_000, 130, 200_000, 9] {
        b.write(at, &[&vec![3; step]]).unwrap();
        at += step as u64;
        let stride = (at as usize / 64)
            .div_ceil(if cfg!(miri) { 5 } else { 60 })
            .max(1)
            * 64;
        for start in (0..at).step_by(stride) {
            for end in [start + 1, start + 150, start + 70_000, at] {
                let view = b.view(start..end.min(at)).unwrap();
                assert_eq!(view.as_ref().as_ptr().addr() % 64, 0, "{start}..{end}");
            }
        }
    }
}

/// Readers on other threads see whole, unchanged bytes of everything that was written before they were told of it.
#[cfg(not(target_family = "wasm"))]
pub fn concurrent_readers<B: Backing + Sync>(make: &mut dyn FnMut() -> B) {
    use std::sync::atomic::{AtomicU64, Ordering};
    let b = make();
    let (tail, rounds) = (AtomicU64::new(0), if cfg!(miri) { 30 } else { 700 });
    // Every byte tells its offset, so a reader needs no model.
    let expected = |at: u64| (at ^ (at >> 8) ^ (at >> 16)) as u8;
    std::thread::scope(|threads| {
        for seed in 0..3 {
            let (b, tail) = (&b, &tail);
            threads.spawn(move || {
                let mut random = Seeded::new(seed);
                loop {
                    let end = tail.load(Ordering::Acquire);
                    if end == u64::MAX {
                        break;
                    }
                    let start = random.below(end);
                    let end = start + random.below((end - start).min(9_000) + 1);
                    let view = b.view(start..end).unwrap();
                    for (at, byte) in (start..end).zip(view.as_ref()) {
                        assert_eq!(
                            *byte,
                            expected(at),
                            "seed {seed}: byte {at} of {start}..{end}"
                        );
                    }
                }
            });
        }
        let mut random = Seeded::new(17);
        let mut at = 0;
        for round in 0..rounds {
            let len = 1 + random.below(2_000);
            let bytes: Vec<u8> = (at..at + len).map(expected).collect();
            if round % 7 == 0 {
                b.write(at, &[&vec![0; bytes.len() * 2]]).unwrap();
            }
            let (head, rest) = bytes.split_at(bytes.len() / 3);
            b.write(at, &[head, rest]).unwrap();
            at += len;
            tail.store(at, Ordering::Release);
        }
        tail.store(u64::MAX, Ordering::Release);
    });
}

/// Borrowed bytes are those of the backing, aligned and in one piece however they were written, and do not move.
pub fn resident<B: Resident>(make: &mut dyn FnMut() -> B) {
    let mut random = Seeded::new(19);
    let b = make();
    let mut model = Vec::new();
    let mut held = Vec::new();
    for _ in 0..if cfg!(miri) { 30 } else { 200 } {
        let len = 1 + random.len_below(5_000);
        let bytes = random.bytes(len);
        b.write(model.len() as u64, &[&bytes]).unwrap();
        model.extend_from_slice(&bytes);
        let start = random.len_below(model.len()) & !63;
        let bytes = b.bytes(start as u64..model.len() as u64).unwrap();
        assert_eq!(bytes.as_ptr().addr() % 64, 0);
        held.push((bytes, start..model.len()));
    }
    for (bytes, range) in held {
        assert!(bytes == &model[range.clone()], "{range:?}");
    }
    b.truncate(model.len() as u64).unwrap();
    let len = model.len() as u64;
    assert!(b.bytes(0..len).is_some());
    #[expect(clippy::reversed_empty_ranges, reason = "a caller may be wrong")]
    for range in [
        0..len + 1,
        len..len + 1,
        len + 1..len + 2,
        5..4,
        u64::MAX - 1..u64::MAX,
    ] {
        assert!(b.bytes(range.clone()).is_none(), "{range:?}");
    }
}

/// A replacement starts empty each time, is a backing of its own, and leaves the views of what it replaces alone.
pub fn rewrite<B: Rewrite>(make: &mut dyn FnMut() -> B) {
    let b = make();
    b.write(0, &[&[1; 10_000]]).unwrap();
    let view = b.view(0..10_000).unwrap();
    let given_up = b.create_replacement().unwrap();
    given_up.write(0, &[b"half"]).unwrap();
    drop(given_up);
    let new = b.create_replacement().unwrap();
    assert_eq!(new.len().unwrap(), 0);
    new.write(0, &[b"compact"]).unwrap();
    new.sync().unwrap();
    b.commit_replacement(&new).unwrap();
    assert_eq!(new.view(0..7).unwrap().as_ref(), b"compact");
    assert_eq!(view.as_ref(), [1; 10_000]);
    drop(b);
    assert_eq!(view.as_ref(), [1; 10_000]);
    new.write(7, &[b" and on"]).unwrap();
    let again = new.create_replacement().unwrap();
    again.write(0, &[b"twice"]).unwrap();
    again.sync().unwrap();
    new.commit_replacement(&again).unwrap();
    assert_eq!(new.view(0..14).unwrap().as_ref(), b"compact and on");
    assert_eq!(again.view(0..5).unwrap().as_ref(), b"twice");
}
