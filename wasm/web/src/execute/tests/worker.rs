//! A store on a device, and what a worker has beside it.

use crate::answers::Answers;
use crate::changes::Changes;
use crate::execute::Executor;
use crate::execute::wire::{self, Answer, answers};
use crate::request::Malformed;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use tailstone::backing::Backing;
use tailstone::backing::device::faulty::FaultyDevice;
use tailstone::backing::device::{DeviceBacking, DeviceView, WriteBehind};
use tailstone::{Options, Store};

/// A medium that the store and a worker have together.
#[derive(Clone)]
pub struct Shared(pub Rc<DeviceBacking<WriteBehind<FaultyDevice>>>);

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
pub struct Worker {
    pub device: FaultyDevice,
    pub backing: Shared,
    pub store: Store<Shared>,
    pub answers: Answers,
    pub changes: Changes,
    pub generation: u32,
}

impl Worker {
    pub fn new() -> Self {
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

    pub fn run(&mut self, request: &[u8]) -> std::result::Result<Vec<Answer>, Malformed> {
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
    pub fn one(&mut self, code: u32, flags: u32, key: &[u8], value: &[u8]) -> Answer {
        let mut request = in_bucket(b"b");
        wire::operation(&mut request, code, flags, key, value);
        let mut answers = self.run(&request).unwrap();
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub fn set(&mut self, key: &[u8], value: &[u8]) {
        assert_eq!(self.one(1, 0, key, value), Answer::Done);
    }

    pub fn get(&mut self, key: &[u8]) -> Answer {
        self.one(2, 0, key, b"")
    }

    /// The version of a value as `PUT_IF` takes it.
    pub fn version(&mut self, key: &[u8]) -> (f64, u32) {
        match self.one(2, 1, key, b"") {
            Answer::Versioned(version, _) => version,
            other => panic!("{other:?}"),
        }
    }
}

/// The start of a request in the bucket called `name`.
pub fn in_bucket(name: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    wire::operation(&mut request, 0, 0, name, b"");
    request
}
