//! How far a long command has come: a bar on standard error, only on a terminal, only after a second.

use std::io::{self, IsTerminal, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const SHOWN_AFTER: Duration = Duration::from_secs(1);
const BAR: &str = "{msg} [{bar:40}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const COUNTER: &str = "{msg} {spinner} {bytes} {bytes_per_sec}";
const STEPS: &str = "{msg} [{bar:40}] {pos}/{len} {eta}";
const STEP_COUNTER: &str = "{msg} {spinner} {human_pos}";

/// Bytes or steps done of those to do.
pub struct Progress {
    what: &'static str,
    is_in_bytes: bool,
    total: Option<u64>,
    begun: Instant,
    is_wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress of `what`, with `total` bytes to do if that is known.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
        Self {
            what,
            is_in_bytes: true,
            total,
            begun: Instant::now(),
            is_wanted: io::stderr().is_terminal(),
            bar: None,
        }
    }

    /// Like [`new`](Self::new), for bytes that go to standard output: no bar where it would be drawn among them.
    pub fn of_output(what: &'static str, total: u64) -> Self {
        let mut progress = Self::new(what, Some(total));
        progress.is_wanted &= !io::stdout().is_terminal();
        progress
    }

    /// Progress of `what` in steps, not in bytes.
    pub fn of_steps(what: &'static str) -> Self {
        let mut progress = Self::new(what, None);
        progress.is_in_bytes = false;
        progress
    }

    /// So many are done; `total` may become known on the way.
    pub fn update(&mut self, done: u64, total: Option<u64>) {
        if !self.is_wanted || (self.bar.is_none() && self.begun.elapsed() < SHOWN_AFTER) {
            return;
        }
        self.total = total.or(self.total);
        let (what, total, is_in_bytes) = (self.what, self.total, self.is_in_bytes);
        let bar = self
            .bar
            .get_or_insert_with(|| bar(what, total, is_in_bytes));
        if let Some(total) = self.total {
            bar.set_length(total);
        }
        bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &'static str, total: Option<u64>, is_in_bytes: bool) -> ProgressBar {
    let (bar, template) = match (total, is_in_bytes) {
        (Some(total), true) => (ProgressBar::new(total), BAR),
        (Some(total), false) => (ProgressBar::new(total), STEPS),
        (None, true) => (ProgressBar::new_spinner(), COUNTER),
        (None, false) => (ProgressBar::new_spinner(), STEP_COUNTER),
    };
    styled(bar, template).with_message(what)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A reader that tells a [`Progress`] what went through it.
pub struct Counted<R> {
    inner: R,
    done: u64,
    progress: Progress,
}

impl<R> Counted<R> {
    /// Reads from `inner`.
    pub const fn new(inner: R, progress: Progress) -> Self {
        Self {
            inner,
            done: 0,
            progress,
        }
    }

    /// How many bytes went through.
    pub const fn done(&self) -> u64 {
        self.done
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.done = self
            .done
            .saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.progress.update(self.done, None);
        Ok(read)
    }
}
