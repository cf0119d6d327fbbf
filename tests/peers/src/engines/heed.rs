//! LMDB, by heed: a copy-on-write B-tree in a mapped file.
//!
//! Buffered is one transaction for each write or batch with `WRITE_MAP` and `NO_SYNC`: changes are made in the mapping and nothing
//! waits for the disk. Durable is one transaction each with neither, so that a commit is a sync. The map reaches 64 GiB, of which the file
//! holds what was used.

use crate::peer::{Durability, Outcome, Pair, Peer, Reads, Settings, Writes};
use heed::types::Bytes;
use heed::{
    CommitOrAbort, CompactionOption, Database, Env, EnvFlags, EnvOpenOptions, RoTxn, WithTls,
};
use std::fs;
use std::path::{Path, PathBuf};

const MAP_BYTES: usize = 64 << 30;

type Table<'e> = Database<'e, Bytes, Bytes>;

/// The store.
pub struct HeedPeer {
    /// Only ever missing while it is being compacted.
    env: Option<Env>,
    folder: PathBuf,
    settings: Settings,
}

/// What one thread reads with.
pub struct Reading<'e> {
    table: Table<'e>,
    /// Only ever missing while it is being renewed.
    transaction: Option<RoTxn<'e, WithTls>>,
    env: &'e Env,
}

/// What one thread writes with.
pub struct Writing<'e> {
    table: Table<'e>,
    env: &'e Env,
}

impl Peer for HeedPeer {
    type Reads<'a> = Reading<'a>;
    type Writes<'a> = Writing<'a>;

    fn open(folder: &Path, settings: Settings) -> Outcome<Self> {
        let env = open(folder, settings)?;
        table(&env)?;
        Ok(Self {
            env: Some(env),
            folder: folder.to_path_buf(),
            settings,
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&mut Self::Reads<'_>) -> Outcome<T>) -> Outcome<T> {
        let env = self.env()?;
        work(&mut Reading {
            table: table(env)?,
            transaction: Some(env.read_txn()?),
            env,
        })
    }

    fn writing<T>(&self, work: impl FnOnce(&mut Self::Writes<'_>) -> Outcome<T>) -> Outcome<T> {
        let env = self.env()?;
        work(&mut Writing {
            table: table(env)?,
            env,
        })
    }

    /// A copy without what is free, put in the place of the file.
    fn compact(&mut self) -> Outcome<bool> {
        let (copy, file) = (self.folder.join("copy.mdb"), self.folder.join("data.mdb"));
        self.env()?.copy_to_path(&copy, CompactionOption::Enabled)?;
        self.shut();
        fs::rename(&copy, &file)?;
        self.env = Some(open(&self.folder, self.settings)?);
        Ok(true)
    }

    fn close(mut self) -> Outcome {
        self.shut();
        Ok(())
    }
}

impl HeedPeer {
    fn env(&self) -> Outcome<&Env> {
        self.env.as_ref().ok_or_else(|| "it is closed".into())
    }

    fn shut(&mut self) {
        if let Some(env) = self.env.take() {
            env.prepare_for_closing().wait();
        }
    }
}

fn open(folder: &Path, settings: Settings) -> Outcome<Env> {
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP_BYTES).max_readers(64);
    let flags = match settings.durability {
        Durability::Buffered => EnvFlags::WRITE_MAP | EnvFlags::NO_SYNC,
        Durability::Durable => EnvFlags::empty(),
    };
    // SAFETY: the flags give up what a loss of power leaves, not what this process reads: it alone has the file open, by this one
    // handle, and writes by transactions alone.
    #[expect(unsafe_code, reason = "LMDB cannot be opened without")]
    let env = unsafe { options.flags(flags).open(folder)? };
    Ok(env)
}

fn table(env: &Env) -> Outcome<Table<'_>> {
    let opened = env.open_databases_and_commit(env.read_txn()?, |opener, transaction| {
        let table = opener.open_database::<Bytes, Bytes>(transaction, None)?;
        Ok::<_, heed::Error>(table.map_or(CommitOrAbort::Abort(()), CommitOrAbort::Commit))
    })?;
    opened.commit().map_or_else(|| made(env), Ok)
}

/// The table of a store that has none yet.
fn made(env: &Env) -> Outcome<Table<'_>> {
    let made = env.create_databases_and_commit(env.write_txn()?, |opener, transaction| {
        let table = opener.create_database::<Bytes, Bytes>(transaction, None)?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(table))
    })?;
    made.commit().ok_or_else(|| "no table".into())
}

impl<'e> Reading<'e> {
    fn transaction(&self) -> Outcome<&RoTxn<'e, WithTls>> {
        self.transaction.as_ref().ok_or_else(|| "it is over".into())
    }
}

impl Reads for Reading<'_> {
    fn refresh(&mut self) -> Outcome {
        // One at a time for a thread.
        self.transaction = None;
        self.transaction = Some(self.env.read_txn()?);
        Ok(())
    }

    #[inline]
    fn read<T>(&mut self, key: &[u8], see: impl FnOnce(Option<&[u8]>) -> T) -> Outcome<T> {
        Ok(see(self.table.get(self.transaction()?, key)?))
    }

    fn each(&mut self, mut see: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for item in self.table.iter(self.transaction()?)? {
            see(item?.1)?;
        }
        Ok(())
    }

    fn len(&mut self) -> Outcome<u64> {
        Ok(self.table.len(self.transaction()?)?)
    }
}

impl Writes for Writing<'_> {
    fn write(&mut self, key: &[u8], value: &[u8]) -> Outcome {
        self.write_all(&[(key, value)])
    }

    fn write_all(&mut self, pairs: &[Pair<'_>]) -> Outcome {
        let mut transaction = self.env.write_txn()?;
        for (key, value) in pairs {
            self.table.put(&mut transaction, key, value)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn remove_all(&mut self, keys: &[&[u8]]) -> Outcome {
        let mut transaction = self.env.write_txn()?;
        for key in keys {
            self.table.delete(&mut transaction, key)?;
        }
        transaction.commit()?;
        Ok(())
    }
}
