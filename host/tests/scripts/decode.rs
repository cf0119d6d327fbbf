//! What the bytes of an input mean: calls, with arguments that meet again and are at the borders of what is allowed.
//!
//! Every input means something. What a guest got before is handed in again: cursors, tails and versions, fresh and stale ones.

use std::collections::BTreeMap;

use tailstone_tests::fuzz::Source;

use super::{Answer, Asked, BucketCall, CasCall, Change, Entry, Step, StoreCall};

/// What happens next.
#[derive(Debug, Clone)]
pub enum Move {
    /// The guest makes a call.
    Step(Step),
    /// The instance ends, and with it all grants: every file is closed. Another instance gets the same grants anew.
    Restart,
}

/// What was answered so far and can be handed in again.
#[derive(Debug, Default)]
pub struct Seen {
    texts: Vec<String>,
    cursors: Vec<Vec<u8>>,
    tails: Vec<u64>,
    versions: Vec<u64>,
    newest: BTreeMap<Vec<u8>, u64>,
    last_key: usize,
    steps: u64,
}

/// One of the things that were seen, the last one for 0.
fn pick<T: Clone>(things: &[T], number: u8) -> Option<T> {
    let at = usize::from(number).checked_rem(things.len())?;
    things.iter().rev().nth(at).cloned()
}

impl Seen {
    /// Notes what of an answer can be handed in again.
    pub fn note(&mut self, step: &Step, answer: &Answer) {
        match answer {
            Answer::Listed((_, Some(cursor))) => self.texts.push(cursor.clone()),
            Answer::Keys(page) => self.cursors.extend(page.cursor.clone()),
            Answer::Changes(page) => {
                self.tails.extend(page.changes.iter().map(|made| made.tail));
                self.tails.push(page.tail);
            }
            Answer::Info(info) => self.tails.push(info.tail),
            Answer::Stat(Some(stat)) => {
                self.versions.push(stat.version);
                if let Step::Store((_, StoreCall::Stat(key))) = step {
                    self.newest.insert(key.clone(), stat.version);
                }
            }
            _ => {}
        }
    }

    /// The next move. A call of a slot without a handle becomes one that opens something there, mostly.
    pub fn next(&mut self, source: &mut Source<'_>, is_open: impl Fn(&Step) -> bool) -> Move {
        self.steps += 1;
        let kind = source.byte();
        let slot = source.byte();
        let step = match kind % 32 {
            0..=13 => Step::Store((slot, self.store_call(source))),
            14..=19 => Step::First((slot, self.bucket_call(source, true))),
            20..=25 => Step::Second((slot, self.bucket_call(source, false))),
            26..=30 => Step::Cas((slot, self.cas_call(source))),
            _ => return Move::Restart,
        };
        if is_open(&step) || source.byte() % 16 == 15 {
            return Move::Step(step);
        }
        Move::Step(match step {
            Step::Store(_) => Step::Store((slot, open(source))),
            Step::First(_) => Step::First((slot, BucketCall::Open(name(source)))),
            Step::Second(_) => Step::Second((slot, BucketCall::Open(name(source)))),
            Step::Cas(_) => Step::Cas((slot, CasCall::New((source.byte(), self.text(source))))),
        })
    }

    fn store_call(&mut self, source: &mut Source<'_>) -> StoreCall {
        match source.byte() % 32 {
            0 | 1 => open(source),
            2 => StoreCall::Drop,
            3 => StoreCall::Close,
            4 | 5 => StoreCall::Get(self.key(source)),
            6 | 7 => StoreCall::GetRange((
                self.key(source),
                border(source.byte()),
                border(source.byte()),
            )),
            8..=10 => StoreCall::Stat(self.key(source)),
            11 => StoreCall::GetPacked(self.keys(source)),
            12..=14 => StoreCall::Put((self.key(source), self.value(source))),
            15..=17 => {
                let key = self.key(source);
                let expected = self.version(source, &key);
                StoreCall::PutIf((key, self.value(source), expected))
            }
            18 | 19 => StoreCall::Delete(self.key(source)),
            20..=22 => StoreCall::AppendBatch(self.changes(source)),
            23..=25 => {
                let prefix = if source.byte().is_multiple_of(2) {
                    Vec::new()
                } else {
                    self.key(source)
                };
                let cursor = match source.byte() % 8 {
                    0..=3 => None,
                    4 => Some(self.key(source)),
                    _ => pick(&self.cursors, source.byte()),
                };
                StoreCall::Scan((prefix, cursor, most(source.byte())))
            }
            26..=28 => StoreCall::Changes((self.tail(source), most(source.byte()))),
            29 => StoreCall::Sync,
            30 => StoreCall::Compact,
            _ => StoreCall::Info,
        }
    }

