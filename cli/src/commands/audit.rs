//! `escrr audit`: the journal held against the cloud.

use super::leftovers::Leftovers;
use super::plan::VERIFY;
use crate::Context;
use crate::args::{AuditArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::probes;
use crate::sagas::{choose, fold, whole};
use crate::session::catalog;
use crate::shell::word;
use crate::store;
use crate::ui::fates::{self, of_saga};
use crate::ui::table::Table;
use crate::ui::words::{count, ids};
use crate::worlds;
use escrr_engine::survey::{Known, leftovers};
use escrr_engine::{About, Catalog, Class, Fault, NodeState, Origin, Outcome, Remains, Saga};
use escrr_steps::World;
use escrr_steps::spec::Spec;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an audit finds of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Finding {
    /// Made by us, and there.
    Alive,
    /// Made by us, and not there any more.
    Gone,
    /// There and ours, although the journal says that nothing is.
    Leaked,
    /// It could not be asked.
    Unknown,
}

struct Row<'a> {
    about: &'a About,
    finding: Finding,
    what: String,
    class: Option<Class>,
}

/// Asks every node what is left of what it made.
pub(super) async fn run(args: &AuditArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let choice = args.sandbox.choice();
    let catalog = catalog()?;
    let kind = place::kind(choice);
    // Before a world is reached: what is asked for may be none of its kind.
    {
        let reading = store::read(&context.settings.home)?;
        let head = choose(&reading.heads()?, args.link.link.as_deref(), Some(kind))?;
        worlds::same_kind(&reading, &head, (choice, "audit"))?;
    }
    let place = Place::reach(&args.sandbox, Publicity::Silent, context).await?;
    let asked = async {
        let (saga, known) = {
            let reading = store::read(&context.settings.home)?;
            let sorted = worlds::of_reading(&reading, &place)?;
            let head = sorted.choose(args.link.link.as_deref(), (choice, "audit"))?;
            let entries = reading.entries(head.saga, 1)?;
            (fold(head.saga, &catalog, &reading)?, Known::of_journal(head.saga, &entries))
        };
        if let Err(error) = whole(&saga, &place::flag_of(&saga)) {
            if saga.spec.is_empty() {
                // Nothing was kept: with the spec, the way to the cloud is lost too.
                return Err(error);
            }
            context.ui.warning(&error.said);
        }
        let spec = Spec::parse(&saga.spec, &format!("the spec in the journal of {}", saga.link))?;
        let world = place.world(spec, context).await?;
        let clock = place.clock().await?;
        let asked = leftovers(&catalog, &world, &known, &*clock).await;
        let accounted = accounted(&asked, &known, &catalog);
        let left = Leftovers::find(&world, saga.id, &accounted).await;
        Ok::<_, CommandError>((saga, known, asked, left))
    }
    .await;
    place.leave().await;
    let (saga, known, asked, left) = asked?;
    let rows: Vec<Row<'_>> = catalog
        .about()
        .iter()
        .enumerate()
        .zip(asked)
        .filter_map(|((at, about), remains)| {
            judge(&saga, at, (about, known.output(about.id)), remains?)
        })
        .collect();
    let probes = probes::left(context.settings.home.path(), &saga.link, kind)?;
    let probes = probes.iter().map(|held| held.record.leader.clone()).collect();
    let found = Found { rows: &rows, probes, left };
    Ok(report((&saga, catalog.about()), found, context))
}

/// What an audit found.
struct Found<'r> {
    rows: &'r [Row<'r>],
    /// Names of probes that may be left.
    probes: Vec<String>,
    /// What carries the link's tags and is not accounted for.
    left: Result<Leftovers, CommandError>,
}

