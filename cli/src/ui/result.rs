//! What a saga came to, for people.

use super::table::Table;
use super::words::{ids, one_line, span};
use crate::codes;
use crate::error::CommandError;
use escrr_engine::engine::{class_to_see, rest_class};
use escrr_engine::node::Stop;
use escrr_engine::{About, NodeState, Origin, Saga};
use escrr_steps::catalog::PHASES;
use escrr_steps::nodes::step5_replication::Followers;
use escrr_steps::nodes::step6_verify::{Probe, Verified};
use serde::Deserialize as _;
use serde_json::Value;

/// Nodes are written this wide, so that what follows is aligned.
const NODE_WIDTH: usize = 30;

/// A documented step as a heading.
pub fn heading(phase: u8) -> String {
    let title = PHASES.get(usize::from(phase)).copied().unwrap_or_default();
    format!("{phase} {title}")
}

/// The whole of a link that is set up: by documented step, what was made and found.
pub fn succeeded(saga: &Saga, about: &[About]) -> String {
    let took = span(saga.updated_ms.saturating_sub(saga.created_ms));
    let mut lines = vec![format!("{} is set up and verified; it took {took}.", saga.link)];
    for (phase, _) in (0_u8..).zip(PHASES).skip(1) {
        let nodes = about.iter().enumerate().filter(|(_, about)| about.phase == phase);
        let mut under: Vec<String> =
            nodes.flat_map(|(at, about)| reached(saga.node(at), about)).collect();
        if !under.is_empty() {
            lines.push(format!("\n{}", heading(phase)));
            lines.append(&mut under);
        }
    }
    let (made, found) = (made(saga), found(saga));
    let checked = origins(saga, Origin::Checked);
    lines.push(format!("\n{made} made, {found} found, {checked} checked."));
    lines.join("\n")
}

/// What a node came to: its figures if it has some, else what it made or found.
fn reached(state: &NodeState, about: &About) -> Vec<String> {
    let NodeState::Done { origin, output, .. } = state else {
        let skipped = matches!(state, NodeState::Skipped);
        return if skipped { vec![line("skipped", about, "")] } else { Vec::new() };
    };
    let figures = figures(about, output);
    match origin {
        _ if !figures.is_empty() => figures.iter().map(|figure| format!("  {figure}")).collect(),
        Origin::Made | Origin::Found => vec![line(origin_name(*origin), about, &ids(output))],
        Origin::Checked | Origin::Unneeded => Vec::new(),
    }
}

fn line(word: &str, about: &About, what: &str) -> String {
    format!("  {word:<7}  {:<NODE_WIDTH$}  {what}", about.id.to_string()).trim_end().to_owned()
}

/// Who made what a node stands for, in one word.
pub const fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Made => "made",
        Origin::Found => "found",
        Origin::Checked => "checked",
        Origin::Unneeded => "unneeded",
    }
}

fn origins(saga: &Saga, wanted: Origin) -> usize {
    let is =
        |node: &&NodeState| matches!(node, NodeState::Done { origin, .. } if *origin == wanted);
    saga.nodes.iter().filter(is).count()
}

/// How many nodes made something that is still there.
pub fn made(saga: &Saga) -> usize {
    origins(saga, Origin::Made)
}

/// How many nodes found what they wanted.
pub fn found(saga: &Saga) -> usize {
    origins(saga, Origin::Found)
}

