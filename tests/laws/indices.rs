//! Every index in every state, under both rules of rollback: what is ours is taken back, what is
//! somebody's is left as it is, and nothing that it needs goes.

use crate::some;
use escrr_engine::{Event, NodeState, Phase};
use escrr_steps::spec::{Spec, defaults};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::Clean;
use reqwest::Method;
use serde_json::{Value, json};

const INDEX: &str = "logs-2026-10";
const ALIAS: &str = "es-cn-leader000001";
/// Documents that the leader has in it.
const DOCUMENTS: u64 = 120;

/// What became of an index since the run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Active,
    Paused,
    /// A paused follower that was closed.
    Closed,
    /// Unfollowed by a person and not opened yet.
    HalfPromoted,
    Promoted,
    /// Deleted, and created again as an ordinary index.
    Recreated,
    /// Deleted, and followed again by hand over the same alias.
    FollowedAgain,
    Deleted,
    /// A follower over another alias took its name.
    OverAnotherAlias,
    /// A person follows the leader index into another name, over our alias.
    Foreign,
    /// Followed by the pattern after the run.
    AutoFollowed,
    /// A pattern that a person made uses our alias.
    ForeignPattern,
}

use State::*;

const STATES: [State; 12] = [
    Active,
    Paused,
    Closed,
    HalfPromoted,
    Promoted,
    Recreated,
    FollowedAgain,
    Deleted,
    OverAnotherAlias,
    Foreign,
    AutoFollowed,
    ForeignPattern,
];
const RULES: [&str; 2] = ["keep", "delete"];

fn spec(rule: &str) -> Result<Spec, Error> {
    let text = format!("{}on_rollback = \"{rule}\"\n", defaults::SANDBOX);
    Ok(Spec::parse(&text, "indices.toml")?)
}

async fn follower(bench: &Bench, method: Method, path: &str, body: &Value) -> Result<Value, Error> {
    let answer = bench.ask("follower", method, path, body).await?;
    match answer.get("error") {
        Some(error) => Err(format!("{path}: {error}").into()),
        None => Ok(answer),
    }
}

async fn post(bench: &Bench, paths: &[&str]) -> Result<(), Error> {
    for path in paths {
        follower(bench, Method::POST, &format!("/{INDEX}/{path}"), &Value::Null).await?;
    }
    Ok(())
}

/// Follows by hand, and waits until it does.
async fn follow(bench: &Bench, name: &str, alias: &str) -> Result<(), Error> {
    let body = json!({"remote_cluster": alias, "leader_index": INDEX});
    follower(bench, Method::PUT, &format!("/{name}/_ccr/follow"), &body).await?;
    bench.pass(600_000).await
}

/// The remote cluster of the link once more, under a name of a person's.
async fn another_alias(bench: &Bench) -> Result<(), Error> {
    let info = follower(bench, Method::GET, "/_remote/info", &Value::Null).await?;
    let address = info[ALIAS]["proxy_address"].clone();
    let settings = json!({"persistent": {
        "cluster.remote.other.mode": "proxy", "cluster.remote.other.proxy_address": address,
    }});
    follower(bench, Method::PUT, "/_cluster/settings", &settings).await?;
    bench.pass(60_000).await
}

