//! Builds what runs inside the host in tests and examples: the guests that try a provider of stores, and the plugins.

use std::fs;

use anyhow::{Context as _, Result};
use wac_graph::types::{ItemKind, Package};
use wac_graph::{CompositionGraph, EncodeOptions, plug};

use crate::component;
use crate::context::Context;

/// Each becomes a component in `target/wasm32-unknown-unknown/wasm`, named as the package with `_` for `-`.
pub const PACKAGES: [&str; 8] = [
    "tailstone-conformance-draft",
    "tailstone-conformance-draft2",
    "tailstone-conformance-stores",
    "tailstone-plugin-hostile",
    "tailstone-plugin-notes",
    "tailstone-plugin-visits",
    "tailstone-rounds-guest",
    "tailstone-script-guest",
];

/// Those that the component is plugged into as well, which makes them programs that need files and nothing else.
const COMPOSED: [&str; 4] = [
    "tailstone_conformance_draft",
    "tailstone_conformance_draft2",
    "tailstone_conformance_stores",
    "tailstone_rounds_guest",
];

/// Builds them all, and the component.
pub fn build(ctx: &Context) -> Result<()> {
    component::build(ctx)?;
    component::build_packages(ctx, &PACKAGES)?;
    let folder = ctx.target_dir.join(component::BUILT);
    let provider = fs::read(folder.join("tailstone_component.wasm"))?;
    for guest in COMPOSED {
        let program = fs::read(folder.join(guest).with_extension("wasm"))?;
        let composed = compose(provider.clone(), program).context(guest)?;
        fs::write(folder.join(format!("{guest}_composed.wasm")), composed)?;
    }
    Ok(())
}

/// The names of what a component imports, but for types.
pub fn imports(component: Vec<u8>) -> Result<Vec<String>> {
    let mut graph = CompositionGraph::new();
    let package = Package::from_bytes("tailstone:guest", None, component, graph.types_mut())?;
    let world = &graph.types()[package.ty()];
    let imports = world.imports.iter();
    let provided = imports.filter(|(_, kind)| !matches!(kind, ItemKind::Type(_)));
    Ok(provided.map(|(name, _)| name.clone()).collect())
}

/// `program` with its imports met by `provider`.
pub fn compose(provider: Vec<u8>, program: Vec<u8>) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, bytes| -> Result<_> {
        let package = Package::from_bytes(name, None, bytes, graph.types_mut())?;
        Ok(graph.register_package(package)?)
    };
    let socket = register("tailstone:guest", program)?;
    let provider = register("tailstone:provider", provider)?;
    plug(&mut graph, vec![provider], socket)?;
    Ok(graph.encode(EncodeOptions::default())?)
}
