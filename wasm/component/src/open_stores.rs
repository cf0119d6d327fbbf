//! The stores that are open in this instance: one engine for a file, however many handles there are.
//!
//! Invariant: the engine is let go before the lock is, so nobody can open a store that is still being trimmed.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use tailstone::{Options, Store};
use tailstone_interface::{Refusal, Table};

use crate::backing::WasiBacking;
use crate::bindings::exports::tailstone::store::stores::Access;
use crate::directory::{self, Name};
use crate::lock::Lock;

thread_local! {
    static OPEN: RefCell<Vec<(String, Weak<OpenStore>)>> = const { RefCell::new(Vec::new()) };
}

/// An open store. Its fields are dropped in this order.
pub struct OpenStore {
    engine: Store<WasiBacking>,
    is_read_only: bool,
    _lock: Option<Lock>,
}

/// One opening of a store, with what it may be used for.
#[derive(Clone)]
pub struct Handle {
    store: Rc<OpenStore>,
    bucket: Vec<u8>,
    is_read_only: bool,
}

impl Handle {
    /// Opens a bucket of the store called `name`.
    pub fn open(name: String, bucket: Vec<u8>, access: Access) -> Result<Self, Refusal> {
        let name = Name::new(name)?;
        let store = match find(&name) {
            Some(store) if store.is_read_only && access != Access::Read => {
                return Err(Refusal::Locked(
                    "the store is open for reading here; close that handle first".to_owned(),
                ));
            }
            Some(store) => store,
            None => open(name, access)?,
        };
        Ok(Self {
            store,
            bucket,
            is_read_only: access == Access::Read,
        })
    }

    /// The bucket, for reading.
    pub fn table(&self) -> Result<Table<'_, WasiBacking>, Refusal> {
        Table::new(&self.store.engine, &self.bucket)
    }

    /// The bucket, for writing.
    pub fn writable(&self) -> Result<Table<'_, WasiBacking>, Refusal> {
        if self.is_read_only {
            return Err(Refusal::ReadOnly);
        }
        self.table()
    }

    /// Syncs, and closes the store if nobody else has it open.
    pub fn close(self) -> Result<(), Refusal> {
        match Rc::try_unwrap(self.store) {
            Ok(OpenStore { engine, _lock, .. }) => Ok(engine.close()?),
            Err(_) if self.is_read_only => Ok(()),
            Err(store) => Ok(store.engine.sync()?),
        }
    }
}

fn find(name: &Name) -> Option<Rc<OpenStore>> {
    OPEN.with_borrow_mut(|open| {
        open.retain(|(_, store)| store.strong_count() > 0);
        let (_, store) = open.iter().find(|(other, _)| other == name.as_str())?;
        store.upgrade()
    })
}

fn open(name: Name, access: Access) -> Result<Rc<OpenStore>, Refusal> {
    let directory = directory::granted()?;
    // The file first: asking for a store that is not there shall leave no lock file behind.
    let file = directory::open(&directory, &name, access)?;
    let is_read_only = access == Access::Read;
    let lock = if is_read_only {
        Lock::check(&directory, &name)?;
        None
    } else {
        Some(Lock::take(directory::granted()?, &name)?)
    };
    let backing = WasiBacking::new(directory, &name, file)?;
    let options = Options::new().read_only(is_read_only);
    let engine = Store::open_with(backing, &options)?;
    let store = Rc::new(OpenStore {
        engine,
        is_read_only,
        _lock: lock,
    });
    OPEN.with_borrow_mut(|open| open.push((name.into(), Rc::downgrade(&store))));
    Ok(store)
}
