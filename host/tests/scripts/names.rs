//! What a script reached: each kind of call by each grant, with each kind of outcome.

use super::rules::Kind;
use super::{Answer, BucketCall, CasCall, Step, StoreCall};

/// Bytes of keys that are near the most on a page.
const LONG: usize = 3 << 16;

/// The name of a call.
pub fn call(step: &Step) -> String {
    match step {
        Step::Store((_, call)) => format!("store {}", of_store(call)),
        Step::First((_, call)) => format!("first {}", of_bucket(call)),
        Step::Second((_, call)) => format!("second {}", of_bucket(call)),
        Step::Cas((_, call)) => format!("cas {}", of_cas(call)),
    }
}

fn of_store(call: &StoreCall) -> &'static str {
    match call {
        StoreCall::Open(_) => "open",
        StoreCall::Drop => "drop",
        StoreCall::Close => "close",
        StoreCall::Get(_) => "get",
        StoreCall::GetRange(_) => "get-range",
        StoreCall::Stat(_) => "stat",
        StoreCall::GetPacked(_) => "get-packed",
        StoreCall::Put(_) => "put",
        StoreCall::PutIf((_, _, None)) => "put-if none",
        StoreCall::PutIf(_) => "put-if",
        StoreCall::Delete(_) => "delete",
        StoreCall::AppendBatch(_) => "append-batch",
        StoreCall::Scan((_, None, _)) => "scan",
        StoreCall::Scan(_) => "scan on",
        StoreCall::Changes((0, _)) => "changes",
        StoreCall::Changes(_) => "changes on",
        StoreCall::Sync => "sync",
        StoreCall::Compact => "compact",
        StoreCall::Info => "info",
    }
}

fn of_bucket(call: &BucketCall) -> &'static str {
    match call {
        BucketCall::Open(_) => "open",
        BucketCall::Drop => "drop",
        BucketCall::Get(_) => "get",
        BucketCall::Set(_) => "set",
        BucketCall::Delete(_) => "delete",
        BucketCall::Exists(_) => "exists",
        BucketCall::ListKeys(None) => "list-keys",
        BucketCall::ListKeys(_) => "list-keys on",
        BucketCall::Increment(_) => "increment",
        BucketCall::GetMany(_) => "get-many",
        BucketCall::SetMany(_) => "set-many",
        BucketCall::DeleteMany(_) => "delete-many",
    }
}

const fn of_cas(call: &CasCall) -> &'static str {
    match call {
        CasCall::New(_) => "new",
        CasCall::Drop => "drop",
        CasCall::Current => "current",
        CasCall::Swap(_) => "swap",
    }
}

/// What kind of answer it is.
pub fn outcome(answer: &Answer) -> String {
    let page = |count: usize, is_last: bool, bytes: usize| {
        let keys = match count {
            0 => "nothing",
            1..=50 if bytes > LONG => "long ones",
            1..=50 => "some",
            _ => "many",
        };
        format!("{keys}{}", if is_last { "" } else { " and more" })
    };
    match answer {
        Answer::NoHandle => "no handle".to_owned(),
        Answer::Done => "done".to_owned(),
        Answer::Refused(error) => format!("refused as {:?}", Kind::from(error)),
        Answer::Is(is) => is.to_string(),
        Answer::Value(None) | Answer::Stat(None) => "nothing".to_owned(),
        Answer::Value(Some(value)) if value.is_empty() => "an empty value".to_owned(),
        Answer::Value(Some(_)) | Answer::Stat(Some(_)) => "a value".to_owned(),
        Answer::Packed(packed) => page(packed.extents.iter().flatten().count(), true, 0),
        Answer::Keys(keys) => {
            let bytes = keys.keys.iter().map(Vec::len).sum();
            page(keys.keys.len(), keys.cursor.is_none(), bytes)
        }
        Answer::Changes(made) => {
            let bytes = made.changes.iter().map(|made| made.key.len()).sum();
            page(made.changes.len(), made.is_last, bytes)
        }
        Answer::Info(_) => "figures".to_owned(),
        Answer::Listed((keys, cursor)) => {
            let bytes = keys.iter().map(String::len).sum();
            page(keys.len(), cursor.is_none(), bytes)
        }
        Answer::Found(found) => page(found.iter().flatten().count(), true, 0),
        Answer::Number(_) => "a number".to_owned(),
        Answer::CasFailed => "too late".to_owned(),
    }
}
