//! The steps of a benchmark, in turns: each round goes through all of them.

use std::path::Path;
use std::time::{Duration, Instant};

use tailstone::{DataStore, DataStoreReader, Durability, Options};

use super::latency::{CLOCK, Latency};
use super::records::{Values, key, shuffled};
use super::steps::{self, About, STEPS, Step};
use super::work::{ABSENT, BUFFERED, DURABLE, LATE, THREADS};
use super::{Made, disk, long, work};
use crate::exit::{Failure, Result, Status};
use crate::plan::Plan;
use crate::progress::Progress;

/// Writes that wait for the disk, in a round and row: a slow disk does some hundred in a second.
const DURABLE_MAX: u32 = 256;
/// Keys asked for at once.
const ASKED: usize = 1024;

/// What was measured.
pub struct Measured {
    pub steps: Vec<Step>,
    pub latencies: Vec<Latency>,
    /// How many rounds there was time for.
    pub rounds: u32,
}

pub(super) struct Rounds {
    plan: Plan,
    values: Values,
    steps: Vec<Step>,
    latencies: Vec<Latency>,
    done: u64,
    progress: Progress,
}

/// Goes through the rounds; leaves nothing behind unless the plan keeps the store.
pub fn measure(file: &Path, plan: &Plan) -> Result<Measured> {
    let mut made = Made::take(file)?;
    let mut name = file.as_os_str().to_owned();
    name.push(".baseline");
    let baseline = Made::take(Path::new(&name))?;
    let mut rounds = Rounds {
        plan: plan.clone(),
        values: Values::new(plan.value_size),
        steps: Vec::new(),
        latencies: Vec::new(),
        done: 0,
        progress: Progress::of_steps("bench"),
    };
    let (begun, mut longest, mut done) = (Instant::now(), Duration::ZERO, 0);
    // One round at least; no other that would hardly end in time.
    while done < plan.rounds
        && (done == 0 || begun.elapsed() + longest <= Duration::from_secs(plan.seconds))
    {
        let round_begun = Instant::now();
        rounds.one(&made, &baseline, u64::from(done))?;
        longest = longest.max(round_begun.elapsed());
        done += 1;
    }
    if plan.keep {
        made.keep();
    }
    Ok(Measured {
        steps: rounds.steps,
        latencies: rounds.latencies,
        rounds: done,
    })
}

impl Rounds {
    fn one(&mut self, made: &Made, baseline: &Made, seed: u64) -> Result {
        let order = shuffled(self.plan.records, seed);
        let file = baseline.new_file()?;
        let mut values = self.values.clone();
        let records = self.plan.records;
        self.time(steps::PLAIN, records, || {
            disk::append(&file, &mut values, records)
        })?;
        drop(file);
        self.single_writes(made, &order)?;
        long::measure(self, made, baseline)?;
        let store = self.batches_and_reads(made, &order)?;
        // Closing writes one when it is due, which few keys never are.
        store.snapshot_index()?;
        store.close()?;
        self.opening(made)?;
        self.durable(made, baseline)
    }

    fn single_writes(&mut self, made: &Made, order: &[u32]) -> Result {
        let mut values = self.values.clone();
        let records = self.plan.records;
        let store = made.new_store()?;
        self.time(steps::SINGLE, records, || {
            work::write_single(&store, &mut values, BUFFERED, records)
        })?;
        let latency = self.latency("single writes");
        work::write_each(&store, &mut values, LATE, records, latency)?;
        let latency = self.latency("reads shuffled");
        for &number in order {
            let value = latency.time(|| work::read(&store, BUFFERED, number))?;
            work::compare(&values, number, value.as_deref())?;
        }
        let latency = self.latency(CLOCK);
        order
            .iter()
            .try_for_each(|_| latency.time(|| Ok::<_, Failure>(())))
    }

