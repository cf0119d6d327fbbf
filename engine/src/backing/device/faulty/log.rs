//! What was done to a device since it was last stable, and what a crash leaves of that.

use super::SECTOR;
use crate::backing::device::seeded::Seeded;
use crate::backing::device::sparse::Sparse;

/// The bytes a crash cannot take back, and the changes made to them since, oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    stable: Sparse,
    changes: Vec<(Change, Fate)>,
}

#[derive(Debug)]
pub(super) enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The next sync makes it stable.
    Unsynced,
    /// A sync failed that should have made it stable; no later one will.
    Doubtful,
    /// Stable, and kept here only for its place among doubtful ones.
    Synced,
}

impl Log {
    /// The log of a device whose bytes are all stable.
    pub(super) const fn of(stable: Sparse) -> Self {
        Self {
            stable,
            changes: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.changes.push((change, Fate::Unsynced));
    }

    /// What a sync does to the changes before it.
    pub(super) fn sync(&mut self, succeeds: bool) {
        let fate = if succeeds {
            Fate::Synced
        } else {
            Fate::Doubtful
        };
        for (_, unsynced) in self
            .changes
            .iter_mut()
            .filter(|(_, fate)| *fate == Fate::Unsynced)
        {
            *unsynced = fate;
        }
        if self.is_synced() {
            for (change, _) in self.changes.drain(..) {
                change.apply(&mut self.stable);
            }
        }
    }

    /// Whether a crash would take nothing.
    pub(super) fn is_synced(&self) -> bool {
        self.changes.iter().all(|(_, fate)| *fate == Fate::Synced)
    }

    /// What a crash leaves: between synced changes, which are all there in their order, any sectors in any order.
    pub(super) fn crash(&self, seed: u64) -> Sparse {
        let mut random = Seeded::new(seed);
        let mut left = self.stable.clone();
        // One crash loses nearly all, another nearly nothing.
        let kept_of_8 = random.below(9);
        let synced = |(_, fate): &(Change, Fate)| *fate == Fate::Synced;
        for group in self.changes.chunk_by(|a, b| synced(a) == synced(b)) {
            if group.first().is_some_and(synced) {
                for (change, _) in group {
                    change.apply(&mut left);
                }
                continue;
            }
            let mut loose: Vec<Change> = group
                .iter()
                .flat_map(|(change, _)| change.sectors())
                .collect();
            for last in (1..loose.len()).rev() {
                loose.swap(last, random.len_below(last + 1));
            }
            for change in loose {
                if random.below(8) < kept_of_8 {
                    change.apply(&mut left);
                }
            }
        }
        left
    }
}

impl Change {
    pub(super) fn apply(&self, to: &mut Sparse) {
        match self {
            Self::Write(at, bytes) => to.write(*at, bytes),
            Self::SetLen(len) => to.set_len(*len),
        }
    }

    /// The changes it falls into, each of which a crash keeps or loses by itself.
    fn sectors(&self) -> Vec<Self> {
        let (mut at, mut rest) = match self {
            Self::SetLen(len) => return vec![Self::SetLen(*len)],
            Self::Write(at, bytes) => (*at, bytes.as_slice()),
        };
        let mut sectors = Vec::new();
        while !rest.is_empty() {
            let room = usize::try_from(SECTOR - at % SECTOR).unwrap_or(rest.len());
            let (now, later) = rest.split_at(room.min(rest.len()));
            sectors.push(Self::Write(at, now.to_vec()));
            at += now.len() as u64;
            rest = later;
        }
        sectors
    }
}
