//! Cross-cluster replication: followers and auto-follow patterns.
//!
//! Unless said, the calls are for the follower's cluster.

use super::client::{Cluster, as_text, count, encode, encode_expression, flag, list, text, texts};
use super::error;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// One auto-follow pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoFollow {
    /// Its name.
    pub name: String,
    /// Whether it is not paused.
    pub active: bool,
    /// The alias of the leader's cluster.
    pub remote_cluster: String,
    /// Names or patterns with `*`.
    pub leader_index_patterns: Vec<String>,
    /// Names or patterns that are left out; 7.14 and later.
    pub leader_index_exclusion_patterns: Vec<String>,
    /// How followers are named; empty when not set.
    pub follow_index_pattern: String,
}

/// What an auto-follow pattern is made from.
#[derive(Clone, Copy, Debug)]
pub struct PutAutoFollow<'a> {
    /// Its name.
    pub name: &'a str,
    /// The alias of the leader's cluster.
    pub remote_cluster: &'a str,
    /// Names or patterns with `*`.
    pub leader_index_patterns: &'a [String],
    /// Names or patterns that are left out; must be empty before 7.14.
    pub leader_index_exclusion_patterns: &'a [String],
    /// How followers are named, for example `{{leader_index}}`; none for the same name.
    pub follow_index_pattern: Option<&'a str>,
}

/// What a follower is made from.
#[derive(Clone, Copy, Debug)]
pub struct Follow<'a> {
    /// The follower's name; nothing of that name may exist.
    pub follower_index: &'a str,
    /// The alias of the leader's cluster.
    pub remote_cluster: &'a str,
    /// The leader's name.
    pub leader_index: &'a str,
}

/// One follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerInfo {
    /// Its name.
    pub follower_index: String,
    /// The alias of the leader's cluster.
    pub remote_cluster: String,
    /// The leader's name.
    pub leader_index: String,
    /// Whether it is not paused; a dead task is active as well.
    pub active: bool,
}

/// How an unfollow ended; the index is a regular one either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfollowed {
    /// Nothing is left on the leader.
    Clean,
    /// The leader could not be told; these leases expire in time or can be forgotten.
    LeasesLeft(Vec<String>),
}

/// Whose retention leases the leader shall forget.
#[derive(Clone, Copy, Debug)]
pub struct Forget<'a> {
    /// The name of the follower's cluster.
    pub follower_cluster: &'a str,
    /// The follower's name.
    pub follower_index: &'a str,
    /// The follower's id.
    pub follower_index_uuid: &'a str,
    /// The alias under which the follower's cluster knows this one.
    pub leader_remote_cluster: &'a str,
}

impl Cluster {
    /// Reads one auto-follow pattern (`GET /_ccr/auto_follow/<name>`), if it exists.
    pub async fn auto_follow(&self, name: &str) -> Result<Option<AutoFollow>, Fault> {
        let found = self.ask_for(&format!("/_ccr/auto_follow/{}", encode(name))).await?;
        let found = found.iter().flat_map(|value| list(value, "/patterns")).map(auto_follow);
        Ok(found.into_iter().find(|pattern| pattern.name == name))
    }

    /// Reads every auto-follow pattern (`GET /_ccr/auto_follow`).
    pub async fn auto_follows(&self) -> Result<Vec<AutoFollow>, Fault> {
        let value = self.ask(Method::GET, "/_ccr/auto_follow", &[], None).await?;
        Ok(list(&value, "/patterns").iter().map(auto_follow).collect())
    }

    /// Writes an auto-follow pattern (`PUT /_ccr/auto_follow/<name>`).
    ///
    /// Indices that exist already are not followed.
    pub async fn put_auto_follow(&self, ask: PutAutoFollow<'_>) -> Result<(), Fault> {
        let mut body = Map::new();
        body.insert("remote_cluster".to_owned(), json!(ask.remote_cluster));
        body.insert("leader_index_patterns".to_owned(), json!(ask.leader_index_patterns));
        if !ask.leader_index_exclusion_patterns.is_empty() {
            let exclusions = json!(ask.leader_index_exclusion_patterns);
            body.insert("leader_index_exclusion_patterns".to_owned(), exclusions);
        }
        if let Some(pattern) = ask.follow_index_pattern {
            body.insert("follow_index_pattern".to_owned(), json!(pattern));
        }
        let path = format!("/_ccr/auto_follow/{}", encode(ask.name));
        self.change(Method::PUT, &path, Some(&Value::Object(body))).await
    }

    /// Deletes an auto-follow pattern (`DELETE /_ccr/auto_follow/<name>`); its followers stay.
    pub async fn delete_auto_follow(&self, name: &str) -> Result<(), Fault> {
        let path = format!("/_ccr/auto_follow/{}", encode(name));
        self.change(Method::DELETE, &path, None).await
    }

