//! What becomes of a request to a cluster is the same on every way into it.

use crate::calls::{Job, before, every, name, to_the_end};
use crate::some;
use escrr_steps::Way;
use escrr_tests::bench::Error;
use escrr_tests::cases::all;
use escrr_tests::tape::Clean;
use serde_json::{Value, json};

const WAYS: [Way; 2] = [Way::Kibana, Way::OpenApi];

async fn disturbed((way, job): (Way, Job), effect: Value) -> Result<(), Error> {
    let case = format!("by {way}: {}", name(&job, &effect));
    let mut bench = before(&job, &effect).await?;
    bench.way = way;
    Box::pin(to_the_end(bench, &job, &case)).await
}

/// The changes of a cluster, on the ways in turn or on each.
fn at_clusters(clean: &'static Clean) -> impl Iterator<Item = (Way, Job)> {
    let changes = every(clean).filter(|(.., change)| change.name.starts_with("Es "));
    changes.flat_map(|job| WAYS.map(|way| (way, job.clone())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_on_any_way_loses_and_doubles_nothing() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(at_clusters(clean), 3), |job| disturbed(job, json!("lost"))).await?;
    println!("lost answer by Kibana or InvokeEsRequest: {cases} changes");
    assert!(cases > 8);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cut_off_throttled_or_late_on_any_way_is_made_good() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(at_clusters(clean), 5), |job| {
        let effects = [json!("cut"), json!("throttle"), json!({"late_ms": 8_000})];
        let effect = effects[job.1.0 % effects.len()].clone();
        disturbed(job, effect)
    });
    println!("cut, throttled or late by Kibana or InvokeEsRequest: {} changes", cases.await?);
    Ok(())
}
