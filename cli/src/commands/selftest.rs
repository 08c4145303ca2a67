//! `escrr selftest`

use crate::Context;
use crate::args::{OutputForm, ProgressForm, SelftestArgs};
use crate::clock::stopwatch;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::selftest::child::Binary;
use crate::selftest::disk::Probe;
use crate::selftest::life::{Clean, live, undisturbed};
use crate::selftest::report::{Report, line, verdict as document_of};
use crate::selftest::verdict::Verdict;
use crate::selftest::workshop::Workshop;
use crate::selftest::{Commits, Point};
use crate::session::Signals;
use crate::ui::words::{count, span};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Lives that go on, what comes of them and what they took.
type Lives = JoinSet<(Result<Verdict, CommandError>, Duration)>;

/// So many lives side by side, as far as there are processors.
const SIDE_BY_SIDE: std::ops::RangeInclusive<usize> = 2..=4;

/// Kills real processes on this disk, and says whether anything was lost by it.
pub(super) async fn run(args: &SelftestArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let mut signals = Signals::listen()?;
    let mut workshop = Workshop::make(&context.settings.home)?;
    let mut lives = JoinSet::new();
    let tested = tokio::select! {
        tested = test(args, workshop.path(), &mut lives, context) => Ok(tested),
        exit = signals.next() => Err(exit),
    };
    let tested = match tested {
        Ok(tested) => tested,
        Err(exit) => {
            // Their processes are killed when the lives are dropped.
            lives.shutdown().await;
            let path = workshop.path().to_owned();
            workshop.remove().await.map_err(|error| {
                CommandError::file(codes::UNWRITABLE, "cannot remove", &path, &error)
            })?;
            context.ui.status("stopped; nothing is kept");
            return Ok(exit);
        }
    };
    let path = workshop.path().display().to_string();
    let report = match tested {
        Ok(report) => report,
        Err(error) if error.exit() == Exit::Usage => return Err(error),
        Err(error) => {
            workshop.keep();
            return Err(error.hint(format!("what the processes said is kept in {path}")));
        }
    };
    let exit = report.exit();
    if exit != Exit::Done {
        workshop.keep();
    }
    present(&report, (exit != Exit::Done).then_some(path.as_str()), context);
    Ok(exit)
}

/// Measures the disk, lives undisturbed once, and then dies at every point that is meant.
async fn test(
    args: &SelftestArgs,
    workshop: &Path,
    lives: &mut Lives,
    context: Context<'_>,
) -> Result<Report, CommandError> {
    let binary = Binary::own()?;
    let probe = Probe::take(workshop, &stopwatch()).map_err(|error| {
        CommandError::file(codes::SELFTEST, "no sync can be measured in", workshop, &error)
    })?;
    stream("disk", probe.document(), context);
    say(&format!("disk: {}; {}", probe.place(), probe.judgement().words()), context);
    let clean = undisturbed(workshop.join("undisturbed"), &binary).await?;
    let points = points(args, clean.commits)?;
    let Commits { forward, backward } = clean.commits;
    let number = count(points.len(), "point");
    say(&format!("undisturbed: {forward} commits forward, {backward} backward"), context);
    say(&format!("killing at {number} of {}", clean.commits.total() * 2), context);
    let commits = clean.commits;
    let verdicts = kill_at(points, (clean, binary), workshop, lives, context).await?;
    Ok(Report { probe, commits, verdicts })
}

/// Which points are meant.
fn points(args: &SelftestArgs, commits: Commits) -> Result<Vec<Point>, CommandError> {
    if let Some(point) = args.only.iter().find(|point| !commits.has(**point)) {
        let Commits { forward, backward } = commits;
        return Err(CommandError::new(codes::USAGE, format!("there is no point {point}"))
            .meaning(format!("a run makes {forward} commits here, its rollback {backward}")));
    }
    if !args.only.is_empty() {
        let mut only = args.only.clone();
        only.sort_unstable();
        only.dedup();
        return Ok(only);
    }
    Ok(if args.kill_everywhere { commits.all() } else { commits.sample(args.points) })
}

/// Lives that die at these points, some side by side; in the order of the points.
async fn kill_at(
    points: Vec<Point>,
    with: (Clean, Binary),
    workshop: &Path,
    lives: &mut Lives,
    context: Context<'_>,
) -> Result<Vec<Verdict>, CommandError> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let side_by_side = processors.clamp(*SIDE_BY_SIDE.start(), *SIDE_BY_SIDE.end());
    let all = points.len();
    let mut queue = points.into_iter();
    let with = Arc::new(with);
    let mut verdicts = Vec::new();
    loop {
        while lives.len() < side_by_side
            && let Some(point) = queue.next()
        {
            let dir = workshop.join(point.to_string().replace(':', "-"));
            let with = Arc::clone(&with);
            lives.spawn(async move {
                let (clean, binary) = &*with;
                let watch = stopwatch();
                let verdict = Box::pin(live(point, clean, dir, binary)).await;
                (verdict, watch())
            });
        }
        let Some(ended) = lives.join_next().await else { break };
        let (verdict, took) =
            ended.map_err(|error| CommandError::new(codes::BUG, error.to_string()))?;
        let verdict = verdict?;
        let took = span(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let how = if verdict.holds() { "killed and resumed" } else { "FAILED" };
        let done = verdicts.len() + 1;
        say(
            &format!("{done:>4}/{all}  {:<22}  {how} in {took}", verdict.point.to_string()),
            context,
        );
        stream("point", document_of(&verdict), context);
        verdicts.push(verdict);
    }
    verdicts.sort_by_key(|verdict| verdict.point);
    Ok(verdicts)
}

