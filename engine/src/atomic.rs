//! What readers and the writer meet at: atomics of std, and loom's where every interleaving of them is tried.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

/// Runs `test` in every order with so many switches away from a thread that could have gone on, and `TAILSTONE_SWITCHES` more.
#[cfg(all(test, loom))]
pub(crate) fn explore(switches: usize, test: impl Fn() + Send + Sync + 'static) {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    let more = std::env::var("TAILSTONE_SWITCHES").ok();
    let more = more.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(switches + more);
    builder.max_branches = 100_000;
    let orders = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&orders);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        test();
    });
    let orders = orders.load(Ordering::Relaxed);
    println!("{orders} orders");
    assert!(orders > 1, "one order is none");
}