    fn bucket_call(&mut self, source: &mut Source<'_>, is_first: bool) -> BucketCall {
        match source.byte() % 32 {
            0 | 1 => BucketCall::Open(name(source)),
            2 => BucketCall::Drop,
            3..=5 => BucketCall::Get(self.text(source)),
            6..=9 => BucketCall::Set((self.text(source), self.value(source))),
            10 | 11 => BucketCall::Delete(self.text(source)),
            12 | 13 => BucketCall::Exists(self.text(source)),
            14..=17 => BucketCall::ListKeys(match source.byte() % 8 {
                0..=2 => None,
                3 if is_first => Some(source.number().to_string()),
                3 => Some(self.text(source)),
                _ => pick(&self.texts, source.byte()).filter(|text| !is_first || is_number(text)),
            }),
            18..=22 => {
                let key = self.text(source);
                let delta = match source.byte() % 8 {
                    0..=2 => u64::from(source.byte()),
                    3 => u64::MAX,
                    4 => 1 << 63,
                    5 => (1 << 63) - 1,
                    6 => 0,
                    _ => source.number(),
                };
                BucketCall::Increment((key, delta))
            }
            23..=25 => {
                BucketCall::GetMany(self.keys(source).iter().map(|key| to_text(key)).collect())
            }
            26..=29 => {
                let changes = self.changes(source).into_iter().map(|change| match change {
                    Change::Put(Entry { key, value }) => (to_text(&key), value),
                    Change::Delete(key) => (to_text(&key), Vec::new()),
                });
                BucketCall::SetMany(changes.collect())
            }
            _ => {
                let keys = self.changes(source).into_iter().map(|change| match change {
                    Change::Put(Entry { key, .. }) | Change::Delete(key) => to_text(&key),
                });
                BucketCall::DeleteMany(keys.collect())
            }
        }
    }

    fn cas_call(&mut self, source: &mut Source<'_>) -> CasCall {
        match source.byte() % 8 {
            0..=2 => CasCall::New((source.byte(), self.text(source))),
            3 => CasCall::Drop,
            4 => CasCall::Current,
            _ => CasCall::Swap(self.value(source)),
        }
    }

    /// A key that was just used, or one of a few, or a strange one.
    fn key(&mut self, source: &mut Source<'_>) -> Vec<u8> {
        let byte = usize::from(source.byte());
        if byte % 4 != 0 {
            self.last_key = byte / 4;
        }
        match self.last_key {
            at @ 0..=31 => vec![b'a' + u8::try_from(at % 6).unwrap_or_default()],
            32..=37 => b"n".to_vec(),
            at @ 38..=45 => crowd(at - 38),
            46 | 47 => Vec::new(),
            48 => b"\0".to_vec(),
            49 => b"a\0".to_vec(),
            50 => b"..".to_vec(),
            51 => b"../a".to_vec(),
            52 => b"a/b".to_vec(),
            53 => "ü".into(),
            54 => "u\u{308}".into(),
            55 => b"\xff\xfe".to_vec(),
            56 => b"a\xc3".to_vec(),
            57 => vec![b'k'; (1 << 16) + 1],
            at => long(at - 58),
        }
    }

    fn text(&mut self, source: &mut Source<'_>) -> String {
        to_text(&self.key(source))
    }

    fn keys(&mut self, source: &mut Source<'_>) -> Vec<Vec<u8>> {
        match source.byte() {
            255 => vec![self.key(source); 1025],
            254 => (0..1100).map(crowd).collect(),
            byte => (0..byte % 8).map(|_| self.key(source)).collect(),
        }
    }

