//! What one plugin was granted, by the names that it knows.

use std::collections::HashMap;
use std::sync::Arc;

use tailstone_interface::{Refusal, Result};
use wasmtime::component::ResourceTable;

use super::grant::Grant;
use super::meter::{Asked, Granted, Metered};

/// What a plugin may open. Clones are the same grants, with one account of what was used of each.
#[derive(Clone, Default)]
pub struct KeyValueCtx {
    grants: Arc<HashMap<String, Arc<Metered>>>,
}

/// Makes a [`KeyValueCtx`]; nothing is granted unless said.
#[derive(Default)]
pub struct KeyValueCtxBuilder {
    grants: HashMap<String, Grant>,
}

/// The context with the table of the instance that calls: what [`add_to_linker`](super::add_to_linker) asks for.
pub struct KeyValue<'a> {
    pub(super) ctx: &'a KeyValueCtx,
    pub(super) table: &'a mut ResourceTable,
}

impl KeyValueCtx {
    /// Nothing granted yet.
    #[must_use]
    pub fn builder() -> KeyValueCtxBuilder {
        KeyValueCtxBuilder::default()
    }

    /// Opens a bucket of what was granted as `name`, for what was asked.
    pub(super) fn open(&self, name: &str, bucket: &[u8], asked: Asked) -> Result<Granted> {
        match self.grants.get(name) {
            Some(metered) => metered.open(bucket, asked),
            None => Err(Refusal::AccessDenied),
        }
    }
}

impl KeyValueCtxBuilder {
    /// Grants what the plugin knows as `name`, any text, the empty one too. Of two grants of one name the last one counts.
    #[must_use]
    pub fn grant(mut self, name: impl Into<String>, grant: Grant) -> Self {
        self.grants.insert(name.into(), grant);
        self
    }

    /// The context.
    #[must_use]
    pub fn build(self) -> KeyValueCtx {
        let metered = |(name, grant)| (name, Arc::new(Metered::new(grant)));
        KeyValueCtx {
            grants: Arc::new(self.grants.into_iter().map(metered).collect()),
        }
    }
}

impl<'a> KeyValue<'a> {
    /// The context of the instance whose handles lie in `table`.
    pub const fn new(ctx: &'a KeyValueCtx, table: &'a mut ResourceTable) -> Self {
        Self { ctx, table }
    }
}

impl std::fmt::Debug for KeyValueCtx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.grants.keys()).finish()
    }
}

impl std::fmt::Debug for KeyValueCtxBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(&self.grants).finish()
    }
}

impl std::fmt::Debug for KeyValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyValue")
            .field("ctx", self.ctx)
            .finish_non_exhaustive()
    }
}
