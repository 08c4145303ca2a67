//! A saga is carried on with the account that it was begun with, or not at all.
//!
//! In another account nothing of what was made can be seen: everything would be made once more
//! there, and a rollback would say that all is gone.

use crate::codes;
use crate::error::CommandError;
use escrr_engine::{Catalog, Clock, Fault, Saga, Step as _};
use escrr_steps::World;
use escrr_steps::aliyun::sts::Identity as Caller;
use escrr_steps::nodes::prerequisites::{Account, Identity};

/// How often the question is put while it meets something passing, and the pause between.
const ATTEMPTS: u32 = 5;
const PAUSE_MS: u64 = 1_000;

/// Refuses credentials of another account than the journal names.
///
/// Credentials that do not work at all are left to the nodes: they park and say so.
///
/// Gives the identity, where it was asked for and told.
///
/// # Errors
/// The account is another one, or the question finds no answer.
pub(crate) async fn same(
    saga: &Saga,
    catalog: &Catalog<World>,
    world: &World,
    clock: &dyn Clock,
) -> Result<Option<String>, CommandError> {
    let begun = catalog.position(Identity::ID).and_then(|at| saga.node(at).output());
    let begun = begun.and_then(|value| serde_json::from_value::<Account>(value.clone()).ok());
    // Before it is known whose the credentials are, nothing is made.
    let Some(begun) = begun else { return Ok(identity(world).await) };
    let found = match ask(world, clock).await {
        Ok(found) => found,
        Err(Fault::Blocked { .. } | Fault::Refused { .. }) => return Ok(None),
        Err(fault) => return Err((&fault).into()),
    };
    if found.account_id == begun.account {
        return Ok(Some(found.arn));
    }
    let (link, begun, found) = (&saga.link, begun.account, found.account_id);
    let said =
        format!("{link} was begun in account {begun}, and the credentials are of account {found}");
    Err(CommandError::new(codes::OTHER_ACCOUNT, said)
        .meaning("what was made cannot be seen from there; nothing was done")
        .hint(format!("name credentials of account {begun}, then give the same command again"))
        .next_command("escrr auth check"))
}

/// The identity that the credentials stand for, asked once: the journal names it where it is told.
pub(crate) async fn identity(world: &World) -> Option<String> {
    let sts = world.cloud.sts(&world.spec.follower.region);
    let told = sts.get_caller_identity().await.ok()?;
    Some(told.arn).filter(|arn| !arn.is_empty())
}

/// Whom the credentials belong to.
async fn ask(world: &World, clock: &dyn Clock) -> Result<Caller, Fault> {
    let sts = world.cloud.sts(&world.spec.follower.region);
    let mut attempt = 1;
    loop {
        match sts.get_caller_identity().await {
            Err(Fault::Transient { .. } | Fault::Busy(_) | Fault::Unknown(_))
                if attempt < ATTEMPTS =>
            {
                attempt += 1;
                drop(clock.wait_until(clock.now_ms() + PAUSE_MS).await);
            }
            outcome => return outcome,
        }
    }
}
