//! How many system calls a child makes between two marks, counted by tracing it: nothing has to be installed for that.
//!
//! A child wraps what is to be counted in [`counted`], which says its name and makes one call before and another after it that a
//! store never makes. [`count`] starts the child, stops at each of its calls, and adds up those between the marks, whatever thread
//! makes them.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Stdio;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::child;

const NAME: &str = "counted: ";

/// What was done under a name: how often each system call was made, by its number here.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Calls {
    /// The name.
    pub name: String,
    /// The calls.
    pub by_number: BTreeMap<u64, u64>,
}

impl Calls {
    /// All of them but `brk`, by which the C library's heap grows, and `readlink`, of which there are as many as a path has parts.
    #[must_use]
    pub fn all(&self) -> u64 {
        let beside = [
            libc::SYS_brk,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_readlink,
            libc::SYS_readlinkat,
        ];
        self.by_number.values().sum::<u64>() - self.of(&beside)
    }

    /// Those of these numbers, as `libc` has them.
    #[must_use]
    pub fn of(&self, numbers: &[libc::c_long]) -> u64 {
        let numbers = numbers.iter().filter_map(|&it| u64::try_from(it).ok());
        numbers.filter_map(|it| self.by_number.get(&it)).sum()
    }
}

/// Does `work`, whose calls are counted under `name` if somebody counts.
pub fn counted<R>(name: &str, work: impl FnOnce() -> R) -> R {
    println!("{NAME}{name}");
    // Errors mean nothing here: it is the calls that are seen.
    let _begin = nix::unistd::getsid(None);
    let result = work();
    let _end = nix::unistd::getpgid(None);
    result
}

/// Plays `role` in a child and counts what it does between its marks. `None` where a process may not trace another.
///
/// # Errors
///
/// Those of starting the child and of following it, and what it wrote if it failed.
pub fn count(role: &str, folder: &Path) -> io::Result<Option<Vec<Calls>>> {
    // The shell waits until it is watched: from then on no thread can come into being unseen.
    let mut child = child::command(role, folder, "read -r _ || exit 1; exec \"$@\"")
        // One heap for all threads: those of threads grow and shrink by system calls of several kinds, ours among them.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    let watched = ptrace::seize(pid, options).and_then(|()| ptrace::interrupt(pid));
    if watched.is_err() {
        drop(child.stdin.take());
        child.wait()?;
        return Ok(None);
    }
    // The pipe stays open until the end: a shell may read more than the line.
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        stdin.write_all(b"\n")?;
    }
    let Some((status, sections)) = follow(pid)? else {
        child.kill()?;
        child.wait()?;
        return Ok(None);
    };
    let mut told = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut told)?;
    }
    if status != 0 {
        return Err(io::Error::other(format!("status {status}\n{told}")));
    }
    // The test runner may have written in front of a name in its line.
    let names = told.lines().filter_map(|line| line.split_once(NAME));
    let calls: Vec<_> = names
        .zip(sections)
        .map(|((_, name), by_number)| Calls {
            name: name.to_owned(),
            by_number,
        })
        .collect();
    Ok(Some(calls))
}

type Sections = Vec<BTreeMap<u64, u64>>;

/// Goes with the child to its end: how that was, and the calls of each section. `None` if this system does not tell the calls.
fn follow(child: Pid) -> io::Result<Option<(i32, Sections)>> {
    let mut sections = Sections::new();
    let mut is_within = false;
    loop {
        // Only what this thread watches: other tests wait for children of their own.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        match waitpid(None, Some(flags))? {
            WaitStatus::Exited(pid, status) if pid == child => return Ok(Some((status, sections))),
            WaitStatus::Signaled(pid, signal, _) if pid == child => {
                return Err(io::Error::other(format!("ended by {signal}")));
            }
            WaitStatus::PtraceSyscall(pid) => {
                let Ok(entered) = entered(pid) else {
                    return Ok(None);
                };
                match entered.and_then(|number| libc::c_long::try_from(number).ok()) {
                    Some(libc::SYS_getsid) => {
                        is_within = true;
                        sections.push(BTreeMap::new());
                    }
                    Some(libc::SYS_getpgid) => is_within = false,
                    _ => {
                        let section = sections.last_mut().filter(|_| is_within);
                        if let (Some(section), Some(number)) = (section, entered) {
                            *section.entry(number).or_default() += 1;
                        }
                    }
                }
                go_on(pid, None)?;
            }
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal))?,
            WaitStatus::PtraceEvent(pid, ..) => go_on(pid, None)?,
            _ => {}
        }
    }
}

/// The number of the call that a thread stopped at; `None` if it comes back from one.
#[expect(
    unsafe_code,
    reason = "what the system tells of a call is a union, whose kind it tells beside it"
)]
fn entered(pid: Pid) -> nix::Result<Option<u64>> {
    let info = ptrace::syscall_info(pid)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return Ok(None);
    }
    // SAFETY: the system filled in the part that `op` names, which was compared just now.
    Ok(Some(unsafe { info.u.entry.nr }))
}

fn go_on(pid: Pid, signal: Option<Signal>) -> io::Result<()> {
    match ptrace::syscall(pid, signal) {
        // It was ended meanwhile.
        Err(Errno::ESRCH) => Ok(()),
        done => Ok(done?),
    }
}
