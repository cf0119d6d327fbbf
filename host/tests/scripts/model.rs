//! The host as it ought to answer: grants, the handles of one instance, and the stores behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tailstone_host::keyvalue::Access;

use super::place::{Meaning, Place};
use super::rules::{BUCKET_BYTES, Kind, Refusals, Rules};
use super::{Answer, Asked, BucketCall, CasCall, HANDLES, SLOTS, Step, StoreCall, slot};

/// The bucket that `wasi:keyvalue` shows.
pub const DEFAULT: &[u8] = b"default";

/// An open bucket.
#[derive(Debug)]
pub struct Opened {
    pub rules: Rc<Rules>,
    pub bucket: Vec<u8>,
    pub access: Access,
}

/// A key as a handle saw it: which write, and when.
#[derive(Debug)]
pub struct Swap {
    pub opened: Rc<Opened>,
    pub key: String,
    pub write: Option<u64>,
    pub epoch: u64,
}

/// Handles of one kind.
type Slots<H> = [Option<H>; SLOTS];

pub struct Model {
    rules: Vec<Rc<Rules>>,
    pub places: Vec<Place>,
    pub stores: Slots<Rc<Opened>>,
    pub first: Slots<Rc<Opened>>,
    pub second: Slots<Rc<Opened>>,
    pub swaps: Slots<Swap>,
    /// The keys that cursors of the first draft stand for.
    pub numbers: BTreeMap<u64, String>,
    /// Every tail that any store ever said.
    pub tails: BTreeSet<u64>,
}

impl Model {
    pub fn new(rules: Vec<Rules>, places: Vec<Place>) -> Self {
        Self {
            rules: rules.into_iter().map(Rc::new).collect(),
            places,
            stores: Slots::default(),
            first: Slots::default(),
            second: Slots::default(),
            swaps: Slots::default(),
            numbers: BTreeMap::new(),
            tails: BTreeSet::new(),
        }
    }

    /// Whether there is a handle where a step looks for it.
    pub fn is_open(&self, step: &Step) -> bool {
        match step {
            Step::Store((number, _)) => self.stores[slot(*number)].is_some(),
            Step::First((number, _)) => self.first[slot(*number)].is_some(),
            Step::Second((number, _)) | Step::Cas((number, CasCall::New(_))) => {
                self.second[slot(*number)].is_some()
            }
            Step::Cas((number, _)) => self.swaps[slot(*number)].is_some(),
        }
    }

