//! `_search` and `_count` on the cluster's own indices.

use super::Reply;
use super::context::Ctx;
use super::documents::add_type;
use super::failure::{Failure, Outcome};
use super::index_admin::{options, refuse_closed};
use super::model::Cluster;
use super::names::resolve;
use super::query::{Candidate, compare, field, score};
use super::shard::Op;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// The deepest page that a search reads (`index.max_result_window`).
const WINDOW: usize = 10_000;

/// One document that a query matched.
struct Hit<'a> {
    index: &'a str,
    shard: usize,
    seq: u64,
    op: &'a Op,
    score: f64,
    sort: Vec<Value>,
}

/// What a search found: hits as JSON, how many there are in all, shards looked at.
pub(crate) struct Found {
    pub(crate) hits: Vec<Value>,
    pub(crate) total: usize,
    pub(crate) shards: usize,
}

/// `match_all` when the body names no query.
fn query_of(body: &Value) -> Value {
    body.get("query").cloned().unwrap_or_else(|| json!({"match_all": {}}))
}

/// Field and direction of each sort key.
fn sort_keys(body: &Value) -> Vec<(String, bool)> {
    let list = match body.get("sort") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    list.iter()
        .filter_map(|key| match key {
            Value::String(name) => Some((name.clone(), name == "_score")),
            Value::Object(map) => map.iter().next().map(|(name, how)| {
                let order = how.get("order").unwrap_or(how).as_str().unwrap_or("asc");
                (name.clone(), order == "desc")
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        })
        .collect()
}

/// Runs a search over indices of one cluster.
pub(crate) fn run(cluster: &Cluster, names: &[String], body: &Value) -> Outcome<Found> {
    run_on(cluster, names, body, &|_| true)
}

/// Which shards `preference` leaves: `_shards:0,2`, with whatever follows after a bar.
fn preferred(ctx: &Ctx<'_>) -> Outcome<Option<Vec<usize>>> {
    let Some(list) = ctx.query("preference").and_then(|p| p.strip_prefix("_shards:")) else {
        return Ok(None);
    };
    let list = list.split('|').next().unwrap_or_default();
    let numbers: Result<Vec<usize>, _> = list.split(',').map(str::parse).collect();
    numbers.map(Some).map_err(|_| {
        Failure::new(400, "number_format_exception", format!("For input string: \"{list}\""))
    })
}

/// The same over some of their shards.
fn run_on(
    cluster: &Cluster,
    names: &[String],
    body: &Value,
    wanted: &dyn Fn(usize) -> bool,
) -> Outcome<Found> {
    let query = query_of(body);
    let keys = sort_keys(body);
    let mut hits = Vec::new();
    let mut shards = 0;
    for name in names {
        let index = cluster.index(name)?;
        refuse_closed(name, index)?;
        shards += (0..index.shards.len()).filter(|number| wanted(*number)).count();
        if index.restoring() {
            return Err(Failure::new(503, "search_phase_execution_exception", "all shards failed"));
        }
        let chosen = index.shards.iter().enumerate().filter(|(number, _)| wanted(*number));
        for (number, shard) in chosen {
            for (seq, op) in shard.docs() {
                if let Some(score) = score(&query, &Candidate { seq, op })? {
                    hits.push(Hit { index: name, shard: number, seq, op, score, sort: Vec::new() });
                }
            }
        }
    }
    let total = hits.len();
    for (place, hit) in hits.iter_mut().enumerate() {
        let candidate = Candidate { seq: hit.seq, op: hit.op };
        hit.sort = keys
            .iter()
            .map(|(name, _)| match name.as_str() {
                "_doc" | "_shard_doc" => json!(place),
                "_score" => json!(hit.score),
                name => field(&candidate, name),
            })
            .collect();
    }
    order(&mut hits, &keys);
    let number = |key: &str, default: usize| {
        body.get(key)
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(default)
    };
    let (from, size) = (number("from", 0), number("size", 10));
    if from.saturating_add(size) > WINDOW {
        return Err(Failure::illegal(format!(
            "Result window is too large, from + size must be less than or equal to: [{WINDOW}] but was [{}]",
            from.saturating_add(size)
        )));
    }
    let after = body.get("search_after").and_then(Value::as_array);
    let hits = hits
        .iter()
        .filter(|hit| after.is_none_or(|after| beyond(hit, after, &keys)))
        .skip(from)
        .take(size)
        .map(|hit| show(cluster, hit, body, &keys))
        .collect();
    Ok(Found { hits, total, shards })
}

fn by_keys(a: &[Value], b: &[Value], keys: &[(String, bool)]) -> Ordering {
    a.iter().zip(b).zip(keys).fold(Ordering::Equal, |so_far, ((a, b), (_, down))| {
        so_far.then_with(|| if *down { compare(b, a) } else { compare(a, b) })
    })
}

fn order(hits: &mut [Hit<'_>], keys: &[(String, bool)]) {
    if keys.is_empty() {
        // A stable sort: equal scores stay in the order of index, shard and operation.
        hits.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
    } else {
        hits.sort_by(|a, b| by_keys(&a.sort, &b.sort, keys));
    }
}

fn beyond(hit: &Hit<'_>, after: &[Value], keys: &[(String, bool)]) -> bool {
    by_keys(&hit.sort, after, keys) == Ordering::Greater
}

fn show(cluster: &Cluster, hit: &Hit<'_>, body: &Value, keys: &[(String, bool)]) -> Value {
    let on = |key: &str| body.get(key) == Some(&Value::Bool(true));
    let mut map = Map::new();
    map.insert("_index".into(), json!(hit.index));
    map.insert("_id".into(), json!(hit.op.id));
    let scored = keys.is_empty() || keys.iter().any(|(name, _)| name == "_score");
    map.insert("_score".into(), if scored { json!(hit.score) } else { Value::Null });
    if on("version") {
        map.insert("_version".into(), json!(hit.op.version));
    }
    if on("seq_no_primary_term") {
        map.insert("_seq_no".into(), json!(hit.seq));
        map.insert("_primary_term".into(), json!(1));
    }
    if let Some(routing) = &hit.op.routing {
        map.insert("_routing".into(), json!(routing));
    }
    if body.get("_source") != Some(&Value::Bool(false)) {
        map.insert("_source".into(), hit.op.source.clone().unwrap_or(Value::Null));
    }
    if on("explain") {
        map.insert("_shard".into(), json!(format!("[{}][{}]", hit.index, hit.shard)));
    }
    if !keys.is_empty() {
        map.insert("sort".into(), Value::Array(hit.sort.clone()));
    }
    let mut value = Value::Object(map);
    add_type(&mut value, cluster.version.0 < 8);
    value
}

/// The body of a search, with what the query string adds.
pub(crate) fn request_body(ctx: &Ctx<'_>) -> Outcome<Value> {
    let mut map = match ctx.json()? {
        Value::Object(map) => map,
        Value::Null => Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(Failure::new(400, "parsing_exception", "Expected [START_OBJECT]"));
        }
    };
    for key in ["size", "from"] {
        if let Some(n) = ctx.query(key).and_then(|v| v.parse::<u64>().ok()) {
            map.insert(key.into(), json!(n));
        }
    }
    for key in ["version", "seq_no_primary_term", "track_total_hits", "_source"] {
        match ctx.query(key) {
            Some("" | "true") => map.insert(key.into(), json!(true)),
            Some("false") => map.insert(key.into(), json!(false)),
            _ => None,
        };
    }
    if let Some(sort) = ctx.query("sort") {
        let keys: Vec<Value> = sort
            .split(',')
            .map(|key| match key.split_once(':') {
                Some((name, way)) => json!({name: way}),
                None => json!(key),
            })
            .collect();
        map.insert("sort".into(), Value::Array(keys));
    }
    Ok(Value::Object(map))
}

/// The answer to a search.
pub(crate) fn answer(found: &Found, body: &Value) -> Value {
    let max_score = found.hits.first().and_then(|h| h.get("_score")).cloned();
    let mut hits = json!({"max_score": max_score.unwrap_or(Value::Null), "hits": found.hits});
    let exact = body.get("track_total_hits");
    if exact != Some(&Value::Bool(false))
        && let Some(map) = hits.as_object_mut()
    {
        let capped = exact != Some(&Value::Bool(true)) && found.total > WINDOW;
        let (value, relation) = if capped { (WINDOW, "gte") } else { (found.total, "eq") };
        map.insert("total".into(), json!({"value": value, "relation": relation}));
    }
    json!({
        "took": 1, "timed_out": false,
        "_shards": {"total": found.shards, "successful": found.shards, "skipped": 0, "failed": 0},
        "hits": hits,
    })
}

/// `GET` and `POST /{index}/_search` and `/_search`.
pub(crate) fn search(ctx: &mut Ctx<'_>) -> Outcome {
    let body = request_body(ctx)?;
    let point = body.get("pit").and_then(|p| p.get("id")).and_then(Value::as_str);
    let expression = match point {
        Some(id) => unpack(id)?.get("indices").and_then(Value::as_str).unwrap_or("").to_owned(),
        None if ctx.args.is_empty() => "_all".to_owned(),
        None => ctx.arg(0).to_owned(),
    };
    if expression.contains(':') {
        return super::cross_search::search(ctx, &expression, &body);
    }
    let cluster = ctx.cluster()?;
    let names = resolve(cluster, &expression, options(ctx, false))?;
    let shards = preferred(ctx)?;
    let wanted = |number| shards.as_ref().is_none_or(|shards| shards.contains(&number));
    let found = run_on(cluster, &names, &body, &wanted)?;
    let size = found.hits.len();
    let mut reply = answer(&found, &body);
    if let Some(map) = reply.as_object_mut() {
        if let Some(id) = point {
            map.insert("pit_id".into(), json!(id));
        }
        if ctx.query("scroll").is_some() {
            map.insert(
                "_scroll_id".into(),
                json!(pack(&json!({"i": names, "b": body, "n": size}))),
            );
        }
    }
    Ok(Reply::ok(reply))
}

/// Scroll and point-in-time ids carry all they stand for: the cluster keeps nothing.
fn pack(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn unpack(id: &str) -> Outcome<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(id).ok();
    bytes
        .and_then(|b| serde_json::from_slice(&b).ok())
        .ok_or_else(|| Failure::illegal("Cannot parse scroll id"))
}

/// `GET` and `POST /_search/scroll`.
pub(crate) fn scroll(ctx: &mut Ctx<'_>) -> Outcome {
    let sent = ctx.json()?;
    let id = sent.get("scroll_id").and_then(Value::as_str).or(ctx.query("scroll_id"));
    let at = unpack(id.unwrap_or(""))?;
    let names: Vec<String> = at
        .get("i")
        .and_then(Value::as_array)
        .map(|l| l.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    let seen = at.get("n").and_then(Value::as_u64).unwrap_or(0);
    let mut body = at.get("b").cloned().unwrap_or_default();
    let size = body.get("size").and_then(Value::as_u64).unwrap_or(10);
    let (from, page) = (usize::try_from(seen).unwrap_or(0), usize::try_from(size).unwrap_or(10));
    if let Some(map) = body.as_object_mut() {
        map.remove("from");
        map.insert("size".into(), json!(WINDOW));
    }
    let mut found = run(ctx.cluster()?, &names, &body)?;
    found.hits = found.hits.into_iter().skip(from).take(page).collect();
    let read = seen + found.hits.len() as u64;
    if let Some(map) = body.as_object_mut() {
        map.insert("size".into(), json!(size));
    }
    let mut reply = answer(&found, &body);
    if let Some(map) = reply.as_object_mut() {
        map.insert("_scroll_id".into(), json!(pack(&json!({"i": names, "b": body, "n": read}))));
    }
    Ok(Reply::ok(reply))
}

/// `DELETE /_search/scroll` and `DELETE /_pit`.
pub(crate) fn close_context(ctx: &mut Ctx<'_>) -> Outcome {
    ctx.json()?;
    Ok(Reply::ok(json!({"succeeded": true, "num_freed": 1})))
}

/// `POST /{index}/_pit`.
pub(crate) fn open_pit(ctx: &mut Ctx<'_>) -> Outcome {
    if ctx.query("keep_alive").is_none() {
        return Err(Failure::invalid(&["[keep_alive] is not specified".into()]));
    }
    resolve(ctx.cluster()?, ctx.arg(0), options(ctx, false))?;
    Ok(Reply::ok(json!({"id": pack(&json!({"indices": ctx.arg(0)}))})))
}

/// `GET` and `POST /{index}/_count` and `/_count`.
pub(crate) fn count(ctx: &mut Ctx<'_>) -> Outcome {
    let sent = ctx.json()?;
    let body = json!({"query": query_of(&sent), "size": 0});
    let cluster = ctx.cluster()?;
    let expression = if ctx.args.is_empty() { "_all" } else { ctx.arg(0) };
    let found = run(cluster, &resolve(cluster, expression, options(ctx, false))?, &body)?;
    Ok(Reply::ok(json!({
        "count": found.total,
        "_shards": {"total": found.shards, "successful": found.shards, "skipped": 0, "failed": 0},
    })))
}
