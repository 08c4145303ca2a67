//! `escrr run`

use super::conclusion::{Concluded, conclude, conclusions};
use super::indices::{remember_released, rolled_back};
use super::plan::{Learnt, Plan, PlanFile, teachers};
use crate::Context;
use crate::args::{OnFailure, RunArgs};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place;
use crate::sagas::{of_link, whole};
use crate::session::{Driven, Job, Session, catalog, new_id};
use crate::{shell, specs};
use escrr_engine::store::Head;
use escrr_engine::survey::Known;
use escrr_engine::{Beginning, Direction, Event, NodeState, Outcome, Phase, Saga, SagaId};
use escrr_steps::World;
use escrr_steps::spec::Spec;
use std::sync::Arc;

/// What is asked.
const QUESTION: &str = "This is what would be done.";
/// The flag that answers the question.
const YES: &str = "--yes";

/// Makes the links of the specs, side by side.
pub(super) async fn run(args: &RunArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let pretends = args.sandbox.choice().is_some();
    let specs = specs::load(&args.specs, pretends)?;
    let ask = !pretends && !args.confirm.yes;
    if ask {
        context.ui.can_ask(YES)?;
    }
    let links: Vec<String> = specs.iter().map(|spec| spec.link.clone()).collect();
    let kept = kept(args, &specs)?;
    let mut session = Session::open("run", &links, (&args.sandbox, &args.die), context).await?;
    let mut worlds = Vec::new();
    let mut done = Ok(());
    for spec in specs {
        match session.world(spec).await {
            Ok(world) => worlds.push(Arc::new(world)),
            Err(error) => {
                done = Err(error);
                break;
            }
        }
    }
    let done = match done {
        Ok(()) => {
            let how = How { ask, on_failure: args.on_failure, kept };
            carry_out(&mut session, worlds, &how, context).await
        }
        Err(error) => Err(error),
    };
    session.leave().await;
    done
}

/// How it is to be done.
struct How {
    ask: bool,
    on_failure: OnFailure,
    /// The plan that is to be carried out, and no other.
    kept: Option<PlanFile>,
}

/// The plan file that was named, if it is for the one spec that is to be run.
fn kept(args: &RunArgs, specs: &[Spec]) -> Result<Option<PlanFile>, CommandError> {
    let Some(path) = &args.plan else { return Ok(None) };
    let [spec] = specs else {
        let said = format!("a plan is for one link, and {} specs are named", specs.len());
        return Err(CommandError::new(codes::USAGE, said).hint("name the one that was planned"));
    };
    let file = PlanFile::read(path)?;
    file.fits(spec, place::kind(args.sandbox.choice()), &catalog()?.edition())?;
    Ok(Some(file))
}

async fn carry_out(
    session: &mut Session<'_>,
    worlds: Vec<Arc<World>>,
    how: &How,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let heads = session.engine.committer.heads().await?;
    let mut here = session.sorted().await?.here;
    for world in &worlds {
        for head in rolled_back(&here, &world.spec.link, session.kind) {
            let entries = session.engine.committer.entries(head.saga, 1).await?;
            remember_released(&entries, world);
        }
        if let Some(head) = end_empty(session, &here, world, context).await? {
            here.iter_mut().filter(|old| old.saga == head.saga).for_each(|old| *old = head.clone());
        }
    }
    let mut fresh = Vec::new();
    let mut ready = Vec::new();
    for world in worlds {
        let live = of_link(&here, &world.spec.link, session.kind);
        if let Some(head) = live.filter(|head| head.outcome.is_none())
            && let Ok((saga, _)) = session.engine.load(head.saga).await
        {
            whole(&saga, &session.flag)?;
        }
        match earlier(&here, &world, session)? {
            None => fresh.push(world),
            Some(head) => ready.push((head, world)),
        }
    }
    for (head, world) in &ready {
        same_spec(session, head, world).await?;
    }
    if let Some(kept) = &how.kept {
        let one = ready.first().map(|(head, world)| (Some(head), world));
        if let Some(one) = one.or_else(|| Some((None, fresh.first()?))) {
            as_planned(session, one, (kept, how.ask), &heads, context).await?;
        }
    }
    let mut all = Vec::new();
    for (head, world) in ready {
        all.push(look_again(session, head.saga, &world, context).await?);
    }
    if how.ask && how.kept.is_none() && !fresh.is_empty() {
        show_plans(session, &fresh, &heads, context).await?;
    }
    let mut jobs = Vec::new();
    for world in fresh {
        jobs.push(begin(session, world).await?);
    }
    if !jobs.is_empty() {
        all.extend(drive(session, &jobs, how.on_failure, context).await?);
    }
    Ok(conclude(&all, session.engine.catalog.about(), &session.flag, context))
}

