//! An embedding of wasmtime as its users have it, with a store for the plugin: two lines besides what any `wasi:keyvalue` takes.
//!
//! `cargo run --release --package tailstone-host --example embed -- PLUGIN.wasm FILE` runs a program that imports `wasi:keyvalue`.

use std::env;

use tailstone_host::keyvalue::{self, Grant, KeyValue, KeyValueCtx, Quota};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    stores: KeyValueCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(plugin), Some(file)) = (arguments.next(), arguments.next()) else {
        println!("usage: embed PLUGIN.wasm FILE");
        return Ok(());
    };
    let engine = Engine::default();
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    // The first line: what plugins may import.
    keyvalue::add_to_linker(&mut linker, |state| {
        KeyValue::new(&state.stores, &mut state.table)
    })?;

    let mut store = Store::new(
        &engine,
        State {
            table: ResourceTable::new(),
            wasi: WasiCtxBuilder::new().inherit_stdio().build(),
            // The second one: what this plugin may open, under which name, and how much of it.
            stores: KeyValueCtx::builder()
                .grant(
                    "default",
                    Grant::file(file).quota(Quota::default().with_bytes(64 << 20)),
                )
                .build(),
        },
    );
    let component = Component::from_file(&engine, plugin)?;
    let command = Command::instantiate(&mut store, &component, &linker)?;
    if command.wasi_cli_run().call_run(&mut store)?.is_err() {
        println!("the plugin failed");
    }
    Ok(())
}
