//! Runs an input: the guest makes its calls through the real linker, and the model says whether the answers are right.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use tailstone::DataStore;
use tailstone_host::keyvalue::{
    self, Access, Backend, Grant, KeyValue, KeyValueCtx, Memory, Quota,
};
use tailstone_tests::fuzz::Source;
use wasmtime::Store;
use wasmtime::component::{Linker, ResourceTable};

use super::decode::{Move, Seen};
use super::model::Model;
use super::place::Place;
use super::rules::Rules;
use super::{Answer, Answers, AnswersPre, HANDLES, Step, names, shown};
use crate::guests::{engine, guest};

/// What one call may make the host allocate.
const FUEL: usize = 256 << 20;
/// Calls of one script.
const STEPS: usize = 400;

/// What came of an input.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was not as it ought to be.
    pub failure: Option<String>,
    /// Calls with their outcomes, and how many bytes of the input it took to reach each for the first time.
    pub reached: Vec<(String, usize)>,
    /// The calls with their answers, a line each.
    pub transcript: Vec<String>,
}

struct State {
    table: ResourceTable,
    stores: KeyValueCtx,
}

/// The plugin, compiled and linked.
static PLUGIN: LazyLock<AnswersPre<State>> = LazyLock::new(|| {
    let mut linker = Linker::new(engine());
    keyvalue::add_to_linker(&mut linker, |state: &mut State| {
        KeyValue::new(&state.stores, &mut state.table)
    })
    .unwrap();
    let linked = linker
        .instantiate_pre(&guest("tailstone_script_guest"))
        .unwrap();
    AnswersPre::new(linked).unwrap()
});

/// Stores by their numbers in the model: two files and one in memory.
const FILES: [&str; 2] = ["shared.tsl", "small.tsl"];

struct World {
    folder: tempfile::TempDir,
    memory: Arc<Memory>,
}

/// An instance and what it was granted.
struct Guest {
    store: Store<State>,
    answers: Answers,
}

/// Runs an input; a panic of the host is a failure like others.
pub fn run(input: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let caught = catch_unwind(AssertUnwindSafe(|| follow(input, &mut outcome)));
    outcome.failure = match caught {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(panic) => {
            let sentence = panic.downcast_ref::<String>().cloned();
            Some(format!("it panicked: {}", sentence.unwrap_or_default()))
        }
    };
    outcome
}

fn follow(input: &[u8], outcome: &mut Outcome) -> Result<(), String> {
    let world = World {
        folder: folder(),
        memory: Arc::default(),
    };
    let mut model = World::model();
    let mut guest = world.guest()?;
    let mut seen = Seen::default();
    let mut known = BTreeSet::new();
    let mut source = Source::new(input);
    for _ in 0..STEPS {
        if source.is_empty() {
            break;
        }
        let Move::Step(step) = seen.next(&mut source, |step| model.is_open(step)) else {
            outcome.transcript.push("restart".to_owned());
            guest.end()?;
            drop(guest);
            guest = world.guest()?;
            model.restart();
            continue;
        };
        let grant = model.grant_of(&step);
        let answer = guest.take(&step);
        let said = answer.as_ref().map_or_else(Clone::clone, shown);
        outcome
            .transcript
            .push(format!("{} -> {said}", shown(&step)));
        let answer = answer?;
        model.check(&step, &answer)?;
        seen.note(&step, &answer);
        let reached = format!(
            "{} by {grant}: {}",
            names::call(&step),
            names::outcome(&answer)
        );
        if known.insert(reached.clone()) {
            let used = input.len() - source.clone().rest().len();
            outcome.reached.push((reached, used));
        }
    }
    guest.end()?;
    drop(guest);
    world.check(&model)
}

/// A folder that goes away, in memory where that can be had: nothing here is about a loss of power, and waiting for the medium
/// would take most of the time.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

impl World {
    fn path(&self, place: usize) -> PathBuf {
        self.folder.path().join(FILES[place])
    }

    fn rules() -> Vec<Rules> {
        let small = Quota::default()
            .with_bytes(6000)
            .with_entries(6)
            .with_sizes(64, 3000)
            .with_handles(2)
            .with_page_entries(2);
        let paged = |entries| Quota::default().with_page_entries(entries);
        let rule = |name, place, access, quota| Rules {
            name,
            place,
            access,
            quota,
        };
        vec![
            rule("rw", 0, Access::ReadWrite, Quota::default()),
            rule("ro", 0, Access::ReadOnly, paged(3)),
            rule("append", 0, Access::AppendOnly, paged(0)),
            rule("small", 1, Access::ReadWrite, small),
            rule("memory", 2, Access::ReadWrite, paged(7)),
        ]
    }

