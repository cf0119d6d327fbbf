//! The same with a lock that loom does not see, and what it promises told to loom: who loads sees what came before the store. The
//! protocol itself is tried in `slots.rs`.

use crate::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) struct Current<T> {
    value: Mutex<Arc<T>>,
    order: AtomicU64,
}

impl<T> Current<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self {
            value: Mutex::new(value),
            order: AtomicU64::new(0),
        }
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.load_full()
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        self.order.fetch_add(1, Ordering::AcqRel);
        Arc::clone(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        self.order.fetch_add(1, Ordering::AcqRel);
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
