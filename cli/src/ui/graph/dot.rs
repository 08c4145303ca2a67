//! The graph in the language of Graphviz.

use super::Graph;

impl Graph {
    /// A directed graph with one cluster a documented step.
    pub fn dot(&self) -> String {
        let mut lines = vec![
            "digraph saga {".to_owned(),
            format!("  label={};", quoted(&self.caption())),
            "  rankdir=LR;".to_owned(),
            "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\", fontsize=10];"
                .to_owned(),
        ];
        for (phase, heading, nodes) in self.phases() {
            lines.push(format!("  subgraph cluster_{phase} {{"));
            lines.push(format!("    label={};", quoted(&heading)));
            for node in nodes.into_iter().filter_map(|at| self.nodes.get(at)) {
                let (fill, line) = node.tone.colors();
                let label = format!("{}\n{}", node.id, node.word);
                lines.push(format!(
                    "    {} [label={}, fillcolor=\"{fill}\", color=\"{line}\", tooltip={}];",
                    quoted(&node.id),
                    quoted(label.trim_end()),
                    quoted(node.title),
                ));
            }
            lines.push("  }".to_owned());
        }
        for (need, node) in self.edges() {
            lines.push(format!("  {} -> {};", quoted(&need.id), quoted(&node.id)));
        }
        lines.push("}".to_owned());
        lines.join("\n")
    }
}

/// A string of the language; a line end is written as the two letters that it has for it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
