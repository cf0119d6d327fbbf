//! `tailstone-host store`: one command on one store, by the engine inside the sandbox.

use std::io::{self, Read};
use std::path::Path;

use tailstone_host::folder::{self, Tally};
use tailstone_host::{
    Access, Cache, Error, Limits, Result, Runtime, Session, find_component, unlock,
};

use crate::arguments::StoreCommand;
use crate::report::{self, FolderReport, InfoReport};

/// Runs `command` on the store at `file`; the program's status.
pub fn run(
    file: &Path,
    component: Option<&Path>,
    bucket: &str,
    limits: Limits,
    command: &StoreCommand,
) -> Result<u8> {
    if matches!(command, StoreCommand::Unlock) {
        unlock(file)?;
        return Ok(0);
    }
    let runtime = Runtime::with_cache(&find_component(component)?, limits, &Cache::User)?;
    let open = |access| runtime.open_bucket(file, bucket.as_bytes(), access);
    match command {
        StoreCommand::Put { key, value } => {
            let value = match value {
                Some(value) => value.clone().into_bytes(),
                None => standard_input()?,
            };
            let mut session = open(Access::Create)?;
            session.put(key.as_bytes(), &value)?;
            session.close()?;
        }
        StoreCommand::Get { key } => match open(Access::Read)?.get(key.as_bytes())? {
            Some(value) => report::payload(&value)?,
            None => return Err(Error::KeyNotFound(key.clone())),
        },
        StoreCommand::Delete { key } => {
            let mut session = open(Access::Write)?;
            let deleted = session.delete(key.as_bytes())?;
            session.close()?;
            if !deleted {
                return Err(Error::KeyNotFound(key.clone()));
            }
        }
        StoreCommand::Exists { key } => {
            if !open(Access::Read)?.exists(key.as_bytes())? {
                return Err(Error::KeyNotFound(key.clone()));
            }
        }
        StoreCommand::Scan { prefix, null } => {
            let end = if *null { b'\0' } else { b'\n' };
            scan(&mut open(Access::Read)?, prefix.as_bytes(), end)?;
        }
        StoreCommand::Info { json } => {
            let figures = InfoReport::from(open(Access::Read)?.info()?);
            if *json {
                report::json(&figures)?;
            } else {
                report::bytes(figures.in_words().as_bytes())?;
            }
        }
        StoreCommand::Import { folder } => {
            let mut session = open(Access::Create)?;
            let put = folder::import(&mut session, folder)?;
            check(session, folder, Some(put))?;
        }
        StoreCommand::Check { folder } => check(open(Access::Read)?, folder, None)?,
        StoreCommand::Unlock => {}
    }
    Ok(0)
}

/// Prints the keys, page by page, each with `end` behind it.
fn scan(session: &mut Session, prefix: &[u8], end: u8) -> Result<()> {
    let mut cursor = None;
    loop {
        let page = session.scan(prefix, cursor.as_deref(), u32::MAX)?;
        let mut lines = Vec::new();
        for key in &page.keys {
            lines.extend_from_slice(key);
            lines.push(end);
        }
        report::bytes(&lines)?;
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

fn check(mut session: Session, folder: &Path, put: Option<Tally>) -> Result<()> {
    let got = folder::check(&mut session, folder)?;
    let store_bytes = session.info()?.store_bytes;
    session.close()?;
    report::json(&FolderReport::new(put, got, store_bytes))
}

fn standard_input() -> Result<Vec<u8>> {
    let mut value = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut value)
        .map_err(|source| Error::Io {
            doing: "read standard input",
            source,
        })?;
    Ok(value)
}
