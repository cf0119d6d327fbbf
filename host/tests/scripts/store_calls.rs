//! What each call of `stores` on an open bucket ought to answer.

use std::rc::Rc;

use tailstone_host::keyvalue::Access;

use super::model::{Model, Opened, expect};
use super::pages;
use super::place::Meaning;
use super::rules::{
    Kind, Planned, Refusals, TOGETHER_BYTES, of_length, reading, rewriting, writing,
};
use super::{Answer, Change, Entry, StoreCall};

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
                self.get(opened, key, (0, u64::MAX), &reading([&key[..]]), answer)
            }
            StoreCall::GetRange((key, offset, len)) => {
                self.get(opened, key, (*offset, *len), &reading([&key[..]]), answer)
            }
            StoreCall::Stat(key) => self.stat(opened, key, answer),
            StoreCall::GetPacked(keys) => self.get_packed(opened, keys, answer),
            StoreCall::Put((key, value)) => {
                let changes = vec![(key.clone(), Some(value.clone()))];
                self.change(opened, changes, false, answer)
            }
            StoreCall::PutIf((key, value, expected)) => {
                self.put_if(opened, key, value, *expected, answer)
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

    fn stat(&mut self, opened: &Opened, key: &[u8], answer: &Answer) -> Result<(), String> {
        let place = &mut self.places[opened.rules.place];
        let bucket = &opened.bucket;
        if !reading([key]).judge(answer)? {
            return Ok(());
        }
        let Answer::Stat(stat) = answer else {
            return Err("it answered something else".to_owned());
        };
        let length = place.get(bucket, key).map(|held| held.value.len() as u64);
        if stat.as_ref().map(|stat| stat.len) != length
            || stat.as_ref().is_some_and(|stat| stat.expires_at.is_some())
        {
            return Err(format!(
                "it answered {stat:?} of a value of {length:?} bytes"
            ));
        }
        let version = stat.as_ref().map(|stat| stat.version);
        version.map_or(Ok(()), |version| place.note_version(bucket, key, version))
    }

    fn put_if(
        &mut self,
        opened: &Opened,
        key: &[u8],
        value: &[u8],
        expected: Option<u64>,
        answer: &Answer,
    ) -> Result<(), String> {
        let place = &mut self.places[opened.rules.place];
        let bucket = &opened.bucket;
        let fits = place.is_version(bucket, key, expected);
        let mut refusals = writing(opened, place, &[(key, Some(of_length(value)))]);
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
            place.change(bucket, [(key.to_vec(), Some(value.to_vec()))]);
        }
        Ok(())
    }

    pub fn get(
        &self,
        opened: &Opened,
        key: &[u8],
        (offset, len): (u64, u64),
        refusals: &Refusals,
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
    pub fn change(
        &mut self,
        opened: &Opened,
        changes: Changes,
        is_keyvalue: bool,
        answer: &Answer,
    ) -> Result<(), String> {
        let place = &mut self.places[opened.rules.place];
        let planned: Vec<Planned<'_>> = changes
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref().map(of_length)))
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
}
