//! The medium of a store in the component: a file behind a cache, and the directory in which compaction makes another.

use std::io;
use std::ops::Range;
use std::rc::Rc;

use tailstone::backing::device::{DeviceBacking, DeviceView};
use tailstone::backing::{Backing, Rewrite};
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

use crate::directory::Name;
use crate::file::{WasiFile, io_error};

/// What a store keeps in memory beside its index.
const CACHE_BYTES: usize = 4 << 20;

/// A file of a directory.
pub struct WasiBacking {
    file: DeviceBacking<WasiFile>,
    place: Rc<Place>,
}

/// Where the file lies, and under which name another is made before it takes the first one's.
struct Place {
    directory: Descriptor,
    name: String,
    replacement: String,
}

impl WasiBacking {
    /// `file`, which is the one of this name in `directory`.
    pub fn new(directory: Descriptor, name: &Name, file: WasiFile) -> io::Result<Self> {
        let place = Place {
            directory,
            name: name.as_str().to_owned(),
            replacement: name.of_replacement(),
        };
        Ok(Self {
            file: DeviceBacking::new(file, CACHE_BYTES)?,
            place: Rc::new(place),
        })
    }
}

impl Backing for WasiBacking {
    type View = DeviceView;

    /// A component has no threads.
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

impl Rewrite for WasiBacking {
    fn create_replacement(&self) -> io::Result<Self> {
        let place = &self.place;
        let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let open = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let opened = place
            .directory
            .open_at(PathFlags::empty(), &place.replacement, open, flags);
        let file = WasiFile::new(opened.map_err(io_error)?);
        Ok(Self {
            file: DeviceBacking::new(file, CACHE_BYTES)?,
            place: Rc::clone(place),
        })
    }

    fn commit_replacement(&self, _replacement: &Self) -> io::Result<()> {
        let place = &self.place;
        place
            .directory
            .rename_at(&place.replacement, &place.directory, &place.name)
            .map_err(io_error)?;
        // The new name is durable once the directory is. Not every host can sync one, and none can do more.
        let _synced = place.directory.sync();
        Ok(())
    }
}
