//! What one plugin was granted, by the names that it knows.

use std::collections::HashMap;
use std::sync::Arc;

use tailstone_interface::{Refusal, Result};
use wasmtime::component::ResourceTable;

use super::functions::Question;
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
}

#[cfg(test)]
impl KeyValueCtx {
    /// Opens a bucket of what was granted as `name`, as a guest does.
    pub(super) fn open(&self, name: &str, bucket: &[u8], asked: Asked) -> Result<Granted> {
        let mut table = ResourceTable::new();
        let opening = KeyValue::new(self, &mut table).opening(name, bucket.to_vec(), asked);
        opening.asked.and_then(open)
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

/// What is to be opened: a granted store, a bucket of it and what for.
pub(super) type Opening = Result<(Arc<Metered>, Vec<u8>, Asked)>;

/// Opens it.
pub(super) fn open((metered, bucket, asked): (Arc<Metered>, Vec<u8>, Asked)) -> Result<Granted> {
    metered.open(&bucket, asked)
}

impl KeyValue<'_> {
    /// The opening of a bucket of what was granted as `name`, for what is asked.
    pub(super) fn opening(&self, name: &str, bucket: Vec<u8>, asked: Asked) -> Question<Opening> {
        let granted = self.ctx.grants.get(name);
        Question {
            is_remote: granted.is_some_and(|metered| metered.is_remote()),
            asked: granted
                .map(|metered| (Arc::clone(metered), bucket, asked))
                .ok_or(Refusal::AccessDenied),
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
