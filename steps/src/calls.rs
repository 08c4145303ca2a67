//! Which calls of the cloud each node makes: what a policy has to permit.

use crate::World;
use crate::aliyun::{Action, LINKED_SERVICES, Product};
use escrr_engine::catalog::Builder;
use escrr_engine::{Act, Catalog, CatalogError, NodeId, Step};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A node's calls of the cloud; calls of a cluster need no permission of the cloud's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// While it looks.
    pub look: &'static [Action],
    /// While it acts, besides those of looking.
    pub act: &'static [Action],
    /// While it is taken back, those of looking at what remains included.
    pub undo: &'static [Action],
}

impl Calls {
    /// None at all.
    pub const NONE: Self = Self { look: &[], act: &[], undo: &[] };

    /// Those of a node that only looks.
    pub const fn looking(look: &'static [Action]) -> Self {
        Self { look, act: &[], undo: &[] }
    }
}

/// A step that says which calls it makes.
pub trait Declares: Step {
    /// Its calls.
    const CALLS: Calls;
}

/// What somebody is to be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `escrr init`, `plan`, `audit`: looking.
    Look,
    /// `escrr run`: looking and making.
    Run,
    /// `escrr rollback`: taking back.
    Rollback,
}

/// The list of nodes while it is written: the graph, and the calls beside it.
pub struct Listing {
    builder: Builder<World>,
    calls: Vec<(NodeId, Calls)>,
}

impl Listing {
    /// An empty list.
    pub(crate) fn new() -> Self {
        Self { builder: Catalog::builder(), calls: Vec::new() }
    }

    /// Adds a node that only looks.
    #[must_use]
    pub(crate) fn look<S: Declares<World = World>>(mut self, step: S) -> Self {
        self.calls.push((S::ID, S::CALLS));
        Self { builder: self.builder.look(step), ..self }
    }

    /// Adds a node that acts.
    #[must_use]
    pub(crate) fn act<S: Act<World = World> + Declares>(mut self, step: S) -> Self {
        self.calls.push((S::ID, S::CALLS));
        Self { builder: self.builder.act(step), ..self }
    }

    /// Ends it.
    pub(crate) fn build(self) -> Result<Catalog<World>, CatalogError> {
        self.builder.build()
    }

    /// The calls of every node.
    pub(crate) fn into_calls(self) -> Vec<(NodeId, Calls)> {
        self.calls
    }
}

/// What `escrr init` chooses from.
const CHOICE: Action = Action::new(Product::Elasticsearch, "ListInstance");
/// What tells whose account it is, before anything is carried on.
const WHOSE: Action = Action::new(Product::Sts, "GetCallerIdentity");

/// Every call that a purpose needs, each once.
pub fn calls(purpose: Purpose) -> BTreeSet<Action> {
    let nodes = crate::catalog::declared();
    let of = |calls: &Calls| match purpose {
        Purpose::Look => calls.look.to_vec(),
        Purpose::Run => [calls.look, calls.act].concat(),
        // Stock is taken before anything is undone, by the looks of a run.
        Purpose::Rollback => [calls.look, calls.undo].concat(),
    };
    let of_no_node = match purpose {
        Purpose::Look => vec![CHOICE],
        Purpose::Run | Purpose::Rollback => vec![WHOSE],
    };
    nodes.iter().flat_map(|(_, calls)| of(calls)).chain(of_no_node).collect()
}

/// What carries requests into a cluster where that is the way in; whatever the clusters' own
/// users may do can be done with it.
const INTO_CLUSTERS: Action = Action::new(Product::Elasticsearch, "InvokeEsRequest");

/// The least policy for a purpose, as RAM takes it; `into_clusters` says that they are reached by
/// way of the OpenAPI.
pub fn policy(purpose: Purpose, into_clusters: bool) -> Value {
    let mut all = calls(purpose);
    all.extend(into_clusters.then_some(INTO_CLUSTERS));
    let names = |reads: bool| -> Vec<String> {
        let mut names: Vec<String> =
            all.iter().filter(|a| a.reads() == reads).map(|a| a.permission()).collect();
        names.sort();
        names
    };
    let allow = |names: Vec<String>| json!({"Effect": "Allow", "Action": names, "Resource": "*"});
    let mut statements = vec![allow(names(true))];
    let writes = names(false);
    if !writes.is_empty() {
        statements.push(allow(writes));
    }
    if purpose == Purpose::Run {
        // At the first use of a product the cloud makes a role of its own for it.
        statements.push(json!({
            "Effect": "Allow",
            "Action": ["ram:CreateServiceLinkedRole"],
            "Resource": "*",
            "Condition": {"StringEquals": {"ram:ServiceName": LINKED_SERVICES}},
        }));
    }
    json!({"Version": "1", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_changes_nothing_and_what_looks_only_declares_nothing_else() {
        for (node, calls) in crate::catalog::declared() {
            assert!(calls.look.iter().all(|a| a.reads()), "{node} looks by changing");
            let acts = calls.act.iter().any(|a| !a.reads());
            assert!(calls.act.is_empty() || acts, "{node} acts by looking only");
        }
        let mut look = calls(Purpose::Look);
        assert!(look.remove(&CHOICE) && look.is_subset(&calls(Purpose::Run)));
    }

    #[test]
    fn a_policy_is_what_ram_takes() {
        let look = policy(Purpose::Look, false);
        assert_eq!(
            (look["Version"].as_str(), look["Statement"].as_array().unwrap().len()),
            (Some("1"), 1)
        );
        let run = policy(Purpose::Run, false);
        assert_eq!(run["Statement"][2]["Action"][0], "ram:CreateServiceLinkedRole");
        let text = policy(Purpose::Rollback, false).to_string();
        assert!(text.contains("cen:DeleteCen") && !text.contains("Create"), "{text}");
    }
}
