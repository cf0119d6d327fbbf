//! What libFuzzer makes up, for `tailstone_tests::fuzz::index_snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tailstone_tests::fuzz::index_snapshot(data));
