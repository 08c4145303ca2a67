//! Refused at any node that makes a call, the saga goes back from there, however often the
//! way back is interrupted.

use crate::some;
use escrr_engine::Phase;
use escrr_engine::{Event, NodeState};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, Cut, stops};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// No change is let through.
fn refusal() -> Value {
    json!({
        "mutating": true,
        "effect": {"refuse": {"status": 400, "code": "OperationDenied.Sandbox", "message": "refused by order"}},
    })
}

/// The state right after each node has announced what it makes, the first time.
fn announced(clean: &'static Clean) -> Vec<(String, &'static Cut)> {
    let mut seen = BTreeSet::new();
    let written = clean.forward.iter().filter(|cut| cut.written);
    written
        .filter_map(|cut| {
            let Event::Intended { node, .. } = &cut.event else { return None };
            seen.insert(node.clone()).then(|| (node.clone(), cut))
        })
        .collect()
}

/// Refuses the node's first call, and goes back from there in two attempts: the first one is
/// refused a call as well, or its process dies.
async fn refused(node: String, cut: &'static Cut, case: usize) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(cut).await?;
    bench.post("fault", &refusal()).await?;
    let ending = bench.run().await?;
    let at = escrr_steps::catalog::catalog()?.find(&node).ok_or("no such node")?;
    let state = ending.saga.node(at);
    let said = state.stop().map(|s| s.report.to_string()).unwrap_or_default();
    if ending.saga.phase() != Phase::Failed || !said.contains("refused by order") {
        return Err(format!("{node}: {:?}: {state:?}", ending.saga.phase()).into());
    }
    if case.is_multiple_of(2) {
        // Not even the first undo comes through: the rollback is stuck and says so.
        let stuck = bench.rollback().await?;
        let undone = stuck.saga.nodes.iter().any(|n| matches!(n, NodeState::Stuck { .. }));
        if stuck.saga.phase() == Phase::RollbackStuck && !undone {
            return Err(format!("{node}: stuck without a node that is: {:?}", stops(&stuck)).into());
        }
    } else {
        bench.store.die_after(Some(u64::try_from(case % 7)?));
        let died = bench.rollback().await;
        bench.store.die_after(None);
        if let Err(error) = died
            && !error.to_string().contains("dead")
        {
            return Err(error);
        }
    }
    bench.clear_faults().await?;
    let ending = bench.rollback().await?;
    bench.as_before(clean, &ending, &format!("refused at {node}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_at_any_node_the_saga_goes_back_from_there() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let nodes = announced(clean);
    // Whoever makes something has announced it: a node that is missing here is not tried.
    let catalog = escrr_steps::catalog::catalog()?;
    let made = clean.origins.iter().zip(catalog.about()).filter(|(origin, _)| *origin == "Made");
    for (_, about) in made {
        let name = about.id.to_string();
        assert!(nodes.iter().any(|(node, _)| *node == name), "{name} made something unannounced");
    }
    let jobs = some(nodes.into_iter().enumerate(), 3);
    let cases = all(jobs, |(case, (node, cut))| refused(node, cut, case)).await?;
    println!("unwind: refused at {cases} nodes, each rollback interrupted once");
    assert!(cases > 8);
    Ok(())
}

/// Stuck at each undo in turn, then let through.
async fn stuck(cut: &'static Cut, effect: Value, case: String) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(cut).await?;
    bench.post("fault", &json!({"mutating": true, "effect": effect})).await?;
    let ending = bench.rollback().await?;
    if ending.saga.phase() != Phase::RollbackStuck && ending.saga.phase() != Phase::RolledBack {
        return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(&ending)).into());
    }
    bench.clear_faults().await?;
    let ending = bench.rollback().await?;
    bench.as_before(clean, &ending, &case).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_got_stuck_anywhere_is_ended_later() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let intents = clean
        .backward
        .iter()
        .filter(|cut| cut.written && matches!(cut.event, Event::UndoIntended { .. }));
    let jobs = some(intents.enumerate(), 3);
    let cases = all(jobs, |(n, cut)| {
        let effect =
            if n % 2 == 0 { refusal()["effect"].clone() } else { json!("expire_credentials") };
        stuck(cut, effect, format!("stuck {}", cut.place()))
    });
    println!("unwind twice: stuck at {} undos in turn", cases.await?);
    Ok(())
}
