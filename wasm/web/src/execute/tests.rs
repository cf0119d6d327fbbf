//! What comes of requests to a store on a device, and of bytes that are none.

use super::wire::{self, Answer, answers};
use super::*;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use tailstone::Options;
use tailstone::backing::device::faulty::{Call, Fault, FaultyDevice};
use tailstone::backing::device::{DeviceBacking, DeviceView, WriteBehind};

/// A medium that the store and a worker have together.
#[derive(Clone)]
struct Shared(Rc<DeviceBacking<WriteBehind<FaultyDevice>>>);

impl Backing for Shared {
    type View = DeviceView;

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.0.read(at, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<DeviceView> {
        self.0.view(range)
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.0.write(at, parts)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

/// A store and what a worker has beside it.
struct Worker {
    device: FaultyDevice,
    backing: Shared,
    store: Store<Shared>,
    answers: Answers,
    changes: Changes,
    generation: u32,
}

impl Worker {
    fn new() -> Self {
        let device = FaultyDevice::new();
        let buffer = WriteBehind::new(device.clone()).unwrap();
        let backing = Shared(Rc::new(DeviceBacking::new(buffer, 1 << 20).unwrap()));
        let options = Options::new().clock(|| 1_000);
        Self {
            store: Store::open_with(backing.clone(), &options).unwrap(),
            device,
            backing,
            answers: Answers::default(),
            changes: Changes::default(),
            generation: 5,
        }
    }

    fn run(&mut self, request: &[u8]) -> std::result::Result<Vec<Answer>, Malformed> {
        self.answers.clear();
        self.changes.clear();
        Executor {
            store: &self.store,
            backing: &self.backing,
            generation: self.generation,
            answers: &mut self.answers,
            changes: &mut self.changes,
        }
        .run(request)?;
        Ok(answers(self.answers.bytes()))
    }

    /// Of one operation in the bucket `b`.
    fn one(&mut self, code: u32, flags: u32, key: &[u8], value: &[u8]) -> Answer {
        let mut request = in_bucket(b"b");
        wire::operation(&mut request, code, flags, key, value);
        let mut answers = self.run(&request).unwrap();
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        assert_eq!(self.one(1, 0, key, value), Answer::Done);
    }

    fn get(&mut self, key: &[u8]) -> Answer {
        self.one(2, 0, key, b"")
    }

    /// The version of a value as `PUT_IF` takes it.
    fn version(&mut self, key: &[u8]) -> (f64, u32) {
        match self.one(2, 1, key, b"") {
            Answer::Versioned(version, _) => version,
            other => panic!("{other:?}"),
        }
    }
}

fn in_bucket(name: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    wire::operation(&mut request, 0, 0, name, b"");
    request
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn floats(floats: &[f64]) -> Vec<u8> {
    floats
        .iter()
        .flat_map(|float| float.to_le_bytes())
        .collect()
}

#[test]
fn values_go_in_and_come_out_in_order_and_by_bucket() {
    let mut worker = Worker::new();
    let mut request = in_bucket(b"b");
    wire::operation(&mut request, 1, 0, b"k", b"one");
    wire::operation(&mut request, 2, 0, b"k", b"");
    wire::operation(&mut request, 1, 0, b"k", b"second");
    wire::operation(&mut request, 1, 0, b"", b"");
    wire::operation(&mut request, 2, 0, b"k", b"");
    wire::operation(&mut request, 2, 0, b"", b"");
    wire::operation(&mut request, 3, 0, b"k", b"");
    wire::operation(&mut request, 9, 0, b"", b"");
    wire::operation(&mut request, 0, 0, b"other", b"");
    wire::operation(&mut request, 2, 0, b"k", b"");
    wire::operation(&mut request, 3, 0, b"k", b"");
    wire::operation(&mut request, 4, 0, b"k", b"");
    wire::operation(&mut request, 0, 0, b"b", b"");
    wire::operation(&mut request, 4, 0, b"k", b"");
    wire::operation(&mut request, 10, 0, b"", b"");
    wire::operation(&mut request, 10, 0, b"", b"");
    let value = |bytes: &[u8]| Answer::Value(bytes.to_vec());
    let expected = [
        Answer::Done,
        value(b"one"),
        Answer::Done,
        Answer::Done,
        value(b"second"),
        value(b""),
        Answer::Number(6.0),
        Answer::Number(2.0),
        Answer::None,
        Answer::None,
        Answer::None,
        Answer::Done,
        Answer::Number(1.0),
        Answer::Number(0.0),
    ];
    assert_eq!(worker.run(&request).unwrap(), expected);
    assert_eq!(worker.device.count(Call::Write), 0, "all of it is gathered");
    assert_eq!(worker.run(&[]).unwrap(), []);
}

#[test]
fn long_values_are_not_read() {
    let mut worker = Worker::new();
    let inline = vec![7; 16 << 10];
    worker.set(b"inline", &inline);
    worker.set(b"long", &vec![8; (16 << 10) + 1]);
    assert_eq!(worker.get(b"inline"), Answer::Value(inline));
    assert_eq!(worker.answers.extents(), 0);
    let Answer::Extent(offset, length, (version, generation)) = worker.get(b"long") else {
        panic!("not an extent");
    };
    assert_eq!((length, generation), (16_385.0, 5));
    assert_eq!(worker.answers.extents(), 1);
    let mut found = vec![0; 16_385];
    let at = crate::number::from_js(offset);
    worker.backing.read(at, &mut found).unwrap();
    assert_eq!(found, vec![8; 16_385]);

    let mut range = |offset, length| worker.one(5, 0, b"long", &floats(&[offset, length]));
    assert_eq!(range(10.0, 3.0), Answer::Value(vec![8; 3]));
    assert_eq!(range(16_384.0, 1e9), Answer::Value(vec![8]));
    assert_eq!(range(1e9, 1e9), Answer::Value(vec![]));
    assert_eq!(range(f64::NAN, -5.0), Answer::Value(vec![]));
    let whole = Answer::Extent(offset, 16_385.0, (version, 5));
    assert_eq!(range(0.0, 1e9), whole);
    assert_eq!(worker.one(13, 0, b"long", b""), whole);
    assert_eq!(worker.one(2, 1, b"long", b""), whole);
    assert_eq!(worker.one(13, 0, b"none", b""), Answer::None);
    assert_eq!(worker.one(5, 0, b"none", &[0; 16]), Answer::None);
}

#[test]
fn a_batch_is_all_or_nothing_and_one_answer() {
    let mut worker = Worker::new();
    worker.changes.watch(true);
    worker.set(b"gone", b"x");
    let mut request = in_bucket(b"b");
    wire::batch(&mut request, 3);
    wire::operation(&mut request, 1, 0, b"a", b"1");
    wire::operation(
        &mut request,
        1,
        1,
        b"late",
        &[&floats(&[1_000.0]), &b"2"[..]].concat(),
    );
    wire::operation(&mut request, 4, 0, b"gone", b"");
    wire::batch(&mut request, 0);
    wire::operation(&mut request, 2, 0, b"a", b"");
    let expected = [Answer::Done, Answer::Done, Answer::Value(b"1".to_vec())];
    assert_eq!(worker.run(&request).unwrap(), expected);
    let changes = worker.changes.bytes().to_vec();
    assert_eq!(worker.get(b"late"), Answer::None, "it expired at once");
    assert_eq!(worker.get(b"gone"), Answer::None);
    let expected = [
        &words(&[1, 1, 1])[..],
        b"ba\0\0",
        &words(&[1, 1, 4]),
        b"blate\0\0\0",
        &words(&[2, 1, 4]),
        b"bgone\0\0\0",
    ];
    assert_eq!(changes, expected.concat());

    worker.device.limit(0);
    worker.backing.0.device().trim().unwrap_err();
    let mut request = in_bucket(b"b");
    wire::batch(&mut request, 2);
    wire::operation(&mut request, 1, 0, b"a", b"2");
    wire::operation(&mut request, 1, 0, b"large", &vec![1; 2 << 20]);
    wire::operation(&mut request, 2, 0, b"a", b"");
    let answers = worker.run(&request).unwrap();
    assert!(matches!(answers[0], Answer::Error(0, _)), "{answers:?}");
    assert_eq!(answers[1], Answer::Value(b"1".to_vec()));
    assert!(worker.changes.bytes().is_empty());
}

#[test]
fn a_value_is_only_put_where_it_is_what_it_was() {
    let mut worker = Worker::new();
    let put = |worker: &mut Worker, flags, (version, generation): (f64, u32), new: &[u8]| {
        let value = [&floats(&[version])[..], &words(&[generation, 0]), new].concat();
        worker.one(7, flags, b"k", &value)
    };
    assert_eq!(put(&mut worker, 0, (0.0, 5), b"no"), Answer::Number(0.0));
    assert_eq!(put(&mut worker, 1, (0.0, 0), b"first"), Answer::Number(1.0));
    assert_eq!(put(&mut worker, 1, (0.0, 0), b"again"), Answer::Number(0.0));
    let first = worker.version(b"k");
    assert_eq!(put(&mut worker, 0, first, b"second"), Answer::Number(1.0));
    assert_eq!(put(&mut worker, 0, first, b"lost"), Answer::Number(0.0));
    let second = worker.version(b"k");
    worker.generation = 6;
    assert_eq!(put(&mut worker, 0, second, b"lost"), Answer::Number(0.0));
    worker.generation = 5;
    worker.changes.watch(true);
    assert_eq!(put(&mut worker, 2, second, b""), Answer::Number(1.0));
    assert_eq!(
        worker.changes.bytes(),
        [&words(&[2, 1, 1])[..], b"bk\0\0"].concat()
    );
    assert_eq!(worker.get(b"k"), Answer::None);
    assert_eq!(put(&mut worker, 3, (0.0, 0), b""), Answer::Number(1.0));
    assert!(worker.changes.bytes().is_empty(), "there was nothing");
}

#[test]
fn pages_go_through_all_keys_within_their_limits() {
    let mut worker = Worker::new();
    worker.set(b"other", b"x");
    worker.set(b"p/long", &vec![1; 20_000]);
    let mut expected = vec![(b"p/long".to_vec(), 5, vec![])];
    for nth in 0..50 {
        let key = [&b"p/n"[..], &[nth]].concat();
        let value = vec![nth; usize::from(nth) * 7];
        worker.set(&key, &value);
        expected.push((key, 2, value));
    }
    for (limit, limit_bytes) in [
        (7, 100_000),
        (1000, 2_000),
        (0, 0),
        (1, 1),
        (1000, u32::MAX),
    ] {
        let (mut found, mut cursor, mut pages) = (Vec::new(), None::<Vec<u8>>, 0);
        loop {
            let mut value = words(&[limit, limit_bytes, cursor.is_some().into()]);
            value.extend_from_slice(cursor.as_deref().unwrap_or_default());
            let Answer::Page(entries, next) = worker.one(8, 1, b"p/", &value) else {
                panic!("not a page");
            };
            let bytes: usize = entries
                .iter()
                .map(|(key, _, value)| 12 + key.len() + value.len())
                .sum();
            assert!(
                entries.len() == 1
                    || (entries.len() <= limit as usize && bytes <= limit_bytes as usize)
            );
            assert!(worker.answers.bytes().len() < 30_000);
            found.extend(entries);
            pages += 1;
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {limit}, {limit_bytes} bytes");
        assert_eq!(pages == 1, limit_bytes == u32::MAX);
    }
    let alone: Vec<_> = expected
        .iter()
        .map(|(key, ..)| (key.clone(), 0, vec![]))
        .collect();
    let value = words(&[1000, 1 << 20, 0]);
    assert_eq!(worker.one(8, 0, b"p/", &value), Answer::Page(alone, None));
    assert_eq!(worker.one(8, 0, b"q", &value), Answer::Page(vec![], None));
}

#[test]
fn the_past_is_listed_and_read() {
    let mut worker = Worker::new();
    worker.set(b"k", b"one");
    let first = crate::number::to_js(worker.store.tail());
    worker.set(b"k", &vec![2; 20_000]);
    let second = crate::number::to_js(worker.store.tail());
    assert_eq!(worker.one(4, 0, b"k", b""), Answer::Done);
    let third = crate::number::to_js(worker.store.tail());
    let all = vec![
        (third, 0.0, true),
        (second, 20_000.0, false),
        (first, 3.0, false),
    ];
    assert_eq!(
        worker.one(11, 0, b"k", &words(&[9])),
        Answer::List(all.clone())
    );
    assert_eq!(
        worker.one(11, 0, b"k", &words(&[2])),
        Answer::List(all[..2].to_vec())
    );
    assert_eq!(
        worker.one(11, 0, b"none", &words(&[9])),
        Answer::List(vec![])
    );
    let mut version = |tail: f64, flags| worker.one(12, flags, b"k", &floats(&[tail]));
    assert_eq!(version(first, 0), Answer::Value(b"one".to_vec()));
    assert!(matches!(version(first, 1), Answer::Versioned(_, _)));
    assert!(matches!(version(second, 0), Answer::Extent(_, 20_000.0, _)));
    assert_eq!(version(third, 0), Answer::None);
    assert_eq!(version(0.0, 0), Answer::None);
    assert!(matches!(version(first + 1.0, 0), Answer::Error(5, _)));
}

#[test]
fn an_error_is_the_answer_of_its_operation_alone() {
    let mut worker = Worker::new();
    worker.set(b"k", b"kept");
    let mut request = in_bucket(b"b");
    wire::operation(&mut request, 1, 0, &vec![0; 70_000], b"v");
    wire::operation(&mut request, 2, 0, b"k", b"");
    wire::operation(&mut request, 0, 0, &vec![0; 70_000], b"");
    wire::operation(&mut request, 2, 0, b"k", b"");
    let found = worker.run(&request).unwrap();
    assert!(matches!(&found[0], Answer::Error(5, message) if message.contains("70000")));
    assert_eq!(found[1], Answer::Value(b"kept".to_vec()));
    assert!(
        matches!(found[2], Answer::Error(5, _)),
        "the name of the bucket"
    );

    // Past the write buffer and the cache.
    worker.set(b"k", &vec![1; 10_000]);
    worker.backing.sync().unwrap();
    let fresh = Shared(Rc::new(
        DeviceBacking::new(WriteBehind::new(worker.device.clone()).unwrap(), 0).unwrap(),
    ));
    worker.backing = fresh;
    worker
        .device
        .plan(Call::Read, 0, Fault::Fail(io::ErrorKind::NotConnected));
    assert!(matches!(worker.get(b"k"), Answer::Error(4, _)));
    assert_eq!(worker.get(b"k"), Answer::Value(vec![1; 10_000]));
}

/// Whatever the bytes are: nothing panics, and what is refused was not begun.
#[test]
fn hostile_requests_are_carried_out_or_refused() {
    let mut worker = Worker::new();
    let mut state = 11_u64;
    let mut random = move |limit: u32| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % u64::from(limit)).unwrap()
    };
    let (mut refused, mut done) = (0, 0);
    for _ in 0..20_000 {
        let mut request = in_bucket(b"b");
        for _ in 0..random(5) {
            let code = random(15);
            let flags = if random(4) == 0 { random(5) } else { 0 };
            let key = vec![random(3).to_le_bytes()[0]; random(4) as usize];
            let value: Vec<u8> = (0..random(30))
                .map(|_| random(256).to_le_bytes()[0] & 0x4f)
                .collect();
            if code == 6 {
                wire::batch(&mut request, random(3));
            } else {
                wire::operation(&mut request, code, flags, &key, &value);
            }
        }
        for _ in 0..random(3) {
            let place = random(u32::try_from(request.len()).unwrap()) as usize;
            request[place] = random(256).to_le_bytes()[0];
        }
        if random(5) == 0 {
            request.truncate(random(u32::try_from(request.len()).unwrap()) as usize);
        }
        let before = worker.store.tail();
        if worker.run(&request).is_ok() {
            done += 1;
        } else {
            refused += 1;
            assert_eq!(worker.store.tail(), before);
        }
    }
    assert!(refused > 1_000 && done > 1_000, "{refused}, {done}");
}
