//! What one call takes, by who answers it. Rounds of all lanes alternate.

use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use tailstone_host::keyvalue::{self, Grant, KeyValue, KeyValueCtx};
use tailstone_host::{Access, Limits, Runtime, Session, find_component};
use wasmtime::component::{Component, Instance, Linker, ResourceTable};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Result, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_keyvalue::{WasiKeyValue, WasiKeyValueCtx};

use crate::backends::{Map, PlainFile, Redb, Simple, Sqlite};
use crate::figures::{Figures, Lane};
use crate::{Only, guest};

/// Bytes of a value, and how often a round gets it; it sets it a tenth as often.
const SIZES: [(u32, u32); 5] = [
    (16, 20_000),
    (100, 20_000),
    (4096, 10_000),
    (64 << 10, 2000),
    (1 << 20, 200),
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

/// Who asks again and again.
trait Asker {
    fn lane(&self) -> Lane;

    /// Nanoseconds of one `set` of so many bytes to keys in turn.
    fn set(&mut self, bytes: u32, times: u32) -> Result<f64>;

    /// Nanoseconds of one `get` of `key`, which is set to so many bytes before the clock starts, if there are any.
    fn get(&mut self, key: &str, bytes: u32, times: u32) -> Result<f64>;
}

/// The component, asked by the host itself.
struct Called(Session);

/// A plugin with who answers it, and the name that this one knows the store by.
struct Plugin {
    lane: Lane,
    identifier: &'static str,
    store: Store<State>,
    instance: Instance,
}

/// Adds what these rounds gave, in nanoseconds a call.
pub fn measure(folder: &Path, rounds: usize, only: &Only, figures: &mut Figures) -> Result<()> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    let engine = Engine::new(&config)?;
    let mut askers: Vec<Box<dyn Asker>> = Vec::new();
    for plugin in plugins(&engine, folder)? {
        askers.push(Box::new(plugin));
    }
    let component = find_component(Some(&guest("tailstone_component")))?;
    let runtime = Runtime::new(&component, Limits::default())?;
    let session = runtime.open(&folder.join("called.tsl"), Access::Create)?;
    askers.push(Box::new(Called(session)));
    let lane = only.lane.as_deref();
    askers.retain(|asker| lane.is_none_or(|lane| asker.lane().name() == lane));
    if askers.is_empty() {
        return Err(wasmtime::Error::msg("no lane has this name"));
    }
    let is_asked_for = |bytes| only.bytes.is_none_or(|only| only == bytes);
    for round in 0..rounds {
        for (bytes, times) in SIZES.into_iter().filter(|&(bytes, _)| is_asked_for(bytes)) {
            // Nobody is always first.
            let first = round % askers.len();
            askers.rotate_left(first);
            for asker in &mut askers {
                if !only.gets {
                    let set = asker.set(bytes, (times / 10).max(20))?;
                    figures.add(&format!("set {bytes} B"), asker.lane(), set);
                }
                let get = asker.get(&format!("key of {bytes}"), bytes, times)?;
                figures.add(&format!("get {bytes} B"), asker.lane(), get);
            }
        }
        for asker in askers.iter_mut().filter(|_| is_asked_for(0)) {
            let nothing = asker.get("nothing", 0, 20_000)?;
            figures.add("get nothing", asker.lane(), nothing);
        }
    }
    Ok(())
}

fn plugins(engine: &Engine, folder: &Path) -> Result<Vec<Plugin>> {
    let program = Component::from_file(engine, guest("tailstone_rounds_guest"))?;
    let composed = Component::from_file(engine, guest("tailstone_rounds_guest_composed"))?;
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
    let redb = Simple::new(Redb::create(&folder.join("redb")).map_err(wasmtime::Error::new)?);
    let sqlite = Simple::new(Sqlite::create(&folder.join("sqlite")).map_err(wasmtime::Error::new)?);
    let plain = Simple::new(PlainFile::create(&folder.join("plain"))?);
    let stores = KeyValueCtx::builder()
        .grant("file", Grant::file(folder.join("file.tsl")))
        .grant("memory", Grant::memory())
        .grant("map", Grant::backend(Simple::new(Map::default())))
        .grant("redb", Grant::backend(redb))
        .grant("sqlite", Grant::backend(sqlite))
        .grant("plain", Grant::backend(plain))
        .build();
    let plugin = |lane, identifier, linker: &Linker<State>, program: &Component| {
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(folder, "/", FsPerms::ReadWrite)?;
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            stores: stores.clone(),
            theirs: WasiKeyValueCtx::builder().build(),
        };
        let mut store = Store::new(engine, state);
        let instance = linker.instantiate(&mut store, program)?;
        Ok::<_, wasmtime::Error>(Plugin {
            lane,
            identifier,
            store,
            instance,
        })
    };
    Ok(vec![
        plugin(Lane::File, "file", &ours, &program)?,
        plugin(Lane::Memory, "memory", &ours, &program)?,
        plugin(Lane::Component, "composed.tsl", &files, &composed)?,
        plugin(Lane::Wasmtime, "", &theirs, &program)?,
        plugin(Lane::Redb, "redb", &ours, &program)?,
        plugin(Lane::Sqlite, "sqlite", &ours, &program)?,
        plugin(Lane::Map, "map", &ours, &program)?,
        plugin(Lane::PlainFile, "plain", &ours, &program)?,
    ])
}

