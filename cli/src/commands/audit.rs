//! `escrr audit`: the journal held against the cloud.

use super::plan::VERIFY;
use crate::Context;
use crate::args::{AuditArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::probes;
use crate::sagas::{choose, fold};
use crate::session::catalog;
use crate::store;
use crate::ui::fates::{self, of_saga};
use crate::ui::table::Table;
use crate::ui::words::ids;
use escrr_engine::survey::{Known, leftovers};
use escrr_engine::{About, Class, Fault, NodeState, Origin, Outcome, Remains, Saga};
use escrr_steps::spec::Spec;
use serde::Serialize;
use serde_json::{Value, json};

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
    let (saga, known) = {
        let reading = store::read(&context.settings.home)?;
        let head = choose(&reading.heads()?, args.link.link.as_deref(), Some(kind))?;
        place::same_world(&head.link, &head.world, choice, "audit")?;
        let entries = reading.entries(head.saga, 1)?;
        (fold(head.saga, &catalog, &reading)?, Known::of_journal(head.saga, &entries))
    };
    let spec = Spec::parse(&saga.spec, &format!("the spec in the journal of {}", saga.link))?;
    let place = Place::reach(&args.sandbox, Publicity::Silent, context).await?;
    let asked = async {
        let world = place.world(spec, context).await?;
        let clock = place.clock().await?;
        Ok::<_, CommandError>(leftovers(&catalog, &world, &known, &*clock).await)
    }
    .await;
    place.leave().await;
    let asked = asked?;
    let rows: Vec<Row<'_>> = catalog
        .about()
        .iter()
        .enumerate()
        .zip(asked)
        .filter_map(|((at, about), remains)| {
            judge(&saga, at, (about, known.output(about.id)), remains?)
        })
        .collect();
    let left = probes::left(context.settings.home.path(), &saga.link, kind)?;
    let probes = left.iter().map(|held| held.record.leader.clone()).collect();
    Ok(report((&saga, catalog.about()), (&rows, probes), context))
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
        Ok(Remains::Nothing | Remains::Accounted(_)) if completed && about.phase < VERIFY => {
            row(Finding::Gone, output.map(ids).unwrap_or_default(), None)
        }
        Ok(Remains::Nothing | Remains::Accounted(_)) => None,
        Ok(Remains::Items(items) | Remains::Announce(items)) => {
            let items: Vec<String> = items.into_iter().filter(|item| !item.is_empty()).collect();
            let ids = output.map(ids).filter(|ids| !ids.is_empty());
            row(alive, ids.unwrap_or_else(|| items.join(", ")), None)
        }
        Ok(Remains::Pending(why)) => row(alive, why, None),
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
    (rows, probes): (&[Row<'_>], Vec<String>),
    context: Context<'_>,
) -> Exit {
    let number = |finding| rows.iter().filter(|row| row.finding == finding).count();
    let (alive, gone) = (number(Finding::Alive), number(Finding::Gone));
    let (leaked, unknown) = (number(Finding::Leaked), number(Finding::Unknown));
    let exit = if leaked > 0 || !probes.is_empty() {
        Exit::LeftBehind
    } else if let Some(class) = rows.iter().filter_map(|row| row.class).min() {
        Exit::from(class)
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
    let document = json!({
        "saga": saga.id, "link": saga.link, "exit_code": exit.code(), "class": exit.class(),
        "alive": alive, "gone": gone, "leaked": leaked, "unknown": unknown, "nodes": documents,
        "indices": fates, "probes": probes,
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
    for probe in &probes {
        context.ui.warning(&format!(
            "{probe} may be left on both clusters: the probe of a verification that was killed"
        ));
        let (link, flag) = (&saga.link, place::flag_of_kind(&saga.world));
        let command = if saga.outcome == Some(Outcome::RolledBack) { "rollback" } else { "verify" };
        context.ui.hint(&format!("`escrr {command} {link}{flag}` removes it"));
    }
    advise(saga, (gone, leaked, unknown), context);
    exit
}

fn advise(saga: &Saga, (gone, leaked, unknown): (usize, usize, usize), context: Context<'_>) {
    let flag = place::flag_of_kind(&saga.world);
    if leaked > 0 {
        let said = format!(
            "{leaked} of {} are there although the journal knows nothing of them",
            saga.link
        );
        context.ui.problem(
            &CommandError::new(codes::LEFT_BEHIND, said)
                .hint("they carry this link's mark: delete them in the console by the ids above"),
        );
    }
    if unknown > 0 {
        context.ui.warning(&format!("{unknown} could not be asked"));
    }
    if gone > 0 {
        context.ui.warning(&format!("{gone} were made by us and somebody else took them away"));
        let link = &saga.link;
        context
            .ui
            .hint(&format!("`escrr rollback {link}{flag}`, then `escrr run`, makes them anew"));
    }
}
