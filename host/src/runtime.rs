//! What is made once and serves any number of sessions: the engine, the compiled component, its links.

use std::path::{Path, PathBuf};

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{
    CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};
use wasmtime_wasi::WasiCtx;

use crate::bindings::{Access, StoragePre};
use crate::error::{Error, Result};
use crate::keyvalue::KeyValueCtx;
use crate::limits::{Limits, TABLE_ELEMENTS};
use crate::session::Session;
use crate::state::State;
use crate::ticker;

/// The bucket that `wasi:keyvalue` shows of a store, and the npm package unless told otherwise.
pub const DEFAULT_BUCKET: &[u8] = tailstone_interface::keyvalue::BUCKET;

/// A compiled component that is ready to be instantiated.
pub struct Runtime {
    engine: Engine,
    linked: StoragePre<State>,
    limits: Limits,
}

impl Runtime {
    /// Compiles the component at `path`, which takes some tenths of a second.
    pub fn new(path: &Path, limits: Limits) -> Result<Self> {
        Self::with_cache(path, limits, &Cache::Off)
    }

    /// The same, unless it was compiled before and `cache` has it.
    pub fn with_cache(path: &Path, limits: Limits, cache: &Cache) -> Result<Self> {
        let engine = new_engine(&limits, cache)?;
        let component = compile(&engine, path)?;
        let linked = new_linker(&engine)
            .and_then(|linker| linker.instantiate_pre(&component))
            .and_then(StoragePre::new)
            .map_err(Error::Component)?;
        Ok(Self {
            engine,
            linked,
            limits,
        })
    }

    /// Opens the store at `path` in a new instance that sees the folder of that file and nothing else.
    pub fn open(&self, path: &Path, access: Access) -> Result<Session> {
        self.open_bucket(path, DEFAULT_BUCKET, access)
    }

    /// The same for another bucket of the store than the one that is called `default`.
    pub fn open_bucket(&self, path: &Path, bucket: &[u8], access: Access) -> Result<Session> {
        Session::open(self, path, bucket, access)
    }

    /// Opens the store called `name` in `folder`, as a guest would ask for it: the component judges the name, and nothing
    /// keeps the native engine from opening the file at the same time.
    pub fn open_name(&self, folder: &Path, name: &str, access: Access) -> Result<Session> {
        Session::instantiate(self, folder, name, DEFAULT_BUCKET, access, None)
    }

    /// The names of the interfaces that the component imports.
    #[must_use]
    pub fn imports(&self) -> Vec<String> {
        let component = self.linked.instance_pre().component().component_type();
        component
            .imports(&self.engine)
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    pub(crate) const fn linked(&self) -> &StoragePre<State> {
        &self.linked
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn new_store(&self, wasi: WasiCtx) -> Store<State> {
        new_store(&self.engine, wasi, &self.limits)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Where compiled components are kept, so that they are compiled once. What another version of this program compiled is not
/// taken from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// Nowhere.
    Off,
    /// In the user's own folder for such things.
    User,
    /// In this folder, which nobody else may write to: what lies there is run. A file there that was cut or replaced is compiled anew; a
    /// bit that flips in one is not noticed.
    Folder(PathBuf),
}

/// Core instances and tables of one component, on average.
const PARTS: u32 = 16;
/// Memories of one: a plugin that the storage component was plugged into has two.
const MEMORIES: u32 = 2;

/// An engine whose code can be stopped, with its clock running.
pub fn new_engine(limits: &Limits, cache: &Cache) -> Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.allocation_strategy(pool(limits));
    let mut settings = CacheConfig::new();
    if let Cache::Folder(folder) = cache {
        // It wants the whole path.
        settings.with_directory(std::path::absolute(folder).map_err(Error::io("find the cache"))?);
    }
    if *cache != Cache::Off {
        match wasmtime::Cache::new(settings) {
            Ok(cache) => {
                config.cache(Some(cache));
            }
            // Not every user has a folder for such things.
            Err(_) if *cache == Cache::User => {}
            Err(error) => return Err(Error::Component(error)),
        }
    }
    let engine = Engine::new(&config).map_err(Error::Component)?;
    ticker::start(&engine)?;
    Ok(engine)
}

/// Memory for instances is reserved once and used again, which makes an instance in a tenth of the time.
fn pool(limits: &Limits) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::default();
    let instances = limits.instances;
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(PARTS))
        .total_memories(instances.saturating_mul(MEMORIES))
        .total_tables(instances.saturating_mul(PARTS))
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(limits.memory_bytes);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Compiles the component at `path`, or takes it from the cache.
pub fn compile(engine: &Engine, path: &Path) -> Result<Component> {
    let bytes = std::fs::read(path).map_err(Error::io("read the component"))?;
    Component::new(engine, bytes).map_err(Error::Component)
}

/// Everything of WASI 0.2 is linked, so that components of any toolchain start; what they may do with it is what their
/// context grants, and a new context grants nothing.
pub fn new_linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    Ok(linker)
}

/// A store under `limits` for one instance.
pub fn new_store(engine: &Engine, wasi: WasiCtx, limits: &Limits) -> Store<State> {
    let state = State {
        wasi,
        table: ResourceTable::new(),
        limits: limits.for_store(),
        stores: KeyValueCtx::default(),
    };
    let mut store = Store::new(engine, state);
    limits.apply(&mut store);
    store.set_epoch_deadline(ticker::ticks(limits.call));
    store
}