/// How it goes, unless nobody wants to know.
fn say(text: &str, context: Context<'_>) {
    if context.settings.progress != ProgressForm::None {
        context.ui.status(text);
    }
}

/// A line of the stream, where a stream was asked for.
fn stream(kind: &str, document: serde_json::Value, context: Context<'_>) {
    if context.ui.form() == OutputForm::Ndjson {
        context.ui.line(&line(kind, document));
    }
}

/// The result on stdout; what does not hold, with its evidence, on stderr.
fn present(report: &Report, kept: Option<&str>, context: Context<'_>) {
    let ui = context.ui;
    match ui.form() {
        OutputForm::Human => ui.result(&report.human(ui.columns())),
        OutputForm::Json => ui.document(&report.document(kept)),
        OutputForm::Ndjson => ui.line(&report.summary()),
    }
    let judgement = report.probe.judgement();
    if judgement.warns() {
        ui.warning(&format!("the disk of the home: {}", judgement.words()));
    }
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.holds()) {
        let said = format!("killed at {}:\n{}", verdict.point, verdict.evidence().join("\n"));
        let code = if verdict.unopened { codes::STORE_DAMAGED } else { codes::SELFTEST };
        ui.problem(
            &CommandError::new(code, said)
                .next_command(format!("escrr selftest --only {}", verdict.point)),
        );
    }
    if let Some(kept) = kept {
        ui.hint(&format!("the stores and what the processes said are kept in {kept}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;
    use crate::selftest::disk::Cost;

    const COMMITS: Commits = Commits { forward: 5, backward: 3 };

    fn args(everywhere: bool, only: &[&str]) -> SelftestArgs {
        let only = only.iter().map(|point| point.parse().unwrap()).collect();
        SelftestArgs { kill_everywhere: everywhere, points: 4, only }
    }

    #[test]
    fn named_points_go_before_all_and_all_before_a_sample() {
        assert_eq!(points(&args(false, &[]), COMMITS).unwrap().len(), 4);
        assert_eq!(points(&args(true, &[]), COMMITS).unwrap().len(), 16);
        let named = ["backward:after:3", "forward:before:1", "backward:after:3"];
        let two = points(&args(true, &named), COMMITS).unwrap();
        assert_eq!(two.iter().map(ToString::to_string).collect::<Vec<_>>(), [named[1], named[0]]);
    }

    #[test]
    fn a_point_that_does_not_exist_is_a_mistake_of_the_command_line() {
        let error = points(&args(false, &["forward:before:6"]), COMMITS).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert_eq!(error.meaning.unwrap(), "a run makes 5 commits here, its rollback 3");
    }

    fn report(verdicts: Vec<Verdict>) -> Report {
        let cost = Cost { p50: Duration::from_micros(9), p99: Duration::from_micros(9) };
        Report {
            probe: Probe { written: cost, synced: cost, mount: None },
            commits: COMMITS,
            verdicts,
        }
    }

    #[test]
    fn what_does_not_hold_is_said_with_the_command_that_repeats_it() {
        let stage = Stage::new(OutputForm::Human);
        let mut bad = Verdict::new("forward:after:2".parse().unwrap());
        bad.lost.push("entry".into());
        present(&report(vec![bad]), Some("/kept"), stage.context());
        let err = stage.captured.err();
        assert_eq!(
            err,
            "warning: the disk of the home: it answers a sync faster than any disk can: the device \
             or the hypervisor may keep it in a cache; only a power cut can prove it\n\
             error[E0601]: killed at forward:after:2:\nlost entry: entry\n\
             next: escrr selftest --only forward:after:2\n\
             hint: the stores and what the processes said are kept in /kept\n"
        );
        assert!(stage.captured.out().ends_with("0 missing, 1 entry lost.\n"));
    }

    #[test]
    fn a_stream_ends_with_its_summary_and_json_is_one_document() {
        let stage = Stage::new(OutputForm::Ndjson);
        present(&report(Vec::new()), None, stage.context());
        assert!(stage.captured.out().contains("\"type\":\"summary\""));
        let stage = Stage::new(OutputForm::Json);
        present(&report(Vec::new()), None, stage.context());
        let document: serde_json::Value = serde_json::from_str(&stage.captured.out()).unwrap();
        assert_eq!((&document["exit_code"], &document["kept"]), (&0.into(), &().into()));
    }
}
