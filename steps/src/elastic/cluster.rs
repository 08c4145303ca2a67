//! The cluster as a whole: version, license, privileges, remote connections, health.

use super::client::{Cluster, count, encode, encode_expression, flag, list, members, text};
use super::error::innermost;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Who the cluster is (`GET /`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The cluster's name; retention leases carry it.
    pub cluster_name: String,
    /// The cluster's id; no two clusters share one.
    pub cluster_uuid: String,
    /// For example `7.10.0`.
    pub version: String,
    /// The oldest version that it can speak to.
    pub minimum_wire_version: String,
}

/// The license (`GET /_license`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// `basic`, `platinum`, `enterprise`, `trial`, …
    pub license_type: String,
    /// `active`, for example.
    pub status: String,
}

/// One feature of the X-Pack (`GET /_xpack`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Whether the license includes it.
    pub available: bool,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// Privileges that are asked for.
#[derive(Clone, Copy, Debug)]
pub struct WantedPrivileges<'a> {
    /// For example `manage_ccr`.
    pub cluster: &'a [&'a str],
    /// Index names or patterns, with what is wanted on each of them.
    pub index: &'a [(Vec<String>, &'a [&'a str])],
}

/// Which of the wanted privileges the user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Privileges {
    /// Whether all are there.
    pub all: bool,
    /// What is missing, for example `manage_ccr` or `read on logs-*`.
    pub missing: Vec<String>,
}

/// One remote connection, as the node that answered sees it (`GET /_remote/info`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteInfo {
    /// Whether that node has an open connection; not a probe, and not cluster-wide.
    pub connected: bool,
    /// `proxy` or `sniff`.
    pub mode: String,
    /// Host and port, in proxy mode.
    pub proxy_address: String,
    /// Open sockets, in proxy mode.
    pub sockets_connected: u64,
    /// Whether searches pass over it when it is away.
    pub skip_unavailable: bool,
    /// Whether it uses the API-key model, which needs another port.
    pub uses_api_key: bool,
}

/// What a search through the remote connection met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// The other cluster answered.
    Reached,
    /// It did not; the innermost cause.
    Failed(String),
}

/// The health of an index (`GET /_cluster/health/<index>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// `green`, `yellow` or `red`.
    pub status: String,
    /// Primary shards that work.
    pub active_primary_shards: u64,
    /// Shards without a node.
    pub unassigned_shards: u64,
    /// Shards that are being brought up.
    pub initializing_shards: u64,
}

impl Cluster {
    /// Asks who the cluster is.
    pub async fn info(&self) -> Result<Info, Fault> {
        let value = self.ask(Method::GET, "/", &[], None).await?;
        let need = |pointer: &str| {
            let origin = self.origin(&Method::GET, "/");
            text(&value, pointer).ok_or_else(|| origin.unreadable(&format!("no `{pointer}`")))
        };
        Ok(Info {
            cluster_name: need("/cluster_name")?,
            cluster_uuid: need("/cluster_uuid")?,
            version: need("/version/number")?,
            minimum_wire_version: text(&value, "/version/minimum_wire_compatibility_version")
                .unwrap_or_default(),
        })
    }

    /// Asks for the license.
    pub async fn license(&self) -> Result<License, Fault> {
        let value = self.ask(Method::GET, "/_license", &[], None).await?;
        Ok(License {
            license_type: text(&value, "/license/type").unwrap_or_default(),
            status: text(&value, "/license/status").unwrap_or_default(),
        })
    }

    /// Asks whether cross-cluster replication is licensed and on (`GET /_xpack`).
    ///
    /// None when the answer does not mention it.
    pub async fn ccr_feature(&self) -> Result<Option<Feature>, Fault> {
        let query = [("categories", "features")];
        let value = self.ask(Method::GET, "/_xpack", &query, None).await?;
        Ok(value.pointer("/features/ccr").map(|ccr| Feature {
            available: flag(ccr, "/available").unwrap_or(false),
            enabled: flag(ccr, "/enabled").unwrap_or(false),
        }))
    }

    /// Asks which privileges the user has (`POST /_security/user/_has_privileges`).
    pub async fn has_privileges(&self, wanted: WantedPrivileges<'_>) -> Result<Privileges, Fault> {
        let mut body = json!({"cluster": wanted.cluster});
        let index = wanted.index.iter().filter(|(names, _)| !names.is_empty());
        let index: Vec<Value> = index
            .map(|(names, privileges)| json!({"names": names, "privileges": privileges}))
            .collect();
        if let (false, Value::Object(members)) = (index.is_empty(), &mut body) {
            members.insert("index".to_owned(), Value::Array(index));
        }
        let path = "/_security/user/_has_privileges";
        let value = self.ask(Method::POST, path, &[], Some(&body)).await?;
        let lacks = |given: &Value| given.as_bool() != Some(true);
        let mut missing: Vec<String> = members(&value, "/cluster")
            .filter(|(_, given)| lacks(given))
            .map(|(name, _)| name.clone())
            .collect();
        for (index, privileges) in members(&value, "/index") {
            let lacking = members(privileges, "").filter(|(_, given)| lacks(given));
            missing.extend(lacking.map(|(name, _)| format!("{name} on {index}")));
        }
        let all = flag(&value, "/has_all_requested").unwrap_or(false);
        Ok(Privileges { all, missing })
    }

