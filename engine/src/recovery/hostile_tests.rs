//! What a torn write, bit rot and hostile bytes may cost: the entry that was hit, and nothing else without a word.

use super::report::Outcome;
use super::sample::{Bytes, Random, Sample, open};
use super::{salvage, verify};
use crate::Error;

#[test]
fn a_cut_costs_the_entry_that_was_cut() {
    let seed = 23;
    let mut random = Random::new(seed);
    let sample = Sample::mixed();
    let suffixes: [&[u8]; 6] = [
        &[],
        &[0; 1],
        &[0; 300],
        &random.bytes(150),
        &sample.bytes[..64],
        &sample.bytes,
    ];
    for cut in 1..=sample.bytes.len() {
        let kept: Vec<u64> = sample
            .ends
            .iter()
            .copied()
            .filter(|&end| end <= cut as u64)
            .collect();
        for (which, suffix) in suffixes.iter().enumerate() {
            // Unoptimised builds take the suffixes in turn.
            if cfg!(debug_assertions) && which != 0 && which != cut % suffixes.len() {
                continue;
            }
            let mut bytes = sample.bytes[..cut].to_vec();
            bytes.extend(*suffix);
            let opened = open(&bytes);
            if kept.is_empty() {
                // Nothing was committed; a copy of the store's start may even complete the torn first entry.
                assert!(
                    matches!(opened, Err(Error::NotAStore { .. }) | Ok(_)),
                    "cut {cut}, suffix {which}"
                );
                continue;
            }
            let (report, ends) = opened
                .unwrap_or_else(|error| panic!("cut {cut}, suffix {which}, seed {seed}: {error}"));
            assert_eq!(
                ends.get(..kept.len()),
                Some(&kept[..]),
                "cut {cut}, suffix {which}, seed {seed}"
            );
            // A suffix may happen to complete the torn entry; otherwise nothing is there that was not committed.
            let extra = ends.len() - kept.len();
            // The list of tails holds its own, so that a cut can leave what reads as an entry with a damaged payload.
            assert!(
                extra == 0 || !suffix.is_empty() || report.outcome == Outcome::DamagedLastPayload,
                "cut {cut}, suffix {which}"
            );
            if extra == 0 && report.outcome != Outcome::DamagedLastPayload {
                assert_eq!(report.cut_bytes, bytes.len() as u64 - report.tail);
                assert_eq!(report.damaged_entries, 0);
            }
        }
    }
}

#[test]
fn a_flipped_byte_loses_nothing_silently() {
    let mut sample = Sample::mixed();
    sample.put(20, &Random::new(31).bytes(5000));
    sample.put(21, b"small");
    sample.put(22, &[0; 6000]);
    sample.delete(20);
    sample.put(23, b"the last one");
    let masks: &[u8] = &[0xff, 1, 2, 4, 8, 16, 32, 64, 128];
    for at in 0..sample.bytes.len() {
        // Every mask on metadata and on pads, where the structure is; on long payloads a few.
        let near_metadata = sample
            .ends
            .iter()
            .any(|&end| (end.saturating_sub(24)..end + 64).contains(&(at as u64)));
        let few = !near_metadata || cfg!(debug_assertions) && at % 4 != 0;
        for &mask in if few { &masks[..2] } else { masks } {
            let mut bytes = sample.bytes.clone();
            bytes[at] ^= mask;
            let hit = sample
                .ends
                .iter()
                .copied()
                .find(|&end| (at as u64) < end)
                .unwrap();
            match open(&bytes) {
                Err(Error::Corrupt { .. }) => {}
                Err(error) => panic!("byte {at}, mask {mask}: {error}"),
                Ok((_, ends)) => {
                    for &end in sample.ends.iter().filter(|&&end| end != hit) {
                        assert!(
                            ends.contains(&end),
                            "byte {at}, mask {mask}: lost the entry that ends at {end}"
                        );
                    }
                }
            }
            if mask == 0xff && at % 17 == 0 {
                let report = verify(&Bytes::new(bytes), &mut |_, _| {}).unwrap();
                assert!(report.entries + 1 >= sample.ends.len() as u64);
            }
        }
    }
}

