//! Reads of a store that does not fit into memory: how long one takes and how much of the disk it reads.
//!
//! A store is written once; then each lane runs in a process of its own that is in a control group with less memory than the file is long,
//! and begins with nothing of the file in memory. Lanes: the store; 150 bytes at random places of a mapping of the same file, as the system
//! reads ahead by itself, and with `MADV_RANDOM`. The store goes through all entries too.
//!
//! `cargo bench -p tailstone --bench paging`, as a user who may make control groups (Linux); `TAILSTONE_BENCH_RECORDS` (2000000),
//! `TAILSTONE_BENCH_MIB` (128, of memory), `TAILSTONE_BENCH_READS` (2000) and `TAILSTONE_BENCH_ROUNDS` (3) change what is measured.

#[cfg(target_os = "linux")]
fn main() -> linux::Result<()> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("control groups are Linux's");
}

#[cfg(target_os = "linux")]
mod linux {
    #![expect(unsafe_code, reason = "the bare lanes map the file")]

    use std::env;
    use std::error::Error;
    use std::fs::{self, File};
    use std::hint::black_box;
    use std::ops::Range;
    use std::path::{Path, PathBuf};
    use std::process::{self, Command};
    use std::time::Instant;

    use memmap2::{Advice, Mmap};
    use rustix::fs::{Advice as FileAdvice, fadvise};
    use tailstone::{DataStore, DataStoreReader, DataStoreWriter};

    pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

    const LANES: [&str; 3] = ["store", "mapping", "mapping, MADV_RANDOM"];
    const VALUE: usize = 150;
    /// What an entry takes with its pad and its metadata.
    const ENTRY: u64 = 192;

    /// What is measured; of the system's memory, as much as the group has.
    struct Size {
        records: u64,
        mebibytes: u64,
        reads: u64,
        rounds: u64,
    }

    pub fn main() -> Result<()> {
        let size = Size {
            records: amount("TAILSTONE_BENCH_RECORDS", 2_000_000)?.max(1),
            mebibytes: amount("TAILSTONE_BENCH_MIB", 128)?,
            reads: amount("TAILSTONE_BENCH_READS", 2000)?.max(1),
            rounds: amount("TAILSTONE_BENCH_ROUNDS", 3)?.max(1),
        };
        if let Some(lane) = env::var_os("TAILSTONE_BENCH_LANE") {
            let path = env::var_os("TAILSTONE_BENCH_FILE").ok_or("no file was named")?;
            return one_lane(&lane.to_string_lossy(), Path::new(&path), &size);
        }
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let path = folder.path().join("store");
        write(&path, size.records)?;
        let group = Group::new(size.mebibytes << 20)?;
        println!(
            "{} records, {} MiB, in {} MiB of memory",
            size.records,
            fs::metadata(&path)?.len() >> 20,
            size.mebibytes
        );
        for _ in 0..size.rounds {
            for lane in LANES {
                forget(&path)?;
                let done = Command::new(env::current_exe()?)
                    .env("TAILSTONE_BENCH_LANE", lane)
                    .env("TAILSTONE_BENCH_FILE", &path)
                    .env("TAILSTONE_BENCH_GROUP", group.processes())
                    .status()?;
                if !done.success() {
                    return Err(format!("lane {lane}: {done}").into());
                }
            }
        }
        Ok(())
    }

    fn amount(name: &str, otherwise: u64) -> Result<u64> {
        Ok(match env::var(name) {
            Ok(text) => text.parse()?,
            Err(_) => otherwise,
        })
    }

    fn key(number: u64) -> [u8; 24] {
        let mut key = *b"a key of 24 bytes ......";
        for (to, from) in key.iter_mut().rev().zip(number.to_be_bytes().iter().rev()) {
            *to = *from;
        }
        key
    }

    fn write(path: &Path, records: u64) -> Result<()> {
        let store = DataStore::open(path)?;
        let value = [7; VALUE];
        let keys: Vec<_> = (0..records).map(key).collect();
        for keys in keys.chunks(10_000) {
            let batch: Vec<(&[u8], &[u8])> =
                keys.iter().map(|key| (&key[..], &value[..])).collect();
            store.batch_write(&batch)?;
        }
        store.close()?;
        Ok(())
    }

