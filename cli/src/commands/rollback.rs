//! `escrr rollback`

use super::conclusion::{Concluded, conclude, conclusions};
use super::indices::{fates, foresee, sweep_probes};
use super::leftovers::Leftovers;
use super::resume::{job, known};
use crate::Context;
use crate::args::{RollbackArgs, SandboxChoice};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::probes;
use crate::sagas::whole;
use crate::session::Session;
use crate::ui::fates::{REMOTE, table};
use crate::ui::result;
use escrr_engine::{About, Direction, Event, Outcome, Saga};
use escrr_steps::World;
use serde_json::json;
use std::collections::BTreeSet;

/// The flag that answers the question.
const YES: &str = "--yes";

/// Takes back what was made, in reverse.
pub(super) async fn run(args: &RollbackArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let choice = args.sandbox.choice();
    let head = known(args.link.link.as_deref(), (choice, "rollback"), context)?;
    let ask = !args.confirm.yes && head.outcome != Some(Outcome::RolledBack);
    if ask {
        context.ui.can_ask(YES)?;
    }
    let links = [head.link.clone()];
    let mut session =
        Session::open("rollback", &links, (&args.sandbox, &args.die), context).await?;
    let how = How { ask, release_foreign: args.release_foreign };
    let done = take_back(&mut session, (&head.link, choice), &how, context).await;
    session.leave().await;
    done
}

/// How it is to be done.
struct How {
    ask: bool,
    /// Followers of somebody else are released too.
    release_foreign: bool,
}

async fn take_back(
    session: &mut Session<'_>,
    (link, choice): (&str, Option<&SandboxChoice>),
    how: &How,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let head = session.sorted().await?.choose(Some(link), (choice, "rollback"))?;
    let (saga, _) = session.engine.load(head.saga).await?;
    whole(&saga, &session.flag)?;
    if saga.outcome == Some(Outcome::RolledBack) {
        if !probes::left(context.settings.home.path(), &saga.link, session.kind)?.is_empty() {
            let job = job(session, &saga).await?;
            sweep_probes(session, &saga, &job.world, context).await;
        }
        context.ui.status(&format!("{} is taken back already, nothing to take back", saga.link));
        let all = [Concluded::of(saga, None)];
        return Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context));
    }
    let job = job(session, &saga).await?;
    let catalog = std::sync::Arc::clone(&session.engine.catalog);
    let (list, foreign) = list(&saga, catalog.about(), (&job.world, how), context).await?;
    if how.ask {
        context.ui.status(&list);
        context.ui.confirm("What is deleted is gone for good.", &saga.link, YES)?;
    } else {
        context.ui.detail(&list);
    }
    sweep_probes(session, &saga, &job.world, context).await;
    match saga.direction {
        Direction::Forward => session.rollback_begun(&job).await?,
        Direction::Backward => session.resumed(&job).await?,
    }
    if !foreign.is_empty() {
        let node = REMOTE.to_owned();
        session.engine.say(saga.id, Event::UndoIntended { node, items: foreign }).await?;
    }
    let world = std::sync::Arc::clone(&job.world);
    let driven = session.drive(&[job]).await?;
    let mut all = conclusions(driven, context);
    for one in &mut all {
        let fates = fates(&one.saga, catalog.about(), &world).await;
        if one.saga.outcome != Some(Outcome::RolledBack) && !fates.is_empty() {
            context.ui.status(&table(&fates, context.ui.columns_stderr()));
        }
        one.more.push(("indices", json!(fates)));
    }
    let mut problems = Vec::new();
    for one in &mut all {
        if one.saga.outcome == Some(Outcome::RolledBack) {
            problems.extend(look_for_leftovers(one, &world, catalog.about(), context).await);
        }
    }
    let exit = conclude(&all, catalog.about(), &session.flag, context);
    for problem in &problems {
        context.ui.problem(problem);
    }
    Ok(exit)
}

/// What would be done, as text, and the followers of somebody else that are to be released.
async fn list(
    saga: &Saga,
    about: &[About],
    (world, how): (&World, &How),
    context: Context<'_>,
) -> Result<(String, Vec<String>), CommandError> {
    let columns = context.ui.columns_stderr();
    let nodes = result::to_take_back(saga, about, columns);
    let seen = match foresee(saga, about, world).await {
        Ok(seen) => seen,
        // Without a look nobody can say whose they are.
        Err(error) if how.release_foreign => return Err(error),
        Err(error) => {
            context.ui.warning(&format!(
                "the follower's indices could not be looked at, each is when its turn comes: {error}"
            ));
            return Ok((nodes, Vec::new()));
        }
    };
    let mut fates = seen.fates;
    let foreign = if how.release_foreign { seen.foreign } else { Vec::new() };
    for fate in fates.iter_mut().filter(|fate| how.release_foreign && fate.needs_alias) {
        fate.fate = escrr_steps::nodes::step5_replication::Fate::Released;
        fate.why = format!("{}; released on purpose (--release-foreign)", fate.why);
    }
    let indices = table(&fates, columns);
    let list = if indices.is_empty() { nodes } else { format!("{nodes}\n\n{indices}") };
    Ok((list, foreign))
}

/// A rollback is only over when nothing in the account carries the run's tags any more.
async fn look_for_leftovers(
    one: &mut Concluded,
    world: &World,
    about: &[About],
    context: Context<'_>,
) -> Option<CommandError> {
    let saga = &one.saga;
    match Leftovers::find(world, saga.id, &BTreeSet::new()).await {
        Ok(left) if left.is_empty() => None,
        Ok(left) => {
            if !left.own.is_empty() {
                one.exit = Exit::LeftBehind;
            }
            one.more.push(("leftovers", left.document(about)));
            Some(left.problem(&saga.link, context, about))
        }
        Err(error) => {
            context.ui.warning(&format!(
                "whether anything else carries the tags of {} could not be looked at: {error}",
                saga.link
            ));
            None
        }
    }
}
