//! `escrr verify` and `escrr lag`: step 6 again, on a link that is there.

mod render;
pub(super) mod subject;
pub(super) mod sweep;

use crate::Context;
use crate::args::{LagArgs, OutputForm, SandboxArg, VerifyArgs};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::probes::{self, Record};
use crate::session::{Signals, new_id, random};
use crate::shell::word;
use escrr_engine::Fault;
use escrr_steps::lag::{Finding, Kind, Limits, Link};
use escrr_steps::spec::Spec;
use escrr_steps::verify::{
    Documents, Options, Probe, Probed, Verified, existing, incremental, probe_of, remove_probe,
};

/// What came of it.
struct Outcome {
    link: String,
    saga: Option<String>,
    verified: Verified,
    probe: Probing,
    limits: Limits,
    /// Were all documents to be compared?
    full: bool,
    flag: String,
}

/// What became of the probe.
enum Probing {
    /// It was not asked for.
    Unasked,
    /// It could not be tried, and why.
    Untried(&'static str),
    /// It was written.
    Tried(Probed),
}

/// What is wanted of a link.
struct Wish {
    spec: Spec,
    saga: Option<String>,
    options: Options,
    probe: bool,
}

/// Verifies a link.
pub(super) async fn run(args: &VerifyArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let wish = |place: &Place| {
        let (spec, saga) = subject::subject(&args.subject, "verify", place, context)?;
        let limits = subject::limits(&spec, args.limits);
        let sample = u64::from(args.sample.unwrap_or(spec.verify.sample_documents));
        let documents =
            if args.full { Documents::All } else { Documents::Sample(sample, random()) };
        let options = Options { documents: Some(documents), limits };
        let probe = spec.verify.probe && !args.no_probe;
        Ok(Wish { spec, saga, options, probe })
    };
    match look(wish, &args.subject.sandbox, context).await? {
        Ended::Whole(outcome) => Ok(show(&outcome, context)),
        Ended::Stopped(exit) => Ok(exit),
    }
}

/// Shows how far behind a link is.
pub(super) async fn lag(args: &LagArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let wish = |place: &Place| {
        let (spec, saga) = subject::subject(&args.subject, "lag", place, context)?;
        let limits = subject::limits(&spec, args.limits);
        let options = Options { documents: None, limits };
        Ok(Wish { spec, saga, options, probe: false })
    };
    match look(wish, &args.subject.sandbox, context).await? {
        Ended::Whole(outcome) => Ok(show(&outcome, context)),
        Ended::Stopped(exit) => Ok(exit),
    }
}

/// Whether somebody let it come to its end.
enum Ended {
    Whole(Box<Outcome>),
    Stopped(Exit),
}

async fn look(
    wish: impl FnOnce(&Place) -> Result<Wish, CommandError>,
    sandbox: &SandboxArg,
    context: Context<'_>,
) -> Result<Ended, CommandError> {
    let choice = sandbox.choice();
    let (flag, kind) = (place::flag(choice), place::kind(choice));
    let place = Place::reach(sandbox, Publicity::Silent, context).await?;
    let ended = match wish(&place) {
        Ok(wish) => looked(wish, &place, (flag, kind), context).await,
        Err(error) => Err(error),
    };
    place.leave().await;
    ended
}

async fn looked(
    wish: Wish,
    place: &Place,
    (flag, kind): (String, &'static str),
    context: Context<'_>,
) -> Result<Ended, CommandError> {
    let Wish { spec, saga, options, probe } = wish;
    let world = place.world(spec, context).await?;
    let clock = place.clock().await?;
    let mut signals = Signals::listen()?;
    let (leader, follower) = subject::clusters(&world, &*clock).await?;
    let link = Link { spec: &world.spec, leader, follower, clock: &*clock };
    let refused = |fault: Fault| CommandError::from(&fault);
    // `lag` changes nothing.
    if options.documents.is_some() {
        sweep::sweep(&link, kind, context).await;
    }
    context.ui.status("looking at both clusters; what is on its way is waited for");
    let mut verified = tokio::select! {
        verified = existing(&link, &options) => verified.map_err(refused)?,
        exit = signals.next() => return Ok(Ended::Stopped(exit)),
    };
    let mut outcome = Outcome {
        link: world.spec.link.clone(),
        saga,
        verified: Verified::default(),
        probe: Probing::Unasked,
        limits: options.limits,
        full: options.documents == Some(Documents::All),
        flag,
    };
    if probe {
        match probe_of(&world.spec, new_id()) {
            None => outcome.probe = Probing::Untried("no pattern of the spec could catch it"),
            Some(_) if !verified.follows_new_indices() => {
                outcome.probe = Probing::Untried("auto-follow would not take it up");
            }
            Some(names) => {
                let held = probes::write(
                    context.settings.home.path(),
                    Record {
                        link: world.spec.link.clone(),
                        world: kind.to_owned(),
                        leader: names.leader.clone(),
                        follower: names.follower.clone(),
                    },
                )?;
                context.ui.status(&format!("writing the probe {}", names.leader));
                let (probed, findings) = probed(&link, &names, &options.limits, &mut signals).await;
                // What may be left stays recorded, and the next verification removes it.
                if !findings.iter().any(|finding| finding.kind == Kind::ProbeLeft) {
                    held.forget()?;
                }
                match probed {
                    Ok(Some(probed)) => outcome.probe = Probing::Tried(probed),
                    Err(exit) => {
                        for finding in &findings {
                            context.ui.problem(&left(finding));
                        }
                        return Ok(Ended::Stopped(exit));
                    }
                    Ok(None) => {}
                }
                verified.findings.extend(findings);
            }
        }
    }
    outcome.verified = verified;
    Ok(Ended::Whole(Box::new(outcome)))
}

/// Writes the probe and removes it, whatever happens: also when it fails, or somebody interrupts.
async fn probed(
    link: &Link<'_>,
    names: &Probe,
    limits: &Limits,
    signals: &mut Signals,
) -> (Result<Option<Probed>, Exit>, Vec<Finding>) {
    let mut findings = Vec::new();
    let came = tokio::select! {
        came = incremental(link, names, limits) => match came {
            Ok((probed, finding)) => {
                findings.extend(finding);
                Ok(Some(probed))
            }
            Err(fault) => {
                findings.push(unwritten(names, &fault));
                Ok(None)
            }
        },
        exit = signals.next() => Err(exit),
    };
    findings.extend(remove_probe(link, names, came.is_err()).await);
    (came, findings)
}

/// The probe itself failed: a finding too, so that nothing else that was found is lost.
fn unwritten(names: &Probe, fault: &Fault) -> Finding {
    Finding {
        kind: Kind::ProbeFailed,
        leader: Some(names.leader.clone()),
        follower: Some(names.follower.clone()),
        evidence: fault.report().to_string(),
        meaning: "the probe could not be written or looked at, so nothing is known of new data"
            .to_owned(),
        next: "mend the cause, or leave it out with --no-probe".to_owned(),
    }
}

/// What is left behind, as an error of its own.
fn left(finding: &Finding) -> CommandError {
    CommandError::new(codes::LEFT_BEHIND, format!("{}: {}", finding.kind.title(), finding.evidence))
        .meaning(finding.meaning.clone())
        .hint(finding.next.clone())
}

impl Outcome {
    /// What it ends with: what is left behind alone is no failed verification.
    fn exit(&self) -> Exit {
        let findings = &self.verified.findings;
        if findings.is_empty() {
            Exit::Done
        } else if findings.iter().all(|finding| finding.kind == Kind::ProbeLeft) {
            Exit::LeftBehind
        } else {
            Exit::Verification
        }
    }

    /// The command that tells more, where one does.
    fn next_command(&self) -> Option<String> {
        let differs = |kind| matches!(kind, Kind::CountDiffers | Kind::DocumentsDiffer);
        let more = self.verified.findings.iter().any(|finding| differs(finding.kind));
        let by_saga = self.saga.is_some() && !self.full && more;
        by_saga.then(|| format!("escrr verify {} --full{}", word(&self.link), self.flag))
    }
}

impl Outcome {
    /// What is wrong, in a sentence.
    fn error(&self) -> Option<CommandError> {
        let exit = self.exit();
        let found = crate::ui::words::count(self.verified.findings.len(), "finding");
        let code = if exit == Exit::LeftBehind { codes::LEFT_BEHIND } else { codes::VERIFICATION };
        let mut error = CommandError::new(code, format!("{}: {found}", self.link));
        error.next_command = self.next_command();
        (exit != Exit::Done).then_some(error)
    }
}

fn show(outcome: &Outcome, context: Context<'_>) -> Exit {
    let exit = outcome.exit();
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&render::document(outcome)),
        OutputForm::Ndjson => {
            for line in render::lines(outcome) {
                context.ui.line(&line);
            }
        }
        OutputForm::Human => context.ui.result(&render::text(
            outcome,
            context.ui.columns(),
            context.ui.whereabouts(),
        )),
    }
    for probe in &outcome.verified.probes {
        let said = format!(
            "{probe} is on the leader: the probe of a verification that goes on, or was killed"
        );
        context.ui.warning(&said);
    }
    if let Some(error) = outcome.error() {
        context.ui.problem(&error);
    }
    exit
}
