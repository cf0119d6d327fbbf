//! The cases of `wasi:keyvalue` 0.2.0-draft2, as a component that imports nothing else.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wasm/wit",
        world: "conformance-draft2",
        generate_all,
        pub_export_macro: false,
    });

    export!(Component with_types_in self);

    use super::Component;
}

mod draft;
#[path = "../../keyvalue/mod.rs"]
mod keyvalue;
mod swaps;

use bindings::exports::tailstone::store::cases::{Guest, Outcome};
use keyvalue::CHAPTERS;
use tailstone_conformance::{find, names};

const DRAFT: &str = "wasi:keyvalue@0.2.0-draft2";

struct Component;

impl Guest for Component {
    fn names() -> Vec<String> {
        names(CHAPTERS)
    }

    fn run(identifier: String) -> Vec<Outcome> {
        let one = |name| Self::run_one(identifier.clone(), name);
        names(CHAPTERS).into_iter().filter_map(one).collect()
    }

    fn run_one(identifier: String, name: String) -> Option<Outcome> {
        let failure = find(CHAPTERS, &name)?.failure(&identifier);
        Some(Outcome {
            draft: DRAFT.to_owned(),
            name,
            failure,
        })
    }
}
