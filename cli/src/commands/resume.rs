//! `escrr resume`

use super::conclusion::{Concluded, conclude, conclusions};
use crate::Context;
use crate::args::{ResumeArgs, SandboxChoice};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place;
use crate::sagas::choose;
use crate::session::{Job, Session};
use crate::worlds;
use escrr_engine::store::Head;
use escrr_engine::{Outcome, Saga};
use escrr_steps::spec::Spec;
use std::sync::Arc;

/// Goes on exactly where it stopped, forwards or backwards.
pub(super) async fn run(args: &ResumeArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let choice = args.sandbox.choice();
    let head = known(args.link.link.as_deref(), (choice, "resume"), context)?;
    let links = [head.link.clone()];
    let mut session = Session::open("resume", &links, (&args.sandbox, &args.die), context).await?;
    let done = carry_on(&mut session, (&head.link, choice), context).await;
    session.leave().await;
    done
}

/// The saga that is meant, looked up beside whoever writes: the lock is taken afterwards.
pub(super) fn known(
    link: Option<&str>,
    how: (Option<&SandboxChoice>, &str),
    context: Context<'_>,
) -> Result<Head, CommandError> {
    let reading = crate::store::read(&context.settings.home)?;
    let head = choose(&reading.heads()?, link, Some(place::kind(how.0)))?;
    worlds::same_kind(&reading, &head, how)?;
    Ok(head)
}

/// The job of a saga, with the spec that it was begun with.
pub(super) async fn job(
    session: &Session<'_>,
    saga: &Saga,
    context: Context<'_>,
) -> Result<Job, CommandError> {
    let spec = Spec::parse(&saga.spec, &format!("the spec in the journal of {}", saga.link))?;
    let world = session.place.world(spec, context).await?;
    let (catalog, clock) = (&session.engine.catalog, &*session.engine.clock);
    let cloud = crate::account::same(saga, catalog, &world, clock).await?;
    Ok(Job { saga: saga.id, world: Arc::new(world), cloud })
}

async fn carry_on(
    session: &mut Session<'_>,
    (link, choice): (&str, Option<&SandboxChoice>),
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let head = session.sorted().await?.choose(Some(link), (choice, "resume"))?;
    let (saga, _) = session.engine.load(head.saga).await?;
    let ended = match saga.outcome {
        None => None,
        Some(Outcome::Succeeded) => Some("set up"),
        Some(Outcome::RolledBack) => Some("taken back"),
    };
    if let Some(how) = ended {
        context.ui.status(&format!("{} is {how} already, nothing to go on with", saga.link));
        let all = [Concluded::of(saga, None)];
        return Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context));
    }
    let job = job(session, &saga, context).await?;
    session.resumed(&job).await?;
    let driven = session.drive(&[job]).await?;
    let all = conclusions(driven, context);
    Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context))
}
