//! Tries a provider of stores, case by case, with a guest that was made for it: those in `tests/conformance`.
//!
//! Invariant: every case has an instance of its own, so that one which ends it, by a trap of the guest or a panic of the
//! provider, has failed, and takes no other along.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmtime::Store;
use wasmtime::component::{Component, ComponentType, Instance, Lift, Linker};

use wasmtime_wasi::WasiCtx;

use crate::error::{Error, Result, in_words};
use crate::keyvalue::KeyValueCtx;
use crate::sandbox::Sandbox;

/// What such a guest exports.
const INTERFACE: &str = "tailstone:store/cases@0.1.0";

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
pub struct Outcome {
    /// The interface that the case is about, with its version.
    pub draft: String,
    /// What ought to be, as a sentence.
    pub name: String,
    /// What was met in its place; `None` if it is so.
    pub failure: Option<String>,
}

/// Runs the cases of `guest` in the store that the provider behind `linker` knows as `identifier`, which must be empty at
/// first. `store` makes what an instance lives in, once for each case, with its limits set.
pub fn run<T: 'static>(
    guest: &Component,
    linker: &Linker<T>,
    identifier: &str,
    mut store: impl FnMut() -> Store<T>,
) -> Result<Vec<Outcome>> {
    let prepared = linker.instantiate_pre(guest).map_err(Error::Component)?;
    let names = {
        let mut store = store();
        let instance = prepared.instantiate(&mut store).map_err(Error::Component)?;
        names(&mut store, instance).map_err(Error::Component)?
    };
    let mut outcomes = Vec::with_capacity(names.len());
    for name in names {
        let case = AssertUnwindSafe(|| {
            let mut store = store();
            let instance = prepared.instantiate(&mut store)?;
            run_one(&mut store, instance, identifier, &name)
        });
        let failure = match catch_unwind(case) {
            Ok(Ok(Some(outcome))) => {
                outcomes.push(outcome);
                continue;
            }
            Ok(Ok(None)) => "the guest does not know this case of its own".to_owned(),
            Ok(Err(error)) => format!("the instance ended: {}", in_words(&error)),
            Err(_) => "the provider panicked".to_owned(),
        };
        outcomes.push(Outcome {
            draft: String::new(),
            name,
            failure: Some(failure),
        });
    }
    name_draft(&mut outcomes);
    Ok(outcomes)
}

/// The same for a program in a sandbox: a guest with cases, or one that a provider was plugged into, which then is what is tried.
/// `granted` makes what an instance of it is granted.
pub fn run_program(
    sandbox: &Sandbox,
    program: &Component,
    identifier: &str,
    mut granted: impl FnMut() -> (KeyValueCtx, WasiCtx),
) -> Result<Vec<Outcome>> {
    run(program, &sandbox.imports()?, identifier, || {
        let (stores, wasi) = granted();
        sandbox.store(stores, wasi)
    })
}

/// Whether a component is such a guest: it exports cases.
#[must_use]
pub fn has_cases(component: &Component) -> bool {
    component.get_export_index(None, INTERFACE).is_some()
}

fn names<T>(store: &mut Store<T>, instance: Instance) -> wasmtime::Result<Vec<String>> {
    let function = export(store, instance, "names")?;
    let names = instance.get_typed_func::<(), (Vec<String>,)>(&mut *store, function)?;
    Ok(names.call(store, ())?.0)
}

fn run_one<T>(
    store: &mut Store<T>,
    instance: Instance,
    identifier: &str,
    name: &str,
) -> wasmtime::Result<Option<Outcome>> {
    let function = export(store, instance, "run-one")?;
    let run = instance.get_typed_func::<(&str, &str), (Option<Outcome>,)>(&mut *store, function)?;
    Ok(run.call(store, (identifier, name))?.0)
}

fn export<T>(
    store: &mut Store<T>,
    instance: Instance,
    name: &str,
) -> wasmtime::Result<wasmtime::component::ComponentExportIndex> {
    let interface = instance.get_export_index(&mut *store, None, INTERFACE);
    let function = instance.get_export_index(store, interface.as_ref(), name);
    function
        .ok_or_else(|| wasmtime::Error::msg(format!("the guest exports no {name} of {INTERFACE}")))
}

/// Who ended could not say what the case was about; its neighbours can.
fn name_draft(outcomes: &mut [Outcome]) {
    let draft = outcomes.iter().find(|outcome| !outcome.draft.is_empty());
    let draft = draft
        .map(|outcome| outcome.draft.clone())
        .unwrap_or_default();
    for outcome in outcomes {
        outcome.draft.clone_from(&draft);
    }
}

/// What came of the cases with each of several providers, as a table in Markdown: a column for each, and behind it how many
/// cases it passed of those that were tried with it.
#[must_use]
pub fn table(providers: &[(&str, &[Outcome])]) -> String {
    // The order of the first one that tried them, and for each case what came of it.
    let mut rows: Vec<(&str, &str)> = Vec::new();
    let mut cells: BTreeMap<(&str, &str, usize), bool> = BTreeMap::new();
    for (column, (_, outcomes)) in providers.iter().enumerate() {
        for outcome in *outcomes {
            let row = (outcome.draft.as_str(), outcome.name.as_str());
            if !cells.keys().any(|(draft, name, _)| (*draft, *name) == row) {
                rows.push(row);
            }
            cells.insert((row.0, row.1, column), outcome.failure.is_none());
        }
    }
    let mut table = "| interface | case |".to_owned();
    let mut rule = "|---|---|".to_owned();
    for (name, outcomes) in providers {
        let passed = outcomes
            .iter()
            .filter(|outcome| outcome.failure.is_none())
            .count();
        let _infallible = write!(table, " {name} ({passed} of {}) |", outcomes.len());
        rule.push_str("---|");
    }
    let _infallible = write!(table, "\n{rule}\n");
    for (draft, name) in rows {
        let _infallible = write!(table, "| {draft} | {name} |");
        for column in 0..providers.len() {
            table.push_str(match cells.get(&(draft, name, column)) {
                Some(true) => " yes |",
                Some(false) => " **no** |",
                None => " |",
            });
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, failure: Option<&str>) -> Outcome {
        Outcome {
            draft: "draft".to_owned(),
            name: name.to_owned(),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn a_table_has_a_row_for_each_case_and_a_column_for_each_provider() {
        let one = [outcome("a", None), outcome("b", Some("no"))];
        let other = [outcome("b", None), outcome("c", None)];
        let table = table(&[("one", &one), ("other", &other)]);
        let expected = "| interface | case | one (1 of 2) | other (2 of 2) |\n|---|---|---|---|\n\
                        | draft | a | yes | |\n| draft | b | **no** | yes |\n| draft | c | | yes |\n";
        assert_eq!(table, expected);
    }
}
