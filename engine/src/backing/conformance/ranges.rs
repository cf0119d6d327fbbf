//! Ranges: what is in them, and where they end.

use crate::backing::Backing;
use crate::backing::device::seeded::Seeded;
use std::io::ErrorKind;

/// A new backing is empty, writing nothing leaves it so, and cutting or syncing it is fine.
pub fn empty_backing<B: Backing>(make: &mut dyn FnMut() -> B) {
    let b = make();
    assert_eq!(b.len().unwrap(), 0);
    b.write(0, &[]).unwrap();
    b.write(0, &[b"", b""]).unwrap();
    b.truncate(0).unwrap();
    b.sync().unwrap();
    assert_eq!(b.len().unwrap(), 0);
    assert_eq!(b.view(0..0).unwrap().as_ref(), b"");
    b.read(0, &mut []).unwrap();
}

/// A write puts its parts one behind the other, however many and however small, and the next goes on behind them.
pub fn writes_are_concatenated<B: Backing>(make: &mut dyn FnMut() -> B) {
    let b = make();
    b.write(0, &[b"one", b"", b" two ", b"three"]).unwrap();
    b.write(13, &[b""]).unwrap();
    b.write(13, &[b"."]).unwrap();
    assert!(b.len().unwrap() >= 14);
    assert_eq!(b.view(0..14).unwrap().as_ref(), b"one two three.");
    let singles: Vec<[u8; 1]> = (0..2_000_u32).map(|n| [n as u8]).collect();
    let parts: Vec<&[u8]> = singles.iter().map(<[u8; 1]>::as_slice).collect();
    b.write(14, &parts).unwrap();
    assert_eq!(b.view(14..2_014).unwrap().as_ref(), singles.concat());
    let mut buf = [0; 5];
    b.read(8, &mut buf).unwrap();
    assert_eq!(&buf, b"three");
}

/// A range that reaches past the length is [`ErrorKind::UnexpectedEof`] wherever it starts and however long it is.
pub fn nothing_past_the_end<B: Backing>(make: &mut dyn FnMut() -> B) {
    for written in [1, 63, 64, 65, 4_095, 4_096, 4_097, 70_000, 200_000_usize] {
        if cfg!(miri) && written > 5_000 {
            continue;
        }
        let b = make();
        b.write(0, &[&Seeded::new(written as u64).bytes(written)])
            .unwrap();
        let len = b.len().unwrap();
        assert!(len >= written as u64);
        for start in [
            0,
            1,
            len / 2,
            len - 1,
            len,
            len + 1,
            len + 5_000,
            1 << 40,
            u64::MAX - 1,
            u64::MAX,
        ] {
            for past in [1, 2, 100, 100_000_u64] {
                let (Some(end), Some(wanted)) =
                    (len.checked_add(past), (len + past).checked_sub(start))
                else {
                    continue;
                };
                if wanted > 0 {
                    let seen = b
                        .view(start..end)
                        .map(|view| view.as_ref().len())
                        .map_err(|error| error.kind());
                    assert_eq!(
                        seen,
                        Err(ErrorKind::UnexpectedEof),
                        "view {start}..{end} of {len}"
                    );
                    let seen = b
                        .read(start, &mut vec![0; wanted as usize])
                        .map_err(|error| error.kind());
                    assert_eq!(
                        seen,
                        Err(ErrorKind::UnexpectedEof),
                        "read {start}..{end} of {len}"
                    );
                }
            }
            if start > len {
                let seen = b.read(start, &mut [0; 64]).map_err(|error| error.kind());
                assert_eq!(
                    seen,
                    Err(ErrorKind::UnexpectedEof),
                    "read 64 bytes at {start} of {len}"
                );
            }
        }
        assert!(b.view(len - 1..u64::MAX).is_err());
        assert_eq!(b.view(len..len).unwrap().as_ref(), b"");
        b.view(len - 1..len).unwrap();
        b.view(0..len).unwrap();
    }
}

/// Random appends, cuts and rewrites against a vector, with random ranges read and viewed in between.
pub fn random_ranges<B: Backing>(make: &mut dyn FnMut() -> B, seed: u64) {
    let mut random = Seeded::new(seed);
    let b = make();
    let mut model: Vec<u8> = Vec::new();
    let rounds = if cfg!(miri) { 60 } else { 400 };
    for round in 0..rounds {
        let longest = [10, 200, 5_000, 100_000][random.len_below(if cfg!(miri) { 3 } else { 4 })];
        let parts: Vec<Vec<u8>> = (0..random.below(5))
            .map(|_| {
                let len = random.len_below(longest);
                random.bytes(len)
            })
            .collect();
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        match random.below(20) {
            0 => {
                let cut = model.len() - random.len_below(model.len().min(20_000) + 1);
                b.truncate(cut as u64).unwrap();
                model.truncate(cut);
            }
            1 => {
                let back = model.len() - random.len_below(model.len().min(500) + 1);
                if parts.concat().len() >= model.len() - back {
                    b.write(back as u64, &slices).unwrap();
                    model.truncate(back);
                    model.extend(parts.concat());
                }
            }
            _ => {
                b.write(model.len() as u64, &slices).unwrap();
                model.extend(parts.concat());
            }
        }
        for _ in 0..4 {
            let start = random.len_below(model.len() + 1);
            let end = start + random.len_below((model.len() - start).min(longest * 3) + 1);
            let context = format!(
                "seed {seed}, round {round}: {start}..{end} of {}",
                model.len()
            );
            let view = b.view(start as u64..end as u64).expect(&context);
            assert!(view.as_ref() == &model[start..end], "{context}");
            let mut buf = vec![0xa5; end - start];
            b.read(start as u64, &mut buf).expect(&context);
            assert!(buf == model[start..end], "{context}");
        }
        assert!(b.len().unwrap() >= model.len() as u64);
    }
}
