//! A plugin that makes the calls it is told to, of every interface that the host has for plugins.
//!
//! Invariant: it never panics, so an instance that ends was ended by the host.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wasm/wit",
        world: "scripts",
        generate_all,
        pub_export_macro: false,
    });

    export!(Component with_types_in self);

    use super::Component;
}

mod buckets;
mod stores;
mod swaps;

use std::cell::RefCell;

use bindings::exports::tailstone::store::script::{self, Answer, Step};
use bindings::tailstone::store::stores::Store;
use bindings::wasi::keyvalue0_2_0_draft::store::Bucket as FirstBucket;
use bindings::wasi::keyvalue0_2_0_draft2::atomics::Cas;
use bindings::wasi::keyvalue0_2_0_draft2::store::Bucket as SecondBucket;

/// Handles of each kind.
const SLOTS: usize = 3;

struct Component;

/// Where handles of one kind lie.
type Slots<H> = [Option<H>; SLOTS];

/// All handles.
#[derive(Default)]
struct Handles {
    stores: Slots<Store>,
    first: Slots<FirstBucket>,
    second: Slots<SecondBucket>,
    swaps: Slots<Cas>,
}

thread_local! {
    static HANDLES: RefCell<Handles> = RefCell::default();
}

impl script::Guest for Component {
    fn take(step: Step) -> Answer {
        HANDLES.with_borrow_mut(|handles| match step {
            Step::Store((number, call)) => stores::take(slot(&mut handles.stores, number), call),
            Step::First((number, call)) => {
                buckets::first::take(slot(&mut handles.first, number), call)
            }
            Step::Second((number, call)) => {
                buckets::second::take(slot(&mut handles.second, number), call)
            }
            Step::Cas((number, call)) => {
                swaps::take(&mut handles.second, slot(&mut handles.swaps, number), call)
            }
        })
    }

    fn end() {
        HANDLES.take();
    }
}

/// A slot by its number, which counts on from the beginning behind the last one.
fn slot<H>(slots: &mut Slots<H>, number: u8) -> &mut Option<H> {
    let [zeroth, first, second] = slots;
    match usize::from(number) % SLOTS {
        0 => zeroth,
        1 => first,
        _ => second,
    }
}

/// Puts an opened handle into its slot; whatever was there is dropped behind that.
fn put<H, E: Into<Answer>>(slot: &mut Option<H>, opened: Result<H, E>) -> Answer {
    match opened {
        Ok(handle) => {
            *slot = Some(handle);
            Answer::Done
        }
        Err(error) => error.into(),
    }
}

/// Empties a slot.
fn drop_handle<H>(slot: &mut Option<H>) -> Answer {
    slot.take().map_or(Answer::NoHandle, |_| Answer::Done)
}

/// What came of a call, as an answer.
fn said<T, E: Into<Answer>>(outcome: Result<T, E>, say: impl FnOnce(T) -> Answer) -> Answer {
    outcome.map_or_else(Into::into, say)
}
