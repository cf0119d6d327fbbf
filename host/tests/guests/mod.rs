//! The guests that `cargo xtask guests` leaves in the target folder, and one engine that compiles them.

use std::path::PathBuf;
use std::sync::LazyLock;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// Cases that ours fails still, each with its reason. One that passes has no place here.
#[allow(dead_code, reason = "not every test program runs cases")]
const OPEN: &[(&str, &str)] = &[];

/// Whether a case is one of those.
#[allow(dead_code, reason = "not every test program runs cases")]
pub fn is_open(case: &str) -> bool {
    OPEN.iter().any(|(name, _)| *name == case)
}

/// One engine for each test program. Its epoch moves only when a test moves it, so a store without a deadline in mind must
/// set one that is far away.
pub fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> =
        LazyLock::new(|| Engine::new(Config::new().epoch_interruption(true)).unwrap());
    &ENGINE
}

/// The guest of this name, compiled.
pub fn guest(name: &str) -> Component {
    Component::from_file(engine(), path(name)).unwrap()
}

/// Where the guest of this name lies: a test lies in `target/PROFILE/deps`.
pub fn path(name: &str) -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let path = target
        .join("wasm32-unknown-unknown/wasm")
        .join(name)
        .with_extension("wasm");
    assert!(
        path.is_file(),
        "{} is missing; `cargo xtask guests` builds it",
        path.display()
    );
    path
}