    /// The grant behind the handle of a step, by its name.
    pub fn grant_of(&self, step: &Step) -> &'static str {
        let opened = match step {
            Step::Store((number, _)) => self.stores[slot(*number)].as_ref(),
            Step::First((number, _)) => self.first[slot(*number)].as_ref(),
            Step::Second((number, _)) => self.second[slot(*number)].as_ref(),
            Step::Cas((number, _)) => self.swaps[slot(*number)].as_ref().map(|swap| &swap.opened),
        };
        opened.map_or("none", |opened| opened.rules.name)
    }

    /// The instance ended, and all files were closed.
    pub fn restart(&mut self) {
        self.stores = Slots::default();
        self.first = Slots::default();
        self.second = Slots::default();
        self.swaps = Slots::default();
        self.places.iter_mut().for_each(Place::unsettle);
    }

    /// Holds an answer against the model, and does what was done.
    pub fn check(&mut self, step: &Step, answer: &Answer) -> Result<(), String> {
        match step {
            Step::Store((number, call)) => self.store(slot(*number), call, answer),
            Step::First((number, call)) => {
                let handle = self.first[slot(*number)].clone();
                let opened = self.bucket(handle, true, call, answer)?;
                self.first[slot(*number)] = opened;
                Ok(())
            }
            Step::Second((number, call)) => {
                let handle = self.second[slot(*number)].clone();
                let opened = self.bucket(handle, false, call, answer)?;
                self.second[slot(*number)] = opened;
                Ok(())
            }
            Step::Cas((number, call)) => self.swap(slot(*number), call, answer),
        }
    }

    fn store(&mut self, slot: usize, call: &StoreCall, answer: &Answer) -> Result<(), String> {
        if let StoreCall::Open((name, bucket, asked)) = call {
            let (refusals, opened) = self.open(name, bucket, Some(*asked));
            if refusals.judge(answer)? {
                expect(answer, &Answer::Done)?;
                self.stores[slot] = opened;
            }
            return Ok(());
        }
        let Some(opened) = self.stores[slot].clone() else {
            return expect(answer, &Answer::NoHandle);
        };
        match call {
            StoreCall::Drop | StoreCall::Close => {
                self.stores[slot] = None;
                expect(answer, &Answer::Done)
            }
            call => self.store_call(&opened, call, answer),
        }
    }

    /// Checks a call on a bucket of a draft, and says what is in its slot then.
    fn bucket(
        &mut self,
        handle: Option<Rc<Opened>>,
        is_first: bool,
        call: &BucketCall,
        answer: &Answer,
    ) -> Result<Option<Rc<Opened>>, String> {
        if let BucketCall::Open(name) = call {
            let (refusals, opened) = self.open(name, DEFAULT, None);
            return if refusals.of_keyvalue().judge(answer)? {
                expect(answer, &Answer::Done)?;
                Ok(opened)
            } else {
                Ok(handle)
            };
        }
        let Some(opened) = handle else {
            expect(answer, &Answer::NoHandle)?;
            return Ok(None);
        };
        if matches!(call, BucketCall::Drop) {
            expect(answer, &Answer::Done)?;
            return Ok(None);
        }
        self.bucket_call(&opened, is_first, call, answer)?;
        Ok(Some(opened))
    }

    fn swap(&mut self, at: usize, call: &CasCall, answer: &Answer) -> Result<(), String> {
        match call {
            CasCall::New((number, key)) => {
                let Some(opened) = self.second[slot(*number)].clone() else {
                    return expect(answer, &Answer::NoHandle);
                };
                let mut refusals = super::rules::reading([key.as_bytes()]);
                refusals.must_if(self.handles() >= HANDLES, Kind::Quota);
                if refusals.of_keyvalue().judge(answer)? {
                    expect(answer, &Answer::Done)?;
                    self.swaps[at] = Some(self.look(opened, key.clone()));
                }
                Ok(())
            }
            CasCall::Drop => {
                let there = self.swaps[at].take().is_some();
                expect(
                    answer,
                    if there {
                        &Answer::Done
                    } else {
                        &Answer::NoHandle
                    },
                )
            }
            CasCall::Current => {
                let Some(swap) = self.swaps[at].take() else {
                    return expect(answer, &Answer::NoHandle);
                };
                let held = self.places[swap.opened.rules.place].get(DEFAULT, swap.key.as_bytes());
                expect(answer, &Answer::Value(held.map(|held| held.value.clone())))?;
                self.swaps[at] = Some(self.look(swap.opened, swap.key));
                Ok(())
            }
            CasCall::Swap(value) => match self.swaps[at].take() {
                Some(swap) => {
                    self.swaps[at] = self.swapped(swap, value, answer)?;
                    Ok(())
                }
                None => expect(answer, &Answer::NoHandle),
            },
        }
    }

    /// A handle for a key as it is now.
    pub fn look(&self, opened: Rc<Opened>, key: String) -> Swap {
        let place = &self.places[opened.rules.place];
        let write = place.get(DEFAULT, key.as_bytes()).map(|held| held.write);
        let epoch = place.epoch();
        Swap {
            opened,
            key,
            write,
            epoch,
        }
    }

    /// Why opening is refused, and what is open if it is not; without `asked` it is for all that was granted.
    fn open(
        &mut self,
        name: &str,
        bucket: &[u8],
        asked: Option<Asked>,
    ) -> (Refusals, Option<Rc<Opened>>) {
        let mut refusals = Refusals::default();
        let Some(rules) = self.rules.iter().find(|rules| rules.name == name).cloned() else {
            refusals.must_if(true, Kind::Denied);
            return (refusals, None);
        };
        let granted = rules.access;
        let access = if asked == Some(Asked::Read) {
            Access::ReadOnly
        } else {
            granted
        };
        let for_writing = matches!(asked, Some(Asked::Write | Asked::Create));
        let exists = self.places[rules.place].exists;
        let is_denied = for_writing && granted == Access::ReadOnly;
        let is_missing = !exists && (asked == Some(Asked::Write) || access == Access::ReadOnly);
        let is_full = self.open_of(&rules) >= rules.quota.handles;
        refusals.must_if(is_denied, Kind::Denied);
        refusals.must_if(is_missing, Kind::NoSuchStore);
        refusals.must_if(is_full, Kind::Quota);
        if !is_denied && !is_missing && !is_full {
            self.places[rules.place].exists = true;
        }
        refusals.must_if(bucket.len() > BUCKET_BYTES, Kind::Invalid);
        refusals.must_if(self.handles() >= HANDLES, Kind::Quota);
        let bucket = bucket.to_vec();
        (
            refusals,
            Some(Rc::new(Opened {
                rules,
                bucket,
                access,
            })),
        )
    }

    /// Handles of all kinds.
    fn handles(&self) -> usize {
        let buckets = [&self.stores, &self.first, &self.second];
        let buckets = buckets.into_iter().flatten().flatten().count();
        buckets + self.swaps.iter().flatten().count()
    }

    /// Buckets that are open by a grant: a handle for a swap keeps its bucket open.
    fn open_of(&self, rules: &Rc<Rules>) -> usize {
        let buckets = [&self.stores, &self.first, &self.second];
        let buckets = buckets.into_iter().flatten().flatten();
        let swaps = self.swaps.iter().flatten().map(|swap| &swap.opened);
        let opened = buckets
            .chain(swaps)
            .filter(|opened| Rc::ptr_eq(&opened.rules, rules));
        opened.map(Rc::as_ptr).collect::<BTreeSet<_>>().len()
    }

    /// What a tail means in a store; one that no store ever said means nothing.
    pub fn meaning_of(&self, place: usize, tail: u64) -> Meaning<super::place::Behind> {
        match self.places[place].meaning_of(tail) {
            Meaning::Unsure if !self.tails.contains(&tail) => Meaning::Stale,
            meaning => meaning,
        }
    }
}

/// Fails unless an answer is this one.
pub fn expect(answer: &Answer, expected: &Answer) -> Result<(), String> {
    if answer == expected {
        return Ok(());
    }
    Err(format!(
        "it answered {}, not {}",
        super::shown(answer),
        super::shown(expected)
    ))
}
