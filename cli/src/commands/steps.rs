//! `escrr steps`

use crate::Context;
use crate::args::OutputForm;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::session::catalog;
use crate::ui::words::{count, span};
use escrr_engine::{About, Reverse};
use escrr_steps::catalog::PHASES;
use serde_json::{Value, json};

/// Where the texts of a node begin.
const INDENT: &str = "           ";
/// Lines are no longer than this.
const WIDTH: usize = 79;

/// Lists the nodes of the job in documented order.
pub(super) fn run(context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let about = catalog.about();
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&text(about)),
        OutputForm::Json => context.ui.document(&json!({
            "edition": catalog.edition(),
            "nodes": about.iter().map(node).collect::<Value>(),
        })),
        OutputForm::Ndjson => about.iter().for_each(|about| context.ui.line(&node(about))),
    }
    Ok(Exit::Done)
}

/// One node as JSON.
fn node(about: &About) -> Value {
    let reverse = about.reverse.map(|reverse| match reverse {
        Reverse::Undo(_) => "undo",
        Reverse::Keep(_) => "keep",
    });
    json!({
        "id": about.id.to_string(),
        "phase": about.phase,
        "phase_title": PHASES.get(usize::from(about.phase)),
        "title": about.title,
        "needs": about.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "acts": about.acts(),
        "reverse": reverse,
        "reverse_does": about.rollback(),
        "cost": about.cost,
        "usual_s": about.patience.usual_s,
        "limit_s": about.patience.limit_s,
    })
}

/// All nodes under the headings of the document.
fn text(about: &[About]) -> String {
    let mut lines = Vec::new();
    for (phase, title) in (0_u8..).zip(PHASES) {
        let heading = if phase == 0 { title.to_owned() } else { format!("Step {phase}: {title}") };
        lines.push(heading);
        for about in about.iter().filter(|about| about.phase == phase) {
            lines.push(format!("\n  {}", about.id));
            lines.extend(entry(about));
        }
        lines.push(String::new());
    }
    let acting = about.iter().filter(|about| about.acts()).count();
    let looking = about.len() - acting;
    lines.push(format!(
        "{}: {acting} change something, {looking} only look.",
        count(about.len(), "node")
    ));
    lines.join("\n")
}

/// What is to be said of a node, each part under its word.
fn entry(about: &About) -> Vec<String> {
    let needs: Vec<String> = about.needs.iter().map(ToString::to_string).collect();
    let (usual, longest) = (about.patience.usual_s, about.patience.limit_s);
    let time = format!("usually {}, at most {}", span_s(usual), span_s(longest));
    let parts = [
        ("what", Some(about.title.to_owned())),
        ("needs", Some(needs.join(", ")).filter(|needs| !needs.is_empty())),
        ("undo", about.rollback()),
        ("costs", about.cost.map(str::to_owned)),
        ("time", Some(time)),
    ];
    let told = parts.iter().filter_map(|(word, text)| Some((word, text.as_ref()?)));
    told.flat_map(|(word, text)| wrapped(word, text)).collect()
}

fn span_s(seconds: u32) -> String {
    span(u64::from(seconds) * 1000)
}

/// A text behind its word, broken between words.
fn wrapped(word: &str, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = format!("    {word:<width$}", width = INDENT.len() - 4);
    let mut empty = true;
    for part in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + part.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, INDENT.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(part);
        empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;

    #[test]
    fn every_node_is_listed_within_80_columns() {
        let stage = Stage::new(OutputForm::Human);
        assert_eq!(run(stage.context()).unwrap(), Exit::Done);
        let out = stage.captured.out();
        for about in catalog().unwrap().about() {
            assert!(out.contains(&format!("\n  {}\n", about.id)), "{}", about.id);
        }
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
        assert!(out.contains("Step 5: "), "{out}");
    }

    #[test]
    fn with_json_a_node_says_what_it_needs_and_how_it_is_taken_back() {
        let stage = Stage::new(OutputForm::Json);
        run(stage.context()).unwrap();
        let all: Value = serde_json::from_str(&stage.captured.out()).unwrap();
        let nodes = all["nodes"].as_array().unwrap();
        let cen = nodes.iter().find(|node| node["id"] == "network.cen").unwrap();
        assert_eq!(cen["needs"], json!(["link.prerequisites"]));
        assert_eq!((&cen["reverse"], &cen["phase"]), (&json!("undo"), &json!(1)));
        let stage = Stage::new(OutputForm::Ndjson);
        run(stage.context()).unwrap();
        assert_eq!(stage.captured.out().lines().count(), nodes.len());
    }
}
