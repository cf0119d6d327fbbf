//! Builds the guest book, a plugin in JavaScript and in Python, and runs it both ways: with a store of the host's, and with the
//! component plugged into it.
//!
//! By hand or nightly, as what it is built with is large. The lock files beside the plugin pin all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::context::Context;
use crate::{component, guests, web};

/// Where the plugin lies.
pub const FOLDER: &str = "host/plugins/guestbook";

/// The world that it is built for, and the name that it opens a store by.
const NAME: &str = "guestbook";

/// Calls that are timed together, and how often that is done: the fastest counts.
const TIMED_CALLS: u32 = 1000;
const ROUNDS: u32 = 5;

const SIGN: &str = r#"sign("ada", "Grüße")"#;
const FIRST: &str = r#"{name: "ada", words: "Grüße"}"#;
const SECOND: &str = r#"{name: "bob", words: "a \"quote\""}"#;
const NOT_GRANTED: &str = r#"err("the store guestbook was not granted for this")"#;

/// Builds both plugins with what the lock files pin, and runs them; fails at the first answer that is another one.
pub fn run(ctx: &Context) -> Result<()> {
    component::build(ctx)?;
    let host = component::build_host(ctx)?;
    let provider = fs::read(built(ctx, "tailstone_component"))?;
    let folder = ctx.target_dir.join(NAME).join("run");
    web::make_empty(&folder)?;

    let mut trials = Vec::new();
    for (language, build) in [
        (
            "javascript",
            javascript as fn(&Context, &Path) -> Result<()>,
        ),
        ("python", python),
    ] {
        let plugin = built(ctx, &format!("tailstone_plugin_guestbook_{language}"));
        let composed = plugin.with_file_name(format!("{NAME}_{language}_composed.wasm"));
        build(ctx, &plugin)?;
        let program = fs::read(&plugin)?;
        fs::write(&composed, guests::compose(provider.clone(), program)?)?;
        let folder = folder.join(language);
        fs::create_dir(&folder)?;
        trials.push(Trial {
            ctx,
            host: &host,
            language,
            plugin,
            composed,
            folder,
        });
    }
    let [javascript, python] = &trials[..] else {
        bail!("there are two languages");
    };
    javascript.imports_stores_alone()?;
    for trial in [javascript, python] {
        trial.with_a_store_of_the_host()?;
        trial.with_the_component()?;
        trial.report()?;
    }
    // Each reads what the other wrote.
    let both = format!("ok([{SECOND}, {FIRST}])");
    for (reader, writer) in [(javascript, python), (python, javascript)] {
        let grant = grant(&writer.folder.join("native"), "");
        reader.answers(
            &reader.plugin,
            &["--store", &grant],
            &[("latest(9)", &both)],
        )?;
    }
    eprintln!("guests: all answers are as they ought to be");
    Ok(())
}

/// Where a component of this name lies once it is built.
fn built(ctx: &Context, name: &str) -> PathBuf {
    let folder = ctx.target_dir.join(component::BUILT);
    folder.join(name).with_extension("wasm")
}

fn javascript(ctx: &Context, component: &Path) -> Result<()> {
    let folder = ctx.root.join(FOLDER);
    web::install(ctx, &folder)?;
    let mut npm = web::npm(ctx, &folder)?;
    ctx.run(
        npm.args(["run", "--silent", "build", "--", "--out"])
            .arg(component),
    )
}

fn python(ctx: &Context, component: &Path) -> Result<()> {
    let venv = ctx.target_dir.join(NAME).join("python");
    let programs = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let Some(python) = ctx.find_program(&["python3", "python.exe", "python"]) else {
        bail!("python is not on the path; install 3.9 or later with its venv");
    };
    // What is there already stays, and so does what pip has installed.
    ctx.run(ctx.command(python).args(["-m", "venv"]).arg(&venv))?;
    let folder = ctx.root.join(FOLDER);
    let mut pip = ctx.command(programs.join("python"));
    pip.args(["-m", "pip", "--disable-pip-version-check", "install"]);
    pip.args(["--quiet", "--require-hashes", "--requirement"]);
    ctx.run(pip.arg(folder.join("requirements.txt")))?;

    let mut componentize = ctx.command(programs.join("componentize-py"));
    componentize.args(["--quiet", "--wit-path", "wasm/wit", "--world", NAME]);
    componentize.args(["componentize", NAME, "--python-path", FOLDER, "--output"]);
    ctx.run(componentize.arg(component))
}

/// The plugin in one language, with a folder for its stores.
struct Trial<'a> {
    ctx: &'a Context,
    host: &'a Path,
    language: &'a str,
    plugin: PathBuf,
    composed: PathBuf,
    folder: PathBuf,
}