    /// Starts a follower (`PUT /<follower>/_ccr/follow`) without waiting for its data.
    pub async fn follow(&self, ask: Follow<'_>) -> Result<(), Fault> {
        let path = format!("/{}/_ccr/follow", encode(ask.follower_index));
        let body = json!({"remote_cluster": ask.remote_cluster, "leader_index": ask.leader_index});
        let query = [("wait_for_active_shards", "0")];
        let value = self.ask(Method::PUT, &path, &query, Some(&body)).await?;
        if flag(&value, "/follow_index_created") == Some(false) {
            let origin = self.origin(&Method::PUT, &path);
            return Err(Fault::Unknown(origin.report("the follower was not created in time")));
        }
        Ok(())
    }

    /// Reads followers (`GET /<index>/_ccr/info`); a regular or missing index is none.
    ///
    /// `_all` gives every follower.
    pub async fn follow_info(&self, index: &str) -> Result<Vec<FollowerInfo>, Fault> {
        let path = format!("/{}/_ccr/info", encode_expression(index));
        let found = self.ask_for(&path).await?;
        let rows = found.iter().flat_map(|value| list(value, "/follower_indices"));
        rows.map(|row| {
            let field = |name: &str| text(row, name).unwrap_or_default();
            let follower_index = text(row, "/follower_index")
                .ok_or_else(|| self.origin(&Method::GET, &path).unreadable("no follower_index"))?;
            Ok(FollowerInfo {
                follower_index,
                remote_cluster: field("/remote_cluster"),
                leader_index: field("/leader_index"),
                active: field("/status") == "active",
            })
        })
        .collect()
    }

    /// Pauses a follower (`POST /<follower>/_ccr/pause_follow`).
    pub async fn pause_follow(&self, index: &str) -> Result<(), Fault> {
        self.change(Method::POST, &format!("/{}/_ccr/pause_follow", encode(index)), None).await
    }

    /// Resumes a follower with default tuning (`POST /<follower>/_ccr/resume_follow`).
    pub async fn resume_follow(&self, index: &str) -> Result<(), Fault> {
        self.change(Method::POST, &format!("/{}/_ccr/resume_follow", encode(index)), None).await
    }

    /// Makes a paused and closed follower a regular index for good
    /// (`POST /<follower>/_ccr/unfollow`).
    pub async fn unfollow(&self, index: &str) -> Result<Unfollowed, Fault> {
        let path = format!("/{}/_ccr/unfollow", encode(index));
        let (status, value) = self.send(Method::POST, &path, &[], None).await?;
        if (200..300).contains(&status) {
            return Ok(Unfollowed::Clean);
        }
        // The index was converted; only the leader could not be told.
        match leases_left(&value) {
            leases if leases.is_empty() => {
                Err(error::judge(&self.origin(&Method::POST, &path), status, &value))
            }
            leases => Ok(Unfollowed::LeasesLeft(leases)),
        }
    }

    /// Makes the leader forget a follower that is gone (`POST /<leader>/_ccr/forget_follower`,
    /// on the leader's cluster); gives the number of shards where it failed.
    pub async fn forget_follower(&self, leader: &str, ask: Forget<'_>) -> Result<u64, Fault> {
        let path = format!("/{}/_ccr/forget_follower", encode(leader));
        let body = json!({
            "follower_cluster": ask.follower_cluster,
            "follower_index": ask.follower_index,
            "follower_index_uuid": ask.follower_index_uuid,
            "leader_remote_cluster": ask.leader_remote_cluster,
        });
        let value = self.ask(Method::POST, &path, &[], Some(&body)).await?;
        Ok(count(&value, "/_shards/failed").unwrap_or_default())
    }
}

fn auto_follow(row: &Value) -> AutoFollow {
    AutoFollow {
        name: text(row, "/name").unwrap_or_default(),
        // Patterns could not be paused before the field was there.
        active: flag(row, "/pattern/active").unwrap_or(true),
        remote_cluster: text(row, "/pattern/remote_cluster").unwrap_or_default(),
        leader_index_patterns: texts(row, "/pattern/leader_index_patterns"),
        leader_index_exclusion_patterns: texts(row, "/pattern/leader_index_exclusion_patterns"),
        follow_index_pattern: text(row, "/pattern/follow_index_pattern").unwrap_or_default(),
    }
}

/// Finds the lease ids of a half unfollow, one or several.
fn leases_left(value: &Value) -> Vec<String> {
    let Some(leases) = value.pointer("/error/failed_to_remove_retention_leases") else {
        return Vec::new();
    };
    leases.as_array().map_or_else(
        || as_text(leases).into_iter().collect(),
        |many| many.iter().filter_map(as_text).collect(),
    )
}
