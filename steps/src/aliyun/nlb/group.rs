//! Server groups and their servers.

use super::Nlb;
use crate::aliyun::Tags;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, only, tag_list};
use escrr_engine::Fault;
use serde_json::{Value, json};

/// One server group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    /// The server group's id, `sgp-…`.
    pub server_group_id: String,
    /// Its name.
    pub name: String,
    /// `Creating`, `Available` or `Configuring`.
    pub status: String,
    /// `Instance` or `Ip`.
    pub group_type: String,
    /// `TCP`, for example.
    pub protocol: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Whether it forwards to the port that the listener was asked on.
    pub any_port: bool,
    /// Whether servers see the client's address.
    pub preserve_client_ip: bool,
    /// How servers are probed.
    pub health_check: HealthCheck,
    /// How many servers it has.
    pub server_count: u64,
    /// Load balancers that use it.
    pub load_balancer_ids: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

/// How servers are probed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheck {
    /// Whether they are probed at all.
    pub enabled: bool,
    /// `TCP`, for example.
    pub check_type: String,
    /// The port that is probed; 0 for the server's own.
    pub connect_port: u64,
}

/// What a server group is made from: type Ip, TCP, any port, client address not preserved.
#[derive(Clone, Copy, Debug)]
pub struct CreateServerGroup<'a> {
    /// Its name, 2 to 128 characters, a letter first.
    pub name: &'a str,
    /// Its VPC.
    pub vpc_id: &'a str,
    /// The port that TCP health checks probe.
    pub health_check_port: u16,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

/// Which server groups are wanted; empty fields do not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupFilter<'a> {
    /// Of this VPC.
    pub vpc_id: &'a str,
    /// With all of these tags.
    pub tags: Option<&'a Tags>,
}

/// One server of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address, for type Ip.
    pub server_id: String,
    /// The address.
    pub server_ip: String,
    /// `Ip`, for example.
    pub server_type: String,
    /// 0 in groups that take any port.
    pub port: u64,
    /// `Adding`, `Available`, `Configuring` or `Removing`.
    pub status: String,
}

impl Nlb<'_> {
    /// Creates a server group of addresses and gives its id (`CreateServerGroup`).
    pub async fn create_server_group(&self, ask: CreateServerGroup<'_>) -> Result<String, Fault> {
        let params = json!({
            "ServerGroupName": ask.name,
            "ServerGroupType": "Ip",
            "VpcId": ask.vpc_id,
            "Protocol": "TCP",
            "AnyPortEnabled": true,
            "PreserveClientIpEnabled": false,
            "HealthCheckConfig": {
                "HealthCheckEnabled": true,
                "HealthCheckType": "TCP",
                "HealthCheckConnectPort": ask.health_check_port,
            },
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        self.0.write("CreateServerGroup", params).await?.row().need("ServerGroupId")
    }

    /// Lists server groups (`ListServerGroups`).
    pub async fn list_server_groups(
        &self,
        filter: GroupFilter<'_>,
    ) -> Result<Vec<ServerGroup>, Fault> {
        let params = json!({
            "VpcId": given(filter.vpc_id),
            "Tag": filter.tags.map(tag_list),
        });
        self.groups(params).await
    }

    /// Gives one server group, if it exists (`ListServerGroups`).
    pub async fn get_server_group(&self, id: &str) -> Result<Option<ServerGroup>, Fault> {
        let found = self.groups(json!({"ServerGroupIds": [id]})).await?;
        only(found, "ListServerGroups (Nlb)")
    }

    async fn groups(&self, params: Value) -> Result<Vec<ServerGroup>, Fault> {
        let at = (Paging::Token("MaxResults", 100), "ServerGroups");
        self.0.list("ListServerGroups", params, at, server_group).await
    }

    /// Deletes a server group that no listener uses (`DeleteServerGroup`).
    pub async fn delete_server_group(&self, id: &str, token: &str) -> Result<(), Fault> {
        let params = json!({"ServerGroupId": id, "ClientToken": given(token)});
        self.0.write("DeleteServerGroup", params).await.map(drop)
    }

    /// Adds addresses to a group that takes any port (`AddServersToServerGroup`).
    pub async fn add_servers(&self, id: &str, ips: &[String], token: &str) -> Result<(), Fault> {
        let server = |ip: &String| json!({"ServerId": ip, "ServerIp": ip, "ServerType": "Ip", "Port": 0, "Weight": 100});
        let servers: Vec<Value> = ips.iter().map(server).collect();
        let params = json!({"ServerGroupId": id, "Servers": servers, "ClientToken": given(token)});
        self.0.write("AddServersToServerGroup", params).await.map(drop)
    }

    /// Lists the servers of a group (`ListServerGroupServers`).
    pub async fn list_servers(&self, id: &str) -> Result<Vec<Server>, Fault> {
        let at = (Paging::Token("MaxResults", 100), "Servers");
        self.0.list("ListServerGroupServers", json!({"ServerGroupId": id}), at, server).await
    }

    /// Removes servers from a group (`RemoveServersFromServerGroup`).
    ///
    /// Give them as [`Nlb::list_servers`] told them: all four fields are the key.
    pub async fn remove_servers(
        &self,
        id: &str,
        servers: &[Server],
        token: &str,
    ) -> Result<(), Fault> {
        let key = |server: &Server| {
            json!({
                "ServerId": server.server_id,
                "ServerIp": given(&server.server_ip),
                "ServerType": server.server_type,
                "Port": server.port,
            })
        };
        let servers: Vec<Value> = servers.iter().map(key).collect();
        let params = json!({"ServerGroupId": id, "Servers": servers, "ClientToken": given(token)});
        self.0.write("RemoveServersFromServerGroup", params).await.map(drop)
    }
}

fn server_group(row: &Row<'_>) -> Result<ServerGroup, Fault> {
    Ok(ServerGroup {
        server_group_id: row.need("ServerGroupId")?,
        name: row.text("ServerGroupName"),
        status: row.text("ServerGroupStatus"),
        group_type: row.text("ServerGroupType"),
        protocol: row.text("Protocol"),
        vpc_id: row.text("VpcId"),
        any_port: row.flag("AnyPortEnabled"),
        preserve_client_ip: row.flag("PreserveClientIpEnabled"),
        health_check: HealthCheck {
            enabled: row.flag("HealthCheck.HealthCheckEnabled"),
            check_type: row.text("HealthCheck.HealthCheckType"),
            connect_port: row.number("HealthCheck.HealthCheckConnectPort").unwrap_or_default(),
        },
        server_count: row.number("ServerCount").unwrap_or_default(),
        load_balancer_ids: row.texts("RelatedLoadBalancerIds"),
        tags: row.tags("Tags"),
    })
}

fn server(row: &Row<'_>) -> Result<Server, Fault> {
    Ok(Server {
        server_id: row.need("ServerId")?,
        server_ip: row.text("ServerIp"),
        server_type: row.text("ServerType"),
        port: row.number("Port").unwrap_or_default(),
        status: row.text("Status"),
    })
}
