//! The plugins of `host/plugins` in this host: two that are of use, and one that means harm, under limits that an
//! embedding would set.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod guests;

use std::thread;
use std::time::Duration;

use guests::{engine, guest};
use tailstone_host::keyvalue::{self, Grant, KeyValue, KeyValueCtx};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

#[allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
mod worlds {
    pub mod visits {
        wasmtime::component::bindgen!({ path: "../wasm/wit", world: "visits" });
    }
    pub mod notes {
        wasmtime::component::bindgen!({ path: "../wasm/wit", world: "notes" });
    }
    pub mod hostile {
        wasmtime::component::bindgen!({ path: "../wasm/wit", world: "hostile" });
    }
}

use worlds::hostile::Hostile;
use worlds::notes::Notes;
use worlds::notes::exports::tailstone::store::notebook::Found;
use worlds::visits::Visits;

/// Epochs that do not come in a test.
const NEVER: u64 = u64::MAX / 2;

/// What a plugin may take.
const MEMORY_BYTES: usize = 64 << 20;
const HANDLES: usize = 1000;

struct State {
    table: ResourceTable,
    limits: StoreLimits,
    stores: KeyValueCtx,
}

fn linker() -> Linker<State> {
    let mut linker = Linker::new(engine());
    keyvalue::add_to_linker(&mut linker, |state: &mut State| {
        KeyValue::new(&state.stores, &mut state.table)
    })
    .unwrap();
    linker
}

fn store(stores: &KeyValueCtx) -> Store<State> {
    let state = State {
        table: ResourceTable::new(),
        limits: StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).build(),
        stores: stores.clone(),
    };
    let mut store = Store::new(engine(), state);
    store.limiter(|state| &mut state.limits);
    store.set_hostcall_fuel(MEMORY_BYTES);
    store.data_mut().table.set_max_capacity(HANDLES);
    store.set_epoch_deadline(NEVER);
    store
}

#[test]
fn visits_are_counted_across_instances_and_the_last_ten_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (linker, plugin) = (linker(), guest("tailstone_plugin_visits"));
    for visit in 1..=25_u64 {
        // Nothing but the file is left of one instance for the next.
        let grant = Grant::file(folder.path().join("visits.tsl"));
        let stores = KeyValueCtx::builder().grant("visits", grant).build();
        let mut store = store(&stores);
        let visits = Visits::instantiate(&mut store, &plugin, &linker).unwrap();
        let number = visits
            .call_visit(&mut store, &format!("visitor {visit}"))
            .unwrap();
        assert_eq!(number, Ok(visit));
        let first = visit.saturating_sub(9).max(1);
        let expected: Vec<String> = (first..=visit)
            .rev()
            .map(|visit| format!("visitor {visit}"))
            .collect();
        assert_eq!(visits.call_latest(&mut store).unwrap(), Ok(expected));
    }
}

#[test]
fn who_was_granted_nothing_is_told_so() {
    let stores = KeyValueCtx::builder()
        .grant("other", Grant::memory())
        .build();
    let mut store = store(&stores);
    let visits =
        Visits::instantiate(&mut store, &guest("tailstone_plugin_visits"), &linker()).unwrap();
    let refused = visits.call_visit(&mut store, "visitor").unwrap();
    assert_eq!(refused, Err("the store visits was not granted".to_owned()));
}

#[test]
fn notes_are_found_by_their_words_and_followed() {
    let stores = KeyValueCtx::builder()
        .grant("notes", Grant::memory())
        .build();
    let mut store = store(&stores);
    let notes =
        Notes::instantiate(&mut store, &guest("tailstone_plugin_notes"), &linker()).unwrap();
    let notes = notes.tailstone_store_notebook();
    let long = format!("The long note. {}", "ü".repeat(1000));
    for (id, text) in (1..).zip([
        "Buy milk, bread and TEA.",
        "Tea at five",
        "",
        &long,
        "bread at the long table",
    ]) {
        assert_eq!(notes.call_add(&mut store, text).unwrap(), Ok(id));
    }
    let found = |found: Result<Vec<Found>, String>| -> Vec<u64> {
        found.unwrap().iter().map(|note| note.id).collect()
    };
    for (words, expected) in [
        ("tea", &[1, 2][..]),
        ("Bread", &[1, 5]),
        ("long the", &[4, 5]),
        ("bread, long!", &[5]),
        ("te", &[]),
        ("tea table", &[]),
        ("", &[]),
    ] {
        assert_eq!(
            found(notes.call_search(&mut store, words).unwrap()),
            expected,
            "{words}"
        );
    }
    let shown = notes.call_search(&mut store, "long note").unwrap().unwrap();
    assert!(
        shown[0].snippet.starts_with("The long note. ü") && shown[0].snippet.len() <= 80,
        "{shown:?}"
    );

    let news = notes.call_recent(&mut store, 0).unwrap().unwrap();
    assert_eq!(found(Ok(news.notes)), [1, 2, 3, 4, 5]);
    notes.call_add(&mut store, "later").unwrap().unwrap();
    let later = notes.call_recent(&mut store, news.since).unwrap().unwrap();
    assert_eq!(later.notes[0].snippet, "later");
    assert_eq!(later.notes.len(), 1);
    assert_eq!(
        notes
            .call_recent(&mut store, later.since)
            .unwrap()
            .unwrap()
            .notes
            .len(),
        0
    );
}

