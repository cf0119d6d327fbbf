//! What it takes to start a plugin, to open a large store for it, and to keep one that does nothing.

use std::path::Path;
use std::time::Instant;

use tailstone::DataStore;
use tailstone_host::keyvalue::{Grant, KeyValueCtx};
use tailstone_host::{Cache, Limits, Plugin, Result, Running, Sandbox};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};

use crate::figures::Figures;
use crate::guest;

/// Plugins that are idle at a time.
const IDLE: usize = 200;
const STARTS: usize = 500;
const OPENINGS: usize = 9;
const VALUE: [u8; 100] = [7; 100];

/// Adds what starting, opening and idling take.
pub fn measure(
    folder: &Path,
    keys: u32,
    figures: &mut Figures,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let compiled = folder.join("compiled");
    let sandbox = Sandbox::new(Limits::default(), &Cache::Folder(compiled))?;
    let load = |name: &str, figures: &mut Figures| -> Result<Plugin> {
        let plugin = sandbox.load(&guest(name))?;
        for _ in 0..OPENINGS {
            let start = Instant::now();
            sandbox.load(&guest(name))?;
            let what = format!("{name}: load from the compile cache, ms");
            figures.add_other(&what, start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(plugin)
    };
    let plain = load("tailstone_rounds_guest", figures)?;
    let composed = load("tailstone_rounds_guest_composed", figures)?;

    for (name, plugin) in [
        ("a plugin", &plain),
        ("a plugin with the component", &composed),
    ] {
        for _ in 0..STARTS {
            let start = Instant::now();
            let running = plugin.start(KeyValueCtx::default(), WasiCtx::builder().build())?;
            let what = format!("{name}: instantiate, us");
            figures.add_other(&what, start.elapsed().as_secs_f64() * 1e6);
            drop(running);
        }
    }
    idle(folder, &plain, &composed, figures)?;
    large(folder, keys, &plain, &composed, figures)
}

/// A store of so many keys, opened for a plugin that asks for one of them.
fn large(
    folder: &Path,
    keys: u32,
    plain: &Plugin,
    composed: &Plugin,
    figures: &mut Figures,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = folder.join("large.tsl");
    let store = DataStore::open(&path)?;
    let bucket = store.bucket("default")?;
    for from in (0..keys).step_by(10_000) {
        let names: Vec<_> = (from..keys.min(from + 10_000))
            .map(|number| format!("key {number}"))
            .collect();
        let pairs: Vec<_> = names
            .iter()
            .map(|key| (key.as_bytes(), &VALUE[..]))
            .collect();
        bucket.set_many(&pairs)?;
    }
    store.close()?;
    let what = format!("start a plugin and get one of {keys} keys");
    let call = |identifier: &str| {
        let key = keys / 2;
        format!("get(\"{identifier}\", \"key {key}\", 0, 1)")
    };
    for _ in 0..OPENINGS {
        let start = Instant::now();
        let stores = KeyValueCtx::builder().grant("large", Grant::file(&path));
        let mut running = plain.start(stores.build(), WasiCtx::builder().build())?;
        check(&mut running, &call("large"), "ok(100)")?;
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        figures.add_other(&format!("{what}, from the host, ms"), elapsed);
        drop(running);

        let start = Instant::now();
        let mut running = composed.start(KeyValueCtx::default(), files(folder))?;
        check(&mut running, &call("large.tsl"), "ok(100)")?;
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        figures.add_other(&format!("{what}, by the component, ms"), elapsed);
        // Else its lock would be left there.
        running.invoke("close()")?;
    }
    Ok(())
}

/// What each of many plugins keeps resident that was started, called once and does nothing.
fn idle(folder: &Path, plain: &Plugin, composed: &Plugin, figures: &mut Figures) -> Result<()> {
    for round in 0..5 {
        let mut one = |what: &str, start: &dyn Fn(usize) -> Result<Running>| -> Result<()> {
            let before = resident_kib();
            let running: Vec<_> = (0..IDLE).map(start).collect::<Result<_>>()?;
            let each = (resident_kib() - before) / f64::from(u32::try_from(IDLE).unwrap_or(1));
            // What was in use before is used again: only the first round grows.
            if round == 0 {
                figures.add_other(&format!("resident for an idle plugin, {what}, KiB"), each);
            }
            drop(running);
            Ok(())
        };
        one("without a store", &|_| {
            let mut running = plain.start(KeyValueCtx::default(), WasiCtx::builder().build())?;
            check(
                &mut running,
                "get(\"none\", \"k\", 0, 0)",
                "err(\"this was not granted\")",
            )?;
            Ok(running)
        })?;
        one("a file of its own", &|number| {
            let file = Grant::file(folder.join(format!("idle-{round}-{number}.tsl")));
            let stores = KeyValueCtx::builder().grant("own", file).build();
            let mut running = plain.start(stores, WasiCtx::builder().build())?;
            check(&mut running, "get(\"own\", \"k\", 100, 3)", "ok(300)")?;
            Ok(running)
        })?;
        one("the component in it, a file of its own", &|number| {
            let name = format!("composed-{round}-{number}.tsl");
            let mut running = composed.start(KeyValueCtx::default(), files(folder))?;
            check(
                &mut running,
                &format!("get(\"{name}\", \"k\", 100, 3)"),
                "ok(300)",
            )?;
            Ok(running)
        })?;
    }
    Ok(())
}

fn files(folder: &Path) -> WasiCtx {
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_blocking_current_thread(true);
    // A folder that cannot be granted shows at the first call.
    let _granted = wasi.preopened_dir(folder, "/", FsPerms::ReadWrite);
    wasi.build()
}

fn check(running: &mut Running, call: &str, expected: &str) -> Result<()> {
    let answer = running.invoke(call)?;
    assert_eq!(answer, expected, "{call}");
    Ok(())
}

/// Memory of this process that is resident; 0 where the system does not tell.
fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
}
