//! The saga's graph: nodes by documented step, coloured by state, in one order always.

mod dot;
mod mermaid;
mod svg;

use super::picture::{Tone, word};
use super::result::heading;
use super::words::{ids, one_line};
use crate::sagas::state_name;
use escrr_engine::{Catalog, Saga};
use escrr_steps::World;
use escrr_steps::catalog::PHASES;
use serde_json::{Value, json};

/// A graph to draw.
pub struct Graph {
    title: String,
    /// The saga's state in a word; none where no saga is meant.
    state: Option<&'static str>,
    nodes: Vec<Node>,
}

/// A node as it is drawn.
struct Node {
    id: String,
    title: &'static str,
    phase: u8,
    /// The length of the longest way to it.
    depth: usize,
    tone: Tone,
    word: &'static str,
    /// Ids of what it made or found, in a few words.
    what: String,
    /// Everything that it needs.
    needs: Vec<usize>,
    /// What it needs, without what follows from its other needs: a picture draws only these.
    drawn: Vec<usize>,
}

impl Graph {
    /// The graph of a saga, or of the job as such where there is none.
    ///
    /// With the saga: is a process at it?
    pub fn new(catalog: &Catalog<World>, saga: Option<(&Saga, bool)>, title: &str) -> Self {
        let state_of = saga.map(|(saga, at_work)| state_name(saga, at_work));
        let saga = saga.map(|(saga, _)| saga);
        let mut nodes: Vec<Node> = Vec::new();
        for (at, about) in catalog.about().iter().enumerate() {
            let needs = catalog.needs(at).to_vec();
            let above = |need: &usize| nodes.get(*need).map(|node| node.depth + 1);
            let depth = needs.iter().filter_map(above).max().unwrap_or(0);
            let follows =
                |need: &usize| catalog.dependents(*need).any(|d| d != *need && needs.contains(&d));
            let drawn = needs.iter().copied().filter(|need| !follows(need)).collect();
            let state = saga.map(|saga| saga.node(at));
            nodes.push(Node {
                id: about.id.to_string(),
                title: about.title,
                phase: about.phase,
                depth,
                tone: state.map_or(Tone::Ahead, Tone::of),
                word: state.map_or("", word),
                what: state.and_then(|state| state.output()).map(ids).unwrap_or_default(),
                needs,
                drawn,
            });
        }
        Self { title: one_line(title), state: state_of, nodes }
    }

    /// What it shows, in a line.
    fn caption(&self) -> String {
        match self.state {
            Some(state) => format!("{}: {}", self.title, state.replace('_', " ")),
            None => self.title.clone(),
        }
    }

    /// The documented steps with the positions of their nodes.
    fn phases(&self) -> impl Iterator<Item = (u8, String, Vec<usize>)> + '_ {
        (0_u8..).zip(PHASES).map(|(phase, _)| {
            let of = |(at, node): (usize, &Node)| (node.phase == phase).then_some(at);
            (phase, heading(phase), self.nodes.iter().enumerate().filter_map(of).collect())
        })
    }

    /// The edges that are drawn, from what is needed to what needs it.
    fn edges(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.nodes.iter().flat_map(move |node| {
            node.drawn.iter().filter_map(move |need| Some((self.nodes.get(*need)?, node)))
        })
    }

    /// The graph as JSON: all that every node needs, also what is not drawn.
    pub fn document(&self) -> Value {
        let name = |at: &usize| self.nodes.get(*at).map(|node| node.id.as_str());
        let nodes: Vec<Value> = self
            .nodes
            .iter()
            .map(|node| {
                let needs: Vec<&str> = node.needs.iter().filter_map(name).collect();
                json!({
                    "id": node.id, "phase": node.phase, "title": node.title,
                    "state": Some(node.word).filter(|word| !word.is_empty()),
                    "depth": node.depth, "needs": needs,
                })
            })
            .collect();
        json!({ "title": self.title, "state": self.state, "nodes": nodes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::{Entry, Event, Origin, SagaId};

    /// A saga whose first two nodes are done and whose third failed with a hostile text.
    fn graph(link: &str) -> Graph {
        let catalog = escrr_steps::catalog::catalog().unwrap();
        let created = Event::Created {
            link: link.to_owned(),
            spec: String::new(),
            spec_digest: String::new(),
            edition: catalog.edition(),
            program: String::new(),
            world: "cloud".into(),
            world_id: None,
            actor: escrr_engine::Actor::default(),
        };
        let done = |node: &str| Event::Completed {
            node: node.into(),
            origin: Origin::Checked,
            output: json!({}),
            attempts: 0,
        };
        let events = [created, done("account.identity"), done("leader.instance")];
        let entries: Vec<Entry> = (1..)
            .zip(events)
            .map(|(version, event)| Entry { version, at_ms: 1, previous: String::new(), event })
            .collect();
        let saga = Saga::fold(SagaId::new(1, [0; 10]), &catalog, &entries).unwrap();
        Graph::new(&catalog, Some((&saga, true)), link)
    }

    #[test]
    fn a_picture_leaves_out_only_what_follows() {
        let graph = graph("a");
        let drawn: usize = graph.edges().count();
        let needs: usize = graph.nodes.iter().map(|node| node.needs.len()).sum();
        assert!(drawn >= graph.nodes.len() - 3 && drawn < needs, "{drawn} of {needs}");
        // Whoever follows the drawn edges comes to everything that is needed.
        for (at, node) in graph.nodes.iter().enumerate() {
            let mut reached = Vec::new();
            let mut ahead = vec![at];
            while let Some(next) = ahead.pop() {
                ahead.extend(&graph.nodes[next].drawn);
                reached.extend(&graph.nodes[next].drawn);
            }
            assert!(node.needs.iter().all(|need| reached.contains(need)), "{}", node.id);
        }
    }

    #[test]
    fn every_form_names_every_node_and_repeats_itself() {
        for text in [Graph::mermaid, Graph::dot, Graph::svg] {
            let drawn = text(&graph("a"));
            for node in &graph("a").nodes {
                assert!(drawn.contains(&node.id), "{}:\n{drawn}", node.id);
            }
            assert!(drawn.contains("checked") && drawn.contains("waiting"), "{drawn}");
            assert_eq!(drawn, text(&graph("a")));
        }
    }

    #[test]
    fn a_name_is_never_markup() {
        let hostile = "x\"]-->\n</svg><script>\"; }";
        assert!(!graph(hostile).svg().contains("<script>"));
        assert!(!graph(hostile).svg().contains("]-->\n"));
        let dot = graph(hostile).dot();
        assert!(dot.contains("label=\"x\\\"]--> </svg><script>\\\"; }"), "{dot}");
        let mermaid = graph(hostile).mermaid();
        assert!(mermaid.lines().nth(1).unwrap().starts_with("%% x\"]-->"), "{mermaid}");
    }
}
