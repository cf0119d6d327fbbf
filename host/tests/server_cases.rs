//! The cases of `wasi:keyvalue` against a server that speaks Redis's protocol.

#![cfg(feature = "redis")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "only the places of guests are needed here")]
mod guests;
#[allow(dead_code, reason = "nobody stops the server here")]
mod servers;

use std::sync::Arc;

use servers::server;
use tailstone_host::keyvalue::{Grant, KeyValueCtx, Redis};
use tailstone_host::{Cache, Limits, Sandbox, conformance};
use wasmtime::component::Component;
use wasmtime_wasi::WasiCtx;

/// A plugin for `wasi:keyvalue` runs unchanged when one machine is outgrown.
#[test]
fn every_case_of_wasi_keyvalue_holds_on_a_server() {
    let Some((server, _)) = server() else {
        return;
    };
    let sandbox = Sandbox::new(Limits::default(), &Cache::Off).unwrap();
    for which in ["draft", "draft2"] {
        let path = guests::path(&format!("tailstone_conformance_{which}"));
        let guest = Component::from_file(sandbox.engine(), path).unwrap();
        let grant = Grant::backend(Arc::new(Redis::new(&server.url, which).unwrap()));
        let stores = KeyValueCtx::builder().grant(which, grant).build();
        let granted = || (stores.clone(), WasiCtx::builder().build());
        let outcomes = conformance::run_program(&sandbox, &guest, which, granted).unwrap();
        assert!(outcomes.len() >= 70, "{which}: {} cases", outcomes.len());
        for outcome in outcomes {
            assert_eq!(outcome.failure, None, "{which}: {}", outcome.name);
        }
    }
}
