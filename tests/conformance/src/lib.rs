//! What the guests that try providers of stores have in common: what a case is, and how one is run.
//!
//! A case is a function whose name is the sentence that ought to be true. It says in a sentence of its own what it met
//! in its place, and does not panic: a guest that ends takes the cases behind it along.

use std::fmt::Debug;

/// Nothing, or what was met in the place of what ought to be.
pub type Verdict = Result<(), String>;

/// A case, in the kind of place that it is run in.
#[derive(Debug)]
pub struct Case<P> {
    function: &'static str,
    run: fn(&P) -> Verdict,
}

/// Cases that belong together.
pub type Chapter<P> = &'static [Case<P>];

/// Where a case is run: an open store, and a part of it that no other case touches.
pub trait Place: Sized {
    /// Opens the place of the case of this name in the store `identifier`.
    fn open(identifier: &str, case: &str) -> Result<Self, String>;
}

/// The functions, as cases.
#[macro_export]
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        &[$($crate::Case::new(stringify!($case), $case)),*]
    };
}

impl<P: Place> Case<P> {
    /// The function of this name as a case.
    pub const fn new(function: &'static str, run: fn(&P) -> Verdict) -> Self {
        Self { function, run }
    }

    /// The sentence that ought to be true.
    #[must_use]
    pub fn name(&self) -> String {
        self.function.replace('_', " ")
    }

    /// What was met in its place.
    #[must_use]
    pub fn failure(&self, identifier: &str) -> Option<String> {
        let place = P::open(identifier, &self.name());
        place.and_then(|place| (self.run)(&place)).err()
    }
}

/// The names of all cases.
#[must_use]
pub fn names<P: Place>(chapters: &[Chapter<P>]) -> Vec<String> {
    chapters.iter().copied().flatten().map(Case::name).collect()
}

/// The case of this name.
#[must_use]
pub fn find<P: Place>(chapters: &[Chapter<P>], name: &str) -> Option<&'static Case<P>> {
    let mut all = chapters.iter().copied().flatten();
    all.find(|case| case.name() == name)
}

/// Makes a sentence of what a provider refused.
pub trait Said<T> {
    /// What came, or what was being done and what was said to it.
    fn said(self, doing: &str) -> Result<T, String>;
}

impl<T, E: Debug> Said<T> for Result<T, E> {
    fn said(self, doing: &str) -> Result<T, String> {
        self.map_err(|error| format!("{doing}: {}", short(&error)))
    }
}

/// Holds what was met against what ought to be.
pub fn equal<T: PartialEq + Debug>(what: &str, met: &T, expected: &T) -> Verdict {
    if met == expected {
        return Ok(());
    }
    let (met, expected) = (short(met), short(expected));
    Err(format!("{what}: {met} in the place of {expected}"))
}

/// Fails unless it is so.
pub fn ensure(is_so: bool, otherwise: &str) -> Verdict {
    if is_so {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

/// Fails unless it was refused.
pub fn refused<T: Debug, E>(what: &str, met: Result<T, E>) -> Verdict {
    match met {
        Ok(met) => Err(format!("{what} was not refused but gave {}", short(&met))),
        Err(_) => Ok(()),
    }
}

/// Characters of anything that a sentence shows.
const SHOWN: usize = 120;

fn short(anything: &impl Debug) -> String {
    let all = format!("{anything:?}");
    match all.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", all.get(..end).unwrap_or_default()),
        None => all,
    }
}

/// Bytes without an order that one could guess, the same for the same seed.
#[must_use]
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.push(state.to_le_bytes()[5]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nowhere;

    impl Place for Nowhere {
        fn open(identifier: &str, _case: &str) -> Result<Self, String> {
            if identifier.is_empty() {
                Err("no".to_owned())
            } else {
                Ok(Self)
            }
        }
    }

    fn one_is_one(_: &Nowhere) -> Verdict {
        equal("one", &1, &1)
    }

    fn one_is_two(_: &Nowhere) -> Verdict {
        equal("one", &1, &2)
    }

    const CHAPTERS: &[Chapter<Nowhere>] = &[cases![one_is_one], cases![one_is_two]];

    #[test]
    fn cases_are_named_and_found_and_run() {
        assert_eq!(names(CHAPTERS), ["one is one", "one is two"]);
        let fails = |name, identifier| find(CHAPTERS, name).unwrap().failure(identifier);
        assert_eq!(fails("one is one", "x"), None);
        assert_eq!(
            fails("one is two", "x").unwrap(),
            "one: 1 in the place of 2"
        );
        assert_eq!(fails("one is one", "").unwrap(), "no");
        assert!(find(CHAPTERS, "one is three").is_none());
    }

    #[test]
    fn what_is_shown_is_short() {
        assert!(short(&"ü".repeat(1000)).chars().count() == SHOWN + 1);
    }

    #[test]
    fn noise_has_all_bytes() {
        let noise = noise(1, 10_000);
        assert!((0..=255).all(|byte| noise.contains(&byte)));
    }
}
