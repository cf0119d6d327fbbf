//! The cases of `tailstone:store`, as a component that imports nothing else.

#[allow(unsafe_code, missing_docs, reason = "generated")]
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wasm/wit",
        world: "conformance-stores",
        generate_all,
        pub_export_macro: false,
    });

    export!(Component with_types_in self);

    use super::Component;
}

mod batches;
mod changes;
mod handles;
mod keys;
mod room;
mod scans;
mod upkeep;
mod values;
mod versions;

use bindings::exports::tailstone::store::cases::{Guest, Outcome};
use room::Room;
use tailstone_conformance::{Chapter, find, names};

const DRAFT: &str = "tailstone:store@0.1.0";

const CHAPTERS: &[Chapter<Room>] = &[
    keys::CASES,
    values::CASES,
    versions::CASES,
    batches::CASES,
    scans::CASES,
    changes::CASES,
    upkeep::CASES,
    handles::CASES,
];

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
