//! Recovery: a sound store that is then flipped, cut, spliced and grown in places that the input chooses.

use super::open::opened;
use super::source::Source;
use super::watched::Watched;
use tailstone::{Batch, DataStoreWriter, Options, compute_hash};

/// Writes a store as the input says, changes its bytes as the input says, and opens what that makes.
pub fn recovery(data: &[u8]) {
    let mut source = Source::new(data);
    let (mut bytes, tails) = written(&mut source);
    let sound = opened(&bytes).expect("nothing was changed yet");
    let mut cut_at = bytes.len();
    let mut only_cut = true;
    for _ in 0..8 {
        if source.is_empty() {
            break;
        }
        let len = bytes.len();
        match source.byte() % 9 {
            0 => {
                cut_at = cut_at.min(source.below(len + 1));
                bytes.truncate(cut_at);
                continue;
            }
            1 if len > 0 => bytes[source.below(len)] ^= source.byte() | 1,
            2 => {
                let copied = bytes[source.range(len)].to_vec();
                let at = source.below(len + 1);
                bytes.splice(at..at, copied);
            }
            3 => {
                let copied = bytes[source.range(len)].to_vec();
                let at = source.below(len - copied.len() + 1);
                bytes[at..at + copied.len()].copy_from_slice(&copied);
            }
            4 => bytes[source.range(len)].fill(0),
            5 => drop(bytes.drain(source.range(len))),
            6 => {
                let own_start = bytes[..source.below(len + 1)].to_vec();
                bytes.extend(own_start);
            }
            // A link or a checksum, where these lie.
            7 if !tails.is_empty() => {
                let end = tails[source.below(tails.len())];
                let (at, value) = (source.byte(), source.number().to_le_bytes());
                let at = end.saturating_sub(usize::from(at % 20));
                if let Some(place) = bytes.get_mut(at..(at + 8).min(len)) {
                    place.copy_from_slice(&value[..place.len()]);
                }
            }
            _ => {
                let more = source.byte();
                bytes.extend_from_slice(source.take(usize::from(more)));
            }
        }
        only_cut = false;
    }
    let live = opened(&bytes);
    if only_cut {
        // What ends below the cut is there, unless it was replaced later; a batch may go as a whole.
        let entries = live.map_or(0, |live| live.len());
        assert!(entries <= sound.len().max(tails.len()));
    }
}

/// A store with entries of all kinds, and where each of its writes ended.
fn written(source: &mut Source<'_>) -> (Vec<u8>, Vec<usize>) {
    let device = Watched::default();
    let store = device.open(&Options::new()).unwrap();
    let mut tails = Vec::new();
    for _ in 0..source.byte() % 12 {
        let key = [source.byte() % 6];
        let value = value(source);
        match source.byte() % 7 {
            0 | 1 => drop(store.write(&key, &value)),
            2 => drop(store.delete(&key)),
            3 => {
                let mut batch = Batch::new();
                for at in 0..source.byte() % 5 {
                    batch.put(&[at], &value[..]);
                }
                batch.delete(&key);
                drop(store.commit(&batch));
            }
            4 => drop(store.bucket(b"bucket").unwrap().set(&key, &value)),
            5 => {
                let until = source.number();
                drop(store.bucket(b"").unwrap().set_until(&key, &value, until));
            }
            // A store within the store.
            _ => drop(store.write_with_key_hash(compute_hash(&key), &device.bytes())),
        }
        tails.push(usize::try_from(store.tail()).unwrap());
    }
    store.close().unwrap();
    (device.bytes(), tails)
}

fn value(source: &mut Source<'_>) -> Vec<u8> {
    let len = usize::from(source.byte());
    match len {
        // Longer than what opening checks, with little of the input.
        250.. => vec![source.byte(); (len - 249) * 1500],
        200.. => vec![0; len],
        _ => source.take(len).to_vec(),
    }
}
