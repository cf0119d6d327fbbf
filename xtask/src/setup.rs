//! Installs what the other tasks need; a second run finds everything in place and does nothing.
//!
//! Whatever is fetched comes from where this machine's own package managers are told to look.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::other_languages;
use crate::tidy::{MADE, walk};

const TARGETS: [&str; 4] = [
    "wasm32-unknown-unknown",
    "wasm32-wasip1",
    "wasm32-wasip2",
    WINDOWS,
];

/// Not run anywhere here, but looked over.
pub const WINDOWS: &str = "x86_64-pc-windows-gnu";
const NODE_MAJOR_MIN: u32 = 20;
const CHROMIUM_NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// Brings targets, node packages and a browser.
pub fn run(ctx: &Context) -> Result<()> {
    rust_targets(ctx)?;
    node(ctx)?;
    node_packages(ctx)?;
    browser(ctx)?;
    redis(ctx);
    eprintln!("setup: everything is in place");
    Ok(())
}

/// The browser that tests and the demo drive: `CHROME` if set, else what is found on `PATH`.
pub fn chromium(ctx: &Context) -> Option<PathBuf> {
    env::var_os("CHROME")
        .map(PathBuf::from)
        .filter(|path| path.is_file())
        .or_else(|| ctx.find_program(&CHROMIUM_NAMES))
}

fn rust_targets(ctx: &Context) -> Result<()> {
    let installed = ctx
        .output(
            ctx.command("rustup")
                .args(["target", "list", "--installed"]),
        )
        .with_context(|| format!("rustup is needed to install {}", TARGETS.join(", ")))?;
    let missing: Vec<_> = TARGETS
        .into_iter()
        .filter(|target| !installed.lines().any(|line| line.trim() == *target))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    ctx.run(ctx.command("rustup").args(["target", "add"]).args(missing))
}

fn node(ctx: &Context) -> Result<()> {
    let found = ctx.output(ctx.command("node").arg("--version")).ok();
    match found.as_deref().map(str::trim) {
        Some(version) if major(version).is_some_and(|major| major >= NODE_MAJOR_MIN) => Ok(()),
        Some(version) => bail!("node {NODE_MAJOR_MIN} or later is needed, this is {version}"),
        None => bail!(
            "node {NODE_MAJOR_MIN} or later is needed, with npm; install it and run this again"
        ),
    }
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// `npm ci` beside every lock file whose packages are missing or older than it, but for the large ones that one task alone
/// needs.
fn node_packages(ctx: &Context) -> Result<()> {
    for lock in walk(&ctx.root, &MADE)? {
        if lock
            .file_name()
            .is_none_or(|name| name != "package-lock.json")
        {
            continue;
        }
        let folder = lock.parent().unwrap_or(&ctx.root);
        if folder == ctx.root.join(other_languages::FOLDER) {
            continue;
        }
        if !is_older(&folder.join("node_modules/.package-lock.json"), &lock)? {
            continue;
        }
        ctx.run(ctx.command("npm").arg("ci").current_dir(folder))?;
    }
    Ok(())
}

fn is_older(made: &Path, source: &Path) -> Result<bool> {
    let Ok(made) = fs::metadata(made) else {
        return Ok(true);
    };
    Ok(made.modified()? < fs::metadata(source)?.modified()?)
}

fn browser(ctx: &Context) -> Result<()> {
    if chromium(ctx).is_some() {
        return Ok(());
    }
    if superuser(ctx).is_none() {
        bail!(
            "no Chromium: install Chromium or Google Chrome so that one of {} is on PATH, or set CHROME to its path",
            CHROMIUM_NAMES.join(", ")
        );
    }
    apt_install(ctx, "chromium")?;
    match chromium(ctx) {
        Some(_) => Ok(()),
        None => bail!("apt-get installed chromium, and still none is on PATH"),
    }
}

/// The server that tests start on a port of their own. Without one they say so and leave it out.
fn redis(ctx: &Context) {
    if ctx.find_program(&["redis-server"]).is_some() || superuser(ctx).is_none() {
        return;
    }
    if let Err(error) = apt_install(ctx, "redis-server") {
        eprintln!("setup: no redis-server, so its tests are left out: {error:#}");
    }
}

fn apt_install(ctx: &Context, package: &str) -> Result<()> {
    let mut prefix = superuser(ctx).context("nobody here may install packages")?;
    prefix.extend(["apt-get", "-y"]);
    let apt = |args: &[&str]| {
        let mut words = prefix.iter().chain(args);
        let mut command = ctx.command(words.next().unwrap_or(&"apt-get"));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        // What is installed for tests is not to be started as a service.
        ctx.run(command.env("RUNLEVEL", "1"))
    };
    apt(&["update"])?;
    apt(&["install", package])
}

/// How to run `apt-get` with the rights it needs, where it exists: nothing for root, else a sudo that does not ask.
fn superuser(ctx: &Context) -> Option<Vec<&'static str>> {
    ctx.find_program(&["apt-get"])?;
    let id = ctx.output(ctx.command("id").arg("-u")).ok()?;
    if id.trim() == "0" {
        return Some(Vec::new());
    }
    let sudo = Command::new("sudo")
        .args(["-n", "true"])
        .stderr(Stdio::null())
        .status();
    sudo.is_ok_and(|status| status.success())
        .then(|| vec!["sudo", "-n"])
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("20.11.1"), None);
        assert_eq!(major("v"), None);
    }
}
