//! The names of the public interface, at every path and with the types that code written for the reference relies on.

use crate::scratch::{Scratch, new_store};
use std::io;
use std::path::PathBuf;
use tailstone::traits::{DataStoreReader, DataStoreWriter};
use tailstone::{DataStore, EntryHandle, EntryMetadata};

/// Each path by which the reference has a name.
#[allow(unused_imports, reason = "that they resolve is the test")]
mod paths {
    use tailstone::constants::NULL_BYTE as _;
    use tailstone::digest::compute_hash as _;
    use tailstone::storage_engine::constants::METADATA_SIZE as _;
    use tailstone::storage_engine::digest::{
        compute_checksum as _, compute_hash as _, compute_hash_batch as _,
    };
    use tailstone::storage_engine::traits::{DataStoreReader as _, DataStoreWriter as _};
    use tailstone::storage_engine::{
        DataStore as _, EntryHandle as _, EntryIterator as _, EntryMetadata as _, EntryStream as _,
    };
    use tailstone::utils::{NamespaceHasher as _, align_or_copy as _};
    use tailstone::{EntryIterator as _, EntryStream as _, NULL_BYTE as _};
    use tailstone::{compute_checksum as _, compute_hash_batch as _};
}

/// As a caller of the reference may be generic over its readers.
fn total<R>(store: &R, keys: &[&[u8]]) -> io::Result<usize>
where
    R: DataStoreReader<EntryHandleType = EntryHandle>,
{
    let values = store.batch_read(keys)?;
    Ok(values.iter().flatten().map(EntryHandle::size).sum())
}

/// As a caller may hand the errors of both traits on.
fn fill(store: &DataStore) -> io::Result<u64> {
    store.write_stream(b"streamed", &mut &b"a stream"[..])?;
    store.batch_write(&[(b"a", b"first"), (b"b", b"second")])?;
    let tail = store.delete(b"a")?;
    Ok(tail)
}

#[test]
fn functions_over_io_results_compile() {
    let (_scratch, store) = new_store();
    let tail = fill(&store).unwrap();
    assert_eq!(store.file_size().unwrap(), tail);
    assert_eq!(total(&store, &[b"streamed", b"a", b"b"]).unwrap(), 14);
    let refused = store.write(b"key", b"").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn the_constants_have_their_values_and_types() {
    use tailstone::constants::{
        CHECKSUM_LEN, CHECKSUM_RANGE, KEY_HASH_RANGE, METADATA_SIZE, NULL_BYTE, PAYLOAD_ALIGN_LOG2,
        PAYLOAD_ALIGNMENT, PREV_OFFSET_RANGE,
    };
    let metadata = EntryMetadata::new(1, 2, [3; CHECKSUM_LEN]);
    let bytes: [u8; METADATA_SIZE] = metadata.serialize();
    assert_eq!(bytes[KEY_HASH_RANGE], 1_u64.to_le_bytes());
    assert_eq!(bytes[PREV_OFFSET_RANGE], 2_u64.to_le_bytes());
    assert_eq!(bytes[CHECKSUM_RANGE], [3; 4]);
    assert_eq!(EntryMetadata::deserialize(&bytes).prev_offset, 2);
    let (log2, alignment): (u8, u64) = (PAYLOAD_ALIGN_LOG2, PAYLOAD_ALIGNMENT);
    assert_eq!(1 << log2, alignment);
    assert_eq!(NULL_BYTE, [0]);
}

#[test]
fn a_handle_tells_what_it_told() {
    let (_scratch, store) = new_store();
    store.write(b"key", b"value").unwrap();
    let handle = store.read(b"key").unwrap().unwrap();
    let (size, in_file): (usize, usize) = (handle.size(), handle.file_size());
    assert_eq!((size, in_file), (5, 25));
    let metadata: EntryMetadata = store.read_metadata(b"key").unwrap().unwrap();
    assert_eq!(metadata.key_hash, handle.key_hash());
    assert_eq!(metadata.checksum, handle.raw_checksum());
    assert_eq!(handle.metadata().prev_offset, 0);
    assert_eq!(handle.checksum().to_le_bytes(), handle.raw_checksum());
    let (vec, slice): (Vec<u8>, &[u8]) = (b"value".to_vec(), b"value");
    assert!(handle == vec && handle == slice && handle == *slice);
    let borrowed: &[u8] = handle.as_ref();
    assert_eq!(borrowed, &*handle);
    assert_eq!(handle.offset_range(), 0..5);
    assert_eq!(handle.end_offset() - handle.start_offset(), 5);
}

#[test]
fn the_small_functions_are_there() {
    use tailstone::utils::{
        append_extension, format_bytes, parse_buffer_size, verify_file_existence,
    };
    let scratch = Scratch::new();
    let path = scratch.path("store.bin");
    let store = DataStore::from(path.clone());
    assert_eq!(store.get_path(), path);
    assert!(verify_file_existence(&path).is_ok());
    let absent: PathBuf = append_extension(&path, "bk");
    assert_eq!(absent, scratch.path("store.bin.bk"));
    let error = verify_file_existence(&absent).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(parse_buffer_size("64K"), Ok(65_536));
    assert!(parse_buffer_size("64 parsecs").is_err());
    assert_eq!(format_bytes(512), "512 bytes");
    assert_eq!(format_bytes(1536), "1.50 KB");
}
