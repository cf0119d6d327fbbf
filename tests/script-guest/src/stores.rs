//! The calls of `tailstone:store`.

use crate::bindings::exports::tailstone::store::script::{Answer, StoreCall};
use crate::bindings::tailstone::store::stores::{Error, Store};
use crate::{drop_handle, put, said};

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Makes a call with the handle in a slot.
pub fn take(slot: &mut Option<Store>, call: StoreCall) -> Answer {
    let call = match call {
        StoreCall::Open((name, bucket, access)) => {
            return put(slot, Store::open(&name, &bucket, access));
        }
        StoreCall::Drop => return drop_handle(slot),
        StoreCall::Close => {
            let Some(store) = slot.take() else {
                return Answer::NoHandle;
            };
            return said(Store::close(store), done);
        }
        call => call,
    };
    let Some(store) = slot else {
        return Answer::NoHandle;
    };
    match call {
        StoreCall::Open(_) | StoreCall::Drop | StoreCall::Close => Answer::NoHandle,
        StoreCall::Get(key) => said(store.get(&key), Answer::Value),
        StoreCall::GetRange((key, offset, len)) => {
            said(store.get_range(&key, offset, len), Answer::Value)
        }
        StoreCall::Stat(key) => said(store.stat(&key), Answer::Stat),
        StoreCall::GetPacked(keys) => said(store.get_packed(&keys), Answer::Packed),
        StoreCall::Put((key, value)) => said(store.put(&key, &value), done),
        StoreCall::PutIf((key, value, expected)) => {
            said(store.put_if(&key, &value, expected), Answer::Is)
        }
        StoreCall::Delete(key) => said(store.delete(&key), Answer::Is),
        StoreCall::AppendBatch(changes) => said(store.append_batch(&changes), done),
        StoreCall::Scan((prefix, cursor, max)) => {
            said(store.scan(&prefix, cursor.as_deref(), max), Answer::Keys)
        }
        StoreCall::Changes((since, max)) => said(store.changes(since, max), Answer::Changes),
        StoreCall::Sync => said(store.sync(), done),
        StoreCall::Compact => said(store.compact(), done),
        StoreCall::Info => said(store.info(), Answer::Info),
    }
}

const fn done((): ()) -> Answer {
    Answer::Done
}
