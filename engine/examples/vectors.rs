//! A small vector index: embeddings read as numbers where they lie in the file, and the nearest of them by dot product.
//!
//! `cargo run --release --example vectors`

use std::error::Error;
use std::time::Instant;

use tailstone::DataStore;

const DIMENSIONS: usize = 128;
const TOPICS: usize = 10;
const DOCUMENTS: usize = 5000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("vectors.tsl");

    // Somebody else's model makes embeddings; ours are made up. Documents of one topic lie close to each other.
    let mut random = Random(7);
    let topics: Vec<_> = (0..TOPICS).map(|_| random.direction()).collect();
    let documents: Vec<(String, Vec<f32>)> = (0..DOCUMENTS)
        .map(|n| {
            let (topic, own) = (n % TOPICS, random.direction());
            let about = topics.get(topic).map_or(&[][..], Vec::as_slice);
            let mixed = about.iter().zip(&own).map(|(about, own)| about + 0.5 * own);
            (
                format!("topic {topic}, document {n}"),
                normal(mixed.collect()),
            )
        })
        .collect();

    // A vector goes in as the bytes it is: no serialisation. A batch of thousands takes one append, and counts as a whole or not
    // at all. (The bytes are this machine's; files for others are little-endian like most machines.)
    let store = DataStore::open(&path)?;
    let embeddings = store.bucket("embeddings")?;
    let pairs: Vec<(&[u8], &[u8])> = documents
        .iter()
        .map(|(name, vector)| (name.as_bytes(), bytemuck::cast_slice(vector)))
        .collect();
    embeddings.set_many(&pairs)?;
    store.close()?;

    // Any other day, any other program. Values begin at multiples of 64 bytes in the file and in memory, so the slice of
    // bytes is a slice of numbers as well: nothing is parsed, nothing is copied, and vector instructions load whole cache lines.
    let store = DataStore::options().read_only(true).open(&path)?;
    let embeddings = store.bucket("embeddings")?;
    let one = embeddings
        .get(b"topic 3, document 3")?
        .ok_or("no such document")?;
    let numbers: &[f32] = as_numbers(&one)?;
    assert_eq!(numbers.len(), DIMENSIONS);
    assert_eq!(numbers.as_ptr().addr() % 64, 0);
    assert_eq!(
        numbers.as_ptr().addr(),
        one.as_ptr().addr(),
        "the very same memory"
    );

    // The index is a list of names and of values where they lie: some bytes for each, however long the vectors are.
    let names = embeddings.iter_keys(b"").collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let values = embeddings.get_many(&keys)?;
    let vectors = values
        .iter()
        .map(|value| as_numbers(value.as_ref().ok_or("a key without a value")?))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;

    // A question about topic 3, and the five documents that are nearest to it.
    let asked = topics.get(3).ok_or("no such topic")?;
    let begun = Instant::now();
    let mut found: Vec<_> = vectors
        .iter()
        .zip(&names)
        .map(|(vector, name)| (dot(asked, vector), name))
        .collect();
    found.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    println!(
        "searched {DOCUMENTS} vectors of {DIMENSIONS} numbers in {:?}:",
        begun.elapsed()
    );
    for (nearness, name) in found.iter().take(5) {
        let name = String::from_utf8_lossy(name);
        println!("  {nearness:.3}  {name}");
        assert!(name.starts_with("topic 3, "), "{name}");
    }
    // All of the topic's documents come before all others.
    let of_topic = found
        .iter()
        .take_while(|(_, name)| name.starts_with(b"topic 3, "))
        .count();
    assert_eq!(of_topic, DOCUMENTS / TOPICS);
    Ok(())
}

/// The bytes of a value as the numbers they are; what has another length, or lay elsewhere, is refused and not misread.
fn as_numbers(bytes: &[u8]) -> Result<&[f32], Box<dyn Error>> {
    bytemuck::try_cast_slice(bytes).map_err(|error| error.to_string().into())
}

/// Eight sums side by side, which compilers turn into vector instructions.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (left, _) = left.as_chunks::<8>();
    let (right, _) = right.as_chunks::<8>();
    for (left, right) in left.iter().zip(right) {
        for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    sums.iter().sum()
}

/// The vector of length 1 in the same direction.
fn normal(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

/// Xorshift, so that every run finds the same.
struct Random(u64);

impl Random {
    fn direction(&mut self) -> Vec<f32> {
        let vector = (0..DIMENSIONS).map(|_| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let [byte, ..] = self.0.to_be_bytes();
            f32::from(byte) - 127.5
        });
        normal(vector.collect())
    }
}
