//! A bucket's keys with their values, one after the other, found among all live entries of the store.

use super::{Bucket, Value, keyed_of};
use crate::backing::Backing;
use crate::error::Result;

impl<B: Backing> Bucket<'_, B> {
    /// Hands `take` every live key that begins with `prefix` and its value, as they are at the call, in no order that means something.
    ///
    /// Goes through all live entries of the store and takes 8 bytes of memory for each.
    pub(crate) fn each_live(
        &self,
        prefix: &[u8],
        mut take: impl FnMut(&[u8], &Value<B::View>) -> Result<()>,
    ) -> Result<()> {
        for entry in self.store.entries()? {
            let entry = entry?;
            let Some(keyed) = keyed_of(&entry) else {
                continue;
            };
            if *keyed.bucket() != *self.name || !keyed.key().starts_with(prefix) {
                continue;
            }
            let (full_key, key) = (keyed.full_key.to_vec(), keyed.key().to_vec());
            if let Some(value) = Value::of(entry, &full_key)
                .filter(|value| !self.store.is_over(value.raw_expires_at()))
            {
                take(&key, &value)?;
            }
        }
        Ok(())
    }
}
