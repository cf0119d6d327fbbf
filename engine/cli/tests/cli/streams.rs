//! What goes through pipes and terminals: exact bytes, and quiet ends.

use std::io::Read;
use std::process::Stdio;

use crate::program::{Bench, finish};

/// Bytes of every value, in an order that no text has.
fn binary(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(len)
    .collect()
}

#[test]
fn binary_values_pass_unchanged() {
    let bench = Bench::new();
    for len in [1, 63, 64, 65, 65_535, 65_536, 65_537, 3_000_001] {
        let mut value = binary(len);
        value[0] |= 1;
        bench.run_with(&["write", "k"], &value).expect_status(0);
        for size in ["1M", "1000"] {
            let run = bench.run(&["read", "k", "-b", size]).expect_status(0);
            assert!(run.stdout == value, "{len} bytes, -b {size}");
        }
    }
}

#[test]
fn a_key_may_be_any_text() {
    let bench = Bench::new();
    for key in ["", " ", "ключ", "a\nb", "--", "-x", "%s", "../etc"] {
        bench.run(&["write", "--", key, "v"]).expect_status(0);
        let run = bench.run(&["read", "--", key]).expect_status(0);
        assert_eq!(run.text(), "v", "{key:?}");
        let run = bench.run(&["delete", "--", key]).expect_status(0);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        bench.run(&["read", "--", key]).expect_status(1);
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let bench = Bench::new();
    bench
        .run_with(&["write", "big"], &binary(8 << 20))
        .expect_status(0);
    let mut child = bench
        .command(&["read", "big"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 10];
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn a_stream_of_zeros_is_refused_and_leaves_nothing() {
    let bench = Bench::with(&[("a", "1")]);
    let before = bench.bytes();
    bench
        .run_with(&["write", "zeros"], &vec![0; 100_000])
        .expect_status(2);
    assert_eq!(bench.bytes(), before);
}

#[test]
fn one_store_feeds_another() {
    let bench = Bench::new();
    let value = binary(1 << 20);
    bench.run_with(&["write", "k"], &value).expect_status(0);
    let mut source = bench
        .command(&["read", "k"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let target = bench.path("target.tsl");
    let mut sink = bench.command_on(&target, &["write", "k"]);
    finish(sink.stdin(source.stdout.take().unwrap())).expect_status(0);
    assert!(source.wait().unwrap().success());
    let run = bench.run_on(&target, &["read", "k"]).expect_status(0);
    assert!(run.stdout == value);
}

#[cfg(target_os = "linux")]
mod terminal {
    use std::fs::{File, OpenOptions};
    use std::io::Read;
    use std::process::Stdio;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use crate::program::Bench;

    /// Both ends of a terminal that nobody sits at: what a program writes to the second is read from the first.
    fn terminal() -> (File, File) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let end = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        (File::from(master), end)
    }

    #[test]
    fn a_terminal_gets_a_newline() {
        let bench = Bench::with(&[("k", "value")]);
        let (mut master, end) = terminal();
        let mut child = bench.command(&["read", "k"]).stdout(end).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let mut shown = [0; 64];
        let len = master.read(&mut shown).unwrap();
        assert_eq!(&shown[..len], b"value\r\n", "the terminal adds the return");
    }

    #[test]
    fn a_terminal_is_not_steered_by_a_key() {
        let bench = Bench::new();
        bench
            .run(&["write", "\x1b[2Jk", "v", "--bucket", "b"])
            .expect_status(0);
        let (mut master, end) = terminal();
        let mut command = bench.command(&["keys", "--bucket", "b"]);
        let mut child = command.stdout(end).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let mut shown = [0; 64];
        let len = master.read(&mut shown).unwrap();
        assert_eq!(&shown[..len], b"\\u{1b}[2Jk\r\n");
    }

    #[test]
    fn a_terminal_is_not_read_as_a_value() {
        let bench = Bench::new();
        let (_master, end) = terminal();
        let output = bench
            .command(&["write", "k"])
            .stdin(Stdio::from(end))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .contains("No value provided")
        );
    }
}