impl State {
    async fn come_about(self, bench: &Bench) -> Result<(), Error> {
        let delete = || follower(bench, Method::DELETE, "/logs-2026-10", &Value::Null);
        let document = || async {
            let body = json!({"only": "here"});
            follower(bench, Method::PUT, "/logs-2026-10/_doc/own", &body).await
        };
        match self {
            Active => {}
            Paused => post(bench, &["_ccr/pause_follow"]).await?,
            Closed => post(bench, &["_ccr/pause_follow", "_close"]).await?,
            HalfPromoted => {
                post(bench, &["_ccr/pause_follow", "_close", "_ccr/unfollow"]).await?;
            }
            Promoted => {
                post(bench, &["_ccr/pause_follow", "_close", "_ccr/unfollow", "_open"]).await?;
                document().await?;
            }
            Recreated => {
                delete().await?;
                follower(bench, Method::PUT, "/logs-2026-10", &json!({})).await?;
                document().await?;
            }
            FollowedAgain => {
                delete().await?;
                follow(bench, INDEX, ALIAS).await?;
            }
            Deleted => drop(delete().await?),
            OverAnotherAlias => {
                another_alias(bench).await?;
                delete().await?;
                follow(bench, INDEX, "other").await?;
            }
            Foreign => follow(bench, "copy", ALIAS).await?,
            AutoFollowed => {
                bench.ask("leader", Method::PUT, "/logs-2026-12", &json!({})).await?;
                bench.pass(600_000).await?;
            }
            ForeignPattern => {
                let body = json!({"remote_cluster": ALIAS, "leader_index_patterns": ["metrics-*"]});
                follower(bench, Method::PUT, "/_ccr/auto_follow/theirs", &body).await?;
            }
        }
        Ok(())
    }

    /// Something of somebody's needs the network.
    fn holds_back(self) -> bool {
        matches!(self, OverAnotherAlias | Foreign | ForeignPattern)
    }

    /// The index that the state is about, and what has to be there of it after a rollback.
    fn afterwards(self, rule: &str) -> (&'static str, After) {
        let ours = if rule == "keep" { After::Ordinary(DOCUMENTS) } else { After::Nothing };
        match self {
            Active | Paused | Closed | FollowedAgain | ForeignPattern => (INDEX, ours),
            HalfPromoted => (INDEX, After::Shut),
            Promoted => (INDEX, After::Ordinary(DOCUMENTS + 1)),
            Recreated => (INDEX, After::Ordinary(1)),
            Deleted => (INDEX, After::Nothing),
            OverAnotherAlias => (INDEX, After::Follower),
            Foreign => ("copy", After::Follower),
            AutoFollowed if rule == "keep" => ("logs-2026-12", After::Ordinary(0)),
            AutoFollowed => ("logs-2026-12", After::Nothing),
        }
    }
}

/// What is there of an index.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    Nothing,
    /// Open, follows nothing, with so many documents.
    Ordinary(u64),
    /// Closed, follows nothing.
    Shut,
    Follower,
}

async fn is(bench: &Bench, index: &str) -> Result<After, Error> {
    let get =
        |path: String| async move { bench.ask("follower", Method::GET, &path, &Value::Null).await };
    let settings = get(format!("/{index}/_settings?flat_settings=true")).await?;
    let Some(settings) = settings.get(index).map(|index| &index["settings"]) else {
        return Ok(After::Nothing);
    };
    if settings["index.xpack.ccr.following_index"] == "true" {
        return Ok(After::Follower);
    }
    if settings["index.verified_before_close"] == "true" {
        return Ok(After::Shut);
    }
    let count = get(format!("/{index}/_count")).await?;
    Ok(After::Ordinary(count["count"].as_u64().ok_or("no count")?))
}

