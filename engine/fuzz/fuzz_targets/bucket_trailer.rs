//! What libFuzzer makes up, for `tailstone_tests::fuzz::bucket_trailer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tailstone_tests::fuzz::bucket_trailer(data));
