//! One document: index, get, update, delete.

use super::Reply;
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::index::Index;
use super::index_admin::{self, refuse_closed};
use super::mapping;
use super::model::{Cluster, State};
use super::names::matches;
use super::shard::Op;
use serde_json::{Map, Value, json};

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Makes or replaces.
    Index,
    /// Makes, refuses to replace.
    Create,
    /// Removes.
    Delete,
}

/// One write.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) kind: Kind,
    pub(crate) index: String,
    pub(crate) id: Option<String>,
    pub(crate) routing: Option<String>,
    pub(crate) source: Option<Value>,
    pub(crate) if_seq_no: Option<u64>,
}

/// The index behind a name or an alias.
fn concrete(cluster: &Cluster, name: &str) -> Option<String> {
    if cluster.indices.contains_key(name) {
        return Some(name.to_owned());
    }
    let mut behind = cluster.indices.iter().filter(|(_, i)| i.aliases.contains_key(name));
    behind.next().map(|(index, _)| index.clone())
}

/// May a write make the index? `action.auto_create_index`.
fn may_create(cluster: &Cluster, name: &str) -> bool {
    match cluster.setting_text("action.auto_create_index") {
        None | Some("true") => true,
        Some("false") => false,
        Some(list) => list
            .split(',')
            .map(str::trim)
            .find(|p| matches(p.trim_start_matches(['+', '-']), name))
            .is_some_and(|p| !p.starts_with('-')),
    }
}

/// The index that a write goes to, made when it may be.
fn target(state: &mut State, me: &str, write: &Write, now_ms: u64) -> Outcome<String> {
    let cluster = state.cluster(me)?;
    if let Some(name) = concrete(cluster, &write.index) {
        return Ok(name);
    }
    if write.kind != Kind::Delete && may_create(cluster, &write.index) {
        index_admin::make(state, me, &write.index, &json!({}), now_ms)?;
        return Ok(write.index.clone());
    }
    let mut failure = Failure::no_index(&write.index);
    if write.kind != Kind::Delete {
        failure.reason = format!(
            "no such index [{}] and [action.auto_create_index] is [{}]",
            write.index,
            cluster.setting_text("action.auto_create_index").unwrap_or("false")
        );
    }
    Err(failure)
}

/// Refuses writes to closed, following and blocked indices.
fn writable(name: &str, index: &Index) -> Outcome<()> {
    refuse_closed(name, index)?;
    if index.follow.is_some() {
        return Err(Failure::new(
            403,
            "status_exception",
            "a following engine does not accept operations without an assigned sequence number",
        ));
    }
    let blocks = ["index.blocks.write", "index.blocks.read_only"];
    if blocks.iter().any(|b| index.setting(b) == Some("true")) {
        return Err(Failure::new(
            403,
            "cluster_block_exception",
            format!("index [{name}] blocked by: [FORBIDDEN/8/index write (api)];"),
        ));
    }
    Ok(())
}

/// Why a document as it stands (sequence number, version) refuses a write.
fn conflict(write: &Write, live: Option<(u64, u64)>) -> Option<String> {
    if let (Kind::Create, Some((_, version))) = (write.kind, live) {
        return Some(format!("document already exists (current version [{version}])"));
    }
    let wanted = write.if_seq_no?;
    match live {
        Some((seq, _)) if seq == wanted => None,
        Some((seq, _)) => Some(format!(
            "required seqNo [{wanted}], primary term [1]. current document has seqNo [{seq}] and primary term [1]"
        )),
        None => {
            Some(format!("required seqNo [{wanted}], primary term [1]. but no document was found"))
        }
    }
}