/// Ends the run of this link that created nothing: it stands in nobody's way.
pub(super) async fn end_empty(
    session: &Session<'_>,
    heads: &[Head],
    world: &World,
    context: Context<'_>,
) -> Result<Option<Head>, CommandError> {
    let Some(head) = of_link(heads, &world.spec.link, session.kind) else { return Ok(None) };
    let (saga, _) = session.engine.load(head.saga).await?;
    let made = |saga: &Saga| saga.nodes.iter().any(NodeState::may_have_made);
    if saga.outcome.is_some() || saga.lost.is_some() || made(&saga) {
        return Ok(None);
    }
    // The journal may be older than the cloud: what it does not know is no reason to forget it.
    if saga.direction == Direction::Forward
        && made(&session.engine.take_stock(saga.id, world).await?)
    {
        return Ok(None);
    }
    let link = &saga.link;
    context.ui.status(&format!("the run of {link} that stopped created nothing: it is ended"));
    if saga.direction == Direction::Forward {
        let actor = session.actor(None);
        let by = actor.user.clone().unwrap_or_default();
        session.engine.say(saga.id, Event::RollbackBegun { by, actor }).await?;
    }
    let outcome = Outcome::RolledBack;
    session.engine.say(saga.id, Event::Finished { outcome }).await?;
    Ok(Some(Head { outcome: Some(outcome), ..head }))
}

/// The saga that set this link up before; none where it was taken back or never begun.
fn earlier(
    heads: &[Head],
    world: &World,
    session: &Session<'_>,
) -> Result<Option<Head>, CommandError> {
    let link = &world.spec.link;
    match of_link(heads, link, session.kind) {
        None => Ok(None),
        Some(head) => match head.outcome {
            Some(Outcome::RolledBack) => Ok(None),
            Some(Outcome::Succeeded) => Ok(Some(head)),
            None => {
                let said = format!("the saga {} of {link} has not ended", head.saga);
                let (link, flag) = (shell::word(link), &session.flag);
                Err(CommandError::new(codes::LIVE_SAGA, said)
                    .meaning("a link has one live saga at a time; nothing was begun")
                    .hint(format!("`escrr rollback {link}{flag}` takes back what it made"))
                    .next_command(format!("escrr resume {link}{flag}")))
            }
        },
    }
}

/// A link that is set up is changed by taking it back first, never by a second saga over it.
async fn same_spec(session: &Session<'_>, head: &Head, world: &World) -> Result<(), CommandError> {
    let (saga, _) = session.engine.load(head.saga).await?;
    if saga.spec_digest == world.spec.digest() {
        return Ok(());
    }
    let (link, flag) = (shell::word(&saga.link), &session.flag);
    let said = format!("{link} was set up with another spec than {}", world.spec.name());
    Err(CommandError::new(codes::OTHER_SPEC, said)
        .meaning("what it made fits the spec it was made from; nothing was done")
        .hint(format!("take it back first: `escrr rollback {link}{flag}`, then run again"))
        .hint(format!("or run the spec that it was made from: `escrr events {link}` holds it")))
}

/// Refuses if anything is not as it was when the plan was made; else shows it and asks. Who is
/// asked may take long, so that what was seen before the answer is looked at again after it.
async fn as_planned(
    session: &Session<'_>,
    one: (Option<&Head>, &Arc<World>),
    (kept, ask): (&PlanFile, bool),
    heads: &[Head],
    context: Context<'_>,
) -> Result<(), CommandError> {
    let plan = is_still(session, one, kept, context).await?;
    if ask && one.0.is_none() {
        show(plan, learnt(session, heads).await?, context);
        context.ui.confirm(QUESTION, "yes", YES)?;
        is_still(session, one, kept, context).await?;
    }
    Ok(())
}

/// Looks at everything, and refuses if it is not as it was when the plan was made.
async fn is_still(
    session: &Session<'_>,
    (head, world): (Option<&Head>, &Arc<World>),
    kept: &PlanFile,
    context: Context<'_>,
) -> Result<Plan, CommandError> {
    context.ui.status("looking whether everything is as it was planned");
    let known = match head {
        Some(head) => {
            let entries = session.engine.committer.entries(head.saga, 1).await?;
            Known::of_journal(head.saga, &entries)
        }
        None => Known::nothing(new_id()),
    };
    let clock = Arc::clone(&session.engine.clock);
    let plan = Plan::make(&session.engine.catalog, world, &known, &*clock).await;
    if let Some(error) = plan.obstacle(context) {
        return Err(error);
    }
    plan.is_still(kept)?;
    Ok(plan)
}

/// Shows what would be made, before a question.
fn show(plan: Plan, learnt: Learnt, context: Context<'_>) {
    let columns = context.ui.columns_stderr();
    context.ui.status(&plan.with(learnt).short(context.settings.unicode, columns));
}

