//! The credentials work, and whose they are.

use crate::World;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};
use serde::{Deserialize, Serialize};

/// Asks the security token service who is calling.
pub struct Identity;

/// The caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// Account id.
    pub account: String,
    /// The principal's resource name.
    pub arn: String,
}

impl Declares for Identity {
    const CALLS: Calls = Calls::looking(&[Action::new(Product::Sts, "GetCallerIdentity")]);
}

impl Step for Identity {
    type World = World;
    type Needs = ();
    type Output = Account;
    const ID: NodeId = NodeId::new("account", "identity");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the credentials work";
    const PATIENCE: Patience = Patience::new(1, 20);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Account>, Fault> {
        let region = &cx.world.spec.follower.region;
        let identity = cx.world.cloud.sts(region).get_caller_identity().await?;
        Ok(Seen::Ready(Account { account: identity.account_id, arn: identity.arn }))
    }
}
