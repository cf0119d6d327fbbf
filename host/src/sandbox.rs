//! Runs plugins: components of any language that may import WASI 0.2, `wasi:keyvalue` and `tailstone:store`.
//!
//! Invariant: an instance that trapped is never called again, and every call has a deadline.

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{
    Component, ComponentExportIndex, Func, Instance, InstancePre, Linker, Val,
};
use wasmtime::{AsContextMut, Engine, Store};
use wasmtime_wasi::p2::bindings::sync::CommandPre;
use wasmtime_wasi::{I32Exit, WasiCtx};

use crate::error::{Error, Result};
use crate::keyvalue::{self, KeyValue, KeyValueCtx};
use crate::limits::Limits;
use crate::runtime::{Cache, compile, new_engine, new_linker, new_store};
use crate::state::State;
use crate::ticker;

/// What is made once and runs any number of plugins: the engine and the limits of every instance.
pub struct Sandbox {
    engine: Engine,
    limits: Limits,
}

/// A compiled plugin that is ready to be instantiated.
pub struct Plugin {
    engine: Engine,
    linked: InstancePre<State>,
    interfaces: Arc<[String]>,
    limits: Limits,
}

/// A plugin's instance, with what it was granted.
pub struct Running {
    store: Store<State>,
    instance: Instance,
    /// Names of the interfaces that it exports.
    interfaces: Arc<[String]>,
    limits: Limits,
    is_over: bool,
}

impl Sandbox {
    /// An engine whose code can be stopped. Compiled plugins are kept as `cache` says.
    pub fn new(limits: Limits, cache: &Cache) -> Result<Self> {
        Ok(Self {
            engine: new_engine(&limits, cache)?,
            limits,
        })
    }

    /// The engine, for an embedding that links more than is linked here.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Compiles the component at `path`, or takes it from the cache, and links it.
    pub fn load(&self, path: &Path) -> Result<Plugin> {
        self.link(&compile(&self.engine, path)?)
    }

    /// Links a compiled component. What it imports besides WASI 0.2 and stores is an error that names it.
    pub fn link(&self, component: &Component) -> Result<Plugin> {
        let imports = self.imports()?;
        let linked = imports
            .instantiate_pre(component)
            .map_err(Error::Component)?;
        let exports = component.component_type();
        let exports = exports.exports(&self.engine);
        let interfaces = exports.filter_map(|(name, item)| {
            matches!(item.ty, ComponentItem::ComponentInstance(_)).then(|| name.to_owned())
        });
        Ok(Plugin {
            engine: self.engine.clone(),
            linked,
            interfaces: interfaces.collect(),
            limits: self.limits,
        })
    }
}

impl Sandbox {
    /// What plugins may import.
    pub(crate) fn imports(&self) -> Result<Linker<State>> {
        let mut imports = new_linker(&self.engine).map_err(Error::Component)?;
        keyvalue::add_to_linker(&mut imports, |state: &mut State| {
            KeyValue::new(&state.stores, &mut state.table)
        })
        .map_err(Error::Component)?;
        Ok(imports)
    }

    /// What an instance lives in, with its limits set.
    pub(crate) fn store(&self, stores: KeyValueCtx, wasi: WasiCtx) -> Store<State> {
        let mut store = new_store(&self.engine, wasi, &self.limits);
        store.data_mut().stores = stores;
        store
    }
}

impl Plugin {
    /// A new instance with these stores, and with no files, network or environment but those of `wasi`.
    pub fn start(&self, stores: KeyValueCtx, wasi: WasiCtx) -> Result<Running> {
        let mut store = self.store(stores, wasi);
        let instance = self
            .linked
            .instantiate(&mut store)
            .map_err(|error| Error::of_call(error, self.limits.call))?;
        Ok(Running {
            store,
            instance,
            interfaces: Arc::clone(&self.interfaces),
            limits: self.limits,
            is_over: false,
        })
    }

