//! How many tests ran, summed over all runners, so that a green run can be told from one in which nothing ran.

use std::fmt;

/// Numbers of tests by outcome.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Adds what `line` announces, if it is a runner's summary: `test result: ok. 3 passed; 0 failed; …` (cargo), or
    /// `# pass 3` and `ℹ fail 0` (node).
    pub fn note(&mut self, line: &str) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result:") {
            for part in rest.split([';', '.']) {
                match part.trim().split_once(' ') {
                    Some((count, "passed")) => self.passed += number(count),
                    Some((count, "failed")) => self.failed += number(count),
                    _ => {}
                }
            }
            return;
        }
        let Some(rest) = line
            .strip_prefix("# ")
            .or_else(|| line.strip_prefix("\u{2139} "))
        else {
            return;
        };
        match rest.split_once(' ') {
            Some(("pass", count)) => self.passed += number(count),
            Some(("fail", count)) => self.failed += number(count),
            _ => {}
        }
    }

    /// Whether any test ran, and none of them failed.
    pub const fn is_good(self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

fn number(text: &str) -> u64 {
    text.trim().parse().unwrap_or(0)
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn sums_cargo_and_node() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured",
            "# tests 5",
            "# pass 4\n",
            "ℹ fail 1",
            "# passing by",
        ] {
            tally.note(line);
        }
        assert_eq!(tally.to_string(), "9 passed, 2 failed");
        assert!(!tally.is_good());
    }

    #[test]
    fn nothing_ran_is_not_good() {
        assert!(!Tally::default().is_good());
    }
}
