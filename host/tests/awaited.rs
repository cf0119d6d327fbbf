//! Calls that are awaited: plugins on one thread go on while another waits for a server, and every case holds as it does inline.

#![cfg(feature = "async")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod guests;

use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use guests::{engine, guest};
use tailstone_host::conformance::Outcome;
use tailstone_host::keyvalue::{
    self, Access, Backend, Bucket, Change, Grant, KeyPage, KeyValue, KeyValueCtx, Refusal, Result,
    Stat,
};
use tokio::runtime::{Builder, Runtime};
use wasmtime::Store;
use wasmtime::component::{Instance, Linker, ResourceTable};

struct State {
    table: ResourceTable,
    stores: KeyValueCtx,
}

/// A server that answers once as many ask as there are plugins, and notes where it was asked.
struct Meeting {
    barrier: Barrier,
    plugins: ThreadId,
    is_remote: bool,
}

struct Slow(Arc<Meeting>);

impl Backend for Slow {
    fn is_remote(&self) -> bool {
        self.0.is_remote
    }

    fn open(&self, _bucket: &[u8], _access: Access) -> Result<Arc<dyn Bucket>> {
        let here = thread::current().id();
        assert_eq!(
            here != self.0.plugins,
            self.0.is_remote,
            "where it is opened"
        );
        Ok(Arc::new(Self(Arc::clone(&self.0))))
    }
}

fn unused<R>() -> Result<R> {
    Err(Refusal::Other("nobody asks for this here".to_owned()))
}

impl Bucket for Slow {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let here = thread::current().id();
        assert_eq!(
            here != self.0.plugins,
            self.0.is_remote,
            "where it is asked"
        );
        if self.0.is_remote {
            self.0.barrier.wait();
        }
        Ok(Some(Bytes::copy_from_slice(key)))
    }

    fn put(&self, _key: &[u8], _value: &[u8]) -> Result<()> {
        unused()
    }

    fn stat(&self, _key: &[u8]) -> Result<Option<Stat>> {
        unused()
    }

    fn get_versioned(&self, _key: &[u8]) -> Result<Option<(Bytes, u64)>> {
        unused()
    }

    fn put_if(&self, _key: &[u8], _value: &[u8], _expected: Option<u64>) -> Result<bool> {
        unused()
    }

    fn delete(&self, _key: &[u8]) -> Result<bool> {
        unused()
    }

    fn change(&self, _changes: &[Change<'_>]) -> Result<()> {
        unused()
    }

    fn scan(&self, _prefix: &[u8], _cursor: Option<&[u8]>, _max: usize) -> Result<KeyPage> {
        unused()
    }

    fn number_of_key(&self, _key: &[u8]) -> Result<u64> {
        unused()
    }

    fn key_of_number(&self, _number: u64) -> Result<Vec<u8>> {
        unused()
    }

    fn sync(&self) -> Result<()> {
        unused()
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

async fn start(name: &str, stores: KeyValueCtx) -> (Store<State>, Instance) {
    let mut linker = Linker::<State>::new(engine());
    keyvalue::add_to_linker_async(&mut linker, |state: &mut State| {
        KeyValue::new(&state.stores, &mut state.table)
    })
    .unwrap();
    let table = ResourceTable::new();
    let mut store = Store::new(engine(), State { table, stores });
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = linker
        .instantiate_async(&mut store, &guest(name))
        .await
        .unwrap();
    (store, instance)
}

/// The sum of the lengths of what a plugin got.
async fn get(meeting: Arc<Meeting>) -> u64 {
    type Answer = (std::result::Result<u64, String>,);
    let grant = Grant::backend(Arc::new(Slow(meeting)));
    let stores = KeyValueCtx::builder().grant("slow", grant).build();
    let (mut store, instance) = start("tailstone_rounds_guest", stores).await;
    let get = instance
        .get_typed_func::<(&str, &str, u32, u32), Answer>(&mut store, "get")
        .unwrap();
    let answer = get.call_async(&mut store, ("slow", "four", 0, 3)).await;
    answer.unwrap().0.unwrap()
}

/// The same of two plugins that are called at the same time on this thread.
fn get_twice(is_remote: bool) -> [u64; 2] {
    let meeting = Arc::new(Meeting {
        barrier: Barrier::new(2),
        plugins: thread::current().id(),
        is_remote,
    });
    runtime().block_on(async {
        let one = tokio::spawn(get(Arc::clone(&meeting)));
        let other = get(meeting).await;
        [one.await.unwrap(), other]
    })
}

#[test]
fn plugins_of_one_thread_wait_for_a_server_at_the_same_time() {
    // Were one asked on the thread of both, it would wait for the other for ever.
    assert_eq!(get_twice(true), [12, 12]);
}

#[test]
fn what_is_on_this_machine_is_asked_where_the_plugin_runs() {
    assert_eq!(get_twice(false), [12, 12]);
}

#[test]
fn every_case_holds_when_calls_are_awaited() {
    let folder = tempfile::tempdir().unwrap();
    for which in ["draft", "draft2", "stores"] {
        let path = folder.path().join(which);
        let stores = KeyValueCtx::builder().grant("cases", Grant::file(path));
        let outcomes = runtime().block_on(async {
            let name = format!("tailstone_conformance_{which}");
            let (mut store, instance) = start(&name, stores.build()).await;
            let cases = instance.get_export_index(&mut store, None, "tailstone:store/cases@0.1.0");
            let run = instance
                .get_export_index(&mut store, cases.as_ref(), "run")
                .unwrap();
            let run = instance
                .get_typed_func::<(&str,), (Vec<Outcome>,)>(&mut store, run)
                .unwrap();
            let (outcomes,) = run.call_async(&mut store, ("cases",)).await.unwrap();
            assert!(store.data().table.is_empty(), "a handle was left");
            outcomes
        });
        assert!(outcomes.len() >= 40, "{which}: {} cases", outcomes.len());
        for outcome in outcomes {
            assert_eq!(outcome.failure, None, "{which}: {}", outcome.name);
        }
    }
}