/// What was measured, in sentences, where a node measured something.
pub fn figures(about: &About, output: &Value) -> Vec<String> {
    match about.id.to_string().as_str() {
        "verify.existing" => {
            Verified::deserialize(output).map(|v| existing(&v)).unwrap_or_default()
        }
        "verify.incremental" => {
            let probe = Option::<Probe>::deserialize(output).ok().flatten();
            probe.map(|probe| incremental(&probe)).unwrap_or_default()
        }
        "follower.existing_indices" => {
            Followers::deserialize(output).map(|f| followers(&f)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn existing(verified: &Verified) -> Vec<String> {
    let sum = |f: fn(&escrr_steps::nodes::step6_verify::VerifiedIndex) -> u64| -> u64 {
        verified.indices.iter().map(f).sum()
    };
    let indices = match verified.indices.len() {
        0 => return vec!["existing data     no index matches yet".to_owned()],
        1 => "1 index".to_owned(),
        many => format!("{many} indices"),
    };
    let (operations, documents, sampled) =
        (sum(|i| i.operations), sum(|i| i.documents), sum(|i| i.sampled));
    vec![
        format!(
            "existing data     {indices} equal: {documents} documents, {operations} operations"
        ),
        format!("                  {sampled} documents compared one by one"),
    ]
}

fn incremental(probe: &Probe) -> Vec<String> {
    let latency = span(probe.latency_ms);
    vec![
        format!("incremental data  {}: a new index, a document,", probe.leader),
        format!("                  an update and a deletion arrived, the last within {latency}"),
    ]
}

fn followers(followers: &Followers) -> Vec<String> {
    let mut lines: Vec<String> = followers
        .pairs
        .iter()
        .map(|pair| {
            let renamed = pair.leader != pair.follower;
            let into = if renamed { format!(" into {}", pair.follower) } else { String::new() };
            format!("follows  {}{into}", pair.leader)
        })
        .collect();
    lines.extend(followers.left_out.iter().map(|(index, why)| format!("left out {index}: {why}")));
    lines
}

/// What a rollback took back and what it left in place.
pub fn rolled_back(saga: &Saga, about: &[About]) -> String {
    let mut lines = vec![format!("{} is taken back.", saga.link)];
    lines.extend(cause(saga, about).map(|cause| format!("It had stopped: {}", cause.said)));
    let kept: Vec<String> = about
        .iter()
        .enumerate()
        .filter_map(|(at, about)| match saga.node(at) {
            NodeState::Undone { kept: Some(why), .. } => Some(line("stays", about, why)),
            NodeState::Done { origin: Origin::Found, output, .. } => {
                Some(line("stays", about, &format!("was there before {}", ids(output))))
            }
            NodeState::Undone { kept: None, .. }
            | NodeState::Done { .. }
            | NodeState::Idle { .. }
            | NodeState::Intended(_)
            | NodeState::Failed { .. }
            | NodeState::Parked { .. }
            | NodeState::Skipped
            | NodeState::Undoing { .. }
            | NodeState::Stuck { .. } => None,
        })
        .collect();
    lines.extend(kept);
    lines.extend(super::fates::of_saga(saga, about).iter().map(|fate| {
        let (word, index) = (fate.fate.name(), one_line(&fate.index));
        format!("  {word:<8}  {index:<NODE_WIDTH$} {}", one_line(&fate.why))
    }));
    lines.join("\n")
}

/// What a rollback would do, newest first: what it deletes, what stays.
pub fn to_take_back(saga: &Saga, about: &[About], columns: Option<usize>) -> String {
    let mut table = Table::new(&["NODE", "ID", "WHAT ROLLBACK DOES, IN THIS ORDER"]);
    for (at, about) in about.iter().enumerate().rev() {
        let state = saga.node(at);
        let Some(does) = about.rollback() else { continue };
        if state.may_have_made() {
            table.row(vec![
                about.id.to_string(),
                state.output().map(ids).unwrap_or_default(),
                does,
            ]);
        }
    }
    let untouched = match found(saga) {
        0 => String::new(),
        1 => "\nOne node found its thing there; that is not touched.".to_owned(),
        many => format!("\n{many} nodes found their things there; those are not touched."),
    };
    format!("{}{untouched}", table.render(columns))
}

/// What is left after a rollback that got stuck: ids, and what of it costs.
pub fn left(saga: &Saga, about: &[About]) -> String {
    let mut lines = vec![format!("Left of {}:", saga.link)];
    for (at, about) in about.iter().enumerate().rev() {
        let state = saga.node(at);
        if !state.may_have_made() {
            continue;
        }
        let what = state.output().map(ids).unwrap_or_default();
        let cost = about.cost.map(|cost| format!("  costs: {cost}")).unwrap_or_default();
        lines.push(line(state.name(), about, &format!("{what}{cost}")));
    }
    lines.join("\n")
}

/// What a person has to see first of why a saga stopped.
pub fn problem(saga: &Saga, about: &[About]) -> Option<CommandError> {
    let first = rest_class(saga).map(codes::for_class)?;
    problems(saga, about).into_iter().find(|problem| problem.code == first)
}

/// Why a saga was taken back, where it had stopped before.
pub fn cause(saga: &Saga, about: &[About]) -> Option<CommandError> {
    let causes = || saga.causes.iter();
    let first = class_to_see(causes().map(|(_, stop)| stop.class))?;
    let (at, stop) = causes().find(|(_, stop)| stop.class == first)?;
    Some(stopped(about.get(*at)?, stop))
}

fn stopped(about: &About, stop: &Stop) -> CommandError {
    let mut error = CommandError::reported(codes::for_class(stop.class), &stop.report);
    error.said = format!("{}: {}", about.id, error.said);
    error
}

/// Why a saga stopped, one error a node.
pub fn problems(saga: &Saga, about: &[About]) -> Vec<CommandError> {
    let stops =
        about.iter().enumerate().filter_map(|(at, about)| Some((about, saga.node(at).stop()?)));
    stops.map(|(about, stop)| stopped(about, stop)).collect()
}
