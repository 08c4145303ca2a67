//! Indices: what there is, creating, deleting, opening and closing.

use super::client::{Cluster, as_text, count, encode, encode_expression, members, text};
use super::error::not_found;
use super::lease::span_ms;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One index and what matters for following it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, as Elasticsearch flags them")]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its id; an index that was made anew has another one.
    pub uuid: String,
    /// Number of primary shards.
    pub primaries: u64,
    /// Whether deleted documents are kept for followers; without it nobody can follow.
    pub soft_deletes: bool,
    /// Whether it follows another index.
    pub is_follower: bool,
    /// Whether wildcards pass over it.
    pub hidden: bool,
    /// Whether its name starts with a dot and it belongs to no data stream.
    pub system: bool,
    /// The data stream that it stands behind.
    pub data_stream: Option<String>,
    /// Whether it is closed.
    pub closed: bool,
    /// Whether it is mounted from a snapshot; then nobody can follow.
    pub searchable_snapshot: bool,
    /// The lifecycle policy that it is under.
    pub lifecycle: Option<String>,
    /// The alias that its lifecycle policy rolls over, as long as it is not rolled over.
    pub rollover_alias: Option<String>,
    /// Its settings of analysis, flat: `index.analysis.…`.
    pub analysis: Map<String, Value>,
    /// How long it keeps its history for a follower that is away, in milliseconds.
    pub lease_period_ms: u64,
}

/// The default of `index.soft_deletes.retention_lease.period`: 12 hours.
const LEASE_PERIOD_MS: u64 = 12 * 3_600_000;

