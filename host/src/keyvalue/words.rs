//! The interfaces' own types, as they cross into a guest.

use bytes::Bytes;
use tailstone_interface::Refusal;
use wasmtime::component::{ComponentType, Lift, Lower, Resource};

/// `error` of both drafts of `wasi:keyvalue`.
#[derive(Debug, ComponentType, Lower)]
#[component(variant)]
pub enum KeyValueError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<Refusal> for KeyValueError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchStore => Self::NoSuchStore,
            Refusal::AccessDenied | Refusal::ReadOnly => Self::AccessDenied,
            other => Self::Other(other.to_string()),
        }
    }
}

/// `key-response` where cursors are numbers.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct KeysByNumber {
    pub keys: Vec<String>,
    pub cursor: Option<u64>,
}

/// `key-response` where cursors are text.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct KeysByText {
    pub keys: Vec<String>,
    pub cursor: Option<String>,
}

/// `cas-error`.
#[derive(Debug, ComponentType, Lower)]
#[component(variant)]
pub enum CasError {
    #[component(name = "store-error")]
    StoreError(KeyValueError),
    #[component(name = "cas-failed")]
    CasFailed(Resource<super::handles::Cas>),
}

/// `error` of `tailstone:store`.
#[derive(Debug, ComponentType, Lower)]
#[component(variant)]
pub enum StoreError {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "invalid-argument")]
    InvalidArgument(String),
    #[component(name = "quota-exceeded")]
    QuotaExceeded(String),
    #[component(name = "corrupt")]
    Corrupt(String),
    #[component(name = "stale-cursor")]
    StaleCursor,
    #[component(name = "read-only")]
    ReadOnly,
    #[component(name = "locked")]
    Locked(String),
    #[component(name = "other")]
    Other(String),
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchStore => Self::NoSuchStore,
            Refusal::AccessDenied => Self::AccessDenied,
            Refusal::InvalidArgument(sentence) => Self::InvalidArgument(sentence),
            Refusal::QuotaExceeded(sentence) => Self::QuotaExceeded(sentence),
            Refusal::Corrupt(sentence) => Self::Corrupt(sentence),
            Refusal::StaleCursor => Self::StaleCursor,
            Refusal::ReadOnly => Self::ReadOnly,
            Refusal::Locked(sentence) => Self::Locked(sentence),
            Refusal::Other(sentence) => Self::Other(sentence),
        }
    }
}

/// `access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ComponentType, Lift)]
#[expect(dead_code, reason = "it is made of what a guest says")]
#[component(enum)]
#[repr(u8)]
pub enum AccessWord {
    #[component(name = "read")]
    Read,
    #[component(name = "write")]
    Write,
    #[component(name = "create")]
    Create,
}

/// `stat`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct StatWord {
    pub len: u64,
    pub version: u64,
    #[component(name = "expires-at")]
    pub expires_at: Option<u64>,
}

/// `extent`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct ExtentWord {
    pub offset: u64,
    pub len: u64,
}

/// `packed`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct PackedWord {
    pub bytes: Bytes,
    pub extents: Vec<Option<ExtentWord>>,
}

/// `entry`.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
pub struct EntryWord {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// `change`.
#[derive(Debug, ComponentType, Lift)]
#[component(variant)]
pub enum ChangeWord {
    #[component(name = "put")]
    Put(EntryWord),
    #[component(name = "delete")]
    Delete(Vec<u8>),
}

/// `key-page`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct KeyPageWord {
    pub keys: Vec<Bytes>,
    pub cursor: Option<Bytes>,
}

/// `changed`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct ChangedWord {
    pub key: Bytes,
    pub tail: u64,
    #[component(name = "is-deletion")]
    pub is_deletion: bool,
}

/// `change-page`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct ChangePageWord {
    pub changes: Vec<ChangedWord>,
    pub tail: u64,
    #[component(name = "is-last")]
    pub is_last: bool,
}

/// `info`.
#[derive(Debug, ComponentType, Lower)]
#[component(record)]
pub struct InfoWord {
    pub keys: u64,
    #[component(name = "live-entries")]
    pub live_entries: u64,
    #[component(name = "store-bytes")]
    pub store_bytes: u64,
    #[component(name = "savings-bytes")]
    pub savings_bytes: u64,
    #[component(name = "index-bytes")]
    pub index_bytes: u64,
    #[component(name = "cut-bytes")]
    pub cut_bytes: u64,
    pub tail: u64,
    pub recovery: String,
}
