//! What each call on an open bucket ought to answer.

use std::rc::Rc;

use tailstone_host::keyvalue::Access;

use super::model::{DEFAULT, Model, Opened, Swap, expect};
use super::pages;
use super::place::Meaning;
use super::rules::{
    Kind, Planned, Refusals, TOGETHER_BYTES, a_number, of_length, reading, rewriting, writing,
};
use super::{Answer, BucketCall, Change, Entry, StoreCall};

/// Changes as the model makes them.
type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

impl Model {
    /// A call of `stores` other than opening and closing.
    pub fn store_call(
        &mut self,
        opened: &Rc<Opened>,
        call: &StoreCall,
        answer: &Answer,
    ) -> Result<(), String> {
        let at = opened.rules.place;
        let bucket = &opened.bucket;
        match call {
            StoreCall::Open(_) | StoreCall::Drop | StoreCall::Close => Ok(()),
            StoreCall::Get(key) => {
                self.get(opened, key, (0, u64::MAX), reading([&key[..]]), answer)
            }
            StoreCall::GetRange((key, offset, len)) => {
                self.get(opened, key, (*offset, *len), reading([&key[..]]), answer)
            }
            StoreCall::Stat(key) => {
                if !reading([&key[..]]).judge(answer)? {
                    return Ok(());
                }
                let Answer::Stat(stat) = answer else {
                    return Err("it answered something else".to_owned());
                };
                let length = self.places[at]
                    .get(bucket, key)
                    .map(|held| held.value.len() as u64);
                if stat.as_ref().map(|stat| stat.len) != length
                    || stat.as_ref().is_some_and(|stat| stat.expires_at.is_some())
                {
                    return Err(format!(
                        "it answered {stat:?} of a value of {length:?} bytes"
                    ));
                }
                let version = stat.as_ref().map(|stat| stat.version);
                version.map_or(Ok(()), |version| {
                    self.places[at].note_version(bucket, key, version)
                })
            }
            StoreCall::GetPacked(keys) => self.get_packed(opened, keys, answer),
            StoreCall::Put((key, value)) => {
                let changes = vec![(key.clone(), Some(value.clone()))];
                self.change(opened, changes, false, answer)
            }
            StoreCall::PutIf((key, value, expected)) => {
                let fits = self.places[at].is_version(bucket, key, *expected);
                let mut refusals = writing(opened, &self.places[at], &[(key, of_length(value))]);
                if fits != Some(true) {
                    refusals = refusals.quotas_may();
                }
                refusals.must_if(
                    opened.access == Access::AppendOnly && expected.is_some(),
                    Kind::Denied,
                );
                if !refusals.judge(answer)? {
                    return Ok(());
                }
                let Answer::Is(put) = answer else {
                    return Err("it answered something else".to_owned());
                };
                if fits.is_some_and(|fits| fits != *put) {
                    return Err(format!(
                        "it answered {put}, and {} was the version",
                        if *put { "another" } else { "this" }
                    ));
                }
                if *put {
                    self.places[at].change(bucket, [(key.clone(), Some(value.clone()))]);
                }
                Ok(())
            }
            StoreCall::Delete(key) => {
                let there = self.places[at].get(bucket, key).is_some();
                let mut refusals = reading([&key[..]]);
                refusals.and(rewriting(opened));
                if refusals.judge(answer)? {
                    expect(answer, &Answer::Is(there))?;
                    self.places[at].change(bucket, [(key.clone(), None)]);
                }
                Ok(())
            }
            StoreCall::AppendBatch(changes) => {
                let changes = changes.iter().map(|change| match change {
                    Change::Put(Entry { key, value }) => (key.clone(), Some(value.clone())),
                    Change::Delete(key) => (key.clone(), None),
                });
                self.change(opened, changes.collect(), false, answer)
            }
            StoreCall::Scan((prefix, cursor, max)) => {
                let Answer::Keys(page) = answer else {
                    return Err(format!("it answered {}", super::shown(answer)));
                };
                let most = opened.rules.page_entries(*max as usize);
                pages::scanned(
                    &self.places[at],
                    bucket,
                    prefix,
                    cursor.as_deref(),
                    most,
                    page,
                )
            }
            StoreCall::Changes((since, max)) => self.changes(opened, *since, *max as usize, answer),
            StoreCall::Sync => expect(answer, &Answer::Done),
            StoreCall::Compact => {
                if rewriting(opened).judge(answer)? {
                    expect(answer, &Answer::Done)?;
                    self.places[at].compact();
                }
                Ok(())
            }
            StoreCall::Info => self.info(opened, answer),
        }
    }

