//! What a module has instead of instructions and of the system's copy: checksums by tables and by sums of words, copies by
//! `memory.copy` and by registers.
//!
//! `cargo xtask bench-kernels` builds it as WASI programs, with SIMD and without, and runs them under wasmtime, in Node and in a
//! browser. The kernels take turns in each round; what is printed is the least of all rounds, in nanoseconds and without what a call
//! of nothing takes, and how many times as long the first took as the second.

#![cfg_attr(
    target_arch = "wasm32",
    expect(unsafe_code, reason = "kernels write through pointers")
)]
#![cfg_attr(
    target_arch = "wasm32",
    expect(clippy::indexing_slicing, reason = "a benchmark may panic")
)]

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("these kernels are those of wasm: `cargo xtask bench-kernels`");
}

#[cfg(target_arch = "wasm32")]
fn main() {
    wasm::main();
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    #[cfg(target_feature = "simd128")]
    use tailstone::kernels::Simd128;
    use tailstone::kernels::{Scalar, copy_to, crc32};

    const ROUNDS: usize = 60;
    /// So long each kernel is called in a round: long for the clock of a browser, and short enough to be left alone at times.
    const SLICE: Duration = Duration::from_millis(1);
    const MOST: usize = 1 << 20;

    type Kernel<'a> = (&'a str, &'a dyn Fn(usize));

    pub fn main() {
        let source: Vec<u8> = (0..MOST + 64).map(|at| at.to_le_bytes()[0]).collect();
        let mut destination = vec![1_u8; MOST + 64];
        // Where a payload lies is a multiple of 64.
        let at = destination.as_ptr().align_offset(64);
        let to = destination[at..at + MOST].as_mut_ptr();
        let tables = |length: usize| {
            black_box(crc32::hash_by_tables(black_box(&source[..length])));
        };
        let picked = |length: usize| {
            black_box(crc32::hash(black_box(&source[..length])));
        };
        println!("CRC-32\n");
        let sizes = [
            16,
            64,
            150,
            256,
            511,
            512,
            1 << 10,
            4095,
            4096,
            16_384,
            65_536,
            MOST,
        ];
        compare(&sizes, &[("tables", &tables), ("picked", &picked)]);

        let scalar = |length| {
            // SAFETY: there are `MOST` bytes, which nobody else has.
            unsafe { Scalar::new_unchecked().copy(to, black_box(&source[..length])) }
        };
        #[cfg(target_feature = "simd128")]
        let registers = |length| {
            // SAFETY: as above.
            unsafe { Simd128::new_unchecked().copy(to, black_box(&source[..length])) }
        };
        let picked = |length| {
            // SAFETY: as above.
            unsafe { copy_to(to, black_box(&source[..length])) }
        };
        println!("\nCopies\n");
        let sizes = [
            8,
            24,
            64,
            150,
            256,
            512,
            768,
            1023,
            1 << 10,
            1536,
            2048,
            4096,
            16_384,
            65_536,
            MOST,
        ];
        compare(
            &sizes,
            &[
                ("memory.copy", &scalar),
                #[cfg(target_feature = "simd128")]
                ("SIMD128", &registers),
                ("picked", &picked),
            ],
        );
    }

    /// Prints a row for each of the sizes.
    fn compare(sizes: &[usize], kernels: &[Kernel]) {
        print!("| bytes |");
        for (name, _) in kernels {
            print!(" {name} |");
        }
        print!(" ratio |\n|---:|---:|");
        println!("{}", "---:|".repeat(kernels.len()));
        let nothing: &dyn Fn(usize) = &|length| {
            black_box(black_box(&[0_u8; 8]).get(..length));
        };
        let nothing = (0..ROUNDS).fold(f64::INFINITY, |least, _| {
            least.min(nanoseconds(|| nothing(0)))
        });
        for size in sizes {
            let mut least = vec![f64::INFINITY; kernels.len()];
            for _ in 0..ROUNDS {
                for ((_, kernel), least) in kernels.iter().zip(&mut least) {
                    *least = least.min(nanoseconds(|| kernel(*size)) - nothing);
                }
            }
            print!("| {size} |");
            for nanoseconds in &least {
                print!(" {nanoseconds:.1} |");
            }
            println!(" {:.2} |", least[0] / least[1]);
        }
    }

    /// What a call takes; as many in a row as fit into the slice.
    fn nanoseconds(call: impl Fn()) -> f64 {
        let mut times = 1;
        loop {
            let start = Instant::now();
            for _ in 0..times {
                call();
            }
            let taken = start.elapsed();
            if taken >= SLICE {
                return taken.as_secs_f64() * 1e9 / f64::from(times);
            }
            times *= 2;
        }
    }
}
