//! Values where they lie, of a medium that lies in memory.

use super::first::Seen;
use super::{Generation, READ_ENTRY, payload_offset};
use crate::backing::Resident;
use crate::error::{Error, Result};
use crate::format::{EntryMetadata, METADATA_SIZE};
use crate::index::{Candidate, Glance, Index};
use std::io;
use std::ops::Range;

/// A live value where it lies in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'g> {
    pub(crate) payload: &'g [u8],
    /// Where it starts, in bytes from the start of the store.
    pub(crate) offset: u64,
    /// Its own, as it is stored.
    pub(crate) checksum: [u8; 4],
}

impl<'g> Seen<'g> {
    const fn placed(&self) -> Placed<'g> {
        Placed {
            payload: self.payload,
            offset: self.offset(),
            checksum: self.metadata.checksum,
        }
    }
}

impl<B: Resident> Generation<B> {
    /// The live value of `key_hash` where it lies. `None` too when the medium has it in pieces.
    #[inline]
    pub(crate) fn get(&self, key_hash: u64) -> Option<&[u8]> {
        self.get_placed(key_hash)
            .ok()
            .flatten()
            .map(|placed| placed.payload)
    }

    /// The live values of several keys, in their order.
    pub(crate) fn get_several(&self, keys: &[u64]) -> Vec<Option<&[u8]>> {
        let mut values = Vec::with_capacity(keys.len());
        let took = self.glance_at_several(keys, |key, seen| {
            values.push(match seen {
                Glance::Found(seen) => Some(seen.payload),
                Glance::Absent => None,
                Glance::Unsure => self.get(key),
            });
            Ok(())
        });
        debug_assert!(took.is_ok(), "nothing above fails");
        values
    }

    /// The same with what is known of it. An error, and never `None`, where an entry that may be it cannot be seen.
    #[inline]
    pub(crate) fn get_placed(&self, key_hash: u64) -> Result<Option<Placed<'_>>> {
        match self.glance(key_hash, |seen| Some(seen.placed())) {
            Glance::Found(value) => Ok(Some(value)),
            Glance::Absent => Ok(None),
            Glance::Unsure => self.search_placed(key_hash),
        }
    }

    #[inline(never)]
    fn search_placed(&self, key_hash: u64) -> Result<Option<Placed<'_>>> {
        let mut is_hidden = false;
        let look = |index: &Index| {
            index.find_map(key_hash, |candidate| {
                let end = candidate.extent().metadata_offset();
                let payload = candidate.payload();
                let payload = payload.or_else(|| self.long_payload(candidate));
                // Also what may be cut short.
                let start = payload.as_ref().map_or(end, |payload| payload.start);
                is_hidden |= self.backing.bytes(start..end + METADATA_SIZE).is_none();
                Ok(payload.and_then(|payload| self.value_of(key_hash, payload)))
            })
        };
        match self.find(key_hash, look)? {
            None if is_hidden => Err(Error::io(READ_ENTRY)(io::ErrorKind::UnexpectedEof.into())),
            found => Ok(found),
        }
    }

    /// The payload, if the metadata behind it says that it belongs to `key_hash`; taken in one access.
    #[inline]
    fn value_of(&self, key_hash: u64, payload: Range<u64>) -> Option<Placed<'_>> {
        let offset = payload.start;
        let entry = self.backing.bytes(offset..payload.end + METADATA_SIZE)?;
        let (payload, metadata) = entry.split_last_chunk()?;
        let metadata = EntryMetadata::deserialize(metadata);
        (metadata.key_hash == key_hash).then_some(Placed {
            payload,
            offset,
            checksum: metadata.checksum,
        })
    }

    fn long_payload(&self, candidate: Candidate) -> Option<Range<u64>> {
        let end = candidate.extent().metadata_offset();
        let bytes = self.backing.bytes(end..end + METADATA_SIZE)?;
        let metadata = EntryMetadata::deserialize(bytes.try_into().ok()?);
        Some(payload_offset(candidate.extent(), &metadata)?..end)
    }
}
