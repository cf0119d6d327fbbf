//! Opening: an error and an untouched file, or a store that is the same on every backing and when it is opened again.

use super::examine::{Live, examine};
use super::watched::Watched;
use tailstone::backing::MemoryBacking;
use tailstone::{DataStoreWriter, Error, Options, Store};

/// Opens a file of these bytes, in all ways, and looks at all that is in it.
pub fn open(data: &[u8]) {
    opened(data);
}

/// How often opening may go through the file, all in all. It begins again at most four times, for torn batches.
const PASSES: u64 = 40;
/// What it may read besides: checksums computed directly, for each of those beginnings.
const BUDGET: u64 = 5 * (16 << 20);

/// What is live in a file of these bytes; `None` if it is refused.
pub fn opened(data: &[u8]) -> Option<Vec<Live>> {
    let untouched = Watched::new(data);
    let read_only = untouched.open(&Options::new().read_only(true));
    assert!(
        untouched.read_bytes() <= BUDGET + PASSES * data.len() as u64,
        "{} bytes were read of {}",
        untouched.read_bytes(),
        data.len()
    );
    let read_only = read_only.map(|store| examine(&store, data));
    assert_eq!(untouched.changes(), 0, "opened for reading, and changed");

    let resident = MemoryBacking::from_bytes(data).unwrap();
    let resident = Store::open_with(resident, &Options::new().read_only(true));
    let device = Watched::new(data);
    let store = device.open(&Options::new());
    let live = match (read_only, store, resident) {
        (Ok(live), Ok(store), Ok(resident)) => {
            assert!(examine(&resident, data) == live, "another store in memory");
            assert!(examine(&store, data) == live, "another store for writing");
            let tail = store.tail();
            let kept = &data[..usize::try_from(tail).unwrap()];
            assert!(
                device.bytes() == kept,
                "more was changed than the tail cut off"
            );
            drop(store);
            assert!(
                again(&device, kept) == live,
                "another store the second time"
            );
            live
        }
        (Err(one), Err(two), Err(three)) => {
            for error in [one, two, three] {
                assert!(
                    matches!(error, Error::NotAStore { .. } | Error::Corrupt { .. }),
                    "{error}"
                );
            }
            assert_eq!(device.changes(), 0, "refused, and changed");
            assert!(untouched.bytes() == data && device.bytes() == data);
            return None;
        }
        (one, two, three) => panic!("{one:?}, {two:?}, {three:?}"),
    };
    written_to(&device, live.len());
    Some(live)
}

/// Opens what the first opening left: nothing is to be cut any more.
fn again(device: &Watched, kept: &[u8]) -> Vec<Live> {
    let changes = device.changes();
    let store = device.open(&Options::new()).expect("opened once before");
    let live = examine(&store, kept);
    drop(store);
    assert_eq!(device.changes(), changes, "cut twice");
    live
}

/// Takes one more value.
fn written_to(device: &Watched, live: usize) {
    let key = b"a key that was not there";
    let store = device.open(&Options::new()).unwrap();
    store.write(key, b"a value").unwrap();
    drop(store);
    let bytes = device.bytes();
    let store = device.open(&Options::new()).unwrap();
    assert_eq!(examine(&store, &bytes).len(), live + 1);
}