    /// Asks for the plugins that every node has (`GET /_nodes/plugins`).
    pub async fn plugins(&self) -> Result<BTreeSet<String>, Fault> {
        // `name` keeps a node without plugins in the answer.
        let query = [("filter_path", "nodes.*.name,nodes.*.plugins.name")];
        let value = self.ask(Method::GET, "/_nodes/plugins", &query, None).await?;
        let names = |node: &Value| -> BTreeSet<String> {
            let all = node.get("plugins").and_then(Value::as_array).into_iter().flatten();
            all.filter_map(|plugin| text(plugin, "/name")).collect()
        };
        let each = members(&value, "/nodes").map(|(_, node)| names(node));
        Ok(each.reduce(|all, node| &all & &node).unwrap_or_default())
    }

    /// Asks for every remote connection, by alias.
    pub async fn remote_info(&self) -> Result<BTreeMap<String, RemoteInfo>, Fault> {
        let value = self.ask(Method::GET, "/_remote/info", &[], None).await?;
        let remotes = members(&value, "");
        Ok(remotes.map(|(alias, remote)| (alias.clone(), remote_info(remote))).collect())
    }

    /// Searches through a remote connection, which makes the cluster connect again.
    ///
    /// Elasticsearch does not reconnect by itself, and only such a call tells why it cannot.
    pub async fn nudge(&self, alias: &str) -> Result<Nudge, Fault> {
        let path = format!("/{}:escrr-none-*/_search", encode(alias));
        let query = [("size", "0"), ("ignore_unavailable", "true")];
        let (status, value) = self.send(Method::GET, &path, &query, None).await?;
        if status == 401 {
            let origin = self.origin(&Method::GET, &path);
            return Err(super::error::judge(&origin, status, &value));
        }
        Ok(nudged(status, &value, alias))
    }

    /// Asks for the health of an index; none when it does not exist.
    pub async fn index_health(&self, index: &str) -> Result<Option<Health>, Fault> {
        let path = format!("/_cluster/health/{}", encode_expression(index));
        let query = [("timeout", "1s")];
        let (status, value) = self.send(Method::GET, &path, &query, None).await?;
        // A missing index is waited for, and then the answer is 408 with a body like any other.
        if !(200..300).contains(&status) && status != 408 {
            let fault = super::error::judge(&self.origin(&Method::GET, &path), status, &value);
            return if super::not_found(&fault) { Ok(None) } else { Err(fault) };
        }
        let number = |name: &str| count(&value, name).unwrap_or_default();
        let health = Health {
            status: text(&value, "/status").unwrap_or_default(),
            active_primary_shards: number("/active_primary_shards"),
            unassigned_shards: number("/unassigned_shards"),
            initializing_shards: number("/initializing_shards"),
        };
        // Every index has shards in some state.
        let shards =
            health.active_primary_shards + health.unassigned_shards + health.initializing_shards;
        Ok((shards > 0).then_some(health))
    }
}

fn remote_info(value: &Value) -> RemoteInfo {
    RemoteInfo {
        connected: flag(value, "/connected").unwrap_or(false),
        mode: text(value, "/mode").unwrap_or_default(),
        proxy_address: text(value, "/proxy_address").unwrap_or_default(),
        sockets_connected: count(value, "/num_proxy_sockets_connected").unwrap_or_default(),
        skip_unavailable: flag(value, "/skip_unavailable").unwrap_or(false),
        uses_api_key: value.get("cluster_credentials").is_some(),
    }
}

/// Reads a search's answer: with `skip_unavailable` the failure hides in a success.
fn nudged(status: u16, value: &Value, alias: &str) -> Nudge {
    if let Some(error) = value.get("error") {
        let text = error.as_str().map(str::to_owned);
        return Nudge::Failed(text.unwrap_or_else(|| innermost(error)));
    }
    if !(200..300).contains(&status) {
        return Nudge::Failed(format!("HTTP status {status}"));
    }
    if count(value, "/_clusters/skipped").unwrap_or_default() == 0 {
        return Nudge::Reached;
    }
    let details = value.pointer("/_clusters/details").and_then(|details| details.get(alias));
    let failure = details.and_then(|details| list(details, "/failures").first());
    let reason = failure.and_then(|failure| failure.get("reason"));
    Nudge::Failed(reason.map_or_else(
        || "the search skipped the remote cluster and does not say why".to_owned(),
        innermost,
    ))
}