impl Trial<'_> {
    /// Everything else of WASI can be left out of a plugin in this language.
    fn imports_stores_alone(&self) -> Result<()> {
        let imports = guests::imports(fs::read(&self.plugin)?)?;
        let foreign: Vec<_> = imports
            .iter()
            .filter(|name| !name.starts_with("wasi:keyvalue/"))
            .collect();
        ensure!(foreign.is_empty(), "{}: imports {foreign:?}", self.language);
        Ok(())
    }

    /// Each of these is a process, with nothing but the file from the one before.
    fn with_a_store_of_the_host(&self) -> Result<()> {
        let second = format!("ok([{SECOND}])");
        let both = format!("ok([{SECOND}, {FIRST}])");
        let file = self.folder.join("native");
        for (limits, calls) in [
            (
                "",
                &[(SIGN, "ok(1)"), (r#"sign("bob", "a \"quote\"")"#, "ok(2)")][..],
            ),
            ("", &[("latest(1)", &second), ("latest(9)", &both)]),
            (":ro", &[(SIGN, NOT_GRANTED), ("latest(9)", &both)]),
            (",value=20B", &[(SIGN, r#"err("a value of "#)]),
            // The signature that was refused has used up a number.
            ("", &[("latest(2)", &both), ("latest(0)", "ok([])")]),
            // More openings than an instance may hold at a time.
            ("", &[("latest(0)", "ok([])"); 300]),
        ] {
            let grant = grant(&file, limits);
            self.answers(&self.plugin, &["--store", &grant], calls)?;
        }
        self.answers(&self.plugin, &[], &[(SIGN, NOT_GRANTED)])
    }

    /// The host grants a folder and nothing else; its own engine reads the same file afterwards.
    fn with_the_component(&self) -> Result<()> {
        let imports = guests::imports(fs::read(&self.composed)?)?;
        let left = imports
            .iter()
            .find(|name| name.starts_with("wasi:keyvalue/"));
        ensure!(left.is_none(), "{}: still imports {left:?}", self.language);

        let first = format!("ok([{FIRST}])");
        let both = format!("ok([{SECOND}, {FIRST}])");
        let folder = self.folder.join("composed");
        fs::create_dir(&folder)?;
        let granted = ["--directory", &folder.display().to_string()];
        self.answers(
            &self.composed,
            &granted,
            &[(SIGN, "ok(1)"), ("latest(9)", &first)],
        )?;
        self.answers(
            &self.composed,
            &granted,
            &[
                (r#"sign("bob", "a \"quote\"")"#, "ok(2)"),
                ("latest(9)", &both),
            ],
        )?;
        let grant = grant(&folder.join(NAME), "");
        self.answers(&self.plugin, &["--store", &grant], &[("latest(9)", &both)])
    }

    /// Makes calls in one process, which must end well. What each answers begins with what is beside it.
    fn answers(&self, program: &Path, granted: &[&str], calls: &[(&str, &str)]) -> Result<()> {
        let asked: Vec<_> = calls.iter().map(|(call, _)| *call).collect();
        let answers = self.invoke(program, granted, &asked)?;
        let lines: Vec<_> = answers.lines().collect();
        let is_expected = lines.len() == calls.len()
            && lines
                .iter()
                .zip(calls)
                .all(|(line, (_, expected))| line.starts_with(expected));
        ensure!(
            is_expected,
            "{}: with {granted:?}, {calls:?} was answered by {lines:?}",
            self.language
        );
        Ok(())
    }

    fn invoke(&self, program: &Path, granted: &[&str], calls: &[&str]) -> Result<String> {
        let mut command = self.ctx.command(self.host);
        command.arg("run").args(granted);
        command
            .arg("--cache")
            .arg(self.folder.with_file_name("cache"));
        for call in calls {
            command.args(["--invoke", call]);
        }
        self.ctx
            .output(command.arg(program))
            .with_context(|| self.language.to_owned())
    }

    /// Prints what the plugin weighs, and what a process with it and a call of it take.
    fn report(&self) -> Result<()> {
        let one = self.time(1)?;
        let call = self.time(TIMED_CALLS + 1)?.saturating_sub(one) / TIMED_CALLS;
        let bytes = fs::metadata(&self.plugin)?.len();
        let language = self.language;
        println!(
            "{language}: {bytes} bytes, a process with one call {one:.1?}, each further call {call:.1?}"
        );
        Ok(())
    }

    fn time(&self, calls: u32) -> Result<Duration> {
        let grant = grant(&self.folder.join("timed"), "");
        let calls = vec![SIGN; calls as usize];
        let mut fastest = Duration::MAX;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            self.invoke(&self.plugin, &["--store", &grant], &calls)?;
            fastest = fastest.min(begun.elapsed());
        }
        Ok(fastest)
    }
}

/// `--store` for the file, with what is set behind it.
fn grant(file: &Path, limits: &str) -> String {
    format!("{NAME}={}{limits}", file.display())
}
