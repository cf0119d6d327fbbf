//! What each call of `wasi:keyvalue` on an open bucket, or on a key as it was, ought to answer.

use std::rc::Rc;

use tailstone_host::keyvalue::Access;

use super::model::{DEFAULT, Model, Opened, Swap, expect};
use super::pages;
use super::rules::{
    Kind, NUMBER_BYTES, Refusals, TOGETHER_BYTES, of_length, reading, rewriting, writing,
};
use super::{Answer, BucketCall};

impl Model {
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
                self.get(opened, key.as_bytes(), (0, u64::MAX), &refusals, answer)
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
        let mut refusals = writing(opened, place, &[(key.as_bytes(), Some(NUMBER_BYTES))]);
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
            &[(swap.key.as_bytes(), Some(of_length(value)))],
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
