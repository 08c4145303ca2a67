//! The graph as Mermaid, which code hosts and wikis draw by themselves.

use super::Graph;
use crate::ui::picture::Tone;

impl Graph {
    /// A flowchart with one box a documented step.
    pub fn mermaid(&self) -> String {
        let name = |id: &str| id.replace('.', "_");
        let mut lines = vec!["flowchart LR".to_owned(), format!("%% {}", self.caption())];
        for (phase, heading, nodes) in self.phases() {
            lines.push(format!("  subgraph step{phase}[\"{heading}\"]"));
            for node in nodes.into_iter().filter_map(|at| self.nodes.get(at)) {
                let word = if node.word.is_empty() { "" } else { "<br/>" };
                let (id, class) = (&node.id, node.tone.class());
                lines.push(format!("    {}[\"{id}{word}{}\"]:::{class}", name(id), node.word));
            }
            lines.push("  end".to_owned());
        }
        for (need, node) in self.edges() {
            lines.push(format!("  {} --> {}", name(&need.id), name(&node.id)));
        }
        for tone in Tone::ALL {
            let (fill, line) = tone.colors();
            let class = tone.class();
            lines.push(format!("  classDef {class} fill:{fill},stroke:{line},color:#1b1f24"));
        }
        lines.join("\n")
    }
}
