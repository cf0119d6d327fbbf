//! All live values, newest first, as they were at the tail of the moment of the call.

use super::live::LiveEntries;
use super::{Ahead, EntryHandle, Generation, Store};
use crate::backing::{Backing, Resident};
use crate::error::Result;
use std::sync::Arc;

/// Live values, newest first, each read when its turn comes; a medium that fails says so in its place.
pub struct Entries<B: Backing> {
    live: LiveEntries<B>,
    ahead: Ahead,
}

/// Live values, newest first, from a medium that lies in memory.
pub struct EntryIterator<B: Resident>(Entries<B>);

impl<B: Backing> Store<B> {
    /// Iterates over the live values, newest first, at the tail of this moment: later writes do not show.
    ///
    /// Costs 8 bytes of memory for each live key.
    pub fn entries(&self) -> Result<Entries<B>> {
        self.live_entries().map(Entries::of)
    }
}

impl<B: Resident> Store<B> {
    /// Iterates over the live values, newest first, at the tail of this moment: later writes do not show.
    ///
    /// Costs 8 bytes of memory for each live key. Of a file that was damaged, values that cannot be read are left out, and there are none
    /// at all if the keys cannot be told; only [`entries`](Self::entries) has errors for that.
    #[must_use]
    pub fn iter_entries(&self) -> EntryIterator<B> {
        let generation = self.current.load_full();
        let tail = generation.tail();
        EntryIterator::at(generation, tail)
    }
}

impl<B: Backing> Entries<B> {
    /// The values that were live at `tail`, at which an entry of `generation` ends.
    pub(super) fn at(generation: Arc<Generation<B>>, tail: u64) -> Result<Self> {
        LiveEntries::at(generation, tail).map(Self::of)
    }

    fn of(live: LiveEntries<B>) -> Self {
        Self {
            live,
            ahead: Ahead::default(),
        }
    }
}

impl<B: Resident> EntryIterator<B> {
    /// The same, where there is no error to tell: the chain below a tail was walked when the store opened or was written here,
    /// and a resident medium does not fail.
    pub(super) fn at(generation: Arc<Generation<B>>, tail: u64) -> Self {
        let entries = Entries::at(Arc::clone(&generation), tail).unwrap_or_else(|_| {
            Entries::of(LiveEntries {
                generation,
                tail,
                extents: Vec::new(),
            })
        });
        Self(entries)
    }
}

impl<B: Backing> Iterator for Entries<B> {
    type Item = Result<EntryHandle<B::View>>;

    fn next(&mut self) -> Option<Self::Item> {
        let extent = self.live.extents.pop()?;
        let generation = &self.live.generation;
        self.ahead
            .downwards(&generation.backing, extent.metadata_offset());
        Some(generation.handle(extent))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.live.extents.len();
        (left, Some(left))
    }
}

impl<B: Backing> ExactSizeIterator for Entries<B> {}

impl<B: Resident> Iterator for EntryIterator<B> {
    type Item = EntryHandle<B::View>;

    fn next(&mut self) -> Option<Self::Item> {
        // What cannot be read is left out, and what lies before it is not.
        self.0.find_map(Result::ok)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (_, most) = self.0.size_hint();
        (0, most)
    }
}

impl<B: Resident> IntoIterator for Store<B> {
    type Item = EntryHandle<B::View>;
    type IntoIter = EntryIterator<B>;

    fn into_iter(self) -> EntryIterator<B> {
        self.iter_entries()
    }
}

#[expect(
    clippy::into_iter_without_iter,
    reason = "`iter_entries` is the name the callers know"
)]
impl<B: Resident> IntoIterator for &Store<B> {
    type Item = EntryHandle<B::View>;
    type IntoIter = EntryIterator<B>;

    fn into_iter(self) -> EntryIterator<B> {
        self.iter_entries()
    }
}

impl<B: Backing> std::fmt::Debug for Entries<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries")
            .field("tail", &self.live.tail)
            .field("left", &self.live.extents.len())
            .finish_non_exhaustive()
    }
}

impl<B: Resident> std::fmt::Debug for EntryIterator<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("EntryIterator").field(&self.0).finish()
    }
}

#[cfg(feature = "parallel")]
mod parallel {
    //! The same on several threads.

    use crate::backing::Resident;
    use crate::index::Extent;
    use crate::store::{EntryHandle, Store};
    use rayon::iter::{IntoParallelIterator, ParallelIterator};
    use std::sync::Arc;

    impl<B> Store<B>
    where
        B: Resident + Send + Sync,
        B::View: Send,
    {
        /// Iterates over the live values on rayon's threads, in no order, at the tail of this moment.
        pub fn par_iter_entries(
            &self,
        ) -> impl ParallelIterator<Item = EntryHandle<B::View>> + use<B> {
            let entries = self.iter_entries().0.live;
            let generation = Arc::clone(&entries.generation);
            let extents: Vec<Extent> = entries.extents;
            extents
                .into_par_iter()
                .filter_map(move |extent| generation.handle(extent).ok())
        }
    }
}
