//! `info` and `metadata`: what the store and its entries are.

use std::path::Path;

use serde::Serialize;
use tailstone::DataStoreReader;

use crate::args::Switches;
use crate::exit::{Failure, Result};
use crate::json::{self, Table, hex};
use crate::open;
use crate::size;

#[derive(Serialize)]
struct Info {
    file: String,
    bytes: u64,
    live_keys: u64,
    compaction_savings: u64,
    index_bytes: u64,
    recovery: String,
}

#[derive(Serialize)]
struct Metadata<'a> {
    key: &'a str,
    key_hash: String,
    payload_bytes: usize,
    total_bytes: usize,
    start_offset: u64,
    end_offset: u64,
    prev_offset: u64,
    checksum: String,
    checksum_valid: bool,
}

/// Shows figures about the store.
pub fn info(file: &Path, switches: Switches) -> Result {
    let store = open::to_read(file, switches)?;
    let stats = store.stats();
    let info = Info {
        file: file.display().to_string(),
        bytes: stats.file_bytes,
        live_keys: stats.live_keys,
        compaction_savings: stats.compaction_savings,
        index_bytes: stats.index_bytes,
        recovery: store.recovery_report().to_string(),
    };
    let words = Table::new("STORAGE INFO")
        .line("STORAGE FILE", &info.file)
        .line("TOTAL SIZE", size::format(info.bytes))
        .line("ACTIVE ENTRIES", info.live_keys)
        .line("COMPACTION SAVINGS", size::format(info.compaction_savings))
        .line("INDEX IN MEMORY", size::format(info.index_bytes))
        .line("ON OPENING", &info.recovery)
        .finish();
    json::show(switches, &info, &words)
}

/// Shows where the value of `key` lies, its size and its checksum.
pub fn metadata(file: &Path, switches: Switches, key: &str) -> Result {
    let store = open::to_read(file, switches)?;
    let value = store
        .read(key.as_bytes())?
        .ok_or_else(|| Failure::no_key(key))?;
    let range = value.offset_range();
    let metadata = Metadata {
        key,
        key_hash: hex(value.key_hash()),
        payload_bytes: value.size(),
        total_bytes: value.file_size(),
        start_offset: range.start,
        end_offset: range.end,
        prev_offset: value.metadata().prev_offset,
        checksum: format!("{:08x}", value.checksum()),
        checksum_valid: value.is_valid_checksum(),
    };
    let address = value.address_range();
    let valid = if metadata.checksum_valid {
        "VALID"
    } else {
        "INVALID"
    };
    let words = Table::new("METADATA SUMMARY")
        .line("ENTRY FOR", format_args!("'{key}'"))
        .line(
            "PAYLOAD SIZE",
            format_args!("{} bytes", metadata.payload_bytes),
        )
        .line(
            "TOTAL SIZE (W/ METADATA)",
            format_args!("{} bytes", metadata.total_bytes),
        )
        .line(
            "OFFSET RANGE",
            format_args!("{}..{}", range.start, range.end),
        )
        .line(
            "MEMORY ADDRESS",
            format_args!("{:p}..{:p}", address.start, address.end),
        )
        .line(
            "KEY HASH",
            format_args!("{} (0x{})", value.key_hash(), metadata.key_hash),
        )
        .line(
            "CHECKSUM",
            format_args!("{} (0x{})", value.checksum(), metadata.checksum),
        )
        .line("CHECKSUM VALIDITY", valid)
        .line(
            "STORED METADATA",
            format_args!("prev_offset {}", metadata.prev_offset),
        )
        .finish();
    json::show(switches, &metadata, &words)
}
