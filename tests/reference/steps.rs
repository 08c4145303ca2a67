//! `docs/reference/steps.md`

use crate::{cell, page};
use escrr_engine::{About, NodeId};
use escrr_steps::catalog::{PHASES, catalog};
use std::fmt::Write as _;

const HEAD: &str = "# Steps

The documented job as a list of nodes, in the order in which they stand in
`steps/src/catalog.rs`. A node begins as soon as everything that it needs is done, so nodes of
different steps run side by side.

- **Undo** is what `escrr rollback` does with what the node made; what was there before is
  never taken back. A node that only looks has nothing to take back.
- **Usual** and **longest** are the node's patience: what plans show, and where waiting becomes
  *overdue* ([glossary](../glossary.md#overdue)). They are what the tool expects, not a promise
  of the cloud.
- **Needs** are the only edges of the graph.";

fn span(seconds: u32) -> String {
    match seconds {
        s if s < 120 => format!("{s} s"),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}

fn undo(about: &About) -> String {
    about.rollback().unwrap_or_else(|| "only looks".to_owned())
}

fn needs(about: &About) -> String {
    let names: Vec<String> = about.needs.iter().map(|id: &NodeId| format!("`{id}`")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

#[test]
fn the_page_of_steps_is_the_catalogs() -> Result<(), Box<dyn std::error::Error>> {
    let list = catalog()?;
    let mut text = format!("{HEAD}\n");
    for (number, title) in PHASES.iter().enumerate() {
        let nodes: Vec<&About> =
            list.about().iter().filter(|a| usize::from(a.phase) == number).collect();
        let heading =
            if number == 0 { (*title).to_owned() } else { format!("Step {number}: {title}") };
        write!(text, "\n## {heading}\n\n")?;
        text.push_str("| Node | What | Undo | Costs | Usual | Longest | Needs |\n");
        text.push_str("|---|---|---|---|---|---|---|\n");
        for about in nodes {
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} | {} |",
                about.id,
                cell(about.title),
                cell(&undo(about)),
                cell(about.cost.unwrap_or("–")),
                span(about.patience.usual_s),
                span(about.patience.limit_s),
                needs(about),
            )?;
        }
    }
    let acting = list.about().iter().filter(|a| a.acts()).count();
    write!(
        text,
        "\n{} nodes: {acting} change something, {} only look. Edition `{}`.",
        list.len(),
        list.len() - acting,
        list.edition()
    )?;
    page("steps.md", &text);
    Ok(())
}
