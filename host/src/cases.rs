//! `tailstone-host conformance`: cases against this host's stores, or against a component that provides stores.

use std::path::{Path, PathBuf};

use tailstone_host::conformance::{self, Outcome};
use tailstone_host::keyvalue::{Grant, KeyValueCtx};
use tailstone_host::{Cache, Error, Limits, Result, Sandbox, find_guest};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wasmtime::component::Component;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::arguments::ConformanceArguments;
use crate::grants;
use crate::report;

/// The guests with cases, each with what it tries.
const GUESTS: [(&str, &str); 3] = [
    (
        "tailstone_conformance_draft.wasm",
        "wasi:keyvalue/store@0.2.0-draft",
    ),
    (
        "tailstone_conformance_draft2.wasm",
        "wasi:keyvalue/store@0.2.0-draft2",
    ),
    (
        "tailstone_conformance_stores.wasm",
        "tailstone:store/stores@0.1.0",
    ),
];
/// A case does not hold.
const FAILED: u8 = 5;

/// Runs the cases, prints a table of what came of them, and on standard error what does not hold.
pub fn run(arguments: &ConformanceArguments, limits: Limits) -> Result<u8> {
    let sandbox = Sandbox::new(limits, &Cache::User)?;
    let bytes = read(&arguments.component)?;
    let compile = |bytes: &[u8]| Component::new(sandbox.engine(), bytes).map_err(Error::Component);
    let component = compile(&bytes)?;
    let folder = tempfile::tempdir().map_err(io("make a folder"))?;

    let mut lanes: Vec<(&str, Vec<Outcome>)> = Vec::new();
    if conformance::has_cases(&component) {
        if let Some(store) = &arguments.store {
            let stores = grants::context(std::slice::from_ref(store));
            lanes.push((
                "this store",
                in_stores(&sandbox, &component, store.name(), &stores)?,
            ));
        } else {
            let name = &arguments.identifier;
            let file = Grant::file(folder.path().join("cases.tsl"));
            for (lane, grant) in [("in a file", file), ("in memory", Grant::memory())] {
                let stores = KeyValueCtx::builder().grant(name, grant).build();
                lanes.push((lane, in_stores(&sandbox, &component, name, &stores)?));
            }
        }
    } else {
        let mut outcomes = Vec::new();
        for (guest, interface) in GUESTS {
            if component.get_export_index(None, interface).is_none() {
                continue;
            }
            let guest = match &arguments.cases {
                Some(cases) => cases.join(guest),
                None => find_guest(guest)?,
            };
            let composed = compose(bytes.clone(), read(&guest)?).map_err(Error::Component)?;
            // Each guest begins with an empty store.
            let place = folder.path().join(interface.replace([':', '/', '@'], "-"));
            std::fs::create_dir(&place).map_err(io("make a folder"))?;
            let granted = || (KeyValueCtx::default(), with_folder(&place));
            let program = compile(&composed)?;
            let name = &arguments.identifier;
            outcomes.extend(conformance::run_program(&sandbox, &program, name, granted)?);
        }
        if outcomes.is_empty() {
            let path = arguments.component.display();
            return Err(Error::Usage(format!(
                "{path} exports neither cases nor a provider of stores"
            )));
        }
        lanes.push(("provider", outcomes));
    }
    let lanes: Vec<(&str, &[Outcome])> = lanes.iter().map(|(name, all)| (*name, &**all)).collect();
    report::bytes(conformance::table(&lanes).as_bytes())?;
    Ok(complain(&lanes))
}

fn in_stores(
    sandbox: &Sandbox,
    guest: &Component,
    name: &str,
    stores: &KeyValueCtx,
) -> Result<Vec<Outcome>> {
    let granted = || (stores.clone(), WasiCtx::builder().build());
    conformance::run_program(sandbox, guest, name, granted)
}

fn complain(lanes: &[(&str, &[Outcome])]) -> u8 {
    let mut status = 0;
    for (lane, outcomes) in lanes {
        for outcome in *outcomes {
            if let Some(failure) = &outcome.failure {
                let Outcome { draft, name, .. } = outcome;
                report::complain(&format!("{lane}, {draft}: {name}: {failure}"));
                status = FAILED;
            }
        }
    }
    status
}

fn with_folder(folder: &Path) -> WasiCtx {
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true);
    // A folder that cannot be granted shows in the first case.
    let _granted = wasi.preopened_dir(folder, "/", FsPerms::ReadWrite);
    wasi.build()
}

/// `program` with its imports met by `provider`.
fn compose(provider: Vec<u8>, program: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
    let in_words = |error: &dyn std::fmt::Display| wasmtime::Error::msg(format!("{error:#}"));
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes| {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut());
        let package = package.map_err(|error| in_words(&error))?;
        graph
            .register_package(package)
            .map_err(|error| in_words(&error))
    };
    let socket = register("tailstone:guest", program)?;
    let provider = register("tailstone:provider", provider)?;
    plug(&mut graph, vec![provider], socket).map_err(|error| in_words(&error))?;
    let encoded = graph.encode(EncodeOptions::default());
    encoded.map_err(|error| in_words(&error))
}

fn read(path: &PathBuf) -> Result<Vec<u8>> {
    if !path.is_file() {
        return Err(Error::NoSuchFile(path.clone()));
    }
    std::fs::read(path).map_err(io("read the component"))
}

fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { doing, source }
}