impl Cluster {
    /// Lists indices, hidden and closed ones too (`GET /<expression>/_settings`).
    ///
    /// The expression is a name, a pattern, or `_all`; nothing found is an empty list.
    pub async fn indices(&self, expression: &str) -> Result<Vec<Index>, Fault> {
        let path = format!("/{}/_settings", encode_expression(expression));
        let query = [
            ("flat_settings", "true"),
            ("expand_wildcards", "all"),
            ("ignore_unavailable", "true"),
            ("allow_no_indices", "true"),
        ];
        match self.ask(Method::GET, &path, &query, None).await {
            Ok(value) => {
                let found = value.as_object().into_iter().flatten();
                Ok(found.map(|(name, value)| index(name, value)).collect())
            }
            Err(fault) if not_found(&fault) => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }

    /// Reads what the mappings of all indices name: types and analysers of their fields, by index
    /// (`GET /_all/_mapping`).
    pub async fn field_types(&self) -> Result<BTreeMap<String, Value>, Fault> {
        let query = [
            ("expand_wildcards", "all"),
            ("ignore_unavailable", "true"),
            ("allow_no_indices", "true"),
            (
                "filter_path",
                "*.mappings.**.type,*.mappings.**.analyzer,*.mappings.**.search_analyzer,\
                 *.mappings.**.search_quote_analyzer,*.mappings.**.normalizer",
            ),
        ];
        let value = self.ask(Method::GET, "/_all/_mapping", &query, None).await?;
        let found = members(&value, "");
        Ok(found.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Says whether a name is taken by an index, alias or data stream (`HEAD /<name>`).
    pub async fn exists(&self, name: &str) -> Result<bool, Fault> {
        match self.ask(Method::HEAD, &format!("/{}", encode(name)), &[], None).await {
            Ok(_) => Ok(true),
            Err(fault) if not_found(&fault) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Creates an index (`PUT /<name>`); `body` has its settings and mappings.
    pub async fn create_index(&self, name: &str, body: &Value) -> Result<(), Fault> {
        self.change(Method::PUT, &format!("/{}", encode(name)), Some(body)).await
    }

    /// Deletes an index (`DELETE /<name>`); says whether it was there.
    pub async fn delete_index(&self, name: &str) -> Result<bool, Fault> {
        match self.change(Method::DELETE, &format!("/{}", encode(name)), None).await {
            Ok(()) => Ok(true),
            Err(fault) if not_found(&fault) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Opens an index (`POST /<name>/_open`).
    pub async fn open_index(&self, name: &str) -> Result<(), Fault> {
        self.change(Method::POST, &format!("/{}/_open", encode(name)), None).await
    }

    /// Closes an index (`POST /<name>/_close`).
    pub async fn close_index(&self, name: &str) -> Result<(), Fault> {
        self.change(Method::POST, &format!("/{}/_close", encode(name)), None).await
    }

    /// Makes everything written so far visible to searches (`POST /<name>/_refresh`).
    pub async fn refresh(&self, name: &str) -> Result<(), Fault> {
        let path = format!("/{}/_refresh", encode_expression(name));
        self.ask(Method::POST, &path, &[], None).await.map(drop)
    }

    /// Counts documents (`GET /<name>/_count`); refresh before.
    ///
    /// A count that not all shards took part in is transient.
    pub async fn count_docs(&self, name: &str) -> Result<u64, Fault> {
        let path = format!("/{}/_count", encode_expression(name));
        let value = self.ask(Method::GET, &path, &[], None).await?;
        let origin = self.origin(&Method::GET, &path);
        let failed = count(&value, "/_shards/failed").unwrap_or_default();
        if failed > 0 {
            return Err(Fault::transient(origin.report(format!("{failed} shards did not count"))));
        }
        count(&value, "/count").ok_or_else(|| origin.unreadable("it has no `count`"))
    }
}

fn index(name: &str, value: &Value) -> Index {
    let settings = value.get("settings").unwrap_or(&Value::Null);
    let setting = |key: &str| settings.get(key).and_then(as_text);
    let is = |key: &str| setting(key).as_deref() == Some("true");
    let data_stream = backed_stream(name);
    // The default became true with 7.0, whose indices have this number and higher ones.
    let created = setting("index.version.created").and_then(|text| text.parse::<u64>().ok());
    // A smaller number than that of 1.0 is no version at all, and says nothing.
    let by_default = !created.is_some_and(|version| (1_000_000..7_000_000).contains(&version));
    Index {
        name: name.to_owned(),
        uuid: setting("index.uuid").unwrap_or_default(),
        primaries: count(settings, "/index.number_of_shards").unwrap_or(1),
        soft_deletes: setting("index.soft_deletes.enabled").map_or(by_default, |on| on != "false"),
        is_follower: is("index.xpack.ccr.following_index"),
        hidden: is("index.hidden"),
        system: name.starts_with('.') && data_stream.is_none(),
        data_stream,
        closed: is("index.verified_before_close"),
        lifecycle: setting("index.lifecycle.name").filter(|name| !name.is_empty()),
        rollover_alias: setting("index.lifecycle.rollover_alias")
            .filter(|alias| !alias.is_empty() && !is("index.lifecycle.indexing_complete")),
        analysis: members(settings, "")
            .filter(|(key, _)| key.starts_with("index.analysis."))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        searchable_snapshot: text(settings, "/index.store.type").as_deref() == Some("snapshot"),
        lease_period_ms: setting("index.soft_deletes.retention_lease.period")
            .and_then(|text| span_ms(&text))
            .unwrap_or(LEASE_PERIOD_MS),
    }
}

/// Reads the stream out of a backing index's name: `.ds-<stream>-[<date>-]<generation>`.
pub(crate) fn backed_stream(name: &str) -> Option<String> {
    let (rest, generation) = name.strip_prefix(".ds-")?.rsplit_once('-')?;
    if generation.len() < 6 || !generation.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_date = |text: &str| {
        text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let stream = match rest.rsplit_once('-') {
        Some((stream, date)) if is_date(date) => stream,
        Some(_) | None => rest,
    };
    Some(stream.to_owned()).filter(|stream| !stream.is_empty())
}