/// Looks at a link that is set up already, and changes nothing.
pub(super) async fn look_again(
    session: &Session<'_>,
    id: SagaId,
    world: &World,
    context: Context<'_>,
) -> Result<Concluded, CommandError> {
    let entries = session.engine.committer.entries(id, 1).await?;
    let (saga, _) = session.engine.load(id).await?;
    let known = Known::of_journal(id, &entries);
    let clock = Arc::clone(&session.engine.clock);
    let plan = Plan::make(&session.engine.catalog, world, &known, &*clock).await;
    let differences = plan.differences();
    if differences.is_empty() {
        context.ui.status(&format!("{} is already set up, nothing to do", saga.link));
        return Ok(Concluded::of(saga, None));
    }
    let exit = plan.exit_of_differences();
    let (link, flag) = (shell::word(&saga.link), &session.flag);
    let said = format!("{link} is set up, but not as it was left:\n{}", differences.join("\n"));
    let error = CommandError::new(codes::CHANGED, said)
        .meaning("a finished link is not changed by itself; nothing was done")
        .hint(format!("put it back by hand, and `escrr plan{flag}` says whether it fits"))
        .hint(format!("or take it back and run again: `escrr rollback {link}{flag}`"));
    context.ui.problem(&error);
    let more = vec![("differences", plan.document())];
    Ok(Concluded { saga, exit, more, error: Some(error) })
}

/// Looks at everything, shows what would be made and asks.
pub(super) async fn show_plans(
    session: &Session<'_>,
    worlds: &[Arc<World>],
    heads: &[Head],
    context: Context<'_>,
) -> Result<(), CommandError> {
    let learnt = learnt(session, heads).await?;
    context.ui.status("looking at what is there; nothing is changed");
    for world in worlds {
        let clock = Arc::clone(&session.engine.clock);
        let known = Known::nothing(new_id());
        let plan = Plan::make(&session.engine.catalog, world, &known, &*clock).await;
        if let Some(error) = plan.obstacle(context) {
            return Err(error);
        }
        show(plan, learnt.clone(), context);
    }
    context.ui.confirm(QUESTION, "yes", YES)
}

/// What earlier runs took.
async fn learnt(session: &Session<'_>, heads: &[Head]) -> Result<Learnt, CommandError> {
    let mut learnt = Learnt::default();
    for head in teachers(heads, session.kind) {
        learnt.add(&session.engine.committer.entries(head.saga, 1).await?);
    }
    Ok(learnt)
}

async fn begin(session: &Session<'_>, world: Arc<World>) -> Result<Job, CommandError> {
    let saga = new_id();
    let digest = world.spec.digest();
    let cloud = crate::account::identity(&world).await;
    let with = Beginning {
        link: &world.spec.link,
        spec: world.spec.text(),
        digest: &digest,
        world: session.kind,
        world_id: session.place.world_id(),
        actor: &session.actor(cloud.as_ref()),
    };
    session.engine.begin(saga, with).await?;
    Ok(Job { saga, world, cloud })
}

/// Drives the sagas, and backwards again those that failed where that was asked for.
async fn drive(
    session: &mut Session<'_>,
    jobs: &[Job],
    on_failure: OnFailure,
    context: Context<'_>,
) -> Result<Vec<Concluded>, CommandError> {
    let driven = session.drive(jobs).await?;
    let undisturbed = driven.stopped.is_none() && driven.errors.is_empty();
    let mut all = conclusions(driven, context);
    let failed: Vec<usize> = (0..all.len())
        .filter(|at| {
            let phase = all.get(*at).map(|one| one.saga.phase());
            matches!(phase, Some(Phase::Failed | Phase::Parked))
        })
        .collect();
    if failed.is_empty() || !undisturbed || !wants_back(on_failure, &all, context) {
        return Ok(all);
    }
    let mut back = Vec::new();
    for at in &failed {
        let Some(job) = jobs.get(*at) else { continue };
        session.rollback_begun(job).await?;
        back.push(job.clone());
    }
    for at in &failed {
        if let Some(one) = all.get(*at) {
            let about = session.engine.catalog.about();
            for problem in crate::ui::result::problems(&one.saga, about) {
                context.ui.problem(&problem);
            }
        }
    }
    let Driven { sagas, errors, stopped } = session.drive(&back).await?;
    for error in &errors {
        context.ui.problem(error);
    }
    for (at, saga) in failed.into_iter().zip(sagas) {
        if let Some(one) = all.get_mut(at) {
            let taken_back = saga.phase() == Phase::RolledBack;
            // The run failed all the same: its code tells why.
            let exit =
                if taken_back { one.exit } else { Concluded::of(saga.clone(), stopped).exit };
            *one = Concluded { exit, ..Concluded::of(saga, stopped) };
        }
    }
    Ok(all)
}

/// Is what a failed run made to be taken back?
fn wants_back(on_failure: OnFailure, all: &[Concluded], context: Context<'_>) -> bool {
    match on_failure {
        OnFailure::Keep => false,
        OnFailure::Rollback => true,
        OnFailure::Ask => {
            let links: Vec<&str> = all.iter().map(|one| one.saga.link.as_str()).collect();
            let question = format!("{} failed. Take back what was made?", links.join(", "));
            context.ui.confirm(&question, "yes", "--on-failure rollback").is_ok()
        }
    }
}
