//! The command lines that are kept from fuzzing, and some more: each is a command or an error, never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails there and then"
)]

#[allow(dead_code, reason = "the tests parse, and no more")]
#[path = "../../src/args.rs"]
mod args;
mod parse;
#[path = "../../src/plan.rs"]
mod plan;
#[allow(dead_code, reason = "the tests parse, and no more")]
#[path = "../../src/size.rs"]
mod size;

#[test]
fn the_kept_corpus() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/arguments");
    let mut lines = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        parse::parse(&std::fs::read(file.unwrap().path()).unwrap());
        lines += 1;
    }
    assert!(lines > 10, "the corpus is gone");
}

#[test]
fn words_that_are_no_text_and_long_ones() {
    for line in [
        &b""[..],
        b"\n\n\n",
        b"store\nread\n\xff\xfe",
        b"\xff\nread\nkey",
        b"store\nread\nkey\n--buffer-size\n18446744073709551616",
        b"store\nread\nkey\n--buffer-size=999999999999999999999999GiB",
        b"store\nwrite\n--\n--help",
        b"store\nkeys\n--prefix",
        b"--json\n--json",
    ] {
        parse::parse(line);
    }
    parse::parse(&vec![b'a'; 1 << 20]);
    parse::parse(&b"x\n".repeat(10_000));
}
