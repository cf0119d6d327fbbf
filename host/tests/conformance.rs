//! The cases of `tests/conformance` against this host's own stores, in a file and in memory, and against wasmtime's own
//! provider of `wasi:keyvalue`, which keeps what is set for as long as the bucket is open.
//!
//! Ours must pass them all. What the other one does not pass is shown and no failure of this test:
//! `cargo test --release --package tailstone-host --test conformance -- --nocapture` prints the table.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod guests;

use std::fmt::Write as _;

use guests::{engine, guest, is_open};
use tailstone_host::conformance::{Outcome, run, table};
use tailstone_host::keyvalue::{self, Grant, KeyValue, KeyValueCtx};
use wasmtime::Store;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi_keyvalue::{WasiKeyValue, WasiKeyValueCtx};

/// What our store is granted as.
const NAME: &str = "conformance";

struct Ours {
    table: ResourceTable,
    stores: KeyValueCtx,
}

struct Theirs {
    table: ResourceTable,
    stores: WasiKeyValueCtx,
}

fn linker_of_ours() -> Linker<Ours> {
    let mut linker = Linker::<Ours>::new(engine());
    keyvalue::add_to_linker(&mut linker, |state: &mut Ours| {
        KeyValue::new(&state.stores, &mut state.table)
    })
    .unwrap();
    linker
}

fn with_ours(guest_name: &str, grant: Grant) -> Vec<Outcome> {
    let stores = KeyValueCtx::builder().grant(NAME, grant).build();
    let store = || {
        let table = ResourceTable::new();
        unhurried(Ours {
            table,
            stores: stores.clone(),
        })
    };
    run(&guest(guest_name), &linker_of_ours(), NAME, store).unwrap()
}

/// The one store that it has is called by the empty name.
fn with_theirs(guest_name: &str) -> Vec<Outcome> {
    let mut linker = Linker::<Theirs>::new(engine());
    wasmtime_wasi_keyvalue::add_to_linker(&mut linker, |state: &mut Theirs| {
        WasiKeyValue::new(&state.stores, &mut state.table)
    })
    .unwrap();
    let store = || {
        let stores = WasiKeyValueCtx::builder().build();
        unhurried(Theirs {
            table: ResourceTable::new(),
            stores,
        })
    };
    run(&guest(guest_name), &linker, "", store).unwrap()
}

/// A store whose calls may take as long as they do.
fn unhurried<T: 'static>(state: T) -> Store<T> {
    let mut store = Store::new(engine(), state);
    store.set_epoch_deadline(u64::MAX / 2);
    store
}

fn failures(outcomes: &[Outcome]) -> String {
    let mut sentences = String::new();
    for outcome in outcomes {
        if let Some(failure) = &outcome.failure {
            writeln!(sentences, "{}, {}: {failure}", outcome.draft, outcome.name).unwrap();
        }
    }
    sentences
}

/// Runs the cases with our host both ways, prints the table with what else there is, and wants no failure of ours.
fn ours_passes(guest_name: &str, others: &[(&str, Vec<Outcome>)]) {
    let folder = tempfile::tempdir().unwrap();
    let in_file = with_ours(guest_name, Grant::file(folder.path().join("cases.tsl")));
    let in_memory = with_ours(guest_name, Grant::memory());
    let mut providers = vec![("in a file", &*in_file), ("in memory", &*in_memory)];
    providers.extend(others.iter().map(|(name, outcomes)| (*name, &**outcomes)));
    println!("{}", table(&providers));
    for (name, outcomes) in others {
        println!("{name}:\n{}", failures(outcomes));
    }
    assert!(in_file.len() >= 40, "there are {} cases", in_file.len());
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    check("in a file", &in_file);
    check("in memory", &in_memory);
}

fn check(place: &str, outcomes: &[Outcome]) {
    println!("{place}:\n{}", failures(outcomes));
    for outcome in outcomes {
        let fails = outcome.failure.is_some();
        assert_eq!(fails, is_open(&outcome.name), "{place}: {outcome:?}");
    }
}

#[test]
fn the_first_draft_is_kept() {
    let theirs = with_theirs("tailstone_conformance_draft");
    ours_passes(
        "tailstone_conformance_draft",
        &[("wasmtime-wasi-keyvalue", theirs)],
    );
}

#[test]
fn the_second_draft_is_kept() {
    ours_passes("tailstone_conformance_draft2", &[]);
}

#[test]
fn our_own_interface_is_kept() {
    ours_passes("tailstone_conformance_stores", &[]);
}

/// As a host runs them that has no runner of its own: handles, memory and what the host keeps are for one instance.
#[test]
fn one_instance_runs_all_cases_in_turn() {
    for name in ["draft", "draft2", "stores"].map(|which| format!("tailstone_conformance_{which}"))
    {
        let stores = KeyValueCtx::builder().grant(NAME, Grant::memory()).build();
        let table = ResourceTable::new();
        let mut store = unhurried(Ours { table, stores });
        let instance = linker_of_ours()
            .instantiate(&mut store, &guest(&name))
            .unwrap();
        let cases = instance.get_export_index(&mut store, None, "tailstone:store/cases@0.1.0");
        let run = instance
            .get_export_index(&mut store, cases.as_ref(), "run")
            .unwrap();
        let run = instance.get_typed_func::<(&str,), (Vec<Outcome>,)>(&mut store, run);
        let (outcomes,) = run.unwrap().call(&mut store, (NAME,)).unwrap();
        check(&name, &outcomes);
        assert!(
            outcomes.len() >= 40,
            "{name}: there are {} cases",
            outcomes.len()
        );
        assert!(store.data().table.is_empty(), "{name}: a handle was left");
    }
}

/// A host that has one of these interfaces alone can run the guest for it.
#[test]
fn a_guest_imports_what_it_tries_and_nothing_else() {
    let of_draft = |draft| {
        ["atomics", "batch", "store"].map(|name| format!("wasi:keyvalue/{name}@0.2.0-{draft}"))
    };
    let expected = [
        ("tailstone_conformance_draft", of_draft("draft").to_vec()),
        ("tailstone_conformance_draft2", of_draft("draft2").to_vec()),
        (
            "tailstone_conformance_stores",
            vec!["tailstone:store/stores@0.1.0".to_owned()],
        ),
    ];
    for (name, expected) in expected {
        let component = guest(name);
        let of_type = component.component_type();
        let mut imports: Vec<_> = of_type
            .imports(engine())
            .map(|(name, _)| name.to_owned())
            .collect();
        imports.sort();
        assert_eq!(imports, expected, "{name}");
    }
}
