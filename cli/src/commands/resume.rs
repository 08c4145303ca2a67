//! `escrr resume`

use super::conclusion::{Concluded, conclude, conclusions};
use super::plan::VERIFY;
use super::run::look_again;
use crate::Context;
use crate::args::{ResumeArgs, SandboxChoice};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place;
use crate::sagas::{choose, whole};
use crate::session::{Job, Session};
use crate::shell::word;
use crate::worlds;
use escrr_engine::store::Head;
use escrr_engine::survey::{Known, Verdict, survey};
use escrr_engine::{About, Direction, NodeState, Origin, Outcome, Reverse, Saga};
use escrr_steps::World;
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
pub(super) async fn job(session: &Session<'_>, saga: &Saga) -> Result<Job, CommandError> {
    let spec = Spec::parse(&saga.spec, &format!("the spec in the journal of {}", saga.link))?;
    let world = session.world(spec).await?;
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
    whole(&saga, &session.flag)?;
    if saga.outcome == Some(Outcome::RolledBack) {
        context.ui.status(&format!("{} is rolled back already, nothing to resume", saga.link));
        let all = [Concluded::of(saga, None)];
        return Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context));
    }
    let job = job(session, &saga).await?;
    // What a finished run left may have changed since: yesterday's success is no result.
    if saga.outcome == Some(Outcome::Succeeded) {
        let all = [look_again(session, saga.id, &job.world, context).await?];
        return Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context));
    }
    let gone = gone(session, &saga, &job.world).await?;
    if !gone.is_empty() {
        return Err(missing(&saga, &gone, &session.flag));
    }
    session.resumed(&job).await?;
    let driven = session.drive(&[job]).await?;
    let all = conclusions(driven, context);
    Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context))
}

/// For how long a resource has to be absent before it is believed to be gone, in milliseconds.
const ABSENT_MS: u64 = 30_000;

/// What the run created and what does not exist any more: building on would only fail later.
async fn gone(
    session: &Session<'_>,
    saga: &Saga,
    world: &World,
) -> Result<Vec<String>, CommandError> {
    if saga.direction != Direction::Forward {
        return Ok(Vec::new());
    }
    let (catalog, clock) = (&session.engine.catalog, &session.engine.clock);
    let entries = session.engine.committer.entries(saga.id, 1).await?;
    let known = Known::of_journal(saga.id, &entries);
    let created = |about: &About| {
        let state = catalog.find(&about.id.to_string()).map(|at| saga.node(at));
        matches!(state, Some(NodeState::Done { origin: Origin::Made, .. }))
            && matches!(about.reverse, Some(Reverse::Undo(_)))
            && about.phase < VERIFY
    };
    let mut missing: Vec<String> = Vec::new();
    for pass in 0..2 {
        // A list may lag or come back empty: an absence has to last.
        if pass > 0 {
            drop(clock.wait_until(clock.now_ms() + ABSENT_MS).await);
        }
        let again = missing.clone();
        let skip =
            |about: &About| !created(about) || (pass > 0 && !again.contains(&about.id.to_string()));
        let verdicts = survey(catalog, world, &known, &**clock, &skip).await;
        let absent = catalog.about().iter().zip(verdicts);
        missing = absent
            .filter(|(_, verdict)| matches!(verdict, Verdict::Make(_)))
            .map(|(about, _)| about.id.to_string())
            .collect();
        if missing.is_empty() {
            break;
        }
    }
    Ok(missing)
}

fn missing(saga: &Saga, gone: &[String], flag: &str) -> CommandError {
    let link = word(&saga.link);
    let said =
        format!("{link}: this run created {} and it does not exist any more", gone.join(", "));
    CommandError::new(codes::CHANGED, said)
        .meaning("what comes next would be built on it; nothing was done")
        .hint(format!("`escrr audit {link}{flag}` shows what is there"))
        .hint(format!(
            "put it back by hand and resume, or `escrr rollback {link}{flag}`, then `escrr run`"
        ))
        .next_command(format!("escrr rollback {link}{flag}"))
}
