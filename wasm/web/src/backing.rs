//! The medium of a store in the browser: the file behind a handle, with a write buffer and a cache, and another file to go over to.
//!
//! Invariant: all clones are the same medium, so that a worker can reach the file of the store that it holds.

use crate::device::OpfsDevice;
use crate::failure::thrown;
use crate::handle::SyncHandle;
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use tailstone::backing::device::{Device, DeviceBacking, DeviceView, WriteBehind};
use tailstone::backing::{Backing, Rewrite};
use wasm_bindgen::prelude::*;

/// What is kept in memory of the file, besides the index and the write buffer.
const CACHE_BYTES: usize = 8 << 20;

#[wasm_bindgen]
extern "C" {
    /// What makes the spare file the store's: from then on, and after a crash, the store is found there.
    #[derive(Clone)]
    pub type Promotion;

    #[wasm_bindgen(method, catch)]
    fn promote(this: &Promotion) -> Result<(), JsValue>;
}

/// A file that a store can be in.
#[derive(Clone)]
pub struct WebBacking {
    file: Rc<File>,
    spare: Rc<RefCell<Option<Spare>>>,
}

/// Through the cache, the write buffer and the handle.
type File = DeviceBacking<WriteBehind<OpfsDevice>>;

/// The file to go over to.
struct Spare {
    file: Rc<File>,
    promotion: Promotion,
}

impl WebBacking {
    /// The file behind `handle`.
    pub fn open(handle: SyncHandle) -> io::Result<Self> {
        Ok(Self {
            file: open(handle)?,
            spare: Rc::default(),
        })
    }

    /// Makes the file behind `handle` the one that a compaction goes over to, by way of `promotion`.
    pub(crate) fn offer(&self, handle: SyncHandle, promotion: &Promotion) -> io::Result<()> {
        let spare = Spare {
            file: open(handle)?,
            promotion: promotion.clone(),
        };
        *self.spare.borrow_mut() = Some(spare);
        Ok(())
    }

    /// Takes the offer back, and gives the backing that was made of it.
    pub(crate) fn take_spare(&self) -> Option<Self> {
        let spare = self.spare.borrow_mut().take()?;
        Some(Self {
            file: spare.file,
            spare: Rc::clone(&self.spare),
        })
    }

    /// The write buffer.
    pub(crate) fn buffer(&self) -> &WriteBehind<OpfsDevice> {
        self.file.device()
    }

    /// Fills `target` with the bytes at `at`, from the write buffer and from the handle, without a copy in between.
    pub fn read_into(&self, at: u64, target: &Uint8Array) -> io::Result<()> {
        let buffer = self.buffer();
        let length = target.length();
        let left = buffer.len()?.saturating_sub(at);
        if left < length.into() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.with_gathered(|start, gathered| {
            if gathered.is_empty() {
                return buffer.device().read_into(at, target);
            }
            let before =
                u32::try_from(start.saturating_sub(at)).map_or(length, |gap| gap.min(length));
            if before > 0 {
                let target = target.subarray(0, before);
                buffer.device().read_into(at, &target)?;
            }
            let from = usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            let found = gathered.get(from..).unwrap_or_default();
            let rest = length - before;
            let count = u32::try_from(found.len()).map_or(rest, |found| found.min(rest));
            if count > 0 {
                let bytes = found.get(..count as usize).unwrap_or_default();
                target.subarray(before, before + count).copy_from(bytes);
            }
            if count < rest {
                let behind = before + count;
                let target = target.subarray(behind, length);
                buffer.device().read_into(at + u64::from(behind), &target)?;
            }
            Ok(())
        })
    }
}

fn open(handle: SyncHandle) -> io::Result<Rc<File>> {
    let buffer = WriteBehind::new(OpfsDevice::new(handle))?;
    DeviceBacking::new(buffer, CACHE_BYTES).map(Rc::new)
}

impl Backing for WebBacking {
    type View = DeviceView;

    const ONE_THREAD: bool = true;

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, at: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file.read(at, buf)
    }

    fn view(&self, range: Range<u64>) -> io::Result<DeviceView> {
        self.file.view(range)
    }

    fn write(&self, at: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.file.write(at, parts)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

impl Rewrite for WebBacking {
    fn create_replacement(&self) -> io::Result<Self> {
        let spare = self.spare.borrow();
        let spare = spare.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        spare.file.truncate(0)?;
        Ok(Self {
            file: Rc::clone(&spare.file),
            spare: Rc::clone(&self.spare),
        })
    }

    fn commit_replacement(&self, _: &Self) -> io::Result<()> {
        let promotion = self
            .spare
            .borrow()
            .as_ref()
            .map(|spare| spare.promotion.clone());
        let promotion = promotion.ok_or(io::ErrorKind::Unsupported)?;
        promotion.promote().map_err(thrown)
    }
}
