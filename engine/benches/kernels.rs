//! The copy kernels against `core::ptr::copy_nonoverlapping`, on the ground each of them claims.
//!
//! `warm`: one destination again and again, which is in a cache if it fits. `mapped`: a walk through the pages of a shared
//! file mapping that are there already, from a source that was just made, as a store writes. `fresh`: the same through
//! pages that have to be made, destinations and sources never seen before. `read back`: `mapped`, and reading it right
//! after, so that what streaming stores leave to readers counts.
//!
//! `cargo bench -p tailstone --bench kernels -- mapped` runs one of them. A row that is called `memcpy` is
//! `copy_nonoverlapping`. A machine with other caches may well answer otherwise: thresholds are in `kernels/mod.rs`.

#![expect(unsafe_code, reason = "kernels write through pointers")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark may panic"
)]
#![allow(missing_docs, reason = "what criterion's macros make has none")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use memmap2::MmapMut;
#[cfg(target_arch = "x86_64")]
use tailstone::kernels::{Avx512, Sse2Stream};
use tailstone::kernels::{Scalar, copy_to};

/// What is written in one walk of `mapped` and `fresh`.
const REGION: usize = 128 << 20;
/// Metadata between two payloads.
const METADATA: usize = 20;

type Kernel = (&'static str, Box<dyn Fn(*mut u8, &[u8])>);

/// Every kernel that this CPU has, the one to beat first, what the engine picks last.
fn kernels() -> Vec<Kernel> {
    let mut all: Vec<Kernel> = Vec::new();
    if let Some(kernel) = Scalar::new() {
        // SAFETY: every destination below is exclusively owned and as long as the source.
        all.push((
            "memcpy",
            Box::new(move |to, from| unsafe { kernel.copy(to, from) }),
        ));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = Avx512::new() {
        // SAFETY: as above.
        all.push((
            "avx512",
            Box::new(move |to, from| unsafe { kernel.copy(to, from) }),
        ));
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = Sse2Stream::new() {
        // SAFETY: as above.
        all.push((
            "sse2 stream",
            Box::new(move |to, from| unsafe { kernel.copy(to, from) }),
        ));
    }
    // SAFETY: as above.
    all.push(("picked", Box::new(|to, from| unsafe { copy_to(to, from) })));
    all
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at % 251).unwrap_or(0))
        .collect()
}

/// A shared mapping of a file of its own, whose pages are not there yet.
fn mapping() -> MmapMut {
    let file = tempfile::tempfile().expect("a temporary file");
    file.set_len(REGION as u64).expect("room for it");
    // SAFETY: the file has no name, so nobody else can change it.
    unsafe { MmapMut::map_mut(&file).expect("a mapping") }
}

/// Writes the region full, entry behind entry as a store would, with `length` bytes each; how many that were.
fn walk(region: &mut [u8], source: &[u8], length: usize, kernel: &dyn Fn(*mut u8, &[u8])) -> u32 {
    let mut at = 0_usize;
    let mut count = 0;
    let mut from = 0;
    while let Some(destination) = region.get_mut(at..at + length) {
        // Sources begin at multiples of 16, as allocations do.
        from = if from + 4096 + length > source.len() {
            0
        } else {
            from + 1040
        };
        kernel(
            black_box(destination.as_mut_ptr()),
            black_box(&source[from..from + length]),
        );
        at = (at + length + METADATA).next_multiple_of(64);
        count += 1;
    }
    count
}

fn warm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("warm");
    let source = pattern((256 << 20) + 64);
    let mut destination = vec![1_u8; 256 << 20];
    let sizes = [
        8,
        64,
        150,
        512,
        1 << 10,
        2 << 10,
        4 << 10,
        16 << 10,
        64 << 10,
        256 << 10,
        1 << 20,
    ];
    for length in sizes
        .into_iter()
        .chain([4 << 20, 16 << 20, 64 << 20, 256 << 20])
    {
        group.throughput(Throughput::Bytes(length as u64));
        for (name, kernel) in kernels() {
            group.bench_function(BenchmarkId::new(name, length), |bencher| {
                bencher.iter(|| {
                    kernel(
                        black_box(destination.as_mut_ptr()),
                        black_box(&source[8..8 + length]),
                    );
                });
            });
        }
    }
}

fn mapped(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mapped");
    let mut region = mapping();
    region.fill(1);
    let sizes = [
        150,
        1 << 10,
        2 << 10,
        4 << 10,
        16 << 10,
        64 << 10,
        256 << 10,
        1 << 20,
    ];
    for length in sizes.into_iter().chain([4 << 20, 16 << 20, 64 << 20]) {
        let source = pattern(length.max(64 << 10) + 8192);
        group.throughput(Throughput::Bytes(length as u64));
        for (name, kernel) in kernels() {
            group.bench_function(BenchmarkId::new(name, length), |bencher| {
                bencher.iter_custom(|times| {
                    per_copy(times, || walk(&mut region, &source, length, &kernel))
                });
            });
        }
    }
}

fn fresh(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fresh");
    let source = pattern(REGION + 8192);
    for length in [150, 4 << 10, 64 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20] {
        group.throughput(Throughput::Bytes(length as u64));
        for (name, kernel) in kernels() {
            group.bench_function(BenchmarkId::new(name, length), |bencher| {
                bencher.iter_custom(|times| {
                    let mut region = mapping();
                    per_copy(times, || walk(&mut region, &source, length, &kernel))
                });
            });
        }
    }
}

fn read_back(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read back");
    let mut region = mapping();
    region.fill(1);
    for length in [1 << 20, 4 << 20, 16 << 20, 64 << 20] {
        let source = pattern(length);
        group.throughput(Throughput::Bytes(length as u64));
        for (name, kernel) in kernels() {
            let mut at = 0;
            group.bench_function(BenchmarkId::new(name, length), |bencher| {
                bencher.iter(|| {
                    at = if at + 2 * length > REGION {
                        0
                    } else {
                        at + length
                    };
                    let destination = &mut region[at..at + length];
                    kernel(destination.as_mut_ptr(), &source);
                    let (words, _) = destination.as_chunks::<8>();
                    words.iter().fold(0, |sum: u64, word| {
                        sum.wrapping_add(u64::from_le_bytes(*word))
                    })
                });
            });
        }
    }
}

/// Walks once, and reckons what `times` copies would have taken at that pace.
fn per_copy(times: u64, walk: impl FnOnce() -> u32) -> Duration {
    let start = Instant::now();
    let copies = walk();
    let each = start.elapsed().as_nanos() * u128::from(times) / u128::from(copies.max(1));
    Duration::from_nanos(u64::try_from(each).unwrap_or(u64::MAX))
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    targets = warm, mapped, fresh, read_back
}
criterion_main!(benches);
