//! The end of the backing: written again, cut, grown by much at once.

use crate::backing::Backing;
use crate::backing::device::seeded::Seeded;
use std::io::ErrorKind;

/// What lies past the tail may be written again and again, shorter or longer, and never touches what lies before.
pub fn rewriting_at_the_tail<B: Backing>(make: &mut dyn FnMut() -> B) {
    let mut random = Seeded::new(11);
    let b = make();
    let mut model = random.bytes(777);
    b.write(0, &[&model]).unwrap();
    let before = b.view(0..777).unwrap();
    for len in [
        10,
        5_000,
        1,
        64,
        90_000,
        4_096,
        if cfg!(miri) { 20 } else { 300_000 },
        21,
    ] {
        let tail = model.len();
        let given_up = random.bytes(len);
        b.write(tail as u64, &[&given_up]).unwrap();
        model.extend_from_slice(&given_up);
        assert_holds(&b, &model, "given up");
        for kept in [1 + len / 2, 1 + len / 3] {
            let (pad, bytes) = (random.bytes(3), random.bytes(kept));
            b.write(tail as u64, &[&pad, &bytes]).unwrap();
            model.truncate(tail);
            model.extend_from_slice(&pad);
            model.extend_from_slice(&bytes);
            assert!(b.len().unwrap() >= model.len() as u64);
            assert_holds(&b, &model, &format!("rewritten with {kept} bytes"));
        }
    }
    assert!(before.as_ref() == &model[..777]);
}

/// Cut bytes are gone: growing again, by writes or by a cut to more than there is, shows new bytes and zeros alone.
pub fn cut_bytes_do_not_come_back<B: Backing>(make: &mut dyn FnMut() -> B) {
    for cut in [0, 1, 64, 4_000, 4_096, 5_000, 99_999_usize] {
        let b = make();
        b.write(0, &[&vec![0xee; 100_000]]).unwrap();
        assert_holds(&b, &vec![0xee; 100_000], "before the cut");
        b.truncate(cut as u64).unwrap();
        assert_eq!(b.len().unwrap(), cut as u64);
        let seen = b
            .view(0..cut as u64 + 1)
            .map(|view| view.as_ref().len())
            .map_err(|error| error.kind());
        assert_eq!(seen, Err(ErrorKind::UnexpectedEof));
        let mut model = vec![0xee; cut];

        b.write(cut as u64, &[b"new"]).unwrap();
        model.extend_from_slice(b"new");
        assert_holds(&b, &model, &format!("written at the cut {cut}"));

        model.resize(cut + 9_000, 0);
        b.truncate(model.len() as u64).unwrap();
        assert_holds(&b, &model, &format!("stretched behind the cut {cut}"));

        b.truncate(cut as u64).unwrap();
        model.truncate(cut);
        model.resize(cut + 5_000, 0);
        b.write(model.len() as u64, &[b"end"]).unwrap();
        model.extend_from_slice(b"end");
        assert_holds(&b, &model, &format!("written past the cut {cut}"));
    }
}

/// Writes far larger than any buffer come back whole, with small ones around them.
pub fn big_writes<B: Backing>(make: &mut dyn FnMut() -> B) {
    let mut random = Seeded::new(13);
    let b = make();
    let mut model = Vec::new();
    let sizes: &[usize] = if cfg!(miri) {
        &[70_000]
    } else {
        &[70_000, 400_000, 1 << 20, 3_000_001]
    };
    for size in sizes {
        let (small, big, last) = (random.bytes(17), random.bytes(*size), random.bytes(20));
        b.write(model.len() as u64, &[&small, &big, &last]).unwrap();
        let start = model.len() as u64;
        model.extend_from_slice(&[&small[..], &big, &last].concat());
        let end = model.len() as u64;
        assert_eq!(b.view(end - 20..end).unwrap().as_ref(), last);
        assert!(
            b.view(start + 17..end - 20).unwrap().as_ref() == big,
            "{size} bytes"
        );
    }
    assert!(b.view(0..model.len() as u64).unwrap().as_ref() == model);
}

/// Compares all bytes, at once and in pieces, which a cache may serve otherwise.
fn assert_holds<B: Backing>(b: &B, model: &[u8], context: &str) {
    assert!(
        b.view(0..model.len() as u64).unwrap().as_ref() == model,
        "{context}"
    );
    for (at, piece) in (0..).step_by(3_000).zip(model.chunks(3_000)) {
        let mut buf = vec![0xa5; piece.len()];
        b.read(at, &mut buf).unwrap();
        assert!(buf == piece, "{context}, at {at}");
    }
}
