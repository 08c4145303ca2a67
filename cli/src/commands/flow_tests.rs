//! Whole commands over a sandbox of their own, as a person would type them.

use super::run;
use super::tests::Stage;
use crate::args::{Args, OutputForm};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sandbox_control::Control;
use crate::{Context, codes, store};
use clap::Parser as _;
use serde_json::{Value, json};

/// Types a command.
async fn escrr(stage: &Stage, line: &str) -> Result<Exit, CommandError> {
    type_it(line, stage.context()).await
}

async fn type_it(line: &str, context: Context<'_>) -> Result<Exit, CommandError> {
    let args = Args::parse_from(std::iter::once("escrr").chain(line.split_whitespace()));
    run(args.command, context).await
}

/// Types a command in another form, and gives its code and what it wrote.
async fn said(stage: &Stage, form: OutputForm, line: &str) -> (Exit, String, String) {
    let other = stage.again(form);
    let exit = type_it(line, other.context()).await.unwrap_or_else(|error| {
        other.context().ui.error(&error);
        error.exit()
    });
    (exit, other.captured.out(), other.captured.err())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Requests so far that changed something.
async fn mutations(stage: &Stage) -> usize {
    let (_, log, _) = said(stage, OutputForm::Json, "sandbox log").await;
    let reads =
        ["Describe", "List", "Get", "Check", "Cluster", "Search", "Count", "Head", "Remote"];
    let changes = |line: &&Value| {
        let action = line["action"].as_str().unwrap();
        ["Create", "Delete", "Update", "Run", "Put", "Add", "Remove", "Attach", "Modify"]
            .iter()
            .any(|verb| action.starts_with(verb) && !reads.iter().any(|r| action.starts_with(r)))
    };
    json(&log)["requests"].as_array().unwrap().iter().filter(changes).count()
}

/// Changes the pretend cloud behind our back.
async fn behind_our_back(stage: &Stage, change: Value) {
    let choice = crate::args::SandboxChoice::Own;
    let silent = crate::pretend::Publicity::Silent;
    let pretend =
        crate::pretend::Pretend::reach(Some(&choice), silent, stage.context()).await.unwrap();
    let control: &Control = &pretend.control;
    control.post("change", &change).await.unwrap();
    pretend.leave().await;
}

#[tokio::test]
async fn a_finished_link_is_run_again_without_a_change_and_its_events_repeat() {
    let stage = Stage::new(OutputForm::Human);
    let (exit, live, _) = said(&stage, OutputForm::Ndjson, "run --sandbox").await;
    assert_eq!(exit, Exit::Done);
    let (_, afterwards, _) = said(&stage, OutputForm::Ndjson, "events").await;
    assert_eq!(live, afterwards);
    assert!(live.starts_with("{\"type\":\"version\",\"schema\":\"escrr.events/1\"}\n"));
    let seqs: Vec<u64> =
        live.lines().skip(1).map(|line| json(line)["seq"].as_u64().unwrap()).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64));

    let before = mutations(&stage).await;
    assert!(before > 20, "{before}");
    let (exit, out, err) = said(&stage, OutputForm::Json, "run --sandbox").await;
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(err.contains("already set up, nothing to do"), "{err}");
    assert_eq!((&json(&out)["state"], &json(&out)["exit_code"]), (&json!("succeeded"), &json!(0)));
    assert_eq!(mutations(&stage).await, before);
    assert_eq!(said(&stage, OutputForm::Ndjson, "events").await.1, live);

    let (exit, out, _) = said(&stage, OutputForm::Json, "plan --sandbox --detailed-exitcode").await;
    assert_eq!((exit, &json(&out)["to_make"]), (Exit::Done, &json!(0)));
    let (exit, out, _) = said(&stage, OutputForm::Human, "audit --sandbox").await;
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("0 known and gone, 0 alive and unknown"), "{out}");

    let listener = json(&said(&stage, OutputForm::Json, "show follower.listener").await.1);
    let params = json!({"ListenerId": listener["output"]["listener"], "RegionId": "cn-hangzhou"});
    let change = json!({"product": "Nlb", "action": "DeleteListener", "params": params});
    behind_our_back(&stage, change).await;
    // The deletion takes a while of the sandbox's time, which is real without anybody waiting.
    let (exit, _, err) = said(&stage, OutputForm::Human, "run --sandbox").await;
    assert_eq!(exit, Exit::Failed, "{err}");
    assert!(err.contains("follower.listener") && err.contains("escrr rollback"), "{err}");
    assert_eq!(said(&stage, OutputForm::Ndjson, "events").await.1, live);
}

