//! The cases of `tests/conformance` once more, with the component plugged into each guest: a program that holds its own store, and
//! asks its runtime for files and nothing else.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod folder;
mod guests;

use folder::Folder;
use guests::{engine, guest, is_open};
use tailstone_host::conformance::{Outcome, run};
use wasmtime::Store;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Every case in an instance of its own, all of them on one folder.
fn outcomes(guest_name: &str, folder: &Folder) -> Vec<Outcome> {
    let program = guest(&format!("{guest_name}_composed"));
    let of_type = program.component_type();
    let imports: Vec<_> = of_type
        .imports(engine())
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(
        imports
            .iter()
            .all(|name| name.starts_with("wasi:filesystem/") || name.starts_with("wasi:clocks/")),
        "{imports:?}"
    );
    let mut linker = Linker::<State>::new(engine());
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
    let store = || {
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(folder.root(), "/", FsPerms::ReadWrite)
            .unwrap();
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
        };
        let mut store = Store::new(engine(), state);
        store.set_epoch_deadline(u64::MAX / 2);
        store
    };
    run(&program, &linker, "conformance", store).unwrap()
}

fn passes(guest_name: &str) {
    let folder = Folder::new();
    let outcomes = outcomes(guest_name, &folder);
    assert!(outcomes.len() >= 40, "there are {} cases", outcomes.len());
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.failure.is_some() != is_open(&outcome.name))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_first_draft_is_kept() {
    passes("tailstone_conformance_draft");
}

#[test]
fn the_second_draft_is_kept() {
    passes("tailstone_conformance_draft2");
}

#[test]
fn our_own_interface_is_kept() {
    passes("tailstone_conformance_stores");
}
