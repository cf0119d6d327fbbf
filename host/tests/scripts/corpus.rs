//! Inputs: those that are kept, and how others are made of them.
//!
//! One is kept because it reaches a call with an outcome that no other one reaches, and only as long as it takes for that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tailstone_tests::Rng;

use super::run::Outcome;

/// Inputs that are kept at most: what only those behind them reach is left to what is made up.
const MOST_KEPT: usize = 100;
/// The longest input that is made up.
const MOST_BYTES: usize = 1500;

/// Where the kept ones lie.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// The kept inputs, by their files.
pub fn kept() -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    paths.into_iter().map(read).collect()
}

/// An input that nobody had: random bytes, or some of `others` changed.
pub fn made_up(rng: &mut Rng, others: &[Vec<u8>]) -> Vec<u8> {
    if others.is_empty() || rng.below(3) == 0 {
        let len = 1 + rng.below(MOST_BYTES);
        return rng.bytes(len);
    }
    let mut input = others[rng.below(others.len())].clone();
    for _ in 0..=rng.below(6) {
        let at = rng.below(input.len() + 1);
        match rng.below(5) {
            0 => input.truncate(at),
            1 => {
                let other = &others[rng.below(others.len())];
                input.truncate(at);
                input.extend_from_slice(&other[rng.below(other.len() + 1)..]);
            }
            2 => {
                let len = rng.below(40);
                let bytes = rng.bytes(len);
                input.splice(at..at, bytes);
            }
            3 => {
                let end = (at + rng.below(20)).min(input.len());
                input.drain(at..end);
            }
            _ => {
                let byte = rng.bytes(1)[0];
                input
                    .get_mut(at)
                    .into_iter()
                    .for_each(|place| *place = byte);
            }
        }
    }
    input.truncate(MOST_BYTES);
    input
}

/// Inputs that together reach everything that was reached so far.
#[derive(Debug, Default)]
pub struct Collection {
    inputs: Vec<(Vec<u8>, BTreeSet<String>)>,
    reached: BTreeMap<String, u32>,
}

impl Collection {
    /// Takes an input in if it reaches something new, cut behind that; says whether it did.
    pub fn offer(&mut self, input: &[u8], outcome: &Outcome) -> bool {
        let new = outcome
            .reached
            .iter()
            .filter(|(what, _)| !self.reached.contains_key(what));
        let Some(used) = new.map(|(_, used)| *used).max() else {
            return false;
        };
        let until = outcome.reached.iter().filter(|(_, at)| *at <= used);
        let reached: BTreeSet<String> = until.map(|(what, _)| what.clone()).collect();
        for what in &reached {
            *self.reached.entry(what.clone()).or_default() += 1;
        }
        self.inputs.push((input[..used].to_vec(), reached));
        true
    }

    /// How much was reached.
    pub fn breadth(&self) -> usize {
        self.reached.len()
    }

    /// The inputs, to be changed further.
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        self.inputs.iter().map(|(input, _)| input.clone()).collect()
    }

    /// Few of the inputs that reach nearly the same: again and again the one that reaches most of what is left.
    pub fn few(&self) -> Vec<&[u8]> {
        let mut left: BTreeSet<&String> = self.reached.keys().collect();
        let mut few = Vec::new();
        while !left.is_empty() && few.len() < MOST_KEPT {
            let new = |reached: &BTreeSet<String>| {
                reached.iter().filter(|what| left.contains(what)).count()
            };
            let best = self
                .inputs
                .iter()
                .max_by_key(|(input, reached)| new(reached) * 100_000 / (4000 + input.len()));
            let Some((input, reached)) = best.filter(|(_, reached)| new(reached) > 0) else {
                break;
            };
            for what in reached {
                left.remove(what);
            }
            few.push(input.as_slice());
        }
        few
    }

    /// What was reached, in order.
    pub fn reached(&self) -> impl Iterator<Item = &String> {
        self.reached.keys()
    }
}
