//! The stores under comparison, as one small trait.

use crate::data;
use std::error::Error;
use std::path::Path;
use std::str::FromStr;

/// Which store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// This one.
    Tailstone,
    /// This one, by a pinned read view.
    TailstoneReader,
    /// The store whose file format it shares, 0.17.5-alpha.
    SimdRDrive,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tailstone, Self::TailstoneReader, Self::SimdRDrive];

    /// What it is called on the command line and in the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tailstone => "tailstone",
            Self::TailstoneReader => "tailstone-reader",
            Self::SimdRDrive => "simd-r-drive",
        }
    }

    /// Opens or creates its store in `folder`.
    pub fn open(self, path: &Path) -> Result<Box<dyn Peer>, Box<dyn Error>> {
        Ok(match self {
            Self::Tailstone => Box::new(Ours(tailstone::DataStore::open(path)?)),
            Self::TailstoneReader => Box::new(Pinned(tailstone::DataStore::open(path)?)),
            Self::SimdRDrive => Box::new(Reference(simd_r_drive::DataStore::open(path)?)),
        })
    }

    /// The name of its file; stores of one format read one file.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Tailstone | Self::TailstoneReader => "tailstone.tsl",
            Self::SimdRDrive => "simd-r-drive.bin",
        }
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|engine| engine.name() == name)
            .ok_or_else(|| format!("no store is called {name}"))
    }
}

/// What is asked of a store. Loops over records are inside, so that the call through the trait does not count.
pub trait Peer {
    /// Stores one batch of records.
    fn load(&self, keys: &[[u8; 24]], first: u64) -> Result<(), Box<dyn Error>>;
    /// Stores records one by one.
    fn write(&self, keys: &[[u8; 24]], first: u64) -> Result<(), Box<dyn Error>>;
    /// Reads the records `order` by their keys, which are in that order too, and compares each.
    fn read(&self, keys: &[[u8; 24]], order: &[u64]) -> Result<(), Box<dyn Error>>;
    /// The same, 1,024 at a time.
    fn batch_read(&self, keys: &[[u8; 24]], order: &[u64]) -> Result<(), Box<dyn Error>>;
    /// Looks for keys that are not there.
    fn miss(&self, keys: &[[u8; 24]]) -> Result<(), Box<dyn Error>>;
}

fn check(record: u64, bytes: Option<&[u8]>) -> Result<(), String> {
    match bytes {
        Some(bytes) if data::is_value(record, bytes) => Ok(()),
        Some(_) => Err(format!("record {record} has another value than was stored")),
        None => Err(format!("record {record} is not there")),
    }
}

/// The two crates have the same methods.
macro_rules! writes {
    () => {
        fn load(&self, keys: &[[u8; 24]], first: u64) -> Result<(), Box<dyn Error>> {
            let values: Vec<_> = (first..).take(keys.len()).map(data::value).collect();
            let batch: Vec<(&[u8], &[u8])> = keys
                .iter()
                .zip(&values)
                .map(|(k, v)| (&k[..], &v[..]))
                .collect();
            self.0.batch_write(&batch)?;
            Ok(())
        }

        fn write(&self, keys: &[[u8; 24]], first: u64) -> Result<(), Box<dyn Error>> {
            for (key, record) in keys.iter().zip(first..) {
                self.0.write(key, &data::value(record))?;
            }
            Ok(())
        }

        fn batch_read(&self, keys: &[[u8; 24]], order: &[u64]) -> Result<(), Box<dyn Error>> {
            for (records, keys) in order.chunks(1024).zip(keys.chunks(1024)) {
                let wanted: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
                let values = self.0.batch_read(&wanted)?;
                for (record, value) in records.iter().zip(values) {
                    check(*record, value.as_ref().map(|value| value.as_slice()))?;
                }
            }
            Ok(())
        }

        fn miss(&self, keys: &[[u8; 24]]) -> Result<(), Box<dyn Error>> {
            for key in keys {
                if self.0.read(key)?.is_some() {
                    return Err("a key that was never written has a value".into());
                }
            }
            Ok(())
        }
    };
}

macro_rules! reads {
    () => {
        fn read(&self, keys: &[[u8; 24]], order: &[u64]) -> Result<(), Box<dyn Error>> {
            for (record, key) in order.iter().zip(keys) {
                let value = self.0.read(key)?;
                check(*record, value.as_ref().map(|value| value.as_slice()))?;
            }
            Ok(())
        }
    };
}

struct Ours(tailstone::DataStore);

struct Pinned(tailstone::DataStore);

struct Reference(simd_r_drive::DataStore);

mod ours {
    use super::{Error, Ours, Peer, Pinned, check, data};
    use tailstone::{DataStoreReader, DataStoreWriter};

    impl Peer for Ours {
        writes!();
        reads!();
    }

    impl Peer for Pinned {
        writes!();

        fn read(&self, keys: &[[u8; 24]], order: &[u64]) -> Result<(), Box<dyn Error>> {
            let reader = self.0.reader();
            for (record, key) in order.iter().zip(keys) {
                check(*record, reader.get(key))?;
            }
            Ok(())
        }
    }
}

mod reference {
    use super::{Error, Peer, Reference, check, data};
    use simd_r_drive::traits::{DataStoreReader, DataStoreWriter};

    impl Peer for Reference {
        writes!();
        reads!();
    }
}