/// Carries out one write; gives status and body.
pub(crate) fn write(
    state: &mut State,
    me: &str,
    write: Write,
    now_ms: u64,
) -> Outcome<(u16, Value)> {
    let name = target(state, me, &write, now_ms)?;
    let id = match write.id.clone() {
        Some(id) => id,
        None => state.fresh_id(),
    };
    let cluster = state.cluster_mut(me)?;
    let typed = cluster.version.0 < 8;
    let index = cluster.index_mut(&name)?;
    writable(&name, index)?;
    let slot = index.shard_of(write.routing.as_deref().unwrap_or(&id));
    let (copies, assigned) = (1 + index.replicas(), 1 + index.replicas().min(2));
    let uuid = index.uuid.clone();
    let Some(shard) = index.shards.get_mut(slot) else { return Err(Failure::no_index(&name)) };
    let live = shard.doc(&id).map(|(seq, op)| (seq, op.version));
    if let Some(why) = conflict(&write, live) {
        let reason = format!("[{id}]: version conflict, {why}");
        return Err(Failure::new(409, "version_conflict_engine_exception", reason)
            .with("index", name)
            .with("shard", slot.to_string())
            .with("index_uuid", uuid));
    }
    let (status, result) = match (write.kind, live) {
        (Kind::Delete, Some(_)) => (200, "deleted"),
        (Kind::Delete, None) => (404, "not_found"),
        (Kind::Index | Kind::Create, Some(_)) => (200, "updated"),
        (Kind::Index | Kind::Create, None) => (201, "created"),
    };
    let version = shard.last_op(&id).map_or(1, |(_, op)| op.version + 1);
    let source = (write.kind != Kind::Delete).then(|| write.source.unwrap_or_else(|| json!({})));
    if source.as_ref().is_some_and(|fields| mapping::grow(&mut index.mapping, fields)) {
        index.mapping_version += 1;
    }
    let routing = write.routing;
    let seq = shard.write(Op { id: id.clone(), version, at_ms: now_ms, source, routing });
    let mut body = json!({
        "_index": name, "_id": id, "_version": version, "result": result,
        "_shards": {"total": copies, "successful": assigned, "failed": 0},
        "_seq_no": seq, "_primary_term": 1,
    });
    add_type(&mut body, typed);
    Ok((status, body))
}

/// Adds `_type`, which releases before 8.0 still send.
pub(crate) fn add_type(body: &mut Value, typed: bool) {
    if typed && let Some(map) = body.as_object_mut() {
        map.insert("_type".into(), json!("_doc"));
    }
}

/// A document as `GET` and `_mget` show it.
pub(crate) fn found(
    cluster: &Cluster,
    name: &str,
    id: &str,
    routing: Option<&str>,
) -> Outcome<Value> {
    let name = concrete(cluster, name).ok_or_else(|| Failure::no_index(name))?;
    let index = cluster.index(&name)?;
    refuse_closed(&name, index)?;
    if index.restoring() {
        return Err(Failure::new(
            503,
            "no_shard_available_action_exception",
            format!("No shard available for [get [{name}][_doc][{id}]: routing [null]]"),
        ));
    }
    let shard = index.shards.get(index.shard_of(routing.unwrap_or(id)));
    let mut body = match shard.and_then(|s| s.doc(id)) {
        Some((seq, op)) => {
            let mut body = json!({
                "_index": name, "_id": id, "_version": op.version, "_seq_no": seq,
                "_primary_term": 1, "found": true, "_source": op.source,
            });
            if let (Some(routing), Some(map)) = (&op.routing, body.as_object_mut()) {
                map.insert("_routing".into(), json!(routing));
            }
            body
        }
        None => json!({"_index": name, "_id": id, "found": false}),
    };
    add_type(&mut body, cluster.version.0 < 8);
    Ok(body)
}

/// `GET` and `HEAD /{index}/_doc/{id}`.
pub(crate) fn get(ctx: &mut Ctx<'_>) -> Outcome {
    let body = found(ctx.cluster()?, ctx.arg(0), ctx.arg(1), ctx.query("routing"))?;
    Ok(Reply::json(if body.get("found") == Some(&json!(true)) { 200 } else { 404 }, body))
}

