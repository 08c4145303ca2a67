//! The leader's addresses in the server group: exactly these and no others.

use super::ServerGroup;
use crate::World;
use crate::aliyun::nlb::Server;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{gone_is_fine, if_there, join, split};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step2_leader_address::PrivateIp;
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};

/// Adds the leader's addresses.
pub struct Backend;

async fn list(cx: &Cx<'_, Backend>) -> Result<Vec<Server>, Fault> {
    let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
    Ok(if_there(client.list_servers(&cx.needs.1.group).await)?.unwrap_or_default())
}

impl Declares for Backend {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Nlb, "ListServerGroupServers")],
        act: &[Action::new(Product::Nlb, "AddServersToServerGroup")],
        undo: &[
            Action::new(Product::Nlb, "ListServerGroupServers"),
            Action::new(Product::Nlb, "RemoveServersFromServerGroup"),
        ],
    };
}

impl Step for Backend {
    type World = World;
    type Needs = (Prerequisites, ServerGroup, PrivateIp);
    type Output = Vec<String>;
    const ID: NodeId = NodeId::new("follower", "backend");
    const PHASE: u8 = 3;
    const TITLE: &'static str = "the leader's addresses as backend servers";
    const PATIENCE: Patience = Patience::new(5, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Vec<String>>, Fault> {
        let wanted: Vec<String> = cx.needs.2.addresses.iter().map(ToString::to_string).collect();
        let servers = list(cx).await?;
        let stale: Vec<&str> = servers
            .iter()
            .filter(|s| !wanted.contains(&s.server_ip))
            .map(|s| s.server_ip.as_str())
            .collect();
        if !stale.is_empty() {
            let report = Report::new(
                format!("checking the servers of {}", cx.needs.1.group),
                format!(
                    "it holds {} besides the leader's addresses ({})",
                    stale.join(", "),
                    wanted.join(", ")
                ),
            )
            .meaning(
                "the leader's address has changed since, or the group serves something else too",
            )
            .help("remove what does not belong there, then `escrr resume`");
            return Ok(Seen::Drifted(report));
        }
        let missing: Vec<String> = wanted
            .iter()
            .filter(|ip| !servers.iter().any(|s| s.server_ip == **ip))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Ok(Seen::Absent(vec![join(&missing)]));
        }
        Ok(match servers.iter().find(|s| s.status != "Available") {
            Some(server) => Seen::Pending(format!("{} is {}", server.server_ip, server.status)),
            None if cx.owns::<ServerGroup>() => Seen::Ours(wanted),
            None => Seen::Ready(wanted),
        })
    }
}

impl Act for Backend {
    const REVERSE: Reverse = Reverse::Undo("removes the addresses that were added");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("server group {}", cx.needs.1.group))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let ips: Vec<String> = item.split(',').map(str::to_owned).collect();
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        client.add_servers(&cx.needs.1.group, &ips, &cx.token(item)).await.map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let mut announced = split(cx.items);
        if cx.owns::<ServerGroup>() {
            announced.extend(cx.needs.2.addresses.iter().map(ToString::to_string));
        }
        let mut ours: Vec<Server> =
            list(cx).await?.into_iter().filter(|s| announced.contains(&s.server_ip)).collect();
        ours.sort_by(|a, b| a.server_ip.cmp(&b.server_ip));
        if ours.is_empty() {
            return Ok(Remains::Nothing);
        }
        if let Some(server) = ours.iter().find(|s| s.status != "Available") {
            return Ok(Remains::Pending(format!("{} is {}", server.server_ip, server.status)));
        }
        let ips: Vec<String> = ours.into_iter().map(|s| s.server_ip).collect();
        Ok(Remains::Items(vec![join(&ips)]))
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let ips: Vec<&str> = item.split(',').collect();
        let servers: Vec<Server> =
            list(cx).await?.into_iter().filter(|s| ips.contains(&s.server_ip.as_str())).collect();
        if servers.is_empty() {
            let tried = format!("removing the leader's addresses from {}", cx.needs.1.group);
            return Err(Fault::Busy(Report::new(tried, "they are out already, says another look")));
        }
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        let token = cx.undo_token(item);
        gone_is_fine(client.remove_servers(&cx.needs.1.group, &servers, &token).await)
    }
}
