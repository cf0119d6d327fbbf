//! `info` and `metadata`: what the store and its entries are.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::args::Switches;
use crate::exit::Result;
use crate::json::{self, Table, hex};
use crate::open;
use crate::place::Place;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    /// Milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    key: &'a str,
    key_hash: String,
    value_bytes: usize,
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
///
/// In a bucket the payload is what is stored: the value, and behind it the key.
pub fn metadata(file: &Path, switches: Switches, bucket: Option<&str>, key: &str) -> Result {
    let store = open::to_read(file, switches)?;
    let found = Place::new(&store, bucket)?.find(key)?;
    let value = &found.entry;
    let range = value.offset_range();
    let metadata = Metadata {
        bucket,
        expires_at: found.expires_at,
        key,
        key_hash: hex(value.key_hash()),
        value_bytes: found.value().len(),
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
    let mut table = Table::new("METADATA SUMMARY").line("ENTRY FOR", format_args!("'{key}'"));
    if let Some(bucket) = bucket {
        let expires = expiry(found.expires_at);
        let bytes = format_args!("{} bytes", metadata.value_bytes);
        table = table
            .line("BUCKET", format_args!("'{bucket}'"))
            .line("VALUE SIZE", bytes)
            .line("EXPIRES", expires);
    }
    let words = table
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

fn expiry(at: Option<u64>) -> String {
    let Some(at) = at else {
        return "never".to_owned();
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_millis());
    let left = u128::from(at).saturating_sub(now).div_ceil(1000);
    format!("in {left} s, {at} ms after 1970")
}
