//! The calls of `wasi:keyvalue` that both drafts have: written once, for types that have the same names in both.

/// Makes the module of a draft: how it counts, and how its cursors are written.
macro_rules! draft {
    ($module:ident, $draft:ident, $number:ty, $cursor_of:expr, $written:expr) => {
        pub mod $module {
            use crate::bindings::exports::tailstone::store::script::{Answer, BucketCall};
            use crate::bindings::tailstone::store::stores;
            use crate::bindings::wasi::$draft::atomics::increment;
            use crate::bindings::wasi::$draft::batch::{delete_many, get_many, set_many};
            use crate::bindings::wasi::$draft::store::{Bucket, Error, open};
            use crate::{drop_handle, put, said};

            impl From<Error> for Answer {
                fn from(error: Error) -> Self {
                    Self::Refused(match error {
                        Error::NoSuchStore => stores::Error::NoSuchStore,
                        Error::AccessDenied => stores::Error::AccessDenied,
                        Error::Other(sentence) => stores::Error::Other(sentence),
                    })
                }
            }

            /// Makes a call with the handle in a slot.
            pub fn take(slot: &mut Option<Bucket>, call: BucketCall) -> Answer {
                let call = match call {
                    BucketCall::Open(identifier) => return put(slot, open(&identifier)),
                    BucketCall::Drop => return drop_handle(slot),
                    call => call,
                };
                let Some(bucket) = slot else {
                    return Answer::NoHandle;
                };
                let done = |()| Answer::Done;
                match call {
                    BucketCall::Open(_) | BucketCall::Drop => Answer::NoHandle,
                    BucketCall::Get(key) => said(bucket.get(&key), Answer::Value),
                    BucketCall::Set((key, value)) => said(bucket.set(&key, &value), done),
                    BucketCall::Delete(key) => said(bucket.delete(&key), done),
                    BucketCall::Exists(key) => said(bucket.exists(&key), Answer::Is),
                    BucketCall::ListKeys(cursor) => {
                        let cursor = cursor.as_deref().map($cursor_of);
                        said(bucket.list_keys(cursor), |page| {
                            Answer::Listed((page.keys, page.cursor.map($written)))
                        })
                    }
                    BucketCall::Increment((key, delta)) => {
                        let sum =
                            increment(bucket, &key, <$number>::from_le_bytes(delta.to_le_bytes()));
                        said(sum, |sum| {
                            Answer::Number(u64::from_le_bytes(sum.to_le_bytes()))
                        })
                    }
                    BucketCall::GetMany(keys) => said(get_many(bucket, &keys), Answer::Found),
                    BucketCall::SetMany(pairs) => said(set_many(bucket, &pairs), done),
                    BucketCall::DeleteMany(keys) => said(delete_many(bucket, &keys), done),
                }
            }
        }
    };
}

draft!(
    first,
    keyvalue0_2_0_draft,
    u64,
    |cursor: &str| cursor.parse().unwrap_or(u64::MAX),
    |cursor: u64| cursor.to_string()
);
draft!(
    second,
    keyvalue0_2_0_draft2,
    i64,
    |cursor| cursor,
    |cursor: String| cursor
);
