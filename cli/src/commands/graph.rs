//! `escrr graph`

use crate::Context;
use crate::args::{GraphArgs, GraphFormat, OutputForm};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sagas::{choose, fold};
use crate::session::catalog;
use crate::ui::graph::Graph;
use crate::{files, specs, store};
use serde_json::json;

/// What the graph is called where no saga and no spec is meant.
const THE_JOB: &str = "the documented job";

/// Draws the graph of a saga, or of the job as such.
pub(super) fn run(args: &GraphArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let graph = graph(args, context)?;
    let drawn = match args.format {
        GraphFormat::Mermaid => graph.mermaid(),
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Svg => graph.svg(),
    };
    if let Some(path) = &args.out {
        files::write(path, format!("{drawn}\n").as_bytes(), args.force.force)?;
        context.ui.status(&format!("wrote {}", path.display()));
    }
    let mut document = graph.document();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("file".into(), json!(args.out));
        fields.insert("exit_code".into(), json!(Exit::Done.code()));
    }
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&document),
        OutputForm::Ndjson => context.ui.line(&document),
        OutputForm::Human if args.out.is_none() => context.ui.result(&drawn),
        OutputForm::Human => {}
    }
    Ok(Exit::Done)
}

fn graph(args: &GraphArgs, context: Context<'_>) -> Result<Graph, CommandError> {
    let catalog = catalog()?;
    if let Some(path) = &args.spec {
        let spec = specs::load(std::slice::from_ref(path), false)?;
        let link = spec.first().map_or(THE_JOB, |spec| spec.link.as_str());
        return Ok(Graph::new(&catalog, None, link));
    }
    let reading = store::read(&context.settings.home)?;
    let heads = reading.heads()?;
    if heads.is_empty() && args.link.link.is_none() {
        return Ok(Graph::new(&catalog, None, THE_JOB));
    }
    let head = choose(&heads, args.link.link.as_deref(), None)?;
    let saga = fold(head.saga, &catalog, &reading)?;
    let at_work = store::writer(&reading).is_some_and(|holder| holder.links.contains(&saga.link));
    Ok(Graph::new(&catalog, Some((&saga, at_work)), &saga.link))
}
