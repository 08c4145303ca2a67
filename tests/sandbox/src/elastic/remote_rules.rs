//! What `cluster.remote.<alias>.*` may hold.

use super::failure::{Failure, Outcome};
use super::model::{Cluster, Version};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Keys for a remote in proxy mode only.
const PROXY: &[&str] = &["proxy_address", "proxy_socket_connections", "server_name"];
/// Keys for a remote in sniff mode only.
const SNIFF: &[&str] = &["seeds", "node_connections", "proxy"];
/// Keys that need an enabled remote.
const ENABLED: &[&str] = &[
    "skip_unavailable",
    "transport.compress",
    "transport.compression_scheme",
    "transport.ping_schedule",
];

/// Alias and leaf of a key; `None` when it is not a setting of one remote.
pub(crate) fn split(key: &str) -> Option<(&str, &str)> {
    let (alias, leaf) = key.strip_prefix("cluster.remote.")?.split_once('.')?;
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!alias.is_empty() && alias.chars().all(legal)).then_some((alias, leaf))
}

/// Does the version know the key?
pub(crate) fn is_known(version: Version, key: &str) -> bool {
    let Some((_, leaf)) = split(key) else { return false };
    match leaf {
        "mode" => true,
        "transport.compression_scheme" => version.since(7, 14),
        _ => PROXY.contains(&leaf) || SNIFF.contains(&leaf) || ENABLED.contains(&leaf),
    }
}

/// Keystore settings are never taken from a request.
pub(crate) fn is_secure(key: &str) -> bool {
    split(key).is_some_and(|(_, leaf)| leaf == "credentials")
}

/// Judges the whole state of all remotes.
pub(crate) fn check(cluster: &Cluster, all: &BTreeMap<String, Value>) -> Outcome<()> {
    let version = cluster.version;
    let mut aliases = BTreeSet::new();
    for (key, value) in all {
        let Some((alias, leaf)) = split(key) else { continue };
        aliases.insert(alias);
        if let Err(failure) = check_value(version, key, leaf, value) {
            // Newer releases wrap what a setting's own parser says.
            return Err(if version.since(8, 0) {
                let old = cluster.setting_text(key).unwrap_or("");
                let new = value.as_str().unwrap_or("");
                Failure::illegal(format!(
                    "illegal value can't update [{key}] from [{old}] to [{new}]"
                ))
                .because(failure)
            } else {
                failure
            });
        }
    }
    aliases.into_iter().try_for_each(|alias| check_alias(alias, all))
}

fn check_value(version: Version, key: &str, leaf: &str, value: &Value) -> Outcome<()> {
    let text = value.as_str().unwrap_or("");
    let boolean = || {
        if text == "true" || text == "false" {
            return Ok(());
        }
        Err(Failure::illegal(format!(
            "Failed to parse value [{text}] as only [true] or [false] are allowed."
        )))
    };
    match leaf {
        "mode" if !["proxy", "sniff"].iter().any(|m| m.eq_ignore_ascii_case(text)) => {
            Err(Failure::illegal(format!(
                "No enum constant org.elasticsearch.transport.RemoteConnectionStrategy.ConnectionStrategy.{}",
                text.to_uppercase()
            )))
        }
        "proxy_address" if !text.is_empty() => check_address(text),
        "seeds" => match value {
            Value::Array(list) => list.iter().filter_map(Value::as_str).try_for_each(check_address),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => {
                text.split(',').filter(|s| !s.is_empty()).try_for_each(check_address)
            }
        },
        "proxy_socket_connections" | "node_connections" => match text.parse::<i32>() {
            Ok(n) if n >= 1 => Ok(()),
            Ok(n) => Err(Failure::illegal(format!(
                "Failed to parse value [{n}] for setting [{key}] must be >= 1"
            ))),
            Err(_) => {
                Err(Failure::illegal(format!("Failed to parse value [{text}] for setting [{key}]")))
            }
        },
        "transport.compress" if version.since(7, 14) && text == "indexing_data" => Ok(()),
        "skip_unavailable" | "transport.compress" => boolean(),
        "transport.compression_scheme" if text != "lz4" && text != "deflate" => {
            Err(Failure::illegal(format!(
                "No enum constant org.elasticsearch.transport.Compression.Scheme.{}",
                text.to_uppercase()
            )))
        }
        "transport.ping_schedule" if text != "-1" && super::index::parse_time(text).is_none() => {
            Err(Failure::illegal(format!(
                "failed to parse setting [{key}] with value [{text}] as a time value: unit is missing or unrecognized"
            )))
        }
        _ => Ok(()),
    }
}

fn check_address(text: &str) -> Outcome<()> {
    let Some((host, port)) = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()) else {
        return Err(Failure::illegal(format!(
            "remote hosts need to be configured as [host:port], found [{text}] instead"
        )));
    };
    match port.parse::<i64>() {
        Ok(n) if n <= 0 => Err(Failure::illegal(format!("port number must be > 0 but was: [{n}]"))),
        Ok(n) if n > 65_535 => Err(Failure::illegal(format!("port out of range:{n}"))),
        Ok(_) if !host.is_empty() => Ok(()),
        Ok(_) | Err(_) => Err(Failure::illegal("failed to parse port")),
    }
}

fn check_alias(alias: &str, all: &BTreeMap<String, Value>) -> Outcome<()> {
    let key = |leaf: &str| format!("cluster.remote.{alias}.{leaf}");
    let value = |leaf: &str| all.get(&key(leaf));
    let proxy = value("mode")
        .and_then(Value::as_str)
        .is_some_and(|mode| mode.eq_ignore_ascii_case("proxy"));
    let (foreign, required, configured) =
        if proxy { (SNIFF, "SNIFF", "PROXY") } else { (PROXY, "PROXY", "SNIFF") };
    if let Some(leaf) = foreign.iter().find(|leaf| value(leaf).is_some()) {
        return Err(Failure::illegal(format!(
            "Setting \"{}\" cannot be used with the configured \"{}\" [required={required}, configured={configured}]",
            key(leaf),
            key("mode"),
        )));
    }
    let address = value(if proxy { "proxy_address" } else { "seeds" });
    let enabled = address.is_some_and(|a| match a {
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    });
    match ENABLED.iter().find(|leaf| value(leaf).is_some()) {
        Some(leaf) if !enabled => Err(Failure::illegal(format!(
            "Cannot configure setting [{}] if remote cluster is not enabled.",
            key(leaf)
        ))),
        _ => Ok(()),
    }
}
