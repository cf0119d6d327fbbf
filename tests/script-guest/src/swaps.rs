//! The calls of `cas`, which the second draft has.

use crate::bindings::exports::tailstone::store::script::{Answer, CasCall};
use crate::bindings::wasi::keyvalue0_2_0_draft2::atomics::{Cas, CasError, swap};
use crate::bindings::wasi::keyvalue0_2_0_draft2::store::Bucket;
use crate::{Slots, drop_handle, put, said, slot};

/// Makes a call with the handle in a slot of swaps, or one for it of a bucket's.
pub fn take(buckets: &mut Slots<Bucket>, own: &mut Option<Cas>, call: CasCall) -> Answer {
    match call {
        CasCall::New((number, key)) => match slot(buckets, number) {
            Some(bucket) => put(own, Cas::new(bucket, &key)),
            None => Answer::NoHandle,
        },
        CasCall::Drop => drop_handle(own),
        CasCall::Current => match own {
            Some(cas) => said(cas.current(), Answer::Value),
            None => Answer::NoHandle,
        },
        CasCall::Swap(value) => {
            let Some(cas) = own.take() else {
                return Answer::NoHandle;
            };
            match swap(cas, &value) {
                Ok(()) => Answer::Done,
                Err(CasError::StoreError(error)) => error.into(),
                Err(CasError::CasFailed(again)) => {
                    *own = Some(again);
                    Answer::CasFailed
                }
            }
        }
    }
}
