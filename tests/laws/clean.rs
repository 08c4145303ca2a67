//! A clean run sets everything up; rollback leaves the world as it was.

use escrr_engine::{NodeState, Phase};
use escrr_tests::bench::{Bench, Error};

#[tokio::test]
async fn a_run_sets_up_the_link_and_rollback_leaves_nothing() -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    let before = bench.inventory().await?;
    let ending = bench.run().await?;
    assert_eq!(ending.saga.phase(), Phase::Succeeded, "{:?}", ending.saga.nodes);
    assert!(ending.saga.nodes.iter().all(NodeState::satisfied));
    assert_ne!(bench.inventory().await?, before);
    let ending = bench.rollback().await?;
    assert_eq!(ending.saga.phase(), Phase::RolledBack, "{:?}", ending.saga.nodes);
    assert_eq!(bench.inventory().await?, before);
    Ok(())
}
