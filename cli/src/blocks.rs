//! Which blocks the links of this home have chosen for vSwitches that may not be there yet.

use crate::error::CommandError;
use crate::sagas::newest;
use escrr_engine::Outcome;
use escrr_engine::store::{Committer, Head, Reading};
use escrr_engine::survey::Known;
use escrr_steps::Reserved;

/// The links of one kind of world whose things may be there or on their way.
fn live(heads: &[Head], world: &str) -> Vec<Head> {
    let mut live = newest(heads);
    live.retain(|head| head.world == world && head.outcome != Some(Outcome::RolledBack));
    live
}

/// What the journals say, read beside whoever writes.
///
/// # Errors
/// The heads cannot be read.
pub fn read(reading: &Reading, world: &str) -> Result<Reserved, CommandError> {
    let reserved = Reserved::default();
    for head in live(&reading.heads()?, world) {
        // Another link's journal that is damaged stops that link; a block that is taken is seen.
        if let Ok(entries) = reading.entries(head.saga, 1) {
            reserved.remember(&head.link, &Known::of_journal(head.saga, &entries));
        }
    }
    Ok(reserved)
}

/// The same in the process that writes.
///
/// # Errors
/// The heads cannot be read.
pub async fn of_writer(committer: &Committer, world: &str) -> Result<Reserved, CommandError> {
    let reserved = Reserved::default();
    for head in live(&committer.heads().await?, world) {
        if let Ok(entries) = committer.entries(head.saga, 1).await {
            reserved.remember(&head.link, &Known::of_journal(head.saga, &entries));
        }
    }
    Ok(reserved)
}
