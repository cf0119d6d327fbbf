//! Values of a bucket as copies, with as few accesses to the medium as it takes.

use super::{Bucket, Trailer};
use crate::backing::Backing;
use crate::backing::device::zeroed;
use crate::error::{Error, Result};
use crate::format::Keyed;
use crate::store::Copied;

/// Up to so many bytes an entry is read in one access: its value, its key and its metadata.
const SHORT: u64 = 32 << 10;
/// The same if only a part of the value is asked for.
const SHORT_FOR_A_PART: u64 = 1 << 10;
const READ: &str = "read an entry";

impl<B: Backing> Bucket<'_, B> {
    /// At most `len` bytes of the value of `key` from its byte `offset` on, as a copy; `None` if it has none or has expired.
    ///
    /// Faster than [`get`](Self::get) for who needs a copy of what does not lie in memory: an entry of up to 32 KiB is one access. Of longer
    /// ones no more is read than asked. [`Error::NotAddressable`] if there is no memory for it.
    pub fn get_range(&self, key: &[u8], offset: u64, len: u64) -> Result<Option<Vec<u8>>> {
        let key = self.full_key(key)?;
        let generation = self.store.current.load();
        let is_whole = offset == 0 && len == u64::MAX;
        let most = if is_whole { SHORT } else { SHORT_FOR_A_PART };
        let located = match generation.copy(key.hash, most)? {
            None => return Ok(None),
            Some(Copied::Short(mut payload)) => {
                let keyed = Keyed::parse_as(&payload, &key.bytes);
                let Some(keyed) = keyed.filter(|keyed| !self.store.is_over(keyed.expires_at))
                else {
                    return Ok(None);
                };
                let value_len = keyed.value.len();
                let part = part_of(value_len as u64, offset, len);
                let start = usize::try_from(part.start).unwrap_or(value_len);
                payload.truncate(usize::try_from(part.end).unwrap_or(value_len));
                payload.drain(..start);
                return Ok(Some(payload));
            }
            Some(Copied::Long(located)) => located,
        };
        let trailer = Trailer::read(&generation, located.extent)?;
        let is_live = |trailer: &Trailer| {
            *trailer.full_key == *key.bytes && !self.store.is_over(trailer.expires_at)
        };
        let Some(trailer) = trailer.filter(is_live) else {
            return Ok(None);
        };
        let part = part_of(trailer.value_len, offset, len);
        let length = part.end - part.start;
        let room = usize::try_from(length).ok();
        let bytes = room.and_then(|room| zeroed(room).ok());
        let mut bytes = bytes.ok_or(Error::NotAddressable { length })?;
        let from = trailer.value_offset.saturating_add(part.start);
        generation
            .backing
            .read(from, &mut bytes)
            .map_err(Error::io(READ))?;
        Ok(Some(bytes))
    }
}

/// What is there of `len` bytes from `offset` on.
fn part_of(value_len: u64, offset: u64, len: u64) -> std::ops::Range<u64> {
    let start = offset.min(value_len);
    start..start.saturating_add(len).min(value_len)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]
mod tests {
    use crate::backing::device::DeviceBacking;
    use crate::backing::device::faulty::FaultyDevice;
    use crate::{Options, Store};

    #[test]
    fn any_part_of_any_value_is_what_was_put_there() {
        let device = FaultyDevice::new();
        let backing = DeviceBacking::new(device, 1 << 20).unwrap();
        let store = Store::open_with(backing, &Options::new().clock(|| 10)).unwrap();
        let bucket = store.bucket("b").unwrap();
        assert_eq!(bucket.get_range(b"none", 0, u64::MAX).unwrap(), None);
        for len in [0, 1, 900, 1_000, 1_024, 4_000, 32_700, 32_768, 90_000] {
            let value: Vec<u8> = (0..=250).cycle().take(len).collect();
            bucket.set(b"k", &value).unwrap();
            let get = |offset, len| bucket.get_range(b"k", offset, len).unwrap().unwrap();
            assert_eq!(get(0, u64::MAX), value, "{len}");
            for offset in [0, 1, 500, 1_000, 32_768, 89_999, 90_000, 90_001, usize::MAX] {
                for part in [0, 1, 7, 5_000, 90_000, usize::MAX] {
                    let start = offset.min(len);
                    let end = start.saturating_add(part).min(len);
                    let expected = value.get(start..end).unwrap();
                    assert_eq!(
                        get(offset as u64, part as u64),
                        expected,
                        "{len} {offset} {part}"
                    );
                }
            }
            bucket.set_until(b"k", &value, 10).unwrap();
            assert_eq!(bucket.get_range(b"k", 0, u64::MAX).unwrap(), None);
            assert_eq!(bucket.get_range(b"k", 1, 1).unwrap(), None);
        }
    }
}
