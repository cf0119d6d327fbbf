//! Answers of every kind as the other side reads them, and those that were given up.

use super::*;
use crate::execute::wire::{self, Answer as Read};
use crate::failure::Code;

fn filled(byte: u8) -> impl FnOnce(&mut [u8]) -> Result<(), ()> {
    move |target| {
        target.fill(byte);
        Ok(())
    }
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    let mut answers = Answers::default();
    let version = Version {
        number: (1 << 53) - 1,
        generation: 9,
    };
    answers.done();
    answers.none();
    answers.value(None, 5, filled(b'v')).unwrap();
    answers.number(1 << 40);
    answers.error(&Description {
        code: Code::Corrupt,
        message: "what".to_owned(),
        cause_name: "Name".to_owned(),
        cause_message: String::new(),
    });
    answers.extent(5 << 30, 6 << 30, version);
    answers.value(Some(version), 3, filled(b'w')).unwrap();
    let mut page = answers.page(2, Some(b"cur"));
    page.entry(b"a", KEY_WITH_VALUE, 2, filled(b'x')).unwrap();
    page.entry(b"long", KEY_OF_LONG_VALUE, 0, filled(0))
        .unwrap();
    page.close();
    answers.page(0, None).close();
    answers.list(&[Listed {
        tail: 77,
        size: 5 << 30,
        is_deletion: true,
    }]);
    let float = crate::number::to_js;
    let entries = vec![
        (b"a".to_vec(), 2, b"xx".to_vec()),
        (b"long".to_vec(), 5, vec![]),
    ];
    let expected = [
        Read::Done,
        Read::None,
        Read::Value(b"vvvvv".to_vec()),
        Read::Number(float(1 << 40)),
        Read::Error(2, "what".to_owned()),
        Read::Extent(float(5 << 30), float(6 << 30), (float((1 << 53) - 1), 9)),
        Read::Versioned((float((1 << 53) - 1), 9), b"www".to_vec()),
        Read::Page(entries, Some(b"cur".to_vec())),
        Read::Page(vec![], None),
        Read::List(vec![(77.0, float(5 << 30), true)]),
    ];
    assert_eq!(wire::answers(answers.bytes()), expected);
    assert_eq!(answers.extents(), 1);
    answers.clear();
    assert_eq!((answers.bytes().len(), answers.extents()), (0, 0));
}

#[test]
fn what_fails_leaves_nothing() {
    let mut answers = Answers::default();
    answers.number(1);
    assert_eq!(answers.value(None, 100, |_| Err("no")), Err("no"));
    let mut page = answers.page(1, Some(b"c"));
    assert_eq!(page.entry(b"k", KEY_WITH_VALUE, 9, |_| Err(1)), Err(1));
    drop(page);
    answers.done();
    assert_eq!(
        wire::answers(answers.bytes()),
        [Read::Number(1.0), Read::Done]
    );
}

#[test]
fn memory_of_a_large_answer_is_given_back_once_it_is_not_needed() {
    let mut answers = Answers::default();
    answers.value(None, 9 << 20, filled(1)).unwrap();
    answers.clear();
    assert!(
        answers.bytes.capacity() >= 9 << 20,
        "the next one may be as large"
    );
    answers.done();
    answers.clear();
    assert!(answers.bytes.capacity() <= crate::KEPT_BYTES);
}
