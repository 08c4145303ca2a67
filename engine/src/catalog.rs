//! The ordered list of steps, checked into a graph.

use crate::erased::{About, Acting, AnyNode, Looking};
use crate::id::{NodeId, hex};
use crate::step::{Act, Step};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A list of steps in documented order.
pub struct Catalog<W> {
    nodes: Vec<Box<dyn AnyNode<W>>>,
    about: Vec<About>,
    index: BTreeMap<NodeId, usize>,
    /// The nodes' names, as they are shown and journaled.
    names: Vec<String>,
    by_name: BTreeMap<String, usize>,
    needs: Vec<Vec<usize>>,
    /// For each node: all nodes that need it, directly or through others, in order.
    dependents: Vec<Vec<usize>>,
    edition: String,
}

/// A list that is not a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// One name stands twice in the list.
    #[error("{0} stands twice in the catalog")]
    Twice(NodeId),
    /// A step stands above one that it needs, or needs one that is not in the list.
    #[error("{node} needs {need}, which does not stand above it in the catalog")]
    OutOfOrder {
        /// The step.
        node: NodeId,
        /// What it needs.
        need: NodeId,
    },
}

/// Collects steps for a [`Catalog`].
pub struct Builder<W> {
    nodes: Vec<Box<dyn AnyNode<W>>>,
}

impl<W: Send + Sync + 'static> Builder<W> {
    /// Adds a step that only looks.
    #[must_use]
    pub fn look<S: Step<World = W>>(mut self, step: S) -> Self {
        self.nodes.push(Box::new(Looking(step)));
        self
    }

    /// Adds a step that changes the world.
    #[must_use]
    pub fn act<S: Act<World = W>>(mut self, step: S) -> Self {
        self.nodes.push(Box::new(Acting(step)));
        self
    }

    /// Checks the list: no name twice, no step above one that it needs.
    pub fn build(self) -> Result<Catalog<W>, CatalogError> {
        let about: Vec<About> = self.nodes.iter().map(|n| n.about()).collect();
        let mut index = BTreeMap::new();
        let mut needs = Vec::new();
        for (position, node) in about.iter().enumerate() {
            let mut edges = Vec::new();
            for need in &node.needs {
                edges.push(
                    *index
                        .get(need)
                        .ok_or(CatalogError::OutOfOrder { node: node.id, need: *need })?,
                );
            }
            if index.insert(node.id, position).is_some() {
                return Err(CatalogError::Twice(node.id));
            }
            needs.push(edges);
        }
        let dependents = closure(&needs);
        let names: Vec<String> = about.iter().map(|a| a.id.to_string()).collect();
        let by_name = names.iter().cloned().zip(0..).collect();
        let edition = edition(&about);
        let nodes = self.nodes;
        Ok(Catalog { nodes, about, index, names, by_name, needs, dependents, edition })
    }
}

/// All nodes that come to need each node, directly or through others.
fn closure(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut all: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); needs.len()];
    for (node, edges) in needs.iter().enumerate().rev() {
        let mine: BTreeSet<usize> =
            all.get(node).cloned().unwrap_or_default().into_iter().chain([node]).collect();
        for need in edges {
            if let Some(set) = all.get_mut(*need) {
                set.extend(mine.iter().copied());
            }
        }
    }
    all.into_iter().map(|set| set.into_iter().collect()).collect()
}

/// Names and edges, in short.
fn edition(nodes: &[About]) -> String {
    let mut hash = Sha256::new();
    for about in nodes {
        hash.update(about.id.to_string());
        for need in &about.needs {
            hash.update(format!("<{need}"));
        }
        hash.update("\n");
    }
    let digest = hex(&hash.finalize());
    digest.get(..12).unwrap_or(&digest).to_owned()
}

impl<W: Send + Sync + 'static> Catalog<W> {
    /// An empty list to add steps to.
    pub fn builder() -> Builder<W> {
        Builder { nodes: Vec::new() }
    }
}

impl<W> Catalog<W> {
    /// What is known of every node, in documented order.
    pub fn about(&self) -> &[About] {
        &self.about
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.about.len()
    }

    /// Is the list empty?
    pub fn is_empty(&self) -> bool {
        self.about.is_empty()
    }

    /// The position of the node with this name, as it is shown.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The name of a node, as it is shown; empty for a position outside the list.
    pub fn name(&self, node: usize) -> &str {
        self.names.get(node).map_or("", String::as_str)
    }

    /// The position of a node.
    pub fn position(&self, id: NodeId) -> Option<usize> {
        self.index.get(&id).copied()
    }

    /// The positions of the nodes that `node` needs.
    pub fn needs(&self, node: usize) -> &[usize] {
        self.needs.get(node).map_or(&[], Vec::as_slice)
    }

    /// All nodes that need `node`, directly or through others.
    pub fn dependents(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.dependents.get(node).into_iter().flatten().copied()
    }

    pub(crate) fn node(&self, node: usize) -> Option<&dyn AnyNode<W>> {
        self.nodes.get(node).map(AsRef::as_ref)
    }

    /// The edition of the list: names and edges. A saga begun with another edition is not
    /// resumed unless asked for, because its journal may speak of nodes that changed.
    pub fn edition(&self) -> String {
        self.edition.clone()
    }
}
