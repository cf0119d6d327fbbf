//! One open store in an instance of its own.
//!
//! Invariant: after a call that did not return, the instance is not called again; and what it may have left locked is
//! unlocked, because the lock on the file itself shows that nobody else was at work.

use std::fs;
use std::path::{Path, PathBuf};

use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, Store};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::bindings::{Access, Guest, Info, KeyPage, Refusal};
use crate::error::{Error, Result};
use crate::file_lock::{FileLock, lock_file};
use crate::limits::Limits;
use crate::runtime::Runtime;
use crate::state::State;
use crate::ticker;

/// How the guest sees the granted directory.
const GUEST_DIRECTORY: &str = "/";

/// An open store.
pub struct Session {
    store: Store<State>,
    calls: Guest,
    handle: ResourceAny,
    limits: Limits,
    /// What the instance made beside the store when it opened that for writing.
    lock_file: Option<PathBuf>,
    progress: Progress,
    _file_lock: Option<FileLock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// A call did not return, so nothing is known about the instance.
    Trapped,
    /// The handle is given back.
    Closed,
}

impl Session {
    pub(crate) fn open(
        runtime: &Runtime,
        path: &Path,
        bucket: &[u8],
        access: Access,
    ) -> Result<Self> {
        let file_lock = FileLock::take(path, access)?;
        // A link is followed here, by the host; the component follows none.
        let path = path
            .canonicalize()
            .map_err(Error::io("find the store's file"))?;
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::NotAFile(path));
        };
        let name = name.to_str().ok_or_else(|| {
            Refusal::InvalidArgument(format!("the name of {} is not Unicode", path.display()))
        })?;
        Self::instantiate(runtime, folder, name, bucket, access, Some(file_lock))
    }

    pub(crate) fn instantiate(
        runtime: &Runtime,
        folder: &Path,
        name: &str,
        bucket: &[u8],
        access: Access,
        file_lock: Option<FileLock>,
    ) -> Result<Self> {
        let permissions = if access == Access::Read {
            FsPerms::ReadOnly
        } else {
            FsPerms::ReadWrite
        };
        let mut wasi = WasiCtxBuilder::new();
        // The thread has nothing else to do while a call waits for the medium.
        wasi.allow_blocking_current_thread(true);
        wasi.preopened_dir(folder, GUEST_DIRECTORY, permissions)
            .map_err(Error::Component)?;

        let limits = *runtime.limits();
        let mut store = runtime.new_store(wasi.build());
        let instance = runtime
            .linked()
            .instantiate(&mut store)
            .map_err(|e| Error::of_call(e, limits.call))?;
        let calls = instance.tailstone_store_stores().clone();
        // Only who holds the lock on the file itself knows that a lock file which was not there is the instance's own.
        let lock_file = (file_lock.is_some() && access != Access::Read)
            .then(|| lock_file(&folder.join(name)))
            .filter(|lock_file| !lock_file.exists());
        match calls.store().call_open(&mut store, name, bucket, access) {
            Ok(Ok(handle)) => Ok(Self {
                store,
                calls,
                handle,
                limits,
                lock_file,
                progress: Progress::Open,
                _file_lock: file_lock,
            }),
            Ok(Err(refusal)) => Err(refusal.into()),
            Err(error) => {
                if let Some(lock_file) = lock_file {
                    let _removed = fs::remove_file(lock_file);
                }
                Err(Error::of_call(error, limits.call))
            }
        }
    }

    /// The newest value of `key`.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.call(|calls, store, handle| calls.store().call_get(store, handle, key))
    }

    /// Whether `key` has a value.
    pub fn exists(&mut self, key: &[u8]) -> Result<bool> {
        let stat = self.call(|calls, store, handle| calls.store().call_stat(store, handle, key))?;
        Ok(stat.is_some())
    }

    /// Makes `value` the value of `key`.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.call(|calls, store, handle| calls.store().call_put(store, handle, key, value))
    }

    /// Removes `key`, and says whether it had a value.
    pub fn delete(&mut self, key: &[u8]) -> Result<bool> {
        self.call(|calls, store, handle| calls.store().call_delete(store, handle, key))
    }

    /// The first keys that begin with `prefix` and come behind `cursor`, the one of the page before, ordered by their bytes: at
    /// most `max`, at most 1,000, and no more than 256 KiB of them.
    pub fn scan(&mut self, prefix: &[u8], cursor: Option<&[u8]>, max: u32) -> Result<KeyPage> {
        self.call(|calls, store, handle| {
            calls.store().call_scan(store, handle, prefix, cursor, max)
        })
    }

    /// What the store holds and costs.
    pub fn info(&mut self) -> Result<Info> {
        self.call(|calls, store, handle| calls.store().call_info(store, handle))
    }

    /// Rewrites the store without what is no longer in use.
    pub fn compact(&mut self) -> Result<()> {
        self.call(|calls, store, handle| calls.store().call_compact(store, handle))
    }

    /// Returns once everything put so far is on stable storage.
    pub fn sync(&mut self) -> Result<()> {
        self.call(|calls, store, handle| calls.store().call_sync(store, handle))
    }

    /// Ends the session: what was put is on stable storage, and the lock is gone.
    pub fn close(mut self) -> Result<()> {
        let closed = self.call(|calls, store, handle| calls.store().call_close(store, handle));
        if self.progress == Progress::Open {
            self.progress = Progress::Closed;
        }
        closed
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(
            &Guest,
            &mut Store<State>,
            ResourceAny,
        ) -> wasmtime::Result<std::result::Result<T, Refusal>>,
    ) -> Result<T> {
        if self.progress == Progress::Trapped {
            return Err(
                Refusal::Other("an earlier call failed; open the store again".to_owned()).into(),
            );
        }
        self.store
            .as_context_mut()
            .set_epoch_deadline(ticker::ticks(self.limits.call));
        match call(&self.calls, &mut self.store, self.handle) {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                self.progress = Progress::Trapped;
                Err(Error::of_call(error, self.limits.call))
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.progress == Progress::Open {
            self.store
                .as_context_mut()
                .set_epoch_deadline(ticker::ticks(self.limits.call));
            if self.handle.resource_drop(&mut self.store).is_err() {
                self.progress = Progress::Trapped;
            }
        }
        if self.progress == Progress::Trapped
            && let Some(lock_file) = &self.lock_file
        {
            let _removed = fs::remove_file(lock_file);
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("progress", &self.progress)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