/// Calls the hostile plugin, and then sees that the host and what it keeps are there still.
fn attack<R>(call: impl FnOnce(&Hostile, &mut Store<State>) -> R) -> R {
    let stores = KeyValueCtx::builder()
        .grant("prey", Grant::memory())
        .build();
    let mut store = store(&stores);
    let hostile =
        Hostile::instantiate(&mut store, &guest("tailstone_plugin_hostile"), &linker()).unwrap();
    let answer = call(&hostile, &mut store);
    let mut after = self::store(&stores);
    let hostile =
        Hostile::instantiate(&mut after, &guest("tailstone_plugin_hostile"), &linker()).unwrap();
    let attacks = hostile.tailstone_store_attacks();
    attacks.call_set_long_key(&mut after, 10).unwrap().unwrap();
    answer
}

#[test]
fn an_endless_loop_is_stopped() {
    attack(|hostile, store| {
        store.set_epoch_deadline(1);
        let clock = thread::spawn(|| {
            thread::sleep(Duration::from_millis(100));
            engine().increment_epoch();
        });
        let error = hostile
            .tailstone_store_attacks()
            .call_loop_forever(store)
            .unwrap_err();
        assert!(
            matches!(error.downcast_ref(), Some(wasmtime::Trap::Interrupt)),
            "{error:?}"
        );
        clock.join().unwrap();
    });
}

#[test]
fn memory_ends_where_it_was_said_to() {
    let mebibytes =
        attack(|hostile, store| hostile.tailstone_store_attacks().call_take_memory(store)).unwrap();
    assert!((1..64).contains(&mebibytes), "it got {mebibytes} MiB");
}

#[test]
fn recursion_and_panics_end_the_instance_alone() {
    attack(|hostile, store| hostile.tailstone_store_attacks().call_recurse(store)).unwrap_err();
    attack(|hostile, store| hostile.tailstone_store_attacks().call_panic(store)).unwrap_err();
}

#[test]
fn handles_end_where_they_were_said_to() {
    let got = attack(|hostile, store| {
        hostile
            .tailstone_store_attacks()
            .call_open_many(store, 100_000)
    })
    .unwrap();
    assert!(
        (1..=u32::try_from(HANDLES).unwrap()).contains(&got),
        "it got {got}"
    );
}

#[test]
fn names_that_were_granted_to_nobody_open_nothing() {
    let let_in = attack(|hostile, store| {
        hostile
            .tailstone_store_attacks()
            .call_open_strange_names(store)
    })
    .unwrap();
    assert!(let_in.is_empty(), "{let_in:?}");
}

#[test]
fn keys_past_64_kib_are_refused() {
    let set = |bytes| {
        attack(|hostile, store| {
            hostile
                .tailstone_store_attacks()
                .call_set_long_key(store, bytes)
        })
    };
    set(1 << 16).unwrap().unwrap();
    set((1 << 16) + 1).unwrap().unwrap_err();
}

/// Whether the guest has no room or the host refuses it, the answer is an error or the end of the instance.
#[test]
fn a_value_of_129_mebibytes_is_not_stored() {
    let answer =
        attack(|hostile, store| hostile.tailstone_store_attacks().call_set_huge(store, 129));
    assert!(!matches!(answer, Ok(Ok(()))));
}

#[test]
fn one_value_a_thousand_times_is_refused() {
    let answer = attack(|hostile, store| {
        hostile
            .tailstone_store_attacks()
            .call_get_repeatedly(store, 1000)
    });
    assert!(answer.as_ref().map_or(true, Result::is_err), "{answer:?}");
    let twice = attack(|hostile, store| {
        hostile
            .tailstone_store_attacks()
            .call_get_repeatedly(store, 2)
    });
    assert_eq!(twice.unwrap(), Ok(2 << 20));
}

#[test]
fn many_keys_are_listed_in_bounded_pages() {
    let listed = attack(|hostile, store| {
        hostile
            .tailstone_store_attacks()
            .call_list_many(store, 1_000_000)
    });
    assert_eq!(listed.unwrap(), Ok(1_000_000));
}