    /// Has no page of the file in memory.
    fn forget(path: &Path) -> Result<()> {
        let file = File::open(path)?;
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, FileAdvice::DontNeed)?)
    }

    fn one_lane(lane: &str, path: &Path, size: &Size) -> Result<()> {
        let group = env::var_os("TAILSTONE_BENCH_GROUP").ok_or("no group was named")?;
        fs::write(group, process::id().to_string())?;
        // Random enough: multiples of a prime that does not divide the number of records.
        let place = |read: u64| read.wrapping_mul(0x9e37_79b9) % size.records;
        if lane == "store" {
            let store = DataStore::open_existing(path)?;
            let read = |reads: Range<u64>| {
                Measured::by(reads.end - reads.start, || {
                    for read in reads {
                        let value = store.read(&key(place(read)))?;
                        let value = value.ok_or("a key is missing")?;
                        black_box(value.as_slice().iter().fold(0, |sum, byte| sum ^ byte));
                    }
                    Ok(())
                })
            };
            // With the parts of the index that are asked for; later ones find more and more of it there.
            read(1..size.reads + 1)?.print(lane, "random reads");
            let last = size.reads * 11;
            read(size.reads + 1..last + 1)?.print(lane, "ten times as many");
            let all = Measured::by(size.records, || {
                let mut entries = 0;
                for entry in store.iter_entries() {
                    black_box(entry.as_slice().first());
                    entries += 1;
                }
                (entries == size.records)
                    .then_some(())
                    .ok_or_else(|| "entries are missing".into())
            })?;
            all.print(lane, "all entries");
            return Ok(());
        }
        let file = File::open(path)?;
        // SAFETY: the file lies in a folder of our own, and nobody writes to it.
        let mapping = unsafe { Mmap::map(&file)? };
        if lane.ends_with("RANDOM") {
            mapping.advise(Advice::Random)?;
        }
        let random = Measured::by(size.reads, || {
            for read in 1..=size.reads {
                let at = usize::try_from(place(read) * ENTRY)?;
                let value = mapping.get(at..at + VALUE).ok_or("the file is short")?;
                black_box(value.iter().fold(0, |sum, byte| sum ^ byte));
            }
            Ok(())
        })?;
        random.print(lane, "random reads");
        Ok(())
    }

    /// What one operation took.
    struct Measured {
        microseconds: f64,
        kibibytes: f64,
    }

    impl Measured {
        #[expect(clippy::cast_precision_loss, reason = "figures of three digits")]
        fn by(operations: u64, work: impl FnOnce() -> Result<()>) -> Result<Self> {
            let (bytes, begun) = (bytes_from_disk()?, Instant::now());
            work()?;
            let elapsed = begun.elapsed();
            let bytes = bytes_from_disk()? - bytes;
            Ok(Self {
                microseconds: elapsed.as_secs_f64() * 1e6 / operations as f64,
                kibibytes: bytes as f64 / 1024.0 / operations as f64,
            })
        }

        fn print(&self, lane: &str, work: &str) {
            println!(
                "{lane:<24}{work:<20}{:>10.2} us each{:>10.2} KiB from the disk each",
                self.microseconds, self.kibibytes
            );
        }
    }

    fn bytes_from_disk() -> Result<u64> {
        let about = fs::read_to_string("/proc/self/io")?;
        let bytes = about
            .lines()
            .find_map(|line| line.strip_prefix("read_bytes: "));
        Ok(bytes.ok_or("the system does not count bytes")?.parse()?)
    }

    /// A control group that is there for as long as this is.
    struct Group(PathBuf);

    impl Group {
        fn new(bytes: u64) -> Result<Self> {
            let name = format!("tailstone-bench-{}", process::id());
            let root = Path::new("/sys/fs/cgroup");
            let first = root.join("memory");
            let (folder, limit) = if first.is_dir() {
                (first.join(name), "memory.limit_in_bytes")
            } else {
                (root.join(name), "memory.max")
            };
            fs::create_dir(&folder).map_err(|error| format!("make a control group: {error}"))?;
            let group = Self(folder);
            fs::write(group.0.join(limit), bytes.to_string())
                .map_err(|error| format!("bound a control group: {error}"))?;
            Ok(group)
        }

        fn processes(&self) -> PathBuf {
            self.0.join("cgroup.procs")
        }
    }

    impl Drop for Group {
        fn drop(&mut self) {
            // It is empty, and one that stays does no harm.
            let _ = fs::remove_dir(&self.0);
        }
    }
}