    /// A call of a draft other than opening and dropping.
    pub fn bucket_call(
        &mut self,
        opened: &Rc<Opened>,
        is_first: bool,
        call: &BucketCall,
        answer: &Answer,
    ) -> Result<(), String> {
        let at = opened.rules.place;
        match call {
            BucketCall::Open(_) | BucketCall::Drop => Ok(()),
            BucketCall::Get(key) => {
                let refusals = reading([key.as_bytes()]).of_keyvalue();
                self.get(opened, key.as_bytes(), (0, u64::MAX), refusals, answer)
            }
            BucketCall::Set((key, value)) => self.change(
                opened,
                vec![(key.clone().into(), Some(value.clone()))],
                true,
                answer,
            ),
            BucketCall::Delete(key) => {
                let mut refusals = reading([key.as_bytes()]);
                refusals.and(rewriting(opened));
                if refusals.of_keyvalue().judge(answer)? {
                    expect(answer, &Answer::Done)?;
                    self.places[at].change(DEFAULT, [(key.clone().into(), None)]);
                }
                Ok(())
            }
            BucketCall::Exists(key) => {
                let there = self.places[at].get(DEFAULT, key.as_bytes()).is_some();
                if reading([key.as_bytes()]).of_keyvalue().judge(answer)? {
                    expect(answer, &Answer::Is(there))?;
                }
                Ok(())
            }
            BucketCall::ListKeys(cursor) => {
                self.list_keys(opened, is_first, cursor.as_deref(), answer)
            }
            BucketCall::Increment((key, delta)) => {
                self.increment(opened, is_first, key, *delta, answer)
            }
            BucketCall::GetMany(keys) => {
                let mut refusals = reading(keys.iter().map(String::as_bytes));
                let held = |key: &String| self.places[at].get(DEFAULT, key.as_bytes());
                let bytes: usize = keys
                    .iter()
                    .filter_map(held)
                    .map(|held| held.value.len())
                    .sum();
                refusals.must_if(bytes > TOGETHER_BYTES, Kind::Invalid);
                if refusals.of_keyvalue().judge(answer)? {
                    let found = keys
                        .iter()
                        .map(|key| Some((key.clone(), held(key)?.value.clone())));
                    expect(answer, &Answer::Found(found.collect()))?;
                }
                Ok(())
            }
            BucketCall::SetMany(pairs) => {
                let changes = pairs
                    .iter()
                    .map(|(key, value)| (key.clone().into(), Some(value.clone())));
                self.change(opened, changes.collect(), true, answer)
            }
            BucketCall::DeleteMany(keys) => {
                let changes = keys.iter().map(|key| (key.clone().into(), None));
                self.change(opened, changes.collect(), true, answer)
            }
        }
    }

    fn get(
        &self,
        opened: &Opened,
        key: &[u8],
        (offset, len): (u64, u64),
        refusals: Refusals,
        answer: &Answer,
    ) -> Result<(), String> {
        if !refusals.judge(answer)? {
            return Ok(());
        }
        let part = self.places[opened.rules.place]
            .get(&opened.bucket, key)
            .map(|held| {
                let whole = held.value.len() as u64;
                let from = offset.min(whole);
                let to = from.saturating_add(len).min(whole);
                held.value[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()].to_vec()
            });
        expect(answer, &Answer::Value(part))
    }

