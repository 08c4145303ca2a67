//! `escrr plan`: looks at everything and writes nothing into the world.
//!
//! - [`verdicts`]: what was seen of each node, in words; [`times`]: the longest path;
//! - [`costs`], [`arrows`]: what starts to cost, and which way things flow;
//! - [`screen`] and [`document`] show all of it;
//! - [`file`] and [`keep`] keep it, and [`changed`] holds the world against what was kept.

mod arrows;
mod changed;
mod costs;
mod document;
mod file;
mod keep;
mod screen;
mod times;
mod verdicts;

pub(super) use file::PlanFile;
pub(super) use times::Learnt;

use super::indices::{remember_released, rolled_back};
use crate::Context;
use crate::args::{OutputForm, PlanArgs, SandboxChoice};
use crate::blocks;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::sagas::of_link;
use crate::session::{catalog, new_id};
use crate::shell::word;
use crate::{specs, worlds};
use escrr_engine::store::{Head, Reading};
use escrr_engine::survey::{Known, Verdict, survey};
use escrr_engine::{About, Catalog, Class, Clock, Entry, NodeId, Outcome, Report};
use escrr_steps::rules::{Problem, Warning};
use escrr_steps::spec::Spec;
use escrr_steps::{Reserved, World};
use serde::Deserialize as _;
use std::path::Path;
use std::sync::Arc;
use verdicts::Row;

/// The documented step that verifies; what it writes it takes away again.
pub(super) const VERIFY: u8 = 6;
/// Journals of earlier runs that usual durations are learnt from, newest first.
const MOST_LESSONS: usize = 20;

/// What looking at every node said.
pub(super) struct Plan {
    catalog: Arc<Catalog<World>>,
    spec: Spec,
    verdicts: Vec<Verdict>,
    /// Which nodes' things the link's own saga made.
    ours: Vec<bool>,
    learnt: Learnt,
    /// The rules of the prerequisites that do not hold.
    problems: Vec<Problem>,
}

/// Looks at everything, says what a run would make.
pub(super) async fn run(args: &PlanArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let choice = args.sandbox.choice();
    let named: Vec<_> = args.spec.iter().cloned().collect();
    let spec = specs::load(&named, choice.is_some())?.remove(0);
    let link = spec.link.clone();
    if args.out.as_deref() == Some(Path::new("-")) {
        let said = "a plan file cannot be written to stdout, where the plan itself is shown";
        return Err(CommandError::new(codes::USAGE, said).hint("name a file: --out plan.json"));
    }
    let flag = place::flag(choice);
    let place = Place::reach(&args.sandbox, Publicity::Silent, context).await?;
    let looked = async {
        let (head, known, learnt, said) = before(&link, (&place, choice), context)?;
        let live = head.as_ref().is_some_and(|head| head.outcome.is_none());
        let set_up = head.is_some_and(|head| head.outcome == Some(Outcome::Succeeded));
        if live && args.out.is_some() {
            return Err(live_saga(&link, &flag));
        }
        let plan = look(&place, spec, (&known, learnt, &said), context).await?;
        Ok((live, set_up, plan))
    }
    .await;
    place.leave().await;
    let (live, set_up, plan) = looked?;
    let error = plan.obstacle(context);
    let changes = plan.has_changes();
    let exit = match &error {
        Some(error) => error.exit(),
        None if changes && args.detailed_exitcode => Exit::Changes,
        None => Exit::Done,
    };
    // A plan that would not come through is not kept.
    let out = args.out.as_deref().filter(|_| error.is_none());
    if let Some(path) = out {
        plan.to_file(place::kind(choice), crate::clock::real_ms()).write(path)?;
    }
    plan.show((exit, error.as_ref()), out, context);
    for (node, warning) in plan.warnings() {
        context.ui.warning(&format!("{node}: {}; {}", warning.said, warning.help));
    }
    if let Some(error) = error {
        context.ui.problem(&error);
        if args.out.is_some() {
            context.ui.hint("no plan file was written: a run would not come through");
        }
        return Ok(exit);
    }
    let spec = named.first().map(|path| format!(" {}", word(path))).unwrap_or_default();
    if let Some(path) = out {
        context.ui.status(&format!("wrote {}", path.display()));
        let path = word(path);
        context.ui.hint(&format!("`escrr run{spec} --plan {path}{flag}` makes exactly that"));
    } else if live {
        context.ui.next(&format!("escrr resume {}{flag}", word(&link)));
    } else if changes && set_up {
        // A run refuses to change a link that is set up.
        context.ui.hint(&format!(
            "{link} is set up, but not as it was left: put it back by hand, or `escrr rollback {}{flag}`, then `escrr run{spec}{flag}`",
            word(&link)
        ));
    } else if changes {
        context.ui.hint(&format!("`escrr run{spec}{flag}` makes it"));
    }
    Ok(exit)
}

