//! Pictures, pages and screens of a saga, from its beginning to its end.

use crate::browser;
use crate::env::{Cloud, Env, output};
use crate::together::spec;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

/// Writes a report and gives the page.
fn report(env: &Env, name: &str) -> String {
    let file = env.home.path().join(name);
    let out = file.display().to_string();
    let written = env.alone(&["report", "--out", &out, "--output", "json"]).exits(0).json();
    let page = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written["bytes"].as_u64().unwrap(), page.len() as u64);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // It is not written over unasked.
    drop(env.alone(&["report", "--out", &out]).exits(2).says("--force"));
    drop(env.alone(&["report", "--out", &out, "--force"]).exits(0));
    page
}

fn says(page: &str, all: &[&str]) {
    for said in all {
        assert!(page.contains(said), "{said:?} is missing in\n{page}");
    }
}

/// The page in a browser, where there is one.
fn look_at(pages: &[&str]) {
    let Some(browser) = browser::or_skip() else { return };
    for page in pages {
        let seen = browser::show(&browser, page);
        for (wide, window, high) in &seen.sizes {
            assert!(wide <= window && *high > 1000, "{wide} in {window}, {high} high");
        }
        assert_eq!(seen.console, Vec::<String>::new());
        assert_eq!(seen.requests, Vec::<String>::new());
    }
}

#[test]
fn a_saga_that_stopped_went_on_and_was_taken_back_is_reported_at_each_point() {
    let env = Env::new();
    let order =
        ["--action", "CreateVpcEndpointService", "--refuse", "QuotaExceeded.EndpointService"];
    env.fault(&[&order[..], &["--message", "used up <script>alert(1)</script>"]].concat());
    let ran = env.escrr(&["run", "--yes", "--output", "ndjson"]).exits(6);
    let parked = report(&env, "parked.html");
    let why = "used up &lt;script&gt;alert(1)&lt;/script&gt;";
    says(
        &parked,
        &["parked</span>", "error[E1004]", why, "escrr resume shanghai-hangzhou", "6, parked"],
    );
    assert!(!parked.contains("<script"));

    env.fault(&["--clear"]);
    let resumed = env.escrr(&["resume", "--output", "ndjson"]).exits(0);
    let done = report(&env, "done.html");
    says(
        &done,
        &["succeeded</span>", "0, done", "follows  logs-2026-10", "160 documents", "resumed by"],
    );

    // What was said as it happened, by two processes, is what the journal says afterwards.
    let events = env.alone(&["events", "--output", "ndjson"]).exits(0);
    let (version, more) = resumed.stdout.split_once('\n').unwrap();
    assert_eq!(ran.stdout.lines().next().unwrap(), version);
    assert_eq!(format!("{}{more}", ran.stdout), events.stdout);

    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    let back = report(&env, "back.html");
    says(
        &back,
        &[
            "rolled back</span>",
            "Everything that the saga made is taken back.",
            "rollback begun by",
        ],
    );

    let catalog = escrr_steps::catalog::catalog().unwrap();
    for about in catalog.about() {
        says(&parked, &[&format!("id=\"node-{}\"", about.id)]);
    }
    look_at(&[&parked, &done, &back]);
}

#[test]
fn a_saga_that_failed_is_reported_with_what_failed() {
    let env = Env::new();
    env.fault(&["--action", "CreateTransitRouter", "--refuse", "OperationDenied.Sandbox"]);
    drop(env.escrr(&["run", "--yes"]).exits(1));
    let page = report(&env, "failed.html");
    says(&page, &["failed</span>", "OperationDenied.Sandbox", "1, failed", "escrr resume"]);
    look_at(&[&page]);
}

#[test]
fn the_graph_is_drawn_before_and_after_anything_is_begun() {
    let env = Env::new();
    let job = env.alone(&["graph"]).exits(0).stdout;
    assert!(job.starts_with("flowchart LR\n") && job.contains("network_cen --> "), "{job}");
    assert_eq!(job, env.alone(&["graph"]).exits(0).stdout);
    let file = env.write("escrr.toml", &spec("one", "es-cn-leader000001", "es-cn-follower0001"));
    let dot = env.alone(&["graph", "--spec", &file, "--format", "dot"]).exits(0).stdout;
    assert!(dot.starts_with("digraph saga {\n  label=\"one\";"), "{dot}");
    drop(env.alone(&["graph", "shanghai-hangzhou"]).exits(2));

    drop(env.escrr(&["run", "--yes"]).exits(0));
    let file = env.home.path().join("graph.svg").display().to_string();
    let arguments = ["graph", "--format", "svg", "--out", &file, "--output", "json"];
    let document = env.alone(&arguments).exits(0).json();
    assert_eq!(document["state"], "succeeded");
    let nodes = document["nodes"].as_array().unwrap();
    let drawn = std::fs::read_to_string(&file).unwrap();
    for node in nodes {
        assert!(drawn.contains(node["id"].as_str().unwrap()), "{node}");
        assert!(node["state"].is_string() && node["needs"].is_array(), "{node}");
    }
    assert!(drawn.starts_with("<svg ") && drawn.trim_end().ends_with("</svg>"));
}

/// How many nodes the job has.
fn nodes() -> usize {
    escrr_steps::catalog::catalog().unwrap().about().len()
}

#[test]
fn a_run_is_watched_from_beside_it_line_by_line_to_its_end() {
    let env = Env::over(Cloud::start(&[]));
    let mut run = env
        .command(&["run", "--yes", "--output", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("intended")).unwrap();
    let pid = run.id().to_string();
    let signal = |name: &str| drop(output(Command::new("kill").args([name, &pid])).exits(0));
    signal("-STOP");
    let mut watching = crate::env::bare(env.home.path());
    let mut watching = watching
        .args(["status", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(watching.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = said.next().unwrap();
    assert!(first.starts_with("shanghai-hangzhou  running, "), "{first}");
    signal("-CONT");
    lines.for_each(drop);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    let said: Vec<String> = said.collect();
    assert_eq!(watching.wait().unwrap().code(), Some(0));
    let (last, told) = said.split_last().unwrap();
    assert_eq!(*last, format!("shanghai-hangzhou  succeeded, {all} of {all} nodes", all = nodes()));
    // Every entry since is a line, and the lines are those of the journal.
    let events = env.alone(&["events"]).exits(0).stdout;
    let events: Vec<&str> = events.lines().collect();
    assert!(
        told.len() > 10 && events.ends_with(&told.iter().map(String::as_str).collect::<Vec<_>>())
    );
    // It has ended: one look, and nothing to wait for.
    let again = env.alone(&["status", "--watch"]).exits(0);
    assert_eq!(again.stdout.lines().collect::<Vec<_>>(), [last.as_str()]);
    let document = env.alone(&["status", "--watch", "--output", "json"]).exits(0).json();
    assert_eq!((&document["state"], &document["holder"]), (&"succeeded".into(), &Value::Null));
}
