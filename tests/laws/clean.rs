//! A clean run sets everything up; rollback leaves the world as it was.

use escrr_engine::Phase;
use escrr_tests::bench::{Bench, Error};

#[tokio::test]
async fn a_run_sets_up_the_link_and_rollback_leaves_nothing() -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    let before = bench.inventory().await?;
    let ending = bench.run().await?;
    for (about, state) in escrr_steps::catalog::catalog()?.about().iter().zip(&ending.saga.nodes) {
        println!("{} {} {:?}", about.id, state.name(), state.stop());
    }
    assert_eq!(ending.saga.phase(), Phase::Succeeded);
    assert_ne!(bench.inventory().await?, before);
    let ending = bench.rollback().await?;
    for (about, state) in escrr_steps::catalog::catalog()?.about().iter().zip(&ending.saga.nodes) {
        println!("{} {} {:?}", about.id, state.name(), state.stop());
    }
    assert_eq!(ending.saga.phase(), Phase::RolledBack);
    assert_eq!(bench.inventory().await?, before);
    Ok(())
}