/// What other journals of this home say that a plan has to know.
struct Others {
    /// Journals of sagas of the link that were taken back.
    released: Vec<Entry>,
    /// Blocks that links have chosen.
    reserved: Reserved,
}

/// What the journals know of the link in this world, and of how long things take.
fn before(
    link: &str,
    (place, choice): (&Place, Option<&SandboxChoice>),
    context: Context<'_>,
) -> Result<(Option<Head>, Known, Learnt, Others), CommandError> {
    let reading = crate::store::read(&context.settings.home)?;
    let here = worlds::of_reading(&reading, place)?.here;
    let head = of_link(&here, link, place::kind(choice));
    let mut released = Vec::new();
    for head in rolled_back(&here, link, place::kind(choice)) {
        released.extend(reading.entries(head.saga, 1)?);
    }
    let known = recorded(&reading, head.clone())?;
    let mut learnt = Learnt::default();
    for head in teachers(&reading.heads()?, place::kind(choice)) {
        learnt.add(&reading.entries(head.saga, 1)?);
    }
    let reserved = blocks::read(&reading, place::kind(choice))?;
    Ok((head, known, learnt, Others { released, reserved }))
}

async fn look(
    place: &Place,
    spec: Spec,
    (known, learnt, others): (&Known, Learnt, &Others),
    context: Context<'_>,
) -> Result<Plan, CommandError> {
    let mut world = place.world(spec, context).await?;
    world.memory.share(&others.reserved);
    remember_released(&others.released, &world);
    let clock = place.clock().await?;
    context.ui.status("looking at what is there; nothing is changed");
    Ok(Plan::make(&catalog()?, &world, known, &*clock).await.with(learnt))
}

/// A saga that has not ended goes on as its journal says, and takes no plan.
fn live_saga(link: &str, flag: &str) -> CommandError {
    CommandError::new(codes::LIVE_SAGA, format!("the saga of {link} has not ended"))
        .meaning("it is carried on as it was begun, and not by a plan file; nothing was written")
        .hint(format!("`escrr plan{flag}` without --out shows what is still to make"))
        .next_command(format!("escrr resume {}{flag}", word(link)))
}

/// What the link's saga left in its journal, if it set the link up or is at it.
fn recorded(reading: &Reading, head: Option<Head>) -> Result<Known, CommandError> {
    match head {
        Some(head) if head.outcome != Some(Outcome::RolledBack) => {
            Ok(Known::of_journal(head.saga, &reading.entries(head.saga, 1)?))
        }
        Some(_) | None => Ok(Known::nothing(new_id())),
    }
}

/// The sagas that usual durations are learnt from: those of this kind of world that came to an
/// end, the newest of them.
pub(super) fn teachers<'h>(heads: &'h [Head], kind: &str) -> Vec<&'h Head> {
    let ended = heads.iter().filter(|head| head.outcome.is_some() && head.world == kind);
    let mut newest: Vec<&Head> = ended.collect();
    newest.sort_by_key(|head| std::cmp::Reverse(head.saga));
    newest.truncate(MOST_LESSONS);
    newest
}

impl Plan {
    /// Looks at every node; what verification writes is left to a run.
    pub(super) async fn make(
        catalog: &Arc<Catalog<World>>,
        world: &World,
        known: &Known,
        clock: &dyn Clock,
    ) -> Self {
        let skip = |about: &About| about.phase == VERIFY && about.acts();
        let verdicts = survey(catalog, world, known, clock, &skip).await;
        let ours = catalog.about().iter().map(|about| known.made(about.id)).collect();
        let (catalog, spec) = (Arc::clone(catalog), world.spec.clone());
        let problems = world.memory.problems();
        Self { catalog, spec, verdicts, ours, learnt: Learnt::default(), problems }
    }