/// What the journal says of an index.
fn told(saga: &escrr_engine::Saga, index: &str) -> Vec<String> {
    let accounts = saga.nodes.iter().filter_map(|node| {
        let NodeState::Undone { account, .. } = node else { return None };
        account.as_array()
    });
    let rows = accounts.flatten().filter(|row| row["index"] == index);
    rows.map(|row| row["fate"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn rolled_back((state, rule): (State, &'static str)) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(clean.end()?).await?;
    bench.spec = spec(rule)?;
    state.come_about(&bench).await?;
    let case = format!("{state:?}, {rule}");
    let (index, wanted) = state.afterwards(rule);
    let ending = bench.rollback().await?;
    let found = is(&bench, index).await?;
    if found != wanted {
        return Err(format!("{case}: {index} is {found:?}, not {wanted:?}").into());
    }
    let phase = ending.saga.phase();
    if !state.holds_back() {
        let fate = match (state, rule) {
            (HalfPromoted | Promoted | Recreated, _) => "left",
            (Deleted, _) => "gone",
            (_, "keep") => "released",
            _ => "deleted",
        };
        if told(&ending.saga, index) != [fate] {
            return Err(format!("{case}: told {:?}, not {fate}", told(&ending.saga, index)).into());
        }
        return bench.as_before(clean, &ending, &case).await;
    }
    let stopped = ending.saga.nodes.iter().filter_map(NodeState::stop);
    let says: String = stopped.filter_map(|stop| stop.report.help.clone()).collect();
    if phase != Phase::RollbackStuck || !says.contains("escrr rollback shanghai-hangzhou") {
        return Err(format!("{case}: {phase:?}: {says}").into());
    }
    // Whoever is left can go on: the network stands, and their followers read on.
    let info = follower(&bench, Method::GET, "/_remote/info", &Value::Null).await?;
    let used = if state == OverAnotherAlias { "other" } else { ALIAS };
    if info[used]["connected"] != true {
        return Err(format!("{case}: {used} is not connected any more: {info}").into());
    }
    if state != Foreign {
        return Ok(());
    }
    // On purpose they are released too, and never deleted, whatever the rule.
    let info = follower(&bench, Method::GET, "/copy/_settings?flat_settings=true", &Value::Null);
    let uuid = info.await?["copy"]["settings"]["index.uuid"].as_str().ok_or("no uuid")?.to_owned();
    let node = "follower.remote_cluster".to_owned();
    let items = vec![format!("copy {uuid} {INDEX} foreign")];
    let resumed = Event::Resumed { by: "bench".into(), actor: escrr_engine::Actor::default() };
    bench.begin_rollback(vec![resumed, Event::UndoIntended { node, items }]).await?;
    let ending = bench.rollback().await?;
    let found = is(&bench, "copy").await?;
    if found != After::Ordinary(DOCUMENTS) || told(&ending.saga, "copy") != ["released"] {
        return Err(format!("{case}, on purpose: {found:?}").into());
    }
    bench.as_before(clean, &ending, &case).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_in_any_state_is_ours_or_left_alone() -> Result<(), Error> {
    let cases = STATES.into_iter().flat_map(|state| RULES.map(|rule| (state, rule)));
    println!("indices: {} states and rules", all(cases, rolled_back).await?);
    Ok(())
}

/// The process dies at a change of the follower's cluster while copies are taken back.
async fn died((state, rule, nth, effect): (State, &'static str, u32, &str)) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(clean.end()?).await?;
    bench.spec = spec(rule)?;
    state.come_about(&bench).await?;
    bench.begin_rollback(Vec::new()).await?;
    let order = json!({"product": "Es", "mutating": true, "nth": nth, "effect": effect});
    bench.post("fault", &order).await?;
    bench.killed_at_a_fault().await?;
    bench.clear_faults().await?;
    let ending = bench.rollback().await?;
    let case = format!("{state:?}, {rule}, {effect} at change {nth}");
    for (index, documents) in [(INDEX, DOCUMENTS), ("logs-2026-12", 0)] {
        let there = rule == "keep" && (index == INDEX || state == AutoFollowed);
        let wanted = if there { After::Ordinary(documents) } else { After::Nothing };
        let found = is(&bench, index).await?;
        if found != wanted {
            return Err(format!("{case}: {index} is {found:?}, not {wanted:?}").into());
        }
    }
    bench.as_before(clean, &ending, &case).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_died_at_any_call_is_carried_on() -> Result<(), Error> {
    // Two copies of the run and one of the pattern, four calls each, and the pattern's own.
    let kept =
        (1..=14).flat_map(|nth| ["lost", "cut"].map(|effect| (AutoFollowed, "keep", nth, effect)));
    let deleted = (1..=4).map(|nth| (AutoFollowed, "delete", nth, "lost"));
    println!("indices: died at {} changes", all(some(kept.chain(deleted), 2), died).await?);
    Ok(())
}