    fn model() -> Model {
        let places = vec![
            Place::new(false, false),
            Place::new(false, true),
            Place::new(true, false),
        ];
        Model::new(Self::rules(), places)
    }

    /// A new instance, with the grants made anew.
    fn guest(&self) -> Result<Guest, String> {
        let builder = Self::rules()
            .into_iter()
            .fold(KeyValueCtx::builder(), |builder, rules| {
                let grant = match rules.place {
                    2 => Grant::backend(Arc::clone(&self.memory) as Arc<dyn Backend>),
                    file => Grant::file(self.path(file)),
                };
                builder.grant(rules.name, grant.access(rules.access).quota(rules.quota))
            });
        let state = State {
            table: ResourceTable::new(),
            stores: builder.build(),
        };
        let mut store = Store::new(engine(), state);
        store.set_hostcall_fuel(FUEL);
        store.set_epoch_deadline(u64::MAX / 2);
        store.data_mut().table.set_max_capacity(HANDLES);
        let answers = PLUGIN
            .instantiate(&mut store)
            .map_err(|error| format!("{error:?}"))?;
        Ok(Guest { store, answers })
    }

    /// Holds what is stored against the model, once nobody has it open.
    fn check(&self, model: &Model) -> Result<(), String> {
        for (at, place) in model.places.iter().enumerate() {
            if at == 2 {
                for (bucket, keys) in &place.buckets {
                    let opened = self
                        .memory
                        .open(bucket, Access::ReadOnly)
                        .map_err(in_words)?;
                    let get = |key: &[u8]| {
                        Ok(opened
                            .get(key)
                            .map_err(in_words)?
                            .map(|value| value.to_vec()))
                    };
                    equal(keys.iter().map(|(key, held)| (key, &held.value)), get)?;
                }
            } else {
                check_file(&self.path(at), place)?;
            }
        }
        Ok(())
    }
}

impl Guest {
    /// Makes a call; one that ends the instance is a failure of the host.
    fn take(&mut self, step: &Step) -> Result<Answer, String> {
        let calls = self.answers.tailstone_store_script();
        let answer = calls.call_take(&mut self.store, step);
        answer.map_err(|error| format!("the call ended the instance: {error:?}"))
    }

    /// Lets go of all handles, and sees that none is left.
    fn end(&mut self) -> Result<(), String> {
        let calls = self.answers.tailstone_store_script();
        let ended = calls.call_end(&mut self.store);
        ended.map_err(|error| format!("letting go of handles ended the instance: {error:?}"))?;
        if self.store.data().table.is_empty() {
            Ok(())
        } else {
            Err("handles are left that the guest let go of".to_owned())
        }
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn equal<'a>(
    keys: impl IntoIterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, String>,
) -> Result<(), String> {
    for (key, value) in keys {
        if get(key)?.as_ref() != Some(value) {
            return Err(format!("{} has another value in the end", shown(key)));
        }
    }
    Ok(())
}

fn check_file(path: &Path, place: &Place) -> Result<(), String> {
    if path.exists() != place.exists {
        return Err(format!("{} is there: {}", path.display(), path.exists()));
    }
    if !place.exists {
        return Ok(());
    }
    let store = DataStore::open(path).map_err(in_words)?;
    if store.recovery_report().cut_bytes != 0 {
        return Err(format!(
            "something was cut off: {}",
            store.recovery_report()
        ));
    }
    let expected = place.buckets.iter().filter(|(_, keys)| !keys.is_empty());
    let names: Vec<_> = expected.clone().map(|(bucket, _)| bucket.clone()).collect();
    if store.buckets().map_err(in_words)? != names {
        return Err("there are other buckets in the end".to_owned());
    }
    for (name, keys) in expected {
        let bucket = store.bucket(name).map_err(in_words)?;
        if bucket.len().map_err(in_words)? != keys.len() as u64 {
            return Err("there are other keys in the end".to_owned());
        }
        let get = |key: &[u8]| {
            Ok(bucket
                .get(key)
                .map_err(in_words)?
                .map(|value| value.to_vec()))
        };
        equal(keys.iter().map(|(key, held)| (key, &held.value)), get)?;
    }
    store.close().map_err(in_words)
}