    /// The same with what earlier runs took.
    #[must_use]
    pub(super) fn with(mut self, learnt: Learnt) -> Self {
        self.learnt = learnt;
        self
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let seen = self.catalog.about().iter().zip(&self.verdicts).zip(&self.ours);
        (0..).zip(seen).map(|(at, ((about, verdict), ours))| Row {
            at,
            about,
            verdict,
            ours: *ours,
        })
    }

    fn of_phase(&self, phase: u8) -> impl Iterator<Item = Row<'_>> {
        self.rows().filter(move |row| row.about.phase == phase)
    }

    /// Would a run change the world?
    fn has_changes(&self) -> bool {
        self.rows().any(|row| row.will_make())
    }

    fn show(&self, end: (Exit, Option<&CommandError>), file: Option<&Path>, context: Context<'_>) {
        let ui = context.ui;
        match ui.form() {
            OutputForm::Human => ui.result(&self.screen(context.settings.unicode, ui.columns())),
            OutputForm::Json => ui.document(&self.whole_document(end, file)),
            OutputForm::Ndjson => self.lines(end, file).iter().for_each(|line| ui.line(line)),
        }
    }

    /// What is not as a finished run left it, one line a node.
    pub(super) fn differences(&self) -> Vec<String> {
        let differs = |row: Row<'_>| {
            let what = match row.verdict {
                Verdict::Make(_) => "is gone".to_owned(),
                Verdict::Differs(report) | Verdict::Blocked(_, report) => report.to_string(),
                Verdict::Waits(why) => why.clone(),
                Verdict::After(_) => "cannot be looked at".to_owned(),
                Verdict::Found(_)
                | Verdict::Checked(_)
                | Verdict::Unneeded(_)
                | Verdict::Unlooked => return None,
            };
            Some(format!("  {}: {what}", row.about.id))
        };
        self.rows().filter_map(differs).collect()
    }

    /// The code for a finished link that is not as it was left.
    pub(super) fn exit_of_differences(&self) -> Exit {
        self.worst().map_or(Exit::Failed, |(class, _)| Exit::from(class))
    }

    /// What prerequisites found that stops nothing, and that a person has to know.
    fn warnings(&self) -> impl Iterator<Item = (NodeId, Warning)> {
        let of = |row: Row<'_>| {
            let all = row.verdict.output()?.get("warnings")?;
            let all = Vec::<Warning>::deserialize(all).ok()?;
            let id = row.about.id;
            Some(all.into_iter().map(move |warning| (id, warning)))
        };
        self.rows().filter_map(of).flatten()
    }

    fn blocks(&self) -> impl Iterator<Item = (&About, Class, &Report)> {
        self.rows().filter_map(|row| match row.verdict {
            Verdict::Blocked(class, report) => Some((row.about, *class, report)),
            Verdict::Differs(report) => Some((row.about, Class::Drift, report)),
            Verdict::Make(_)
            | Verdict::Found(_)
            | Verdict::Checked(_)
            | Verdict::Unneeded(_)
            | Verdict::Waits(_)
            | Verdict::After(_)
            | Verdict::Unlooked => None,
        })
    }

    /// The failure that a person has to see first.
    fn worst(&self) -> Option<(Class, &Report)> {
        let rank = |class: Class| match class {
            Class::Permission => 0,
            Class::Unreachable => 1,
            Class::Prerequisite => 2,
            Class::Approval => 3,
            Class::Drift | Class::Refused | Class::Bug | Class::Overdue => 4,
            Class::Verification => 5,
        };
        self.blocks()
            .map(|(_, class, report)| (class, report))
            .min_by_key(|(class, _)| rank(*class))
    }

    /// Why a run would not come through, if it would not; all but the worst are said at once.
    pub(super) fn obstacle(&self, context: Context<'_>) -> Option<CommandError> {
        let (worst, _) = self.worst()?;
        let link = &self.spec.link;
        let mut problems: Vec<(Class, CommandError)> = self
            .blocks()
            .map(|(about, class, report)| {
                let mut error = CommandError::reported(codes::for_class(class), report);
                error.said = format!("{link}, {}: {}", about.id, error.said);
                (class, error)
            })
            .collect();
        let first = problems.iter().position(|(class, _)| *class == worst)?;
        let (_, error) = problems.remove(first);
        for (_, problem) in &problems {
            context.ui.problem(problem);
        }
        Some(error)
    }
}
