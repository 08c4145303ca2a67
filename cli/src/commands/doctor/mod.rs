//! `escrr doctor`: the document's FAQ as checks, on a link that is there.

mod render;

use super::verify::subject::subject;
use crate::Context;
use crate::args::{DoctorArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::session::{Signals, random};
use crate::shell::word;
use crate::store;
use crate::ui::words::count;
use escrr_engine::{Fault, SagaId};
use escrr_steps::doctor::{Check, Diagnosis, Facts, Patient, Remedy, gather, judge, repair};
use escrr_steps::spec::Spec;

/// The flag that answers the question.
const YES: &str = "--yes";

/// What is shown.
struct Visit {
    link: String,
    saga: Option<String>,
    diagnosis: Diagnosis,
    /// What was done before this was seen.
    repairs: Vec<Repair>,
    /// Was it asked to mend?
    fixing: bool,
    flag: String,
}

/// One remedy that was carried out, or could not be.
struct Repair {
    what: String,
    failure: Option<CommandError>,
}

/// Looks at a link; mends what is safe, if asked.
pub(super) async fn run(args: &DoctorArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    if args.fix && !args.confirm.yes {
        context.ui.can_ask(YES)?;
    }
    let place = Place::reach(&args.subject.sandbox, Publicity::Silent, context).await?;
    let flag = place::flag(args.subject.sandbox.choice());
    let done = match subject(&args.subject, "doctor", &place, context) {
        Ok((spec, saga)) => Box::pin(visit((spec, saga, flag), args, &place, context)).await,
        Err(error) => Err(error),
    };
    place.leave().await;
    done
}

fn refused(fault: &Fault) -> CommandError {
    CommandError::from(fault)
}

async fn visit(
    (spec, saga, flag): (Spec, Option<String>, String),
    args: &DoctorArgs,
    place: &Place,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let world = place.world(spec, context).await?;
    let clock = place.clock().await?;
    let mut signals = Signals::listen()?;
    let known = saga.as_deref().and_then(SagaId::parse);
    let look = async || {
        let token = format!("escrr-doctor-{:016x}", random());
        let patient = Patient::meet(&world, &*clock, token).await?.of_saga(known);
        let facts = gather(&patient).await?;
        Ok::<_, Fault>((patient, facts))
    };
    // A run or a rollback of this home must not change what is looked at before it is mended.
    let _held = if args.fix { Some(store::lock(context, "doctor --fix").await?) } else { None };
    context.ui.status("looking at the link, from the leader's address to the followers");
    let (patient, facts) = tokio::select! {
        seen = look() => seen.map_err(|fault| refused(&fault))?,
        exit = signals.next() => return Ok(exit),
    };
    let link = world.spec.link.clone();
    let diagnosis = judge(&facts);
    let mut visit = Visit { link, saga, diagnosis, repairs: Vec::new(), fixing: args.fix, flag };
    let remedies: Vec<Remedy> =
        visit.diagnosis.findings.iter().filter_map(|found| found.remedy.clone()).collect();
    if args.fix && !remedies.is_empty() {
        ask(&visit, &remedies, args.confirm.yes, context)?;
        tokio::select! {
            repairs = mend(&patient, &facts, &remedies, context) => visit.repairs = repairs,
            exit = signals.next() => return Ok(exit),
        }
        context.ui.status("looking again");
        visit.diagnosis = tokio::select! {
            seen = look() => seen.map_or_else(|fault| unseen(&fault), |(_, facts)| judge(&facts)),
            exit = signals.next() => return Ok(exit),
        };
    }
    Ok(show(&visit, context))
}

/// What is known after a look that failed: nothing, and what was mended is said all the same.
fn unseen(fault: &Fault) -> Diagnosis {
    let why = refused(fault).said;
    let unlooked = Check::ALL.map(|check| (check, why.clone())).to_vec();
    Diagnosis { unlooked, ..Diagnosis::default() }
}

/// Shows what would be done, and wants a yes.
fn ask(
    visit: &Visit,
    remedies: &[Remedy],
    yes: bool,
    context: Context<'_>,
) -> Result<(), CommandError> {
    let mut list = vec![format!("To mend {}, escrr", visit.link)];
    list.extend(remedies.iter().map(|remedy| format!("  {}", remedy.text())));
    context.ui.status(&list.join("\n"));
    if yes {
        return Ok(());
    }
    context.ui.confirm("Nothing else is changed.", "yes", YES)
}

/// Carries out remedies until one fails: each stands on those before it, for an address that is
/// not admitted is never healthy, and a follower does not read through a broken way.
async fn mend(
    patient: &Patient<'_>,
    facts: &Facts,
    remedies: &[Remedy],
    context: Context<'_>,
) -> Vec<Repair> {
    let mut repairs: Vec<Repair> = Vec::new();
    for remedy in remedies {
        let what = remedy.text();
        if repairs.last().is_some_and(|before| before.failure.is_some()) {
            let said = "not tried, since what comes before it failed";
            let failure = Some(CommandError::new(codes::PREREQUISITE, said).tried(&what));
            repairs.push(Repair { what, failure });
            continue;
        }
        let failure = repair(patient, facts, remedy).await.err().map(|fault| refused(&fault));
        context.ui.status(&match &failure {
            None => format!("done: {what}"),
            Some(error) => format!("failed: {what}: {}", error.said),
        });
        repairs.push(Repair { what, failure });
    }
    repairs
}

impl Visit {
    fn exit(&self) -> Exit {
        match (self.diagnosis.findings.is_empty(), self.diagnosis.unlooked.is_empty()) {
            (true, true) => Exit::Done,
            (true, false) => Exit::Failed,
            (false, _) => Exit::Blocked,
        }
    }

    /// What is wrong, in a sentence.
    fn error(&self) -> Option<CommandError> {
        let (link, number) = (&self.link, self.diagnosis.findings.len());
        let (code, said) = if number > 0 {
            (codes::PREREQUISITE, format!("{link}: {}", count(number, "finding")))
        } else if self.exit() == Exit::Done {
            return None;
        } else {
            (codes::UNREACHABLE, format!("{link}: not everything could be looked at"))
        };
        let mut error = CommandError::new(code, said);
        error.next_command = self.next_command();
        Some(error)
    }

    /// What mends a finding; none after that was tried.
    fn next_command(&self) -> Option<String> {
        let mendable = self.diagnosis.findings.iter().any(|found| found.remedy.is_some());
        let subject = match &self.saga {
            Some(_) => format!(" {}", word(&self.link)),
            None => " --spec FILE".to_owned(),
        };
        let mends = mendable && !self.fixing;
        mends.then(|| format!("escrr doctor{subject} --fix{}", self.flag))
    }
}

fn show(visit: &Visit, context: Context<'_>) -> Exit {
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&render::document(visit)),
        OutputForm::Ndjson => {
            for line in render::lines(visit) {
                context.ui.line(&line);
            }
        }
        OutputForm::Human => {
            context.ui.result(&render::text(visit, context.ui.columns(), context.ui.whereabouts()));
        }
    }
    visit.repairs.iter().filter_map(|r| r.failure.as_ref()).for_each(|e| context.ui.problem(e));
    if let Some(error) = visit.error() {
        context.ui.problem(&error);
    }
    visit.exit()
}