#[test]
fn a_hole_of_zeros_in_the_middle_is_refused() {
    let mut sample = Sample::new();
    for key in 1..60 {
        sample.put(key, &[0x77; 180]);
    }
    for length in [64, 512, 4096] {
        for start in (300..sample.bytes.len() - 4096 - 300).step_by(53) {
            let mut bytes = sample.bytes.clone();
            bytes[start..start + length].fill(0);
            match open(&bytes) {
                Err(Error::Corrupt { .. }) => {}
                Err(error) => panic!("hole of {length} at {start}: {error}"),
                Ok((report, ends)) => {
                    assert_eq!(ends, sample.ends, "hole of {length} at {start}");
                    // A hole within a pre-pad changes nothing.
                    assert!(report.damaged_entries > 0 || bytes == sample.bytes);
                }
            }
        }
    }
}

/// Millions of candidates for metadata: more than can be judged one payload at a time.
#[test]
fn tails_that_look_like_metadata_everywhere() {
    let length = if cfg!(debug_assertions) {
        1 << 17
    } else {
        4 << 20
    };
    let mut sample = Sample::new();
    for key in 1..500 {
        sample.put(key, &[0x99; 150]);
    }
    let tail = sample.tail();
    let own_tails: Vec<u8> = sample
        .ends
        .iter()
        .flat_map(|end| end.to_le_bytes())
        .cycle()
        .take(length)
        .collect();
    let small_integers: Vec<u8> = (0..length as u64 / 8)
        .flat_map(|i| (i % 300).to_le_bytes())
        .collect();
    let words: Vec<u8> = (0..length / 4)
        .flat_map(|i| u32::try_from(i % 5).unwrap().to_le_bytes())
        .collect();
    for torn in [
        own_tails,
        small_integers,
        words,
        vec![0; length],
        vec![0xff; length],
    ] {
        let mut bytes = sample.bytes.clone();
        bytes.resize(bytes.len().next_multiple_of(64), 0);
        bytes.extend(torn);
        let (report, ends) = open(&bytes).unwrap();
        assert_eq!(report.tail, tail);
        assert_eq!(ends, sample.ends);
        // And the same finished, with a payload rotten on the way: opening and the survey stay linear.
        let report = verify(&Bytes::new(bytes), &mut |_, _| {}).unwrap();
        assert_eq!(report.entries, sample.ends.len() as u64);
    }
}

#[test]
fn no_content_makes_it_panic() {
    let seed = 41;
    let mut random = Random::new(seed);
    let sample = Sample::mixed();
    for round in 0..if cfg!(debug_assertions) { 600 } else { 3000 } {
        let mut bytes = sample.bytes[..random.below(sample.bytes.len() + 1)].to_vec();
        for _ in 0..random.below(20) {
            let Some(at) = bytes
                .len()
                .checked_sub(9)
                .filter(|&last| last > 0)
                .map(|last| random.below(last))
            else {
                continue;
            };
            match random.below(4) {
                0 => bytes[at] = random.next().to_le_bytes()[0],
                1 => bytes[at..at + 8].fill(0),
                2 => bytes[at..at + 8].fill(0xff),
                _ => bytes[at..at + 8].copy_from_slice(&(random.next() % 2000).to_le_bytes()),
            }
        }
        let length = bytes.len() as u64;
        if let Ok((report, _)) = open(&bytes) {
            assert!(report.tail <= length, "round {round}, seed {seed}");
        }
        let backing = Bytes::new(bytes);
        let checked = verify(&backing, &mut |_, _| {}).unwrap();
        let mut rescued = 0;
        let mut sink = |entry: super::SalvagedEntry| {
            assert!(entry.payload.start < entry.payload.end && entry.payload.end < length);
            rescued += 1;
            Ok(())
        };
        let report = salvage(&backing, &mut sink, &mut |_, _| {}).unwrap();
        assert_eq!(rescued, report.entries);
        assert_eq!(
            report.entries + report.damaged_entries,
            checked.entries,
            "round {round}, seed {seed}"
        );
    }
}