#[tokio::test]
async fn a_parked_saga_is_refused_a_second_run_then_resumed_and_taken_back() {
    let stage = Stage::new(OutputForm::Human);
    let refuse =
        "sandbox fault --refuse Forbidden.RAM --status 403 --times 1 --action CreateLoadBalancer";
    escrr(&stage, refuse).await.unwrap();
    let (exit, out, err) = said(&stage, OutputForm::Json, "run --sandbox").await;
    assert_eq!(exit, Exit::Permission, "{err}");
    let document = json(&out);
    assert_eq!(document["class"], "permission");
    assert_eq!(document["resumable"], true);
    assert_eq!(document["next_command"], "escrr resume shanghai-hangzhou --sandbox");
    assert!(err.contains("next: escrr resume shanghai-hangzhou --sandbox"), "{err}");

    let error = escrr(&stage, "run --sandbox").await.unwrap_err();
    assert_eq!((error.code, error.exit()), (codes::LIVE_SAGA, Exit::Failed));
    let elsewhere = escrr(&stage, "resume").await.unwrap_err();
    assert_eq!(elsewhere.exit(), Exit::Usage);
    assert!(elsewhere.next_command.unwrap().ends_with("--sandbox"));

    let (_, status, err) = said(&stage, OutputForm::Human, "status").await;
    assert!(status.contains("follower.load_balancer") && err.contains("next: escrr resume"));
    let skipped = escrr(&stage, "skip follower.load_balancer --reason x").await.unwrap_err();
    assert_eq!(skipped.code, codes::NOT_DECIDABLE);
    assert_eq!(escrr(&stage, "retry follower.load_balancer --reason x").await.unwrap(), Exit::Done);
    assert_eq!(escrr(&stage, "resume --sandbox").await.unwrap(), Exit::Done);

    let unconfirmed = escrr(&stage, "rollback --sandbox").await.unwrap_err();
    assert_eq!(unconfirmed.exit(), Exit::Usage);
    assert!(unconfirmed.hints[0].contains("--yes"));
    assert_eq!(escrr(&stage, "rollback --sandbox --yes").await.unwrap(), Exit::Done);
    assert_eq!(escrr(&stage, "rollback --sandbox --yes").await.unwrap(), Exit::Done);
    assert!(stage.captured.err().contains("nothing to take back"));
    let (_, things, _) = said(&stage, OutputForm::Json, "sandbox inventory").await;
    let ours = |thing: &&Value| thing["owner"].as_str().is_some_and(|owner| !owner.is_empty());
    assert_eq!(json(&things)["things"].as_array().unwrap().iter().filter(ours).count(), 0);
    let (_, list, _) = said(&stage, OutputForm::Json, "list").await;
    assert_eq!(json(&list)["links"][0]["state"], "rolled_back");
}

#[tokio::test]
async fn on_failure_rollback_leaves_nothing_and_still_fails() {
    let stage = Stage::new(OutputForm::Human);
    let refuse = "sandbox fault --refuse InvalidParameter --action CreateListener --times 9";
    escrr(&stage, refuse).await.unwrap();
    let (exit, out, err) =
        said(&stage, OutputForm::Json, "run --sandbox --on-failure rollback").await;
    assert_eq!(exit, Exit::Failed, "{err}");
    assert_eq!(json(&out)["state"], "rolled_back");
    assert!(err.contains("follower.listener"), "{err}");
}