    fn get_packed(&self, opened: &Opened, keys: &[Vec<u8>], answer: &Answer) -> Result<(), String> {
        let place = &self.places[opened.rules.place];
        let held = |key: &Vec<u8>| place.get(&opened.bucket, key).map(|held| &held.value);
        let mut refusals = reading(keys.iter().map(Vec::as_slice));
        let together: usize = keys.iter().filter_map(held).map(Vec::len).sum();
        refusals.must_if(together > TOGETHER_BYTES, Kind::Invalid);
        if !refusals.judge(answer)? {
            return Ok(());
        }
        let Answer::Packed(packed) = answer else {
            return Err("it answered something else".to_owned());
        };
        if packed.extents.len() != keys.len() || packed.bytes.len() != together {
            return Err(format!(
                "it has {} extents and {} bytes",
                packed.extents.len(),
                packed.bytes.len()
            ));
        }
        for (key, extent) in keys.iter().zip(&packed.extents) {
            let found = extent.as_ref().map(|extent| {
                let from = usize::try_from(extent.offset).unwrap();
                packed
                    .bytes
                    .get(from..from + usize::try_from(extent.len).unwrap())
            });
            if found != held(key).map(|value| Some(value.as_slice())) {
                return Err("an extent is not where the value is".to_owned());
            }
        }
        Ok(())
    }

