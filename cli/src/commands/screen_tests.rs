//! What `escrr plan` shows and what `escrr run` asks, as a person sees them: at 80 and at 200
//! columns, with and without colours and signs, and where there is no terminal.
//!
//! `INSTA_UPDATE=always cargo test -p escrr screen_tests` writes the screens anew.

use super::{plan, run};
use crate::Context;
use crate::args::{Args, Command, PlanArgs, RunArgs};
use crate::place;
use crate::session::Session;
use crate::settings::{Settings, Terminal};
use crate::specs;
use crate::ui::Ui;
use clap::Parser as _;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A home, a terminal and a language.
struct Seat {
    home: tempfile::TempDir,
    settings: Settings,
    env: BTreeMap<String, String>,
}

impl Seat {
    fn at(columns: Option<usize>, env: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().display().to_string();
        let global = Args::parse_from(["escrr", "--home", &dir, "version"]).global;
        let env: BTreeMap<String, String> =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let there = columns.is_some();
        let terminal = Terminal { stdin: there, stdout: there, stderr: there, columns };
        let mut settings = Settings::resolve(&global, &env, terminal).unwrap();
        // As in the usual home, whose name is as long on every machine: none.
        settings.whereabouts = crate::whereabouts::Whereabouts::default();
        Self { home, settings, env }
    }

    fn context<'a>(&'a self, ui: &'a Ui) -> Context<'a> {
        Context { ui, settings: &self.settings, env: &self.env }
    }

    /// A spec of this home: the sandbox's own and more.
    fn spec(&self, more: &str) -> String {
        let path = self.home.path().join("escrr.toml");
        std::fs::write(&path, format!("{}{more}", escrr_steps::spec::defaults::SANDBOX)).unwrap();
        path.display().to_string()
    }
}

fn typed(line: &str) -> Command {
    Args::parse_from(std::iter::once("escrr").chain(line.split_whitespace())).command
}

fn plan_args(line: &str) -> PlanArgs {
    let Command::Plan(args) = typed(line) else { panic!("{line} is no plan") };
    args
}

fn run_args(line: &str) -> RunArgs {
    let Command::Run(args) = typed(line) else { panic!("{line} is no run") };
    args
}

/// Ports differ from run to run, in length too.
fn masked(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("127.0.0.1:PORT");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// The streams of a command, one below the other.
fn both(captured: &crate::ui::Captured) -> String {
    masked(&format!("{}--- stderr\n{}", captured.out(), captured.err()))
}

async fn plan_screen(seat: &Seat, line: &str) -> String {
    let (ui, captured) = Ui::rehearsed(&seat.settings, "");
    plan::run(&plan_args(line), seat.context(&ui)).await.unwrap();
    both(&captured)
}

const PRICES: &str = "[prices]\ndate = \"2026-11-01\"\ncurrency = \"CNY\"\n\
                      transit_router_connection_hour = 0.35\nload_balancer_hour = 0.147\n\
                      endpoint_data_gb = 0.07\n";

const UTF8: (&str, &str) = ("LANG", "C.UTF-8");

/// The widest line, in columns.
fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[tokio::test]
async fn a_plan_on_a_terminal_of_80_columns() {
    let seat = Seat::at(Some(80), &[UTF8, ("NO_COLOR", "1")]);
    let shown = plan_screen(&seat, "plan --sandbox").await;
    assert!(widest(&shown) <= 80, "{shown}");
    insta::assert_snapshot!("plan_80_columns", shown);
}

#[tokio::test]
async fn a_plan_with_prices_at_200_columns_in_ascii() {
    let seat = Seat::at(Some(200), &[("NO_COLOR", "1")]);
    let line = format!("plan --sandbox {}", seat.spec(PRICES));
    let shown = plan_screen(&seat, &line).await.replace(&seat.spec(PRICES), "SPEC");
    assert!(shown.is_ascii(), "{shown}");
    insta::assert_snapshot!("plan_200_columns_prices", shown);
}

#[tokio::test]
async fn a_plan_into_a_pipe_has_one_line_a_node_and_no_colours() {
    let seat = Seat::at(None, &[]);
    let shown = plan_screen(&seat, "plan --sandbox").await;
    assert!(!shown.contains('\u{1b}'), "{shown}");
    insta::assert_snapshot!("plan_no_terminal", shown);
}

#[tokio::test]
async fn colours_stand_in_hints_alone() {
    let seat = Seat::at(Some(80), &[UTF8, ("TERM", "xterm")]);
    let (ui, captured) = Ui::rehearsed(&seat.settings, "");
    plan::run(&plan_args("plan --sandbox"), seat.context(&ui)).await.unwrap();
    assert!(!captured.out().contains('\u{1b}'), "{}", captured.out());
    assert!(captured.err().contains("\u{1b}[1m\u{1b}[36mhint:\u{1b}[0m"), "{:?}", captured.err());
}

/// What `run` shows and asks, with the answer given.
async fn question(seat: &Seat, answer: &str, spec: &str) -> (String, bool) {
    let (ui, captured) = Ui::rehearsed(&seat.settings, answer);
    let context = seat.context(&ui);
    let args = run_args("run --sandbox");
    let session = Session::open("run", &[], (&args.sandbox, &args.die), context).await.unwrap();
    assert_eq!(session.kind, place::SANDBOX);
    let spec = specs::load(&[Path::new(spec).to_owned()], true).unwrap().remove(0);
    let world = Arc::new(session.place.world(spec, context).await.unwrap());
    let answered = run::show_plans(&session, &[world], &[], context).await;
    session.leave().await;
    (masked(&captured.err()), answered.is_ok())
}

#[tokio::test]
async fn what_run_asks_at_80_columns() {
    let seat = Seat::at(Some(80), &[UTF8, ("NO_COLOR", "1")]);
    let spec = seat.spec(PRICES);
    let (shown, said_yes) = question(&seat, "yes\n", &spec).await;
    assert!(said_yes);
    assert!(widest(&shown) <= 80, "{shown}");
    insta::assert_snapshot!("run_question_80_columns", shown);
    for answer in ["no\n", "y\n", "", "YES\n"] {
        assert!(!question(&seat, answer, &spec).await.1, "{answer:?}");
    }
}

#[tokio::test]
async fn run_asks_nobody_where_there_is_no_terminal() {
    let seat = Seat::at(None, &[]);
    let (shown, said_yes) = question(&seat, "yes\n", &seat.spec("")).await;
    assert!(!said_yes);
    assert!(!shown.contains("Type `yes`"), "{shown}");
    insta::assert_snapshot!("run_question_no_terminal", shown);
}
