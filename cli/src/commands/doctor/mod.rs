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
use crate::ui::words::count;
use escrr_engine::Fault;
use escrr_steps::doctor::{Diagnosis, Facts, Patient, Remedy, gather, judge, repair};
use escrr_steps::spec::Spec;

/// The flag that answers the question.
const YES: &str = "--yes";

/// What is shown.
struct Visit {
    link: String,
    saga: Option<String>,
    diagnosis: Diagnosis,
    /// What was mended before this was seen.
    mended: Vec<String>,
    flag: String,
}

/// Looks at a link; mends what is safe, if asked.
pub(super) async fn run(args: &DoctorArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let (spec, saga) = subject(&args.subject, "doctor", context)?;
    if args.fix && !args.confirm.yes {
        context.ui.can_ask(YES)?;
    }
    let place = Place::reach(&args.subject.sandbox, Publicity::Silent, context).await?;
    let flag = place::flag(args.subject.sandbox.choice());
    let done = Box::pin(visit((spec, saga, flag), args, &place, context)).await;
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
    let look = async || {
        let token = format!("escrr-doctor-{:016x}", random());
        let patient = Patient::meet(&world, &*clock, token).await?;
        let facts = gather(&patient).await?;
        Ok::<_, Fault>((patient, facts))
    };
    context.ui.status("looking at the link, from the leader's address to the followers");
    let (patient, facts) = tokio::select! {
        seen = look() => seen.map_err(|fault| refused(&fault))?,
        exit = signals.next() => return Ok(exit),
    };
    let link = world.spec.link.clone();
    let diagnosis = judge(&facts);
    let mut visit = Visit { link, saga, diagnosis, mended: Vec::new(), flag };
    let remedies: Vec<Remedy> =
        visit.diagnosis.findings.iter().filter_map(|found| found.remedy.clone()).collect();
    if args.fix && !remedies.is_empty() {
        ask(&visit, &remedies, args.confirm.yes, context)?;
        tokio::select! {
            mended = mend(&patient, &facts, &remedies, context) => visit.mended = mended?,
            exit = signals.next() => return Ok(exit),
        }
        context.ui.status("looking again");
        let seen = tokio::select! {
            seen = look() => seen.map_err(|fault| refused(&fault))?,
            exit = signals.next() => return Ok(exit),
        };
        visit.diagnosis = judge(&seen.1);
    }
    Ok(show(&visit, args.fix, context))
}

/// Shows what would be done, and wants the link's name.
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
    context.ui.confirm("Nothing else is changed.", &visit.link, YES)
}

async fn mend(
    patient: &Patient<'_>,
    facts: &Facts,
    remedies: &[Remedy],
    context: Context<'_>,
) -> Result<Vec<String>, CommandError> {
    let mut mended = Vec::new();
    for remedy in remedies {
        repair(patient, facts, remedy).await.map_err(|fault| refused(&fault))?;
        let text = remedy.text();
        context.ui.status(&format!("done: {text}"));
        mended.push(text);
    }
    Ok(mended)
}

impl Visit {
    fn exit(&self) -> Exit {
        match (self.diagnosis.findings.is_empty(), self.diagnosis.unlooked.is_empty()) {
            (true, true) => Exit::Done,
            (true, false) => Exit::Failed,
            (false, _) => Exit::Blocked,
        }
    }
}

fn show(visit: &Visit, fixed: bool, context: Context<'_>) -> Exit {
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&render::document(visit)),
        OutputForm::Ndjson => {
            for line in render::lines(visit) {
                context.ui.line(&line);
            }
        }
        OutputForm::Human => context.ui.result(&render::text(visit, context.ui.columns())),
    }
    let exit = visit.exit();
    let link = &visit.link;
    let number = visit.diagnosis.findings.len();
    let (code, said) = if number > 0 {
        (codes::PREREQUISITE, format!("{link}: {}", count(number, "finding")))
    } else if exit == Exit::Done {
        return exit;
    } else {
        (codes::UNREACHABLE, format!("{link}: not everything could be looked at"))
    };
    let mut error = CommandError::new(code, said);
    let mendable = visit.diagnosis.findings.iter().any(|found| found.remedy.is_some());
    if mendable && !fixed {
        let subject = if visit.saga.is_some() { format!(" {link}") } else { " --spec FILE".into() };
        error.next_command = Some(format!("escrr doctor{subject} --fix{}", visit.flag));
    }
    context.ui.problem(&error);
    exit
}
