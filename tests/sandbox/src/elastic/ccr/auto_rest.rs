//! `/_ccr/auto_follow`.

use super::auto::Pattern;
use super::follow::text;
use super::leader::Asker;
use super::params;
use crate::elastic::Reply;
use crate::elastic::context::Ctx;
use crate::elastic::failure::{Failure, Outcome};
use crate::elastic::names::matches;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

fn missing(name: &str) -> Failure {
    Failure::missing(format!("auto-follow pattern [{name}] is missing"))
}

fn strings(body: &Map<String, Value>, key: &str) -> Option<Vec<String>> {
    let list = body.get(key)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// `PUT /_ccr/auto_follow/{name}`.
pub(crate) fn put(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let mut keys =
        vec!["remote_cluster", "leader_index_patterns", "follow_index_pattern", "settings"];
    if ctx.cluster()?.version.since(7, 14) {
        keys.push("leader_index_exclusion_patterns");
    }
    let body = params::body(ctx, "put_auto_follow_pattern_request", &keys, true)?;
    let mut complaints = Vec::new();
    if name.starts_with('_') {
        complaints.push("[name] name must not start with '_'".to_owned());
    }
    if name.contains(',') {
        complaints.push("[name] name must not contain a ','".to_owned());
    }
    if name.len() > 255 {
        complaints.push(format!("[name] name is too long ({} > 255)", name.len()));
    }
    let remote = text(&body, "remote_cluster");
    if remote.is_none() {
        complaints.push("[remote_cluster] is missing".to_owned());
    }
    let leaders = strings(&body, "leader_index_patterns").filter(|list| !list.is_empty());
    if leaders.is_none() {
        complaints.push("[leader_index_patterns] is missing".to_owned());
    }
    let given = params::tuning(&body, &mut complaints)?;
    let (Some(remote), Some(leaders), true) = (remote, leaders, complaints.is_empty()) else {
        return Err(Failure::invalid(&complaints));
    };
    ctx.cluster()?.need_license()?;
    let now_ms = ctx.now_ms;
    let mut asker = Asker { state: ctx.state, wire: ctx.wire, now_ms, me: ctx.me };
    let peer = asker.licensed_peer(&remote, "remote cluster state")?;
    asker.may_follow(&peer, &ctx.user, &leaders)?;
    let before = ctx.cluster()?.patterns.get(&name).cloned();
    let mut pattern = Pattern {
        active: true,
        remote,
        leaders,
        exclusions: strings(&body, "leader_index_exclusion_patterns").unwrap_or_default(),
        follower_template: text(&body, "follow_index_pattern"),
        settings: body.get("settings").cloned().unwrap_or(Value::Null),
        params: given,
        since_ms: before.as_ref().map_or(now_ms, |p| p.since_ms),
        ready_ms: now_ms,
        seen: before.as_ref().map(|p| p.seen.clone()).unwrap_or_default(),
    };
    // What exists now is left alone, but only for patterns that were not there before.
    let old = before.map(|p| p.leaders).unwrap_or_default();
    let added: Vec<&String> = pattern.leaders.iter().filter(|p| !old.contains(p)).collect();
    let existing: BTreeSet<String> = ctx
        .state
        .cluster(&peer)?
        .indices
        .iter()
        .filter(|(index, _)| added.iter().any(|p| matches(p, index)))
        .map(|(_, index)| index.uuid.clone())
        .collect();
    pattern.seen.extend(existing);
    ctx.cluster_mut()?.patterns.insert(name, pattern);
    Ok(Reply::acknowledged())
}

/// `GET /_ccr/auto_follow` and `/{name}`.
pub(crate) fn get(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let wanted = ctx.args.first();
    let rows: Vec<Value> = cluster
        .patterns
        .iter()
        .filter(|(name, _)| wanted.is_none_or(|w| w == *name))
        .map(|(name, pattern)| {
            json!({"name": name, "pattern": show(pattern, cluster.version.since(7, 14))})
        })
        .collect();
    match wanted {
        Some(name) if rows.is_empty() => Err(missing(name)),
        _ => Ok(Reply::ok(json!({"patterns": rows}))),
    }
}

fn show(pattern: &Pattern, exclusions: bool) -> Value {
    let mut map = Map::new();
    map.insert("active".into(), json!(pattern.active));
    map.insert("remote_cluster".into(), json!(pattern.remote));
    map.insert("leader_index_patterns".into(), json!(pattern.leaders));
    if exclusions {
        map.insert("leader_index_exclusion_patterns".into(), json!(pattern.exclusions));
    }
    if let Some(template) = &pattern.follower_template {
        map.insert("follow_index_pattern".into(), json!(template));
    }
    if pattern.settings.as_object().is_some_and(|s| !s.is_empty()) {
        let flat = crate::elastic::index_settings::read(&pattern.settings);
        map.insert("settings".into(), crate::elastic::flat::nest(&flat));
    }
    map.extend(pattern.params.iter().map(|(k, v)| (k.clone(), v.clone())));
    Value::Object(map)
}

/// `DELETE /_ccr/auto_follow/{name}`: its followers go on.
pub(crate) fn delete(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let cluster = ctx.cluster_mut()?;
    if cluster.patterns.remove(&name).is_none() {
        return Err(missing(&name));
    }
    let prefix = format!("{name}:");
    cluster.auto_follow.errors.retain(|key, _| *key != name && !key.starts_with(&prefix));
    Ok(Reply::acknowledged())
}

fn set_active(ctx: &mut Ctx<'_>, active: bool) -> Outcome {
    let (name, now_ms) = (ctx.arg(0).to_owned(), ctx.now_ms);
    let pattern = ctx.cluster_mut()?.patterns.get_mut(&name).ok_or_else(|| missing(&name))?;
    if active && !pattern.active {
        pattern.ready_ms = now_ms;
    }
    pattern.active = active;
    Ok(Reply::acknowledged())
}

/// `POST /_ccr/auto_follow/{name}/pause`.
pub(crate) fn pause(ctx: &mut Ctx<'_>) -> Outcome {
    set_active(ctx, false)
}

/// `POST /_ccr/auto_follow/{name}/resume`.
pub(crate) fn resume(ctx: &mut Ctx<'_>) -> Outcome {
    set_active(ctx, true)
}
