//! What is asked of a store. Workloads are written once over these traits and compiled for each store, so that no call through a
//! table of functions counts.

use std::error::Error;
use std::path::Path;

/// What a store or a workload returns.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// How far a write goes before its call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Handed to the system: it survives the end of the process, not a loss of power.
    Buffered,
    /// On stable storage.
    Durable,
}

/// What a store is opened for.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How far its writes go.
    pub durability: Durability,
    /// Bytes of its values, of which some stores have kinds.
    #[cfg_attr(
        not(feature = "peers"),
        expect(dead_code, reason = "none of these stores has")
    )]
    pub value_bytes: usize,
}

/// A key and its value.
pub type Pair<'a> = (&'a [u8], &'a [u8]);

/// One store, in a folder of its own.
pub trait Peer: Sized + Send + Sync {
    /// What one thread reads with.
    type Reads<'a>: Reads
    where
        Self: 'a;
    /// What one thread writes with.
    type Writes<'a>: Writes
    where
        Self: 'a;

    /// Whether it has a way to put a write on stable storage.
    const DURABLE: bool = true;
    /// Whether a buffered write outlives the process.
    const OUTLIVES: bool = true;
    /// What a reader of its figures for buffered writes has to know.
    const NOTE: Option<&'static str> = None;

    /// Opens or creates the store in `folder`, which is there.
    fn open(folder: &Path, settings: Settings) -> Outcome<Self>;

    /// Gives `work` what this thread reads with, for as long as it takes.
    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T>;

    /// Gives `work` what this thread writes with, for as long as it takes.
    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T>;

    /// Hands the system what the store still keeps in memory of its own, without a sync.
    fn hand_over(&self) -> Outcome {
        Ok(())
    }

    /// Gives back the space of what was overwritten; false if the store has no way to.
    fn compact(&mut self) -> Outcome<bool> {
        Ok(false)
    }

    /// Closes the store in order.
    fn close(self) -> Outcome {
        drop(self);
        Ok(())
    }
}

/// Reading.
pub trait Reads {
    /// Goes over to the state of now, so that the store need not keep for this thread what is overwritten.
    fn refresh(&mut self) -> Outcome {
        Ok(())
    }

    /// Shows the value of `key` to `see`, where it lies if the store can.
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T>;

    /// The same for several keys, each with its place among them.
    fn read_many(
        &mut self,
        keys: &[&[u8]],
        mut see: impl FnMut(usize, Option<&[u8]>) -> Outcome,
    ) -> Outcome {
        for (at, key) in keys.iter().enumerate() {
            self.read(key, |value| see(at, value))??;
        }
        Ok(())
    }

    /// Shows every value to `see`, in the store's own order.
    fn each(&mut self, see: impl FnMut(&[u8]) -> Outcome) -> Outcome;

    /// The number of keys.
    fn len(&mut self) -> Outcome<u64>;
}

/// Writing, as far as the store was opened for.
pub trait Writes {
    /// Stores one value.
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome;

    /// Stores several at once.
    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome;

    /// Deletes several keys, at once if the store can.
    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome;
}
