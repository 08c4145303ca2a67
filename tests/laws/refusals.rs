//! A refusal at any kind of change: the saga stops, says why, and either goes on or goes back.

use escrr_engine::Phase;
use escrr_tests::bench::{Bench, Error};
use serde_json::json;
use std::collections::BTreeSet;

fn refusal(product: &str, action: &str) -> serde_json::Value {
    json!({
        "product": product,
        "action": action,
        "effect": {"refuse": {"status": 400, "code": "OperationDenied.Sandbox", "message": "refused by order"}},
    })
}

#[tokio::test]
async fn refused_at_any_action_the_saga_stops_then_resumes_or_unwinds() -> Result<(), Error> {
    let mut clean = Bench::new().await?;
    clean.run().await?;
    let actions: BTreeSet<String> = clean.changes().await?.into_iter().collect();
    println!("{} actions refused in turn", actions.len());
    assert!(actions.len() > 20);
    for (number, row) in actions.iter().enumerate() {
        let (product, action) = row.split_once(' ').unwrap_or_default();
        let mut bench = Bench::new().await?;
        let before = bench.inventory().await?;
        bench.post("fault", &refusal(product, action)).await?;
        let ending = bench.run().await?;
        assert_eq!(ending.saga.phase(), Phase::Failed, "{row}");
        let said: Vec<String> = ending
            .saga
            .nodes
            .iter()
            .filter_map(|n| n.stop())
            .map(|s| s.report.to_string())
            .collect();
        assert!(said.iter().any(|s| s.contains("refused by order")), "{row}: {said:?}");
        bench.clear_faults().await?;
        // Both ways out, in turn: half of the actions are resumed, half go back from there.
        if number % 2 == 0 {
            let ending = bench.run().await?;
            assert_eq!(ending.saga.phase(), Phase::Succeeded, "{row}");
        }
        let ending = bench.rollback().await?;
        assert_eq!(ending.saga.phase(), Phase::RolledBack, "{row}");
        assert_eq!(bench.inventory().await?, before, "{row}");
    }
    Ok(())
}