    fn value(&self, source: &mut Source<'_>) -> Vec<u8> {
        let noise = |len| tailstone_tests::Rng::new(self.steps).bytes(len);
        match source.byte() % 32 {
            0 | 1 => Vec::new(),
            2 | 3 => vec![0],
            4 => vec![0; 2],
            5 => b"41".to_vec(),
            6 => b"-3".to_vec(),
            7 => b"007".to_vec(),
            8 => b"-".to_vec(),
            9 => b"+1".to_vec(),
            10 => u64::MAX.to_string().into_bytes(),
            11 => i64::MAX.to_string().into_bytes(),
            12 => i64::MIN.to_string().into_bytes(),
            13 => b"99999999999999999999".to_vec(),
            14 => b"999999999999999999999".to_vec(),
            15..=22 => noise(source.byte().into()),
            23..=27 => noise(usize::from(source.byte()) * 12),
            28 => vec![0; 1 << 16],
            _ => noise(1 << 16),
        }
    }

    fn changes(&mut self, source: &mut Source<'_>) -> Vec<Change> {
        let put = |key, value| Change::Put(Entry { key, value });
        match source.byte() {
            240..=246 => (0..1100).map(|at| put(crowd(at), vec![1])).collect(),
            247 | 248 => (0..1100).map(|at| Change::Delete(crowd(at))).collect(),
            249.. => (0..6).map(|at| put(long(at), vec![2])).collect(),
            byte => (0..byte % 7)
                .map(|_| {
                    let key = self.key(source);
                    if source.byte().is_multiple_of(4) {
                        Change::Delete(key)
                    } else {
                        put(key, self.value(source))
                    }
                })
                .collect(),
        }
    }

    fn version(&self, source: &mut Source<'_>, key: &[u8]) -> Option<u64> {
        match source.byte() % 8 {
            0 | 1 => None,
            2..=5 => self.newest.get(key).copied(),
            6 => pick(&self.versions, source.byte()),
            _ => Some(source.number()),
        }
    }

    fn tail(&self, source: &mut Source<'_>) -> u64 {
        let seen = pick(&self.tails, source.byte() / 4).unwrap_or(0);
        match source.byte() % 16 {
            0..=3 => 0,
            4..=12 => seen,
            13 => seen ^ 1 << 50,
            14 => seen.wrapping_add(1),
            _ => source.number(),
        }
    }
}

/// One of many keys that begin alike.
fn crowd(at: usize) -> Vec<u8> {
    format!("crowd {at:04}").into_bytes()
}

/// One of some keys as long as they may be.
fn long(at: usize) -> Vec<u8> {
    let mut key = vec![b'l'; 1 << 16];
    key[(1 << 16) - 1] = b'a' + u8::try_from(at).unwrap_or_default();
    key
}

fn to_text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}

fn border(byte: u8) -> u64 {
    match byte % 8 {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => 1 << 16,
        4 => u64::MAX - 1,
        _ => u64::from(byte) * 3,
    }
}

fn most(byte: u8) -> u32 {
    match byte % 8 {
        0 => 0,
        1 => 1,
        2 => u32::MAX,
        3 => 1000,
        _ => u32::from(byte) / 8,
    }
}

fn name(source: &mut Source<'_>) -> String {
    let name = match source.byte() % 32 {
        0..=11 => "rw",
        12..=15 => "ro",
        16..=19 => "append",
        20..=24 => "small",
        25..=28 => "memory",
        29 => "other",
        30 => "../rw",
        _ => "rw\0",
    };
    name.to_owned()
}

fn open(source: &mut Source<'_>) -> StoreCall {
    let name = name(source);
    let bucket = match source.byte() % 32 {
        0..=23 => b"default".to_vec(),
        24..=28 => b"b".to_vec(),
        29 | 30 => Vec::new(),
        _ => vec![b'b'; 1 << 16],
    };
    let access = match source.byte() % 8 {
        0 => Asked::Read,
        1 | 2 => Asked::Write,
        _ => Asked::Create,
    };
    StoreCall::Open((name, bucket, access))
}
