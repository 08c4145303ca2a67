//! `escrr plan`: looks at everything and writes nothing.

mod render;

use crate::Context;
use crate::args::{OutputForm, PlanArgs};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::sagas::of_link;
use crate::session::{catalog, new_id};
use crate::specs;
use escrr_engine::survey::{Known, Verdict, survey};
use escrr_engine::{About, Catalog, Class, Clock, Outcome, Report};
use escrr_steps::World;
use std::sync::Arc;

/// The documented step that verifies; what it writes it takes away again.
pub(super) const VERIFY: u8 = 6;

/// What looking at every node said.
pub(super) struct Plan {
    catalog: Arc<Catalog<World>>,
    verdicts: Vec<Verdict>,
    /// Which nodes' things the link's own saga made.
    ours: Vec<bool>,
}

/// Looks at everything, says what a run would make.
pub(super) async fn run(args: &PlanArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let choice = args.sandbox.choice();
    let named: Vec<_> = args.spec.iter().cloned().collect();
    let spec = specs::load(&named, choice.is_some())?.remove(0);
    let link = spec.link.clone();
    let known = recorded(&link, place::kind(choice), context)?;
    let place = Place::reach(&args.sandbox, Publicity::Silent, context).await?;
    let plan = look(&place, spec, &known, context).await;
    place.leave().await;
    let plan = plan?;
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&plan.table(&link, context.ui.columns())),
        OutputForm::Json => context.ui.document(&plan.whole_document(&link)),
        OutputForm::Ndjson => plan.lines().iter().for_each(|line| context.ui.line(line)),
    }
    let flag = place::flag(choice);
    let error = plan.obstacle(&link, context);
    if let Some(error) = error {
        context.ui.problem(&error);
        return Ok(error.exit());
    }
    let changes = plan.has_changes();
    if changes {
        let spec = named.first().map(|path| format!(" {}", path.display())).unwrap_or_default();
        context.ui.hint(&format!("`escrr run{spec}{flag}` makes it"));
    }
    Ok(if changes && args.detailed_exitcode { Exit::Changes } else { Exit::Done })
}

async fn look(
    place: &Place,
    spec: escrr_steps::spec::Spec,
    known: &Known,
    context: Context<'_>,
) -> Result<Plan, CommandError> {
    let world = place.world(spec, context).await?;
    let clock = place.clock().await?;
    context.ui.status("looking at what is there; nothing is changed");
    Ok(Plan::make(&catalog()?, &world, known, &*clock).await)
}

/// What the link's saga left in its journal, if it set the link up or is at it.
fn recorded(link: &str, kind: &str, context: Context<'_>) -> Result<Known, CommandError> {
    let reading = crate::store::read(&context.settings.home)?;
    match of_link(&reading.heads()?, link, kind) {
        Some(head) if head.outcome != Some(Outcome::RolledBack) => {
            Ok(Known::of_journal(head.saga, &reading.entries(head.saga, 1)?))
        }
        Some(_) | None => Ok(Known::nothing(new_id())),
    }
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
        Self { catalog: Arc::clone(catalog), verdicts, ours }
    }

    fn rows(&self) -> impl Iterator<Item = (&About, &Verdict)> {
        self.catalog.about().iter().zip(&self.verdicts)
    }

    /// Would a run change the world?
    fn has_changes(&self) -> bool {
        self.rows().any(|(about, verdict)| will_make(about, verdict))
    }

    /// What is not as a finished run left it, one line a node.
    pub(super) fn differences(&self) -> Vec<String> {
        let differs = |(about, verdict): (&About, &Verdict)| {
            let what = match verdict {
                Verdict::Make(_) => "is gone".to_owned(),
                Verdict::Differs(report) | Verdict::Blocked(_, report) => report.to_string(),
                Verdict::Waits(why) => why.clone(),
                Verdict::After(_) => "cannot be looked at".to_owned(),
                Verdict::Found(_)
                | Verdict::Checked(_)
                | Verdict::Unneeded(_)
                | Verdict::Unlooked => return None,
            };
            Some(format!("  {}: {what}", about.id))
        };
        self.rows().filter_map(differs).collect()
    }

    /// The code for a finished link that is not as it was left.
    pub(super) fn exit_of_differences(&self) -> Exit {
        self.worst().map_or(Exit::Failed, |(class, _)| Exit::from(class))
    }

    fn blocks(&self) -> impl Iterator<Item = (&About, Class, &Report)> {
        self.rows().filter_map(|(about, verdict)| match verdict {
            Verdict::Blocked(class, report) => Some((about, *class, report)),
            Verdict::Differs(report) => Some((about, Class::Drift, report)),
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
    pub(super) fn obstacle(&self, link: &str, context: Context<'_>) -> Option<CommandError> {
        let (worst, _) = self.worst()?;
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

/// Would a run make something for this node, now or once what it needs is there?
fn will_make(about: &About, verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Make(_) => true,
        Verdict::After(_) => about.acts(),
        Verdict::Found(_)
        | Verdict::Checked(_)
        | Verdict::Unneeded(_)
        | Verdict::Differs(_)
        | Verdict::Waits(_)
        | Verdict::Blocked(..)
        | Verdict::Unlooked => false,
    }
}
