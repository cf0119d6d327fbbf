//! What a call of a plugin takes, by provider: this host's stores in a file and in memory, the component plugged into the plugin,
//! and wasmtime's own provider of `wasi:keyvalue`, which keeps values in memory and loses them.
//!
//! `cargo bench --package tailstone-host --all-features` runs it, after `cargo xtask guests`; with a file's path behind `--` it writes its
//! figures there as JSON. Rounds of all providers alternate, and each figure is the median of its rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use tailstone_host::keyvalue::{self, Grant, KeyValue, KeyValueCtx};
use wasmtime::component::{Component, Instance, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Result, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_keyvalue::{WasiKeyValue, WasiKeyValueCtx};

const ROUNDS: usize = 15;
/// Bytes of a value, and how often a round gets or sets it.
const SIZES: [(u32, u32); 4] = [
    (16, 20_000),
    (4096, 10_000),
    (64 << 10, 2000),
    (1 << 20, 100),
];

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    stores: KeyValueCtx,
    theirs: WasiKeyValueCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// A plugin with its provider, and the name that this one knows the store by.
struct Lane {
    name: &'static str,
    identifier: &'static str,
    store: Store<State>,
    instance: Instance,
}

/// Nanoseconds a call, by what was done, the size and the provider.
#[derive(Serialize)]
struct Figures {
    unit: &'static str,
    rounds: usize,
    processors: usize,
    medians: BTreeMap<String, BTreeMap<&'static str, f64>>,
}

fn main() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("tailstone-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let outcome = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    let figures = outcome?;
    print(&figures);
    let file = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if let Some(file) = file {
        let json = serde_json::to_string_pretty(&figures).map_err(wasmtime::Error::new)?;
        std::fs::write(file, json + "\n")?;
    }
    Ok(())
}

fn measure(folder: &Path) -> Result<Figures> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    let engine = Engine::new(&config)?;
    let mut lanes = lanes(&engine, folder)?;
    let mut samples: BTreeMap<String, BTreeMap<&'static str, Vec<f64>>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (bytes, times) in SIZES {
            for lane in &mut lanes {
                let set = lane.set(bytes, times / 10)?;
                let get = lane.get(bytes, times)?;
                for (what, nanoseconds) in [("set", set), ("get", get)] {
                    let of_size = samples.entry(format!("{what} {bytes} B")).or_default();
                    of_size.entry(lane.name).or_default().push(nanoseconds);
                }
            }
        }
        for lane in &mut lanes {
            let nanoseconds = lane.get_nothing(10_000)?;
            let none = samples.entry("get nothing".to_owned()).or_default();
            none.entry(lane.name).or_default().push(nanoseconds);
        }
    }
    let median = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let medians = samples.into_iter().map(|(what, lanes)| {
        let lanes = lanes.into_iter().map(|(lane, all)| (lane, median(all)));
        (what, lanes.collect())
    });
    Ok(Figures {
        unit: "nanoseconds",
        rounds: ROUNDS,
        processors: std::thread::available_parallelism()?.get(),
        medians: medians.collect(),
    })
}

fn lanes(engine: &Engine, folder: &Path) -> Result<Vec<Lane>> {
    let plugin = Component::from_file(engine, built("tailstone_rounds_guest"))?;
    let composed = Component::from_file(engine, built("tailstone_rounds_guest_composed"))?;
    let mut ours = Linker::<State>::new(engine);
    keyvalue::add_to_linker(&mut ours, |state| {
        KeyValue::new(&state.stores, &mut state.table)
    })?;
    let mut theirs = Linker::<State>::new(engine);
    wasmtime_wasi_keyvalue::add_to_linker(&mut theirs, |state: &mut State| {
        WasiKeyValue::new(&state.theirs, &mut state.table)
    })?;
    let mut files = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut files)?;
    let lane = |name, identifier, linker: &Linker<State>, component: &Component| {
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(folder, "/", FsPerms::ReadWrite)?;
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            stores: KeyValueCtx::builder()
                .grant("file", Grant::file(folder.join("file.tsl")))
                .grant("memory", Grant::memory())
                .build(),
            theirs: WasiKeyValueCtx::builder().build(),
        };
        let mut store = Store::new(engine, state);
        let instance = linker.instantiate(&mut store, component)?;
        Ok::<_, wasmtime::Error>(Lane {
            name,
            identifier,
            store,
            instance,
        })
    };
    Ok(vec![
        lane("tailstone-host, file", "file", &ours, &plugin)?,
        lane("tailstone-host, memory", "memory", &ours, &plugin)?,
        lane("component, file", "composed.tsl", &files, &composed)?,
        lane("wasmtime-wasi-keyvalue, memory", "", &theirs, &plugin)?,
    ])
}

impl Lane {
    /// Nanoseconds of one `set`.
    fn set(&mut self, bytes: u32, times: u32) -> Result<f64> {
        let times = times.max(10);
        let key = format!("key of {bytes}");
        let set = self
            .instance
            .get_typed_func::<(&str, &str, u32, u32), (Result<(), String>,)>(
                &mut self.store,
                "set",
            )?;
        let start = Instant::now();
        set.call(&mut self.store, (self.identifier, &key, bytes, times))?
            .0
            .map_err(wasmtime::Error::msg)?;
        Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(times))
    }

    /// Nanoseconds of one `get` of a value that was set once before, which is counted in: one provider forgets with every handle.
    fn get(&mut self, bytes: u32, times: u32) -> Result<f64> {
        self.get_of(
            &format!("key of {bytes}"),
            bytes,
            times,
            u64::from(bytes) * u64::from(times),
        )
    }

    /// Nanoseconds of one `get` of a key without a value.
    fn get_nothing(&mut self, times: u32) -> Result<f64> {
        self.get_of("nothing", 0, times, 0)
    }

    fn get_of(&mut self, key: &str, bytes: u32, times: u32, expected: u64) -> Result<f64> {
        let get = self
            .instance
            .get_typed_func::<(&str, &str, u32, u32), (Result<u64, String>,)>(
                &mut self.store,
                "get",
            )?;
        let start = Instant::now();
        let sum = get
            .call(&mut self.store, (self.identifier, key, bytes, times))?
            .0
            .map_err(wasmtime::Error::msg)?;
        let elapsed = start.elapsed();
        if sum != expected {
            return Err(wasmtime::Error::msg(format!(
                "{}: {sum} bytes of {expected}",
                self.name
            )));
        }
        Ok(elapsed.as_secs_f64() * 1e9 / f64::from(times))
    }
}

fn print(figures: &Figures) {
    for (what, lanes) in &figures.medians {
        println!("{what}");
        for (lane, nanoseconds) in lanes {
            println!("  {lane:<32} {nanoseconds:>12.0} ns");
        }
    }
}

/// Where `cargo xtask guests` leaves a guest; a benchmark lies in `target/release/deps`.
fn built(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let target = program.ancestors().nth(3).unwrap_or(Path::new("target"));
    target
        .join("wasm32-unknown-unknown/wasm")
        .join(name)
        .with_extension("wasm")
}