    /// Several changes together, or one that is no less than that.
    fn change(
        &mut self,
        opened: &Opened,
        changes: Changes,
        is_keyvalue: bool,
        answer: &Answer,
    ) -> Result<(), String> {
        let place = &mut self.places[opened.rules.place];
        let planned: Vec<Planned<'_>> = changes
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref().and_then(of_length)))
            .collect();
        let mut refusals = writing(opened, place, &planned);
        if opened.access == Access::AppendOnly {
            let rewrites = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| {
                value.is_none() || place.get(&opened.bucket, key).is_some()
            };
            refusals.must_if(changes.iter().any(rewrites), Kind::Denied);
        }
        if is_keyvalue {
            refusals = refusals.of_keyvalue();
        }
        if refusals.judge(answer)? {
            expect(answer, &Answer::Done)?;
            place.change(&opened.bucket, changes);
        }
        Ok(())
    }

    fn changes(
        &mut self,
        opened: &Opened,
        since: u64,
        max: usize,
        answer: &Answer,
    ) -> Result<(), String> {
        let meaning = self.meaning_of(opened.rules.place, since);
        let mut refusals = Refusals::default();
        refusals.may_if(!matches!(meaning, Meaning::Known(_)), Kind::Stale);
        if !refusals.judge(answer)? {
            return Ok(());
        }
        let Answer::Changes(page) = answer else {
            return Err("it answered something else".to_owned());
        };
        let place = &mut self.places[opened.rules.place];
        if meaning == Meaning::Stale {
            place.let_in()?;
        }
        self.tails.insert(page.tail);
        self.tails.extend(page.changes.iter().map(|made| made.tail));
        pages::changed(
            place,
            &opened.bucket,
            (since, meaning),
            opened.rules.page_entries(max),
            page,
        )
    }

    fn info(&mut self, opened: &Opened, answer: &Answer) -> Result<(), String> {
        let Answer::Info(info) = answer else {
            return Err(format!("it answered {}", super::shown(answer)));
        };
        let place = &mut self.places[opened.rules.place];
        let entries = place.entries();
        let least = place.sum(|bucket, key, value| (bucket + key + value) as u64);
        let is_right = info.keys == place.count(&opened.bucket)
            && (entries..=entries + 1).contains(&info.live_entries)
            && (least..=opened.rules.quota.file_bytes).contains(&info.store_bytes)
            && (least..=opened.rules.quota.live_bytes)
                .contains(&(info.store_bytes - info.savings_bytes))
            && info.cut_bytes == 0;
        if !is_right {
            return Err(format!(
                "of {entries} entries with {least} bytes it answered {info:?}"
            ));
        }
        self.tails.insert(info.tail);
        place.note_tail(info.tail, (place.log.len(), place.log.len()))
    }

    fn list_keys(
        &mut self,
        opened: &Opened,
        is_first: bool,
        cursor: Option<&str>,
        answer: &Answer,
    ) -> Result<(), String> {
        let place = &self.places[opened.rules.place];
        let mut refusals = Refusals::default();
        let mut behind = cursor.map(str::to_owned);
        if let Some(number) = cursor.filter(|_| is_first) {
            behind = number
                .parse()
                .ok()
                .and_then(|number: u64| self.numbers.get(&number).cloned());
            let is_known = behind
                .as_ref()
                .is_some_and(|key| place.was_logged(DEFAULT, key.as_bytes()));
            // What a compaction drops without a word is not known any more.
            let is_there = behind
                .as_ref()
                .is_some_and(|key| place.get(DEFAULT, key.as_bytes()).is_some());
            refusals.must_if(!is_known, Kind::Other);
            refusals.may_if(place.compacts_itself && !is_there, Kind::Other);
        }
        if !refusals.judge(answer)? {
            return Ok(());
        }
        let Answer::Listed((keys, cursor)) = answer else {
            return Err("it answered something else".to_owned());
        };
        let mut next = cursor.clone();
        if let Some(number) = cursor.as_ref().filter(|_| is_first) {
            next = keys.last().cloned();
            let number = number
                .parse()
                .map_err(|_| "a cursor is no number".to_owned())?;
            let known = self
                .numbers
                .insert(number, next.clone().unwrap_or_default());
            if known.is_some_and(|known| Some(known) != next) {
                return Err("one number stands for two keys".to_owned());
            }
        }
        let most = opened.rules.page_entries(usize::MAX);
        pages::listed(
            place,
            DEFAULT,
            behind.as_deref(),
            most,
            keys,
            next.as_deref(),
        )
    }

    fn increment(
        &mut self,
        opened: &Opened,
        is_first: bool,
        key: &str,
        delta: u64,
        answer: &Answer,
    ) -> Result<(), String> {
        let place = &mut self.places[opened.rules.place];
        let (delta, range) = if is_first {
            (i128::from(delta), 0..=i128::from(u64::MAX))
        } else {
            (
                i128::from(delta.cast_signed()),
                i128::from(i64::MIN)..=i128::from(i64::MAX),
            )
        };
        let before = place
            .get(DEFAULT, key.as_bytes())
            .map(|held| number_of(&held.value));
        let sum = before.unwrap_or(Some(0)).map(|before| before + delta);
        let sum = sum.filter(|sum| range.contains(sum));
        let mut refusals = writing(opened, place, &[(key.as_bytes(), a_number())]);
        if sum.is_none() {
            refusals = refusals.quotas_may();
        }
        refusals.and(rewriting(opened));
        refusals.must_if(sum.is_none(), Kind::Other);
        if !refusals.of_keyvalue().judge(answer)? {
            return Ok(());
        }
        let sum = sum.unwrap_or_default();
        let bits = u64::from_le_bytes(sum.to_le_bytes()[..8].try_into().unwrap());
        expect(answer, &Answer::Number(bits))?;
        place.change(
            DEFAULT,
            [(key.to_owned().into(), Some(sum.to_string().into_bytes()))],
        );
        Ok(())
    }

    /// Checks a swap, and says what is in its slot then.
    pub fn swapped(
        &mut self,
        swap: Swap,
        value: &[u8],
        answer: &Answer,
    ) -> Result<Option<Swap>, String> {
        let place = &mut self.places[swap.opened.rules.place];
        let now = place
            .get(DEFAULT, swap.key.as_bytes())
            .map(|held| held.write);
        let mut refusals = writing(
            &swap.opened,
            place,
            &[(swap.key.as_bytes(), of_length(value))],
        );
        if now != swap.write {
            refusals = refusals.quotas_may();
        }
        refusals.must_if(
            swap.opened.access == Access::AppendOnly && swap.write.is_some(),
            Kind::Denied,
        );
        if !refusals.of_keyvalue().judge(answer)? {
            return Ok(None);
        }
        // A compaction changes versions as a write does.
        let may_fail = now != swap.write || (now.is_some() && swap.epoch != place.epoch());
        match answer {
            Answer::Done if now == swap.write => {
                place.change(DEFAULT, [(swap.key.into(), Some(value.to_vec()))]);
                Ok(None)
            }
            Answer::CasFailed if may_fail => Ok(Some(self.look(swap.opened, swap.key))),
            _ => Err(format!(
                "it answered {}, and the key was {} changed",
                super::shown(answer),
                if may_fail { "perhaps" } else { "not" }
            )),
        }
    }
}

/// The number that is written so, in at most 20 characters.
fn number_of(text: &[u8]) -> Option<i128> {
    let text = str::from_utf8(text)
        .ok()
        .filter(|text| text.len() <= 20 && !text.starts_with('+'))?;
    text.parse().ok()
}