/// The ids that the nodes answer for.
fn accounted(
    asked: &[Option<Result<Remains, Fault>>],
    known: &Known,
    catalog: &Catalog<World>,
) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = catalog.about().iter().flat_map(|a| known.ids(a.id)).collect();
    for remains in asked.iter().flatten().flatten() {
        match remains {
            Remains::Items(items) | Remains::Announce(items) => {
                all.extend(items.iter().flat_map(|i| i.split(' ')).map(str::to_owned));
            }
            Remains::Drifted(report) => {
                all.extend(report.tried.split([' ', ',']).map(str::to_owned));
            }
            Remains::Pending(why) | Remains::Kept(why) => {
                all.extend(why.split(' ').map(str::to_owned));
            }
            Remains::Nothing | Remains::Accounted(_) => {}
        }
    }
    all
}

fn judge<'a>(
    saga: &Saga,
    at: usize,
    (about, output): (&'a About, Option<&Value>),
    remains: Result<Remains, Fault>,
) -> Option<Row<'a>> {
    let state = saga.node(at);
    // What was there before us is not ours, whatever it says.
    if matches!(state, NodeState::Done { origin: Origin::Found | Origin::Unneeded, .. }) {
        return None;
    }
    let known = state.may_have_made();
    let completed = matches!(state, NodeState::Done { .. });
    let row = |finding, what: String, class| Some(Row { about, finding, what, class });
    let alive = if known { Finding::Alive } else { Finding::Leaked };
    match remains {
        // What verification wrote, it took away itself.
        Ok(Remains::Accounted(account)) if completed => {
            row(Finding::Gone, fates::told(&account), None)
        }
        Ok(Remains::Nothing) if completed && about.phase < VERIFY => {
            row(Finding::Gone, output.map(ids).unwrap_or_default(), None)
        }
        Ok(Remains::Nothing | Remains::Accounted(_)) => None,
        Ok(Remains::Items(items) | Remains::Announce(items)) => {
            let items: Vec<String> = items.into_iter().filter(|item| !item.is_empty()).collect();
            // The items are what this run created; an output names what it reused as well.
            let named = [ids(&json!(items)), output.map(ids).unwrap_or_default(), items.join(", ")];
            let what = named.into_iter().find(|text| !text.is_empty());
            row(alive, what.unwrap_or_default(), None)
        }
        Ok(Remains::Pending(why) | Remains::Kept(why)) => row(alive, why, None),
        Ok(Remains::Drifted(report)) => row(alive, report.to_string(), None),
        Err(fault) => {
            let error = CommandError::from(&fault);
            let class = match &fault {
                Fault::Refused { class, .. } | Fault::Blocked { class, .. } => *class,
                Fault::Bug(_) => Class::Bug,
                Fault::Transient { .. } | Fault::Busy(_) | Fault::Unknown(_) => Class::Unreachable,
            };
            row(Finding::Unknown, error.to_string(), Some(class))
        }
    }
}

fn report(
    (saga, about): (&Saga, &[About]),
    Found { rows, probes, left }: Found<'_>,
    context: Context<'_>,
) -> Exit {
    let number = |finding| rows.iter().filter(|row| row.finding == finding).count();
    let (alive, gone) = (number(Finding::Alive), number(Finding::Gone));
    let (leaked, unknown) = (number(Finding::Leaked), number(Finding::Unknown));
    let (left, unseen) = match left {
        Ok(left) => (left, None),
        Err(error) => (Leftovers::default(), Some(error)),
    };
    let exit = if leaked > 0 || !probes.is_empty() || !left.is_empty() {
        Exit::LeftBehind
    } else if saga.lost.is_some() {
        Exit::StoreDamaged
    } else if let Some(class) = rows.iter().filter_map(|row| row.class).min() {
        Exit::from(class)
    } else if let Some(error) = &unseen {
        error.exit()
    } else if gone > 0 {
        Exit::Failed
    } else {
        Exit::Done
    };
    let mut documents = Vec::new();
    let mut table = Table::new(&["FOUND", "NODE", "WHAT", "COSTS"]);
    for row in rows {
        let (id, cost) = (row.about.id.to_string(), row.about.cost);
        documents.push(json!({
            "id": id, "finding": row.finding, "what": row.what, "cost": cost,
        }));
        let finding = match row.finding {
            Finding::Alive => "alive",
            Finding::Gone => "gone",
            Finding::Leaked => "leaked",
            Finding::Unknown => "unknown",
        };
        table.row(vec![finding.into(), id, row.what.clone(), cost.unwrap_or_default().into()]);
    }
    let fates = of_saga(saga, about);
    let error = wrong(saga, rows, (leaked, gone, probes.len()));
    let document = json!({
        "saga": saga.id, "link": saga.link, "exit_code": exit.code(), "class": exit.class(),
        "error": error.map(|error| error.described()),
        "alive": alive, "gone": gone, "leaked": leaked, "unknown": unknown, "nodes": documents,
        "indices": fates, "probes": probes, "leftovers": left.document(about),
    });
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&document),
        OutputForm::Ndjson => documents.iter().for_each(|line| context.ui.line(line)),
        OutputForm::Human => {
            if !table.is_empty() {
                context.ui.result(&table.render(context.ui.columns()));
            }
            let indices = fates::table(&fates, context.ui.columns());
            if !indices.is_empty() {
                context.ui.result(&indices);
            }
            context.ui.result(&format!(
                "{}: {alive} alive and known, {gone} known and gone, {leaked} alive and unknown.",
                saga.link
            ));
        }
    }
    if !left.is_empty() {
        context.ui.problem(&left.problem(&saga.link, context, about));
    }
    if let Some(error) = unseen {
        context.ui.warning(&format!("what else carries the link's tags is not known: {error}"));
    }
    for probe in &probes {
        left_probe(saga, probe, context);
    }
    advise(saga, (gone, leaked, unknown), context);
    exit
}

