//! What was granted, and why a call may be refused.

use tailstone_host::keyvalue::{Access, Quota};

use super::model::Opened;
use super::place::Place;
use super::{Answer, Error, shown};

/// The longest key.
pub const KEY_BYTES: usize = 1 << 16;
/// The longest name of a bucket.
pub const BUCKET_BYTES: usize = (1 << 16) - 1;
/// What several values that are asked for in one call may take.
pub const TOGETHER_BYTES: usize = 64 << 20;
/// How long a number is; it is charged as the longest one.
pub const NUMBER_BYTES: (usize, usize) = (1, 20);

/// The cases of `error`, without their sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    NoSuchStore,
    Denied,
    Invalid,
    Quota,
    Corrupt,
    Stale,
    ReadOnly,
    Locked,
    Other,
}

impl From<&Error> for Kind {
    fn from(error: &Error) -> Self {
        match error {
            Error::NoSuchStore => Self::NoSuchStore,
            Error::AccessDenied => Self::Denied,
            Error::InvalidArgument(_) => Self::Invalid,
            Error::QuotaExceeded(_) => Self::Quota,
            Error::Corrupt(_) => Self::Corrupt,
            Error::StaleCursor => Self::Stale,
            Error::ReadOnly => Self::ReadOnly,
            Error::Locked(_) => Self::Locked,
            Error::Other(_) => Self::Other,
        }
    }
}

/// Why a call is refused for sure, and why it may be. Where there are several reasons any of them may be named.
#[derive(Debug, Default)]
pub struct Refusals {
    must: Vec<Kind>,
    may: Vec<Kind>,
}

impl Refusals {
    pub fn must_if(&mut self, holds: bool, kind: Kind) {
        if holds {
            self.must.push(kind);
        }
    }

    pub fn may_if(&mut self, holds: bool, kind: Kind) {
        if holds {
            self.may.push(kind);
        }
    }

    /// These reasons too.
    pub fn and(&mut self, other: Self) {
        self.must.extend(other.must);
        self.may.extend(other.may);
    }

    /// What is sure no longer is: the call may end before it comes to a quota.
    pub fn quotas_may(mut self) -> Self {
        let (quotas, others) = self.must.into_iter().partition(|kind| *kind == Kind::Quota);
        self.must = others;
        self.may.extend::<Vec<Kind>>(quotas);
        self
    }

    /// The same reasons as `wasi:keyvalue` names them.
    pub fn of_keyvalue(self) -> Self {
        let of = |kind| match kind {
            Kind::NoSuchStore => Kind::NoSuchStore,
            Kind::Denied | Kind::ReadOnly => Kind::Denied,
            _ => Kind::Other,
        };
        Self {
            must: self.must.into_iter().map(of).collect(),
            may: self.may.into_iter().map(of).collect(),
        }
    }

    /// Whether the call went through; fails if it ought not, or was refused for no good reason.
    pub fn judge(&self, answer: &Answer) -> Result<bool, String> {
        let Answer::Refused(error) = answer else {
            return if self.must.is_empty() {
                Ok(true)
            } else {
                Err(format!(
                    "it was not refused as {:?} but answered {}",
                    self.must,
                    shown(answer)
                ))
            };
        };
        let kind = Kind::from(error);
        if self.must.contains(&kind) || self.may.contains(&kind) {
            return Ok(false);
        }
        Err(format!(
            "it was refused as {error:?}, not as {:?} or perhaps {:?}",
            self.must, self.may
        ))
    }
}

/// A grant.
#[derive(Debug)]
pub struct Rules {
    pub name: &'static str,
    /// Which store it is of.
    pub place: usize,
    pub access: Access,
    pub quota: Quota,
}

impl Rules {
    pub fn page_entries(&self, most: usize) -> usize {
        most.min(self.quota.page_entries).clamp(1, 1000)
    }
}

/// What a write is about to change: a key, and how long the new value is at least and at most.
pub type Planned<'a> = (&'a [u8], Option<(usize, usize)>);

/// A value whose length is known.
pub const fn of_length(value: &[u8]) -> (usize, usize) {
    (value.len(), value.len())
}

/// Why reading these keys is refused.
pub fn reading<'a>(keys: impl IntoIterator<Item = &'a [u8]>) -> Refusals {
    let mut refusals = Refusals::default();
    let is_long = keys.into_iter().any(|key| key.len() > KEY_BYTES);
    refusals.must_if(is_long, Kind::Invalid);
    refusals
}

/// Why what changes what is there is refused.
pub fn rewriting(opened: &Opened) -> Refusals {
    let mut refusals = Refusals::default();
    refusals.must_if(opened.access == Access::ReadOnly, Kind::ReadOnly);
    refusals.must_if(opened.access == Access::AppendOnly, Kind::Denied);
    refusals
}

/// Why these changes together are refused, besides what the access says of them.
pub fn writing(opened: &Opened, place: &Place, changes: &[Planned<'_>]) -> Refusals {
    let mut refusals = reading(changes.iter().map(|(key, _)| *key));
    refusals.must_if(opened.access == Access::ReadOnly, Kind::ReadOnly);
    let quota = &opened.rules.quota;
    for (key, value) in changes {
        if let Some((least, most)) = value {
            let is_more = |length: usize, bound| length as u64 > bound;
            refusals.must_if(is_more(key.len(), quota.key_bytes), Kind::Quota);
            refusals.must_if(is_more(*least, quota.value_bytes), Kind::Quota);
            refusals.may_if(is_more(*most, quota.value_bytes), Kind::Quota);
        }
    }
    let puts = changes
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_ref()?)));
    let cost = |bucket: usize, key: usize, value: usize| {
        (bucket + key + value + 46).next_multiple_of(64) as u64
    };
    let appended: u64 = puts
        .map(|(key, (_, most))| cost(opened.bucket.len(), key.len(), *most))
        .sum();
    if appended == 0 {
        return refusals;
    }
    let (mut entries, mut least, mut most) = (
        place.entries(),
        place.sum(|_, key, value| (key + value) as u64),
        place.sum(cost),
    );
    let before = most;
    for (nth, (key, value)) in changes.iter().enumerate() {
        // Of several changes of one key the last one counts.
        if changes[nth + 1..].iter().any(|(other, _)| other == key) {
            continue;
        }
        if let Some(held) = place.get(&opened.bucket, key) {
            entries -= 1;
            least -= (key.len() + held.value.len()) as u64;
            most -= cost(opened.bucket.len(), key.len(), held.value.len());
        }
        if let Some((short, long)) = value {
            entries += 1;
            least += (key.len() + short) as u64;
            most += cost(opened.bucket.len(), key.len(), *long);
        }
    }
    refusals.must_if(entries > quota.entries, Kind::Quota);
    refusals.must_if(least > quota.live_bytes, Kind::Quota);
    refusals.may_if(most > quota.live_bytes, Kind::Quota);
    // What is dead takes room until there is an eighth of it.
    refusals.may_if(before + appended > quota.file_bytes / 8 * 7, Kind::Quota);
    refusals
}