#[tokio::test]
async fn a_rollback_that_gets_stuck_says_what_is_left() {
    let stage = Stage::new(OutputForm::Human);
    escrr(&stage, "run --sandbox").await.unwrap();
    let refuse = "sandbox fault --refuse OperationDenied --action DeleteListener --times 1";
    escrr(&stage, refuse).await.unwrap();
    let (exit, out, err) = said(&stage, OutputForm::Human, "rollback --sandbox --yes").await;
    assert_eq!(exit, Exit::LeftBehind, "{err}");
    assert!(out.contains("follower.listener") && out.contains("lsn-"), "{out}");
    assert!(out.contains("costs: network load balancer"), "{out}");
    assert!(err.contains("next: escrr resume shanghai-hangzhou --sandbox"), "{err}");
    assert_eq!(escrr(&stage, "resume --sandbox").await.unwrap(), Exit::Done);
}

#[tokio::test]
async fn a_plan_tells_what_would_be_made_and_what_is_in_the_way() {
    let stage = Stage::new(OutputForm::Human);
    let (exit, out, _) = said(&stage, OutputForm::Json, "plan --sandbox --detailed-exitcode").await;
    assert_eq!(exit, Exit::Changes);
    let plan = json(&out);
    assert!(
        plan["to_make"].as_u64().unwrap() > 20 && plan["longest_path_s"].as_u64().unwrap() > 60
    );
    assert_eq!(escrr(&stage, "list").await.unwrap(), Exit::Done);
    assert_eq!(stage.captured.out(), "");

    let spec = escrr_steps::spec::defaults::SANDBOX;
    let file = |name: &str, text: String| {
        let path = stage.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let none = file("none.toml", spec.replace("es-cn-follower0001", "es-cn-nowhere0001"));
    let (exit, _, err) = said(&stage, OutputForm::Human, &format!("plan {none} --sandbox")).await;
    assert_eq!(exit, Exit::Blocked, "{err}");
    assert!(err.contains("es-cn-nowhere0001") && err.contains("hint:"), "{err}");
    let keys = "\n[credentials]\naccess_key_id = \"LTAI5tWrongWrongWrong\"\n\
                access_key_secret = \"cmd:echo wrong\"\n";
    let wrong = file("wrong.toml", format!("{spec}{keys}"));
    let (exit, _, err) = said(&stage, OutputForm::Human, &format!("run {wrong} --sandbox")).await;
    assert_eq!(exit, Exit::Permission, "{err}");
    assert!(err.contains("account.identity"), "{err}");
}

#[tokio::test]
async fn readers_do_not_disturb_a_writer_and_a_second_writer_is_told() {
    let stage = Stage::new(OutputForm::Human);
    let refuse = "sandbox fault --refuse Forbidden.RAM --status 403 --action CreateCen";
    escrr(&stage, refuse).await.unwrap();
    escrr(&stage, "run --sandbox").await.unwrap();
    // Another process would be named; this one stands in for it with another number.
    let home = stage.context().settings.home.path();
    let links = vec!["shanghai-hangzhou".to_owned()];
    let holder =
        escrr_engine::store::Holder { pid: 1, doing: "run".into(), links, ..Default::default() };
    let lock = loop {
        match escrr_engine::store::Lock::take(home, &holder) {
            Ok(lock) => break lock,
            Err(_) => crate::clock::pause(std::time::Duration::from_millis(5)).await,
        }
    };
    let (exit, out, _) = said(&stage, OutputForm::Human, "status").await;
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("process 1 is at it (`run`)"), "{out}");
    let error = escrr(&stage, "resume --sandbox").await.unwrap_err();
    assert_eq!((error.code, error.exit()), (codes::STORE_IN_USE, Exit::InUse));
    assert!(error.said.contains("process 1 (`run` for shanghai-hangzhou)"), "{error}");
    drop(lock);
    assert!(store::read(&stage.context().settings.home).is_ok());
}
