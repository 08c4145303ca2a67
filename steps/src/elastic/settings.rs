//! The settings of remote clusters.

use super::client::{Cluster, as_text, members};
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every setting of one alias, by its name below `cluster.remote.<alias>.`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteSettings {
    /// The alias.
    pub alias: String,
    /// What survives a restart.
    pub persistent: BTreeMap<String, String>,
    /// What does not, and wins until then.
    pub transient: BTreeMap<String, String>,
}

impl RemoteSettings {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.persistent.is_empty() && self.transient.is_empty()
    }

    /// The value that counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.transient.get(name).or_else(|| self.persistent.get(name)).map(String::as_str)
    }
}

/// A remote cluster in proxy mode.
#[derive(Clone, Copy, Debug)]
pub struct RemoteProxy<'a> {
    /// Letters, digits, `_` and `-`.
    pub alias: &'a str,
    /// Host and port, for example `ep-….privatelink.aliyuncs.com:9300`.
    pub proxy_address: &'a str,
    /// Sockets a node; 18 when not given.
    pub socket_connections: Option<u32>,
    /// Whether searches pass over it when it is away; replication does not care.
    pub skip_unavailable: bool,
    /// How often idle connections are kept alive, for example `30s`.
    pub ping_schedule: Option<&'a str>,
}

impl Cluster {
    /// Reads the settings of one alias (`GET /_cluster/settings`); empty when it has none.
    pub async fn remote_settings(&self, alias: &str) -> Result<RemoteSettings, Fault> {
        let mut all = self.all_remote_settings().await?;
        let none = || RemoteSettings { alias: alias.to_owned(), ..RemoteSettings::default() };
        Ok(all.remove(alias).unwrap_or_else(none))
    }

    /// Reads the settings of every alias (`GET /_cluster/settings`).
    pub async fn all_remote_settings(&self) -> Result<BTreeMap<String, RemoteSettings>, Fault> {
        let query = [("flat_settings", "true")];
        let value = self.ask(Method::GET, "/_cluster/settings", &query, None).await?;
        Ok(remote_settings(&value))
    }

    /// Sets a remote cluster in proxy mode, all keys at once (`PUT /_cluster/settings`).
    ///
    /// Acknowledged does not mean connected.
    pub async fn put_remote(&self, remote: RemoteProxy<'_>) -> Result<(), Fault> {
        let mut keys = json!({
            "mode": "proxy",
            "proxy_address": remote.proxy_address,
            "skip_unavailable": remote.skip_unavailable,
            "proxy_socket_connections": remote.socket_connections,
            "server_name": null,
            // What is left of a remote in sniff mode would be refused beside these.
            "seeds": null,
            "node_connections": null,
        });
        if let (Some(every), Value::Object(keys)) = (remote.ping_schedule, &mut keys) {
            keys.insert("transport.ping_schedule".to_owned(), json!(every));
        }
        let body = json!({"persistent": {"cluster": {"remote": {remote.alias: keys}}}});
        self.change(Method::PUT, "/_cluster/settings", Some(&body)).await
    }

    /// Takes away every setting that a look found (`PUT /_cluster/settings` with nulls).
    ///
    /// All at once: a rest without an address is refused. Follower indices and patterns that
    /// use the alias must be gone before.
    pub async fn remove_remote(&self, settings: &RemoteSettings) -> Result<(), Fault> {
        let nulls = |keys: &BTreeMap<String, String>| -> Map<String, Value> {
            let full = |name| format!("cluster.remote.{}.{name}", settings.alias);
            keys.keys().map(|name| (full(name), Value::Null)).collect()
        };
        let mut body = Map::new();
        for (scope, keys) in
            [("persistent", &settings.persistent), ("transient", &settings.transient)]
        {
            if !keys.is_empty() {
                body.insert(scope.to_owned(), Value::Object(nulls(keys)));
            }
        }
        if body.is_empty() {
            // An empty change is refused.
            return Ok(());
        }
        self.change(Method::PUT, "/_cluster/settings", Some(&Value::Object(body))).await
    }
}

fn remote_settings(value: &Value) -> BTreeMap<String, RemoteSettings> {
    let mut all: BTreeMap<String, RemoteSettings> = BTreeMap::new();
    for (scope, is_transient) in [("/persistent", false), ("/transient", true)] {
        for (key, value) in members(value, scope) {
            let Some(rest) = key.strip_prefix("cluster.remote.") else { continue };
            // An alias has no dot, so the first one ends it.
            let Some((alias, name)) = rest.split_once('.') else { continue };
            let entry = all.entry(alias.to_owned()).or_default();
            alias.clone_into(&mut entry.alias);
            let keys = if is_transient { &mut entry.transient } else { &mut entry.persistent };
            keys.insert(name.to_owned(), as_text(value).unwrap_or_else(|| value.to_string()));
        }
    }
    all
}