impl Asker for Plugin {
    fn lane(&self) -> Lane {
        self.lane
    }

    fn set(&mut self, bytes: u32, times: u32) -> Result<f64> {
        type Answer = (std::result::Result<(), String>,);
        let key = format!("key of {bytes}");
        let set = self
            .instance
            .get_typed_func::<(&str, &str, u32, u32), Answer>(&mut self.store, "set")?;
        // Once before the clock starts: the plugin makes the value, which takes longer than storing it.
        let (done,) = set.call(&mut self.store, (self.identifier, &key, bytes, 1))?;
        done.map_err(wasmtime::Error::msg)?;
        let start = nanoseconds();
        let (done,) = set.call(&mut self.store, (self.identifier, &key, bytes, times))?;
        let elapsed = nanoseconds() - start;
        done.map_err(wasmtime::Error::msg)?;
        Ok(each(elapsed, times))
    }

    fn get(&mut self, key: &str, bytes: u32, times: u32) -> Result<f64> {
        type Answer = (std::result::Result<u64, String>,);
        let get = self
            .instance
            .get_typed_func::<(&str, &str, u32, u32), Answer>(&mut self.store, "get")?;
        if bytes > 0 {
            let (set,) = get.call(&mut self.store, (self.identifier, key, bytes, 1))?;
            set.map_err(wasmtime::Error::msg)?;
        }
        let start = nanoseconds();
        let (sum,) = get.call(&mut self.store, (self.identifier, key, 0, times))?;
        let elapsed = nanoseconds() - start;
        check(self.lane, sum.map_err(wasmtime::Error::msg)?, bytes, times)?;
        Ok(each(elapsed, times))
    }
}

impl Asker for Called {
    fn lane(&self) -> Lane {
        Lane::Called
    }

    fn set(&mut self, bytes: u32, times: u32) -> Result<f64> {
        let value = vec![7; usize::try_from(bytes)?];
        let keys: Vec<_> = (0..64).map(|key| format!("key of {bytes} {key}")).collect();
        let start = nanoseconds();
        for (_, key) in (0..times).zip(keys.iter().cycle()) {
            self.0.put(key.as_bytes(), &value)?;
        }
        Ok(each(nanoseconds() - start, times))
    }

    fn get(&mut self, key: &str, bytes: u32, times: u32) -> Result<f64> {
        if bytes > 0 {
            self.0
                .put(key.as_bytes(), &vec![7; usize::try_from(bytes)?])?;
        }
        let start = nanoseconds();
        let mut sum = 0;
        for _ in 0..times {
            let value = self.0.get(key.as_bytes())?;
            sum += value.map_or(0, |value| value.len() as u64);
        }
        let elapsed = nanoseconds() - start;
        check(Lane::Called, sum, bytes, times)?;
        Ok(each(elapsed, times))
    }
}

fn check(lane: Lane, sum: u64, bytes: u32, times: u32) -> Result<()> {
    let expected = u64::from(bytes) * u64::from(times);
    if sum == expected {
        return Ok(());
    }
    let lane = lane.name();
    Err(wasmtime::Error::msg(format!(
        "{lane}: {sum} bytes of {expected}"
    )))
}

/// What this process took of the processors: a disk that others keep busy makes writers wait, whoever they are.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn nanoseconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Nanoseconds of one of so many calls.
fn each(elapsed: f64, times: u32) -> f64 {
    elapsed / f64::from(times)
}