/// `GET /{index}/_source/{id}`.
pub(crate) fn get_source(ctx: &mut Ctx<'_>) -> Outcome {
    let body = found(ctx.cluster()?, ctx.arg(0), ctx.arg(1), ctx.query("routing"))?;
    match body.get("_source") {
        Some(source) => Ok(Reply::ok(source.clone())),
        None => Err(Failure::missing(format!(
            "Document not found [{}]/[_doc]/[{}]",
            ctx.arg(0),
            ctx.arg(1)
        ))),
    }
}

/// `PUT` and `POST /{index}/_doc/{id}`, `POST /{index}/_doc`, `PUT /{index}/_create/{id}`.
pub(crate) fn put(ctx: &mut Ctx<'_>) -> Outcome {
    let source = ctx.json()?;
    if !source.is_object() {
        return Err(if source.is_null() {
            Failure::new(400, "parse_exception", "request body is required")
        } else {
            Failure::new(400, "mapper_parsing_exception", "failed to parse")
        });
    }
    let create = ctx.request.path.get(1).is_some_and(|p| p == "_create")
        || ctx.query("op_type") == Some("create");
    let kind = if create { Kind::Create } else { Kind::Index };
    single(ctx, kind, Some(source))
}

/// `DELETE /{index}/_doc/{id}`.
pub(crate) fn delete(ctx: &mut Ctx<'_>) -> Outcome {
    single(ctx, Kind::Delete, None)
}

fn single(ctx: &mut Ctx<'_>, kind: Kind, source: Option<Value>) -> Outcome {
    let one = Write {
        kind,
        index: ctx.arg(0).to_owned(),
        id: ctx.args.get(1).cloned(),
        routing: ctx.query("routing").map(str::to_owned),
        source,
        if_seq_no: ctx.query("if_seq_no").and_then(|n| n.parse().ok()),
    };
    let (status, body) = write(ctx.state, ctx.me, one, ctx.now_ms)?;
    Ok(Reply::json(status, body))
}

/// What an update makes of a document; `None` when nothing changes.
pub(crate) fn updated(
    cluster: &Cluster,
    index: &str,
    id: &str,
    routing: Option<&str>,
    body: &Value,
) -> Outcome<(Value, bool)> {
    let before = found(cluster, index, id, routing)?;
    let Some(patch) = body.get("doc") else {
        return Err(Failure::invalid(&["script or doc is missing".into()]));
    };
    let Some(source) = before.get("_source") else {
        if body.get("doc_as_upsert") == Some(&json!(true)) {
            return Ok((patch.clone(), true));
        }
        if let Some(upsert) = body.get("upsert") {
            return Ok((upsert.clone(), true));
        }
        return Err(Failure::new(
            404,
            "document_missing_exception",
            format!("[{id}]: document missing"),
        ));
    };
    let mut after = source.clone();
    overlay(&mut after, patch);
    let changed = after != *source || body.get("detect_noop") == Some(&json!(false));
    Ok((after, changed))
}

fn overlay(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(map), Value::Object(patch)) => {
            for (key, value) in patch {
                overlay(map.entry(key.clone()).or_insert_with(|| Value::Object(Map::new())), value);
            }
        }
        (slot, value) => *slot = value.clone(),
    }
}

/// `POST /{index}/_update/{id}`.
pub(crate) fn update(ctx: &mut Ctx<'_>) -> Outcome {
    let body = ctx.json()?;
    let routing = ctx.query("routing");
    let (source, changed) = updated(ctx.cluster()?, ctx.arg(0), ctx.arg(1), routing, &body)?;
    if changed {
        return single(ctx, Kind::Index, Some(source));
    }
    let mut body = found(ctx.cluster()?, ctx.arg(0), ctx.arg(1), routing)?;
    if let Some(map) = body.as_object_mut() {
        map.remove("_source");
        map.remove("found");
        map.insert("result".into(), json!("noop"));
        map.insert("_shards".into(), json!({"total": 0, "successful": 0, "failed": 0}));
    }
    Ok(Reply::ok(body))
}
