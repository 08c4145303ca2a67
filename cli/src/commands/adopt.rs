//! `escrr adopt`: a run whose home is lost goes on in this one.
//!
//! The run keeps its id, so everything that carries its tags is its own again; a look at every
//! node then fills the journal.

use super::leftovers::Leftovers;
use super::run::end_empty;
use crate::Context;
use crate::args::AdoptArgs;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sagas::of_link;
use crate::session::{Session, by, new_id};
use crate::shell::word;
use crate::specs;
use escrr_engine::store::Head;
use escrr_engine::{Beginning, Event, Outcome, SagaId};
use escrr_steps::World;
use escrr_steps::inventory::Tagged;
use std::collections::BTreeSet;

/// The flag that answers the question.
const YES: &str = "--yes";

/// Takes over the run whose resources carry the tags of the spec's link.
pub(super) async fn run(args: &AdoptArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let named: Vec<_> = args.spec.iter().cloned().collect();
    let mut specs = specs::load(&named, args.sandbox.choice().is_some())?;
    let Some(spec) = specs.pop() else { return Ok(Exit::Done) };
    if !args.confirm.yes {
        context.ui.can_ask(YES)?;
    }
    let links = [spec.link.clone()];
    let mut session = Session::open("adopt", &links, (&args.sandbox, &args.die), context).await?;
    let done = match session.place.world(spec, context).await {
        Ok(world) => adopt(&mut session, &world, args, context).await,
        Err(error) => Err(error),
    };
    session.leave().await;
    done
}

async fn adopt(
    session: &mut Session<'_>,
    world: &World,
    args: &AdoptArgs,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let (link, flag) = (world.spec.link.clone(), session.flag.clone());
    let here = session.sorted().await?.here;
    let old = match end_empty(session, &here, world, context).await? {
        Some(_) => None,
        None => of_link(&here, &link, session.kind),
    };
    let old = old.filter(|head| head.outcome != Some(Outcome::RolledBack));
    let lost = incomplete(session, old.as_ref(), &flag).await?;
    let mut left = Leftovers::find(world, lost.unwrap_or_else(new_id), &BTreeSet::new()).await?;
    left.foreign.retain(|tagged| !world.known_sagas.contains(&tagged.saga));
    let found = match lost {
        Some(saga) => Some((saga, left.own)),
        None => chosen(&left.foreign, args.run.as_deref(), &link)?,
    };
    let Some((saga, resources)) = found else {
        context.ui.status(&format!("nothing carries the tags of an unknown run of {link}"));
        return Ok(Exit::Done);
    };
    let about = session.engine.catalog.about();
    let shown = Leftovers { own: resources.clone(), foreign: Vec::new() };
    context.ui.status(&shown.table(about, context.ui.columns_stderr()));
    if !args.confirm.yes {
        let warning = "Two homes that work on one run undo each other's work: adopt it only if its own home is lost.";
        context.ui.confirm(warning, &link, YES)?;
    }
    let digest = world.spec.digest();
    let cloud = crate::account::identity(world).await;
    let actor = session.actor(cloud.as_ref());
    let with = Beginning {
        link: &link,
        spec: world.spec.text(),
        digest: &digest,
        world: session.kind,
        world_id: session.place.world_id(),
        actor: &actor,
    };
    if lost.is_none() {
        session.engine.begin(saga, with).await?;
    }
    let ids = resources.into_iter().map(|tagged| tagged.id).collect();
    session.engine.say(saga, Event::Adopted { by: by(&actor), actor, ids }).await?;
    let taken = session.engine.take_stock(saga, world).await?;
    let made = crate::ui::result::made(&taken);
    context
        .ui
        .result(&format!("{link}: run {saga} adopted; {made} of its nodes are as they should be."));
    let link = word(&link);
    context.ui.hint(&format!("`escrr rollback {link}{flag}` deletes what the run created"));
    context.ui.next(&format!("escrr resume {link}{flag}"));
    Ok(Exit::Done)
}

/// The run of this home whose history is incomplete, if that is what the link has.
///
/// # Errors
/// The link has a run of this home whose journal is whole.
async fn incomplete(
    session: &Session<'_>,
    old: Option<&Head>,
    flag: &str,
) -> Result<Option<SagaId>, CommandError> {
    let Some(head) = old else { return Ok(None) };
    let (saga, _) = session.engine.load(head.saga).await?;
    if saga.lost.is_some() {
        return Ok(Some(saga.id));
    }
    let link = &saga.link;
    let said = format!("{link} has a run of this home that was not rolled back: {}", saga.id);
    Err(CommandError::new(codes::LIVE_SAGA, said)
        .meaning("a link has one run at a time; nothing was taken over")
        .hint("roll this home's run back first, then adopt the other one")
        .next_command(format!("escrr rollback {}{flag}", word(link))))
}

/// The run that is meant, with its resources; none where there is nothing to take over.
fn chosen(
    foreign: &[Tagged],
    named: Option<&str>,
    link: &str,
) -> Result<Option<(SagaId, Vec<Tagged>)>, CommandError> {
    let runs: BTreeSet<&str> = foreign.iter().map(|tagged| tagged.saga.as_str()).collect();
    let run = match (named, runs.len()) {
        (Some(named), _) if runs.contains(named) => named,
        (Some(named), _) => {
            let said = format!("nothing carries the tags of the run {named} of {link}");
            return Err(CommandError::new(codes::USAGE, said).hint(known(&runs)));
        }
        (None, 0) => return Ok(None),
        (None, 1) => runs.first().copied().unwrap_or_default(),
        (None, many) => {
            let said = format!("{many} runs of {link} left resources");
            return Err(CommandError::new(codes::USAGE, said)
                .hint("name one with --run; adopt and roll back one after the other")
                .hint(known(&runs)));
        }
    };
    let Some(saga) = SagaId::parse(run) else {
        let said = format!("the tag names the run {run:?}, which is no id");
        return Err(CommandError::new(codes::LEFT_BEHIND, said)
            .hint("its resources can only be deleted in the console"));
    };
    let resources = foreign.iter().filter(|tagged| tagged.saga == run).cloned().collect();
    Ok(Some((saga, resources)))
}

fn known(runs: &BTreeSet<&str>) -> String {
    let runs: Vec<&str> = runs.iter().copied().collect();
    format!("runs that carry the link's tags: {}", runs.join(", "))
}
