//! Listeners and the health of what is behind them.

use super::Nlb;
use crate::aliyun::Tags;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, tag_list};
use escrr_engine::Fault;
use serde_json::json;

/// The list of servers that are not healthy.
const NON_NORMAL: &str = "NonNormalServers";
/// How many answers in a row without that list stand for an empty one.
///
/// It names only who is not healthy. An answer that lost it looks like one that says everybody
/// is; the API does not say whether it leaves an empty list out.
const WITHOUT_LIST: u8 = 5;

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The listener's id, `lsn-…`.
    pub listener_id: String,
    /// Its load balancer.
    pub load_balancer_id: String,
    /// `TCP`, for example.
    pub protocol: String,
    /// The port; 0 for a range.
    pub port: u64,
    /// The range's first port, for a range.
    pub start_port: Option<u64>,
    /// The range's last port, for a range.
    pub end_port: Option<u64>,
    /// The server group that it forwards to.
    pub server_group_id: String,
    /// `Provisioning`, `Running`, `Configuring`, `Stopped`, …
    pub status: String,
    /// Free text.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

/// What a TCP listener on a range of ports is made from.
#[derive(Clone, Copy, Debug)]
pub struct CreateListener<'a> {
    /// Its load balancer.
    pub load_balancer_id: &'a str,
    /// The server group, one that takes any port.
    pub server_group_id: &'a str,
    /// The first and the last port.
    pub ports: (u16, u16),
    /// Free text, 2 to 256 characters, or empty.
    pub description: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

/// The health of one server group behind a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupHealth {
    /// The server group.
    pub server_group_id: String,
    /// Whether its servers are probed at all.
    pub check_enabled: bool,
    /// Servers that are not healthy; nobody here while probed means that all are.
    pub non_normal: Vec<NonNormalServer>,
}

/// One server that is not healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonNormalServer {
    /// The server.
    pub server_id: String,
    /// Its address.
    pub server_ip: String,
    /// Its port.
    pub port: u64,
    /// `Initial`, `Unhealthy` or `Unavailable`.
    pub status: String,
    /// For example `CONNECT_TIMEOUT`.
    pub reason: String,
}

impl Nlb<'_> {
    /// Creates a TCP listener on a range of ports and gives its id (`CreateListener`).
    pub async fn create_listener(&self, ask: CreateListener<'_>) -> Result<String, Fault> {
        let params = json!({
            "LoadBalancerId": ask.load_balancer_id,
            "ListenerProtocol": "TCP",
            // Port 0 says that a range follows.
            "ListenerPort": 0,
            "StartPort": ask.ports.0,
            "EndPort": ask.ports.1,
            "ServerGroupId": ask.server_group_id,
            "ListenerDescription": given(ask.description),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        self.0.write("CreateListener", params).await?.row().need("ListenerId")
    }

    /// Describes one listener (`GetListenerAttribute`); gone when it does not exist.
    pub async fn get_listener(&self, id: &str) -> Result<Listener, Fault> {
        let answer = self.0.read("GetListenerAttribute", json!({"ListenerId": id})).await?;
        listener(&answer.row())
    }

    /// Lists the listeners of a load balancer (`ListListeners`).
    pub async fn list_listeners(&self, load_balancer_id: &str) -> Result<Vec<Listener>, Fault> {
        let params = json!({"LoadBalancerIds": [load_balancer_id]});
        let at = (Paging::Token("MaxResults", 100), "Listeners");
        self.0.list("ListListeners", params, at, listener).await
    }

    /// Deletes a listener (`DeleteListener`).
    pub async fn delete_listener(&self, id: &str, token: &str) -> Result<(), Fault> {
        let params = json!({"ListenerId": id, "ClientToken": given(token)});
        self.0.write("DeleteListener", params).await.map(drop)
    }

    /// Asks how healthy the servers behind a listener are (`GetListenerHealthStatus`).
    pub async fn get_listener_health(&self, id: &str) -> Result<Vec<GroupHealth>, Fault> {
        let mut answer = self.0.read("GetListenerHealthStatus", json!({"ListenerId": id})).await?;
        for _ in 1..WITHOUT_LIST {
            if health_groups(&answer.row()).iter().all(|row| row.is_list(NON_NORMAL)) {
                break;
            }
            answer = self.0.read("GetListenerHealthStatus", json!({"ListenerId": id})).await?;
        }
        Ok(health_groups(&answer.row()).iter().map(group_health).collect())
    }
}

fn listener(row: &Row<'_>) -> Result<Listener, Fault> {
    Ok(Listener {
        listener_id: row.need("ListenerId")?,
        load_balancer_id: row.text("LoadBalancerId"),
        protocol: row.text("ListenerProtocol"),
        port: row.number("ListenerPort").unwrap_or_default(),
        start_port: row.number("StartPort"),
        end_port: row.number("EndPort"),
        server_group_id: row.text("ServerGroupId"),
        status: row.text("ListenerStatus"),
        description: row.text("ListenerDescription"),
        tags: row.tags("Tags"),
    })
}

fn health_groups<'a>(answer: &Row<'a>) -> Vec<Row<'a>> {
    let listeners = answer.rows("ListenerHealthStatus");
    listeners.iter().flat_map(|row| row.rows("ServerGroupInfos")).collect()
}

fn group_health(row: &Row<'_>) -> GroupHealth {
    let servers = row.rows(NON_NORMAL);
    let server = |row: &Row<'_>| NonNormalServer {
        server_id: row.text("ServerId"),
        server_ip: row.text("ServerIp"),
        port: row.number("Port").unwrap_or_default(),
        status: row.text("Status"),
        reason: row.text("Reason.ReasonCode"),
    };
    // The API misspells `HeathCheckEnabled`; the right spelling is taken too.
    let misspelt = row.truth("HeathCheckEnabled");
    GroupHealth {
        server_group_id: row.text("ServerGroupId"),
        check_enabled: misspelt.or(row.truth("HealthCheckEnabled")).unwrap_or(false),
        non_normal: servers.iter().map(server).collect(),
    }
}
