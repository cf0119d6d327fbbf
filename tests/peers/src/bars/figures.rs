//! The figures that a bar is about, and whether they reach it.

use crate::engines::Engine;
use crate::report::time;
use crate::results::{Results, Row, Spread};
use std::fmt::Write as _;

/// What a row is judged by.
type Pick = fn(&Row) -> Option<Spread>;

/// What was measured, and whether it is enough; `None` where figures are missing.
pub type Judged = Option<(String, bool)>;

/// The figures of stores of so many records.
pub struct Figures<'r> {
    pub results: &'r Results,
    pub records: u64,
}

impl Figures<'_> {
    fn find(&self, workload: &str, store: &str) -> Option<&Row> {
        self.results.find_of(workload, store, self.records)
    }

    fn median(&self, workload: &str, store: &str, pick: Pick) -> Option<f64> {
        let row = self.find(workload, store)?;
        row.gave_up_after_s.is_none().then_some(())?;
        Some(pick(row)?.median)
    }

    fn cpu(&self, workload: &str, store: &str) -> Option<f64> {
        self.median(workload, store, Row::cpu)
    }

    fn wall(&self, workload: &str, store: &str) -> Option<f64> {
        self.median(workload, store, Row::wall)
    }

    fn figure(&self, workload: &str, store: &str, name: &str) -> Option<f64> {
        Some(self.find(workload, store)?.figure(name)?.median)
    }

    /// The least that another store took, and which one.
    fn best_other(&self, workload: &str, pick: Pick) -> Option<(f64, &'static str)> {
        let others = Engine::ALL.iter().map(|engine| engine.name());
        let others = others.filter(|store| !store.starts_with("tailstone"));
        let all = others.filter_map(|store| Some((self.median(workload, store, pick)?, store)));
        all.min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Against the best other store, by processor time, through each of `ours`.
    pub fn times_faster(&self, workload: &str, ours: &[&str], wanted: f64) -> Judged {
        let (theirs, who) = self.best_other(workload, Row::cpu)?;
        let mut text = String::new();
        let mut best = 0.0_f64;
        for store in ours {
            let own = self.cpu(workload, store)?;
            let ratio = theirs / own;
            best = best.max(ratio);
            let _ = write!(text, "`{store}` {}: {ratio:.1} times; ", time(own));
        }
        let _ = write!(text, "{who} {}", time(theirs));
        Some((text, best >= wanted))
    }

    pub fn over_reference(&self, workload: &str, wanted: f64) -> Judged {
        let (own, theirs) = (
            self.cpu(workload, "tailstone")?,
            self.cpu(workload, REFERENCE)?,
        );
        let ratio = theirs / own;
        Some((
            format!("{REFERENCE} {}: {ratio:.0} times", time(theirs)),
            ratio >= wanted,
        ))
    }

    /// Time on the clock or of the processor against a lane that does nothing else, through the faster of `ours`.
    pub fn against_lane(&self, workload: &str, ours: &[&str], lane: &str, pick: Pick) -> Judged {
        let bare = self.median(workload, lane, pick)?;
        let all = ours
            .iter()
            .filter_map(|store| self.median(workload, store, pick));
        let own = all.min_by(f64::total_cmp)?;
        let text = format!("{} against {} of `{lane}`", time(own), time(bare));
        Some((text, own <= bare * WITHIN))
    }

    /// A long value read, which is compared and not copied.
    pub fn long_read(&self, workload: &str, ours: &[&str]) -> Judged {
        let (mut text, is_reached) = self.against_lane(workload, ours, "memcpy", Row::cpu)?;
        let compared = self.cpu(workload, "memcmp")?;
        let _ = write!(
            text,
            " and {} of `memcmp`, which does what is done here",
            time(compared)
        );
        Some((text, is_reached))
    }

    pub fn durable(&self) -> Judged {
        let own = self.wall("write-durable-1", "tailstone-sync")?;
        let sync = self.wall("write-durable-1", "file-sync (reserved)")?;
        let text = format!("{}, the sync alone {}", time(own), time(sync));
        Some((text, own <= sync * WITHIN))
    }

    pub fn shared_syncs(&self) -> Judged {
        let (mut text, mut most) = (String::new(), 0.0_f64);
        for store in ["tailstone-sync", "tailstone"] {
            let one = self.wall("write-durable-1", store)?;
            let eight = self.wall("write-durable-8", store)?;
            let rate = one / eight;
            most = most.max(rate);
            let _ = write!(text, "`{store}` {}: {rate:.1} times, ", time(eight));
        }
        let (theirs, who) = self.best_other("write-durable-8", Row::wall)?;
        let _ = write!(text, "{who} {}", time(theirs));
        Some((text, most >= 5.0))
    }

    pub fn batch(&self) -> Judged {
        let single = self.cpu("read-shuffled", "tailstone")?;
        let batch = self.cpu("batch-read", "tailstone")?;
        let theirs = self.cpu("batch-read", REFERENCE)?;
        let ratio = single / batch;
        let text = format!(
            "{}: {ratio:.1} times; {REFERENCE} {}",
            time(batch),
            time(theirs)
        );
        Some((text, ratio >= 4.0))
    }

    pub fn beside_a_writer(&self) -> Judged {
        let (mut text, mut least) = (String::new(), f64::MAX);
        for store in ["tailstone-reader", "tailstone"] {
            let alone = self.figure("readers-beside-writer", store, "read_cpu_ns_alone")?;
            let beside = self.figure("readers-beside-writer", store, "read_cpu_ns_beside")?;
            let more = (beside / alone - 1.0) * 100.0;
            least = least.min(more);
            let _ = write!(
                text,
                "`{store}` {} to {} ({more:+.0} %), ",
                time(alone),
                time(beside)
            );
        }
        let two = self.wall("threads-2", "tailstone-reader")?;
        let rate = self.wall("read-shuffled", "tailstone-reader")? / two;
        let _ = write!(text, "two threads {rate:.2} times the rate of one");
        Some((text, least <= 10.0 && rate >= 2.0))
    }

    pub fn misses(&self) -> Judged {
        let by_store = self.cpu("miss", "tailstone")?;
        let by_reader = self.cpu("miss", "tailstone-reader")?;
        let (theirs, who) = self.best_other("miss", Row::cpu)?;
        let text = format!(
            "`tailstone` {}, `tailstone-reader` {}; {who} {}",
            time(by_store),
            time(by_reader),
            time(theirs)
        );
        Some((text, by_store.min(by_reader) < 60.0))
    }

    pub fn opening(&self, workload: &str, below: Option<f64>, other: &str) -> Judged {
        let own = self.wall(workload, "tailstone")?;
        let theirs = self.wall(workload, other);
        let lost = self.figure(workload, other, "records_lost");
        let mut text = self.until_it_answers(workload, "tailstone", own);
        if let Some(theirs) = theirs {
            let theirs = self.until_it_answers(workload, other, theirs);
            let _ = write!(text, "; {other} {theirs}");
        }
        if let Some(lost) = lost {
            let _ = write!(text, ", which loses {lost:.0} records");
        }
        let keeps_all = self.figure(workload, "tailstone", "records_lost").is_none();
        let below = below.map(|seconds| seconds * 1e9);
        Some((text, keeps_all && own < below.or(theirs)?))
    }

    /// The time, and how much of it the call that opens took.
    fn until_it_answers(&self, workload: &str, store: &str, ns: f64) -> String {
        let opening = self.figure(workload, store, "open_s");
        let opening = opening.map_or_else(String::new, |seconds| time(seconds * 1e9));
        format!("{} ({opening})", time(ns))
    }

    pub fn memory(&self) -> Judged {
        let walked = self.figure(
            "memory-without-snapshot",
            "tailstone",
            "bytes_per_key_opened",
        )?;
        let taken = self.figure("memory", "tailstone", "bytes_per_key_opened")?;
        let theirs = self.figure("memory", REFERENCE, "bytes_per_key_opened")?;
        let text = format!("{walked:.1}, from a snapshot {taken:.1}; {REFERENCE} {theirs:.0}");
        Some((text, walked.max(taken) < 16.0))
    }

    pub fn file_size(&self) -> Judged {
        let own = self.figure(
            "memory-without-snapshot",
            "tailstone",
            "file_bytes_per_record",
        )?;
        let theirs = self.figure("memory", REFERENCE, "file_bytes_per_record")?;
        let text = format!("{own:.1} bytes a record; {REFERENCE} {theirs:.1}");
        Some((text, own <= theirs))
    }

    pub fn iterate(&self) -> Judged {
        let own = self.cpu("iterate", "tailstone")?;
        let copy = self.cpu("iterate", "memcpy")?;
        let (theirs, who) = self.best_other("iterate", Row::cpu)?;
        let text = format!(
            "{}; {who} {}, `memcpy` {}",
            time(own),
            time(theirs),
            time(copy)
        );
        Some((text, own <= copy * WITHIN))
    }

    pub fn phases(&self) -> Judged {
        let (mut first, mut behind) = (0, String::new());
        let mut phases = self.results.workloads();
        phases.retain(|phase| phase.starts_with("redb-"));
        for &phase in &phases {
            let is_size = phase.ends_with("-size");
            let pick: Pick = if is_size {
                |row| row.figure("bytes")
            } else {
                Row::wall
            };
            let own = self.median(phase, "tailstone", pick)?;
            let (theirs, who) = self.best_other(phase, pick)?;
            if own <= theirs {
                first += 1;
                continue;
            }
            let words = |figure: f64| {
                if is_size {
                    format!("{:.0} MB", figure / 1e6)
                } else {
                    time(figure)
                }
            };
            let phase = phase.trim_start_matches("redb-");
            let _ = write!(behind, ", {phase} {} ({who} {})", words(own), words(theirs));
        }
        let text = format!(
            "{first} of {}; not in{}",
            phases.len(),
            behind.trim_start_matches(',')
        );
        let is_first = first == phases.len();
        Some(if is_first {
            ("all".to_owned(), true)
        } else {
            (text, false)
        })
    }
}

pub const REFERENCE: &str = "simd-r-drive";
/// As good as equal.
const WITHIN: f64 = 1.1;