    /// Runs a plugin that is a program, with `wasi:cli/run`; the status it ended with.
    pub fn run(&self, stores: KeyValueCtx, wasi: WasiCtx) -> Result<u8> {
        let mut store = self.store(stores, wasi);
        let of_call = |error| Error::of_call(error, self.limits.call);
        let command = CommandPre::new(self.linked.clone()).map_err(Error::Component)?;
        let command = command.instantiate(&mut store).map_err(of_call)?;
        match command.wasi_cli_run().call_run(&mut store) {
            Ok(Ok(())) => Ok(0),
            Ok(Err(())) => Ok(1),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(I32Exit(status)) => Ok(u8::try_from(*status).unwrap_or(1)),
                None => Err(of_call(error)),
            },
        }
    }

    fn store(&self, stores: KeyValueCtx, wasi: WasiCtx) -> Store<State> {
        let mut store = new_store(&self.engine, wasi, &self.limits);
        store.data_mut().stores = stores;
        store
    }
}

impl Running {
    /// Calls a function that the plugin exports, by its name or as `interface#function`.
    pub fn call(&mut self, name: &str, arguments: &[Val]) -> Result<Vec<Val>> {
        let function = self.function(name)?;
        let results = function.ty(&self.store).results().len();
        let mut values = vec![Val::Bool(false); results];
        self.guarded(|store| function.call(store, arguments, &mut values))?;
        Ok(values)
    }

    /// Calls what is written as a call, such as `visit("ada")`, in the notation of WAVE; the answer in the same.
    pub fn invoke(&mut self, call: &str) -> Result<String> {
        let parsed = UntypedFuncCall::parse(call)
            .map_err(|error| Error::Usage(format!("`{call}` is no call: {error}")))?;
        let function = self.function(parsed.name())?;
        let ty = function.ty(&self.store);
        let types: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
        let arguments: Vec<Val> = parsed
            .to_wasm_params(&types)
            .map_err(|error| Error::Usage(format!("the arguments of `{call}`: {error}")))?;
        let mut values = vec![Val::Bool(false); ty.results().len()];
        self.guarded(|store| function.call(store, &arguments, &mut values))?;
        let texts = values.iter().map(wasmtime::component::wasm_wave::to_string);
        let texts: std::result::Result<Vec<_>, _> = texts.collect();
        let texts =
            texts.map_err(|error| Error::Component(wasmtime::Error::msg(error.to_string())))?;
        Ok(texts.join(", "))
    }

    /// Whether a call did not return, so that there is nothing more to be had from this instance.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    fn function(&mut self, name: &str) -> Result<Func> {
        let found = match name.split_once('#') {
            Some((interface, function)) => {
                let interface = self
                    .instance
                    .get_export_index(&mut self.store, None, interface);
                interface.and_then(|interface| {
                    self.instance
                        .get_export_index(&mut self.store, Some(&interface), function)
                })
            }
            None => self
                .instance
                .get_export_index(&mut self.store, None, name)
                .or_else(|| self.in_interfaces(name)),
        };
        found
            .and_then(|found| self.instance.get_func(&mut self.store, found))
            .ok_or_else(|| Error::Usage(format!("the plugin has no function `{name}`")))
    }

    /// A function of one of the interfaces that the plugin exports.
    fn in_interfaces(&mut self, name: &str) -> Option<ComponentExportIndex> {
        let interfaces: Vec<_> = self.interfaces.iter().map(String::as_str).collect();
        interfaces.into_iter().find_map(|interface| {
            let at = self
                .instance
                .get_export_index(&mut self.store, None, interface)?;
            self.instance
                .get_export_index(&mut self.store, Some(&at), name)
        })
    }

    fn guarded(
        &mut self,
        call: impl FnOnce(&mut Store<State>) -> wasmtime::Result<()>,
    ) -> Result<()> {
        if self.is_over {
            return Err(Error::Over);
        }
        self.store
            .as_context_mut()
            .set_epoch_deadline(ticker::ticks(self.limits.call));
        call(&mut self.store).map_err(|error| {
            self.is_over = true;
            Error::of_call(error, self.limits.call)
        })
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}
