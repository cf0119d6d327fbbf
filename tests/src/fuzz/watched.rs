//! A device in memory that counts what it is asked for, so that nobody reads a file over and over.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use tailstone::backing::device::{Device, DeviceBacking};
use tailstone::{Error, Options, Store};

/// A handle to the device; clones are handles to the same one.
#[derive(Debug, Clone, Default)]
pub struct Watched(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bytes: RefCell<Vec<u8>>,
    read_bytes: Cell<u64>,
    changes: Cell<u64>,
}

/// A store on it.
pub type WatchedStore = Store<DeviceBacking<Watched>>;

/// So small that stores of a few kilobytes do not fit.
const CACHE: usize = 4 << 10;

impl Watched {
    pub fn new(bytes: &[u8]) -> Self {
        let device = Self::default();
        device.0.bytes.borrow_mut().extend_from_slice(bytes);
        device
    }

    pub fn open(&self, options: &Options) -> Result<WatchedStore, Error> {
        Store::open_with(DeviceBacking::new(self.clone(), CACHE).unwrap(), options)
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.bytes.borrow().clone()
    }

    /// Bytes handed out so far.
    pub fn read_bytes(&self) -> u64 {
        self.0.read_bytes.get()
    }

    /// Writes, cuts and extensions so far.
    pub fn changes(&self) -> u64 {
        self.0.changes.get()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
        self.0.changes.set(self.changes() + 1);
        change(&mut self.0.bytes.borrow_mut());
    }
}

impl Device for Watched {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.bytes.borrow().len() as u64)
    }

    fn read_at(&self, at: u64, buf: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.bytes.borrow();
        let from = usize::try_from(at).map_or(&[][..], |at| bytes.get(at..).unwrap_or_default());
        let len = from.len().min(buf.len());
        buf[..len].copy_from_slice(&from[..len]);
        self.0.read_bytes.set(self.read_bytes() + len as u64);
        Ok(len)
    }

    fn write_at(&self, at: u64, buf: &[u8]) -> io::Result<usize> {
        let at = usize::try_from(at).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.change(|bytes| {
            bytes.resize(bytes.len().max(at + buf.len()), 0);
            bytes[at..at + buf.len()].copy_from_slice(buf);
        });
        Ok(buf.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.change(|bytes| bytes.resize(len, 0));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
