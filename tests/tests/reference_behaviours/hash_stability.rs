//! The digests never change: stores and namespaced keys made anywhere else depend on them.
//!
//! The fixed values are those that the `xxhash` package for Python gives, one for each way that XXH3 goes by length.

use tailstone::utils::NamespaceHasher;
use tailstone::{compute_checksum, compute_hash, compute_hash_batch};

/// The bytes 0, 1, 2 .. 250, 0, 1 .. of this number.
fn counted(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

#[test]
fn the_hash_of_nothing() {
    assert_eq!(compute_hash(b""), 0x2d06_8005_38d3_94c2);
}

#[test]
fn the_hash_of_one_byte() {
    assert_eq!(compute_hash(b"a"), 0xe6c6_32b6_1e96_4e1f);
}

#[test]
fn the_hash_of_five_bytes() {
    assert_eq!(compute_hash(b"hello"), 0x9555_e855_5c62_dcfd);
}

#[test]
fn the_hash_of_nine_bytes() {
    assert_eq!(compute_hash(b"tailstone"), 0xe314_cfd7_49a8_d45e);
}

#[test]
fn the_hash_of_twenty_bytes() {
    assert_eq!(compute_hash(b"an append-only store"), 0xab65_d738_6497_d451);
}

#[test]
fn the_hash_of_two_hundred_bytes() {
    assert_eq!(compute_hash(&counted(200)), 0xf42a_8864_feaf_0703);
}

#[test]
fn the_hash_of_a_thousand_bytes() {
    assert_eq!(compute_hash(&counted(1000)), 0x33ef_703f_b2b2_0ed1);
}

#[test]
fn the_hash_of_several_blocks() {
    assert_eq!(compute_hash(&counted(5000)), 0xb418_500f_c423_20ee);
}

#[test]
fn a_batch_of_hashes_is_each_hash() {
    let inputs: Vec<Vec<u8>> = (0..300).map(counted).collect();
    let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let each: Vec<u64> = slices.iter().map(|slice| compute_hash(slice)).collect();
    assert_eq!(compute_hash_batch(&slices), each);
}

#[test]
fn a_batch_of_no_hashes_is_empty() {
    assert_eq!(compute_hash_batch(&[]), [0; 0]);
}

#[test]
fn a_checksum_is_crc_32_in_little_endian() {
    assert_eq!(
        compute_checksum(b"123456789"),
        0xcbf4_3926_u32.to_le_bytes()
    );
}

#[test]
fn a_namespaced_key_starts_with_its_namespace() {
    let key = NamespaceHasher::new(b"tenant").namespace(b"user:42");
    assert_eq!(key[..8], 0x9fcb_f6c9_5446_b4a4_u64.to_le_bytes());
}

#[test]
fn a_namespaced_key_ends_with_its_own_hash() {
    let key = NamespaceHasher::new(b"tenant").namespace(b"user:42");
    assert_eq!(key[8..], 0x9fc1_e605_fa71_74aa_u64.to_le_bytes());
}