    fn batches_and_reads(&mut self, made: &Made, order: &[u32]) -> Result<DataStore> {
        let mut values = self.values.clone();
        let (records, batch) = (self.plan.records, self.plan.batch);
        let store = made.new_store()?;
        self.time(steps::BATCHES, records, || {
            work::write_batches(&store, &mut values, records, batch)
        })?;
        let check = |number, value: Option<&[u8]>| work::compare(&values, number, value);
        self.time(steps::IN_ORDER, records, || {
            (0..records).try_for_each(|number| {
                check(number, work::read(&store, BUFFERED, number)?.as_deref())
            })
        })?;
        self.time(steps::SHUFFLED, records, || {
            order.iter().try_for_each(|&number| {
                check(number, work::read(&store, BUFFERED, number)?.as_deref())
            })
        })?;
        let reader = store.reader();
        self.time(steps::BY_READER, records, || {
            order
                .iter()
                .try_for_each(|&number| check(number, reader.get(&key(BUFFERED, number))))
        })?;
        self.time(steps::BY_BATCH, records, || {
            order.chunks(ASKED).try_for_each(|numbers| {
                let keys = numbers.iter().copied();
                let keys: Vec<_> = keys.map(|number| key(BUFFERED, number)).collect();
                let keys: Vec<&[u8]> = keys.iter().map(<[u8; 16]>::as_slice).collect();
                let found = store.batch_read(&keys)?;
                let mut both = numbers.iter().zip(&found);
                both.try_for_each(|(&number, value)| check(number, value.as_deref()))
            })
        })?;
        self.time(steps::MISSES, records, || {
            order
                .iter()
                .try_for_each(|&number| match work::read(&store, ABSENT, number)? {
                    None => Ok(()),
                    Some(_) => Err(Failure::new(
                        Status::Damaged,
                        format!("key {number} was found and never written"),
                    )),
                })
        })?;
        Ok(store)
    }

    fn opening(&mut self, made: &Made) -> Result {
        for (about, snapshots) in [(steps::OPENING, true), (steps::OPENING_BARE, false)] {
            let mut opened = None;
            let options = Options::new().snapshots(snapshots);
            self.time(about, 1, || {
                opened = Some(made.open(&options)?);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn durable(&mut self, made: &Made, baseline: &Made) -> Result {
        let mut values = self.values.clone();
        let count = self.plan.records.min(DURABLE_MAX);
        let file = baseline.new_file()?;
        let mut latency = Latency::new(steps::PLAIN_SYNCED.name);
        self.time(steps::PLAIN_SYNCED, count, || {
            disk::append_synced(&file, &mut values, count, &mut latency)
        })?;
        self.add(&latency);

        let store = made.open(&Options::new().durability(Durability::Sync))?;
        let mut latency = Latency::new(steps::DURABLE.name);
        self.time(steps::DURABLE, count, || {
            work::write_each(&store, &mut values, DURABLE, count, &mut latency)
        })?;
        self.add(&latency);
        let each = count.div_ceil(THREADS);
        let mut latency = Latency::new(steps::DURABLE_TOGETHER.name);
        self.time(
            steps::DURABLE_TOGETHER,
            each.saturating_mul(THREADS),
            || work::write_at_once(&store, &values, each, &mut latency),
        )?;
        self.add(&latency);
        work::check_durable(&store, &values, count, each)?;
        Ok(store.close()?)
    }

    /// Times `work` as this round's entry of a row, operations on values of the plan's length.
    fn time(&mut self, about: About, operations: u32, work: impl FnOnce() -> Result) -> Result {
        let begun = Instant::now();
        work()?;
        let bytes = if about.moves { self.plan.value_size } else { 0 };
        self.record(about, operations, bytes, begun.elapsed());
        Ok(())
    }

    /// Notes a time that was taken as this round's entry of a row.
    pub(super) fn record(&mut self, about: About, operations: u32, bytes: usize, time: Duration) {
        match self
            .steps
            .iter_mut()
            .find(|step| step.about.name == about.name)
        {
            Some(step) => step.times.push(time),
            None => self.steps.push(Step {
                about,
                operations,
                bytes,
                times: vec![time],
            }),
        }
        self.done += 1;
        let steps = u64::from(self.plan.rounds).saturating_mul(STEPS);
        self.progress.update(self.done, Some(steps));
    }

    /// How many long values a round takes: as many bytes as a thousandth of the records in mebibytes.
    pub(super) fn long_values(&self) -> u32 {
        self.plan.records.div_ceil(1000).min(64)
    }

    fn add(&mut self, latency: &Latency) {
        self.latency(latency.name).merge(latency);
    }

    fn latency(&mut self, name: &'static str) -> &mut Latency {
        let at = self.latencies.iter().position(|it| it.name == name);
        let at = at.unwrap_or_else(|| {
            self.latencies.push(Latency::new(name));
            self.latencies.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found or put there just now")]
        &mut self.latencies[at]
    }
}