fn left_probe(saga: &Saga, probe: &str, context: Context<'_>) {
    context.ui.warning(&format!(
        "{probe} may be left on both clusters: the probe of a verification that was killed"
    ));
    let (link, flag) = (word(&saga.link), place::flag_of(saga));
    let command = if saga.outcome == Some(Outcome::RolledBack) { "rollback" } else { "verify" };
    context.ui.hint(&format!("`escrr {command} {link}{flag}` removes it"));
}

/// What the document says to be wrong, where something is.
fn wrong(
    saga: &Saga,
    rows: &[Row<'_>],
    (leaked, gone, probes): (usize, usize, usize),
) -> Option<CommandError> {
    let unasked = rows.iter().filter_map(|row| row.class).min();
    match (leaked, probes, unasked, gone) {
        (0, 0, None, 0) => None,
        (0, 0, unasked, gone) => Some(unlike(saga, unasked, gone)),
        (0, probes, ..) => {
            let said = format!("{} of {} may be left", count(probes, "probe"), saga.link);
            Some(CommandError::new(codes::LEFT_BEHIND, said))
        }
        (leaked, ..) => Some(left_behind(saga, leaked)),
    }
}

fn left_behind(saga: &Saga, leaked: usize) -> CommandError {
    let said =
        format!("{leaked} of {} are there although the journal knows nothing of them", saga.link);
    CommandError::new(codes::LEFT_BEHIND, said)
        .hint("they carry this link's mark: delete them in the console by the ids above")
}

/// The error of a document: what could not be asked, or what is gone.
fn unlike(saga: &Saga, class: Option<Class>, gone: usize) -> CommandError {
    let link = &saga.link;
    match class {
        Some(class) => {
            let said = format!("{link}: not everything could be asked");
            CommandError::new(codes::for_class(class), said)
        }
        None => CommandError::new(codes::DRIFT, format!("{link}: {gone} made by us are gone")),
    }
}

fn advise(saga: &Saga, (gone, leaked, unknown): (usize, usize, usize), context: Context<'_>) {
    if leaked > 0 {
        context.ui.problem(&left_behind(saga, leaked));
    }
    if unknown > 0 {
        context.ui.warning(&format!("{unknown} could not be asked"));
    }
    if gone > 0 {
        context.ui.warning(&format!("{gone} were made by us and somebody else took them away"));
        let (link, flag) = (word(&saga.link), place::flag_of(saga));
        let text =
            format!("`escrr rollback {link}{flag}`, then `escrr run{flag}`, makes them anew");
        context.ui.hint(&text);
    }
}
