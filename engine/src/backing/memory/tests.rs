//! What the memory backing promises beyond the contract: no byte moves, and none is written over.

use super::*;
use crate::backing::conformance;

#[test]
fn keeps_the_contract_of_backings() {
    conformance::backing(&mut MemoryBacking::new);
}

#[test]
fn keeps_the_contract_of_resident_ones() {
    conformance::resident(&mut MemoryBacking::new);
}

#[test]
fn keeps_the_contract_of_rewriting() {
    conformance::rewrite(&mut MemoryBacking::new);
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn keeps_its_promises_to_readers_on_other_threads() {
    conformance::concurrent_readers(&mut MemoryBacking::new);
}

#[test]
fn what_several_writes_made_is_copied_together_once() {
    let backing = MemoryBacking::new();
    let part = [5; 10_000];
    for n in 0..10 {
        backing.write(n * 10_000, &[&part]).unwrap();
    }
    let whole = backing.bytes(0..100_000).unwrap();
    assert!(whole == vec![5; 100_000]);
    assert_eq!(backing.joined.count(), 1);
    assert_eq!(backing.bytes(0..100_000).unwrap().as_ptr(), whole.as_ptr());
    assert_eq!(
        backing.view(64..99_999).unwrap().as_ptr().addr(),
        whole.as_ptr().addr() + 64
    );
    assert_eq!(backing.joined.count(), 1);

    // The copy is stale from where bytes are written anew.
    backing.write(90_000, &[&[6; 10_000]]).unwrap();
    assert_eq!(backing.bytes(89_999..90_001), Some(&[5, 6][..]));
    assert_eq!(backing.bytes(0..100_000).unwrap().last(), Some(&6));
    assert!(whole == vec![5; 100_000]);
}

#[test]
fn borrows_outlive_every_later_call() {
    let backing = MemoryBacking::from_bytes(b"one two").unwrap();
    let borrowed = backing.bytes(4..7).unwrap();
    backing.write(4, &[b"six"]).unwrap();
    assert_eq!(
        (borrowed, backing.to_vec().unwrap()),
        (&b"two"[..], b"one six".to_vec())
    );
    backing.truncate(0).unwrap();
    assert_eq!((borrowed, backing.bytes(4..7)), (&b"two"[..], None));
    backing.write(0, &[b"seven"]).unwrap();
    assert_eq!(borrowed, b"two");
    assert_eq!(backing.to_vec().unwrap(), b"seven");
}

#[test]
fn rewriting_at_one_place_takes_only_the_room_it_needs() {
    let backing = MemoryBacking::from_bytes(&[1; 100]).unwrap();
    for round in 0..200_u8 {
        backing.write(100, &[&[round; 50]]).unwrap();
    }
    assert_eq!(backing.bytes(100..150), Some(&[199; 50][..]));
    assert_eq!(backing.view(99..102).unwrap().as_ref(), [1, 199, 199]);
    let memory: usize = backing
        .writer()
        .as_ref()
        .map_or(0, |writer| writer.chunk().filled() + writer.room());
    assert_eq!(memory, MIN_CHUNK);
}

#[test]
#[cfg_attr(miri, ignore = "it gives up where an allocator refuses")]
fn a_gap_that_memory_cannot_hold_is_an_error_and_changes_nothing() {
    let backing = MemoryBacking::from_bytes(b"kept").unwrap();
    for at in [u64::MAX, u64::MAX - 2, 1 << 63, (1 << 63) - 200] {
        let refused = backing.write(at, &[b"more"]).unwrap_err();
        assert!(
            matches!(
                refused.kind(),
                io::ErrorKind::OutOfMemory | io::ErrorKind::FileTooLarge
            ),
            "{refused}"
        );
    }
    assert!(backing.truncate(1 << 62).is_err());
    assert_eq!(backing.to_vec().unwrap(), b"kept");
    backing.write(4, &[b"!"]).unwrap();
    assert_eq!(backing.to_vec().unwrap(), b"kept!");
}
