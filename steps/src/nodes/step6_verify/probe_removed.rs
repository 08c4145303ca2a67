//! The probe is taken away again, on the follower first.

use super::Incremental;
use super::incremental::{left, remove};
use crate::World;
use crate::calls::{Calls, Declares};
use crate::nodes::prerequisites::Prerequisites;
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Reverse, Seen, Step};

/// Deletes the probe index on both sides.
pub struct ProbeRemoved;

impl Declares for ProbeRemoved {
    const CALLS: Calls = Calls::NONE;
}

impl Step for ProbeRemoved {
    type World = World;
    type Needs = (Prerequisites, Incremental);
    type Output = ();
    const ID: NodeId = NodeId::new("verify", "probe_removed");
    const PHASE: u8 = 6;
    const TITLE: &'static str = "the probe is removed on both sides";
    const PATIENCE: Patience = Patience::new(2, 120);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let Some(probe) = &cx.needs.1 else { return Ok(Seen::Unneeded(())) };
        Ok(match left(cx.world, &cx.needs.0, probe).await? {
            Remains::Nothing | Remains::Kept(_) | Remains::Accounted(_) => Seen::Ready(()),
            Remains::Items(items) | Remains::Announce(items) => Seen::Absent(items),
            Remains::Pending(why) => Seen::Pending(why),
            Remains::Drifted(report) => Seen::Drifted(report),
        })
    }
}

impl Act for ProbeRemoved {
    const REVERSE: Reverse = Reverse::Keep("the probe is gone already");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        remove(cx.world, &cx.needs.0, item, cx.saga).await.map(|()| None)
    }

    async fn remains(&self, _: &Cx<'_, Self>) -> Result<Remains, Fault> {
        Ok(Remains::Nothing)
    }

    async fn undo(&self, _: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        Ok(())
    }
}
