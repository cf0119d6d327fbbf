//! What libFuzzer makes up, for `tailstone_tests::fuzz::reading`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tailstone_tests::fuzz::reading(data));
