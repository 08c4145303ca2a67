//! Many documents at once: `_bulk` and `_mget`.

use super::Reply;
use super::context::Ctx;
use super::documents::{self, Kind, Write};
use super::failure::{Failure, Outcome};
use serde_json::{Value, json};

/// `POST /_bulk` and `/{index}/_bulk`.
pub(crate) fn bulk(ctx: &mut Ctx<'_>) -> Outcome {
    let text = String::from_utf8_lossy(&ctx.request.body).into_owned();
    if text.is_empty() {
        return Err(Failure::new(400, "parse_exception", "request body is required"));
    }
    if !text.ends_with('\n') {
        return Err(Failure::illegal("The bulk request must be terminated by a newline [\\n]"));
    }
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let mut items = Vec::new();
    let mut errors = false;
    while let Some(line) = lines.next() {
        let bad = |n: usize| {
            Failure::illegal(format!(
                "Malformed action/metadata line [{n}], expected START_OBJECT or END_OBJECT"
            ))
        };
        let head: Value = serde_json::from_str(line).map_err(|_| bad(items.len() + 1))?;
        let (verb, meta) = head
            .as_object()
            .and_then(|m| m.iter().next())
            .map(|(v, m)| (v.clone(), m.clone()))
            .ok_or_else(|| bad(items.len() + 1))?;
        let body = if verb == "delete" {
            None
        } else {
            let line = lines.next().ok_or_else(|| bad(items.len() + 2))?;
            Some(serde_json::from_str::<Value>(line).map_err(|_| bad(items.len() + 2))?)
        };
        let part = |name: &str| meta.get(name).and_then(Value::as_str).map(str::to_owned);
        let write = Write {
            kind: kind_of(&verb).ok_or_else(|| {
                Failure::illegal(format!(
                    "Malformed action/metadata line [{}], expected one of [create, delete, index, update] but found [{verb}]",
                    items.len() + 1
                ))
            })?,
            index: part("_index").unwrap_or_else(|| ctx.arg(0).to_owned()),
            id: part("_id"),
            routing: part("routing"),
            source: body,
            if_seq_no: None,
        };
        let (index, id) = (write.index.clone(), write.id.clone());
        let done = one(ctx, verb == "update", write);
        let (status, mut item) = match done {
            Ok(done) => done,
            Err(failure) => {
                errors = true;
                let mut item = json!({"_index": index, "_id": id, "error": failure.body()});
                documents::add_type(&mut item, ctx.cluster()?.version.0 < 8);
                (failure.status, item)
            }
        };
        if let Some(map) = item.as_object_mut() {
            map.insert("status".into(), json!(status));
        }
        items.push(json!({verb: item}));
    }
    Ok(Reply::ok(json!({"took": 1, "errors": errors, "items": items})))
}

fn kind_of(verb: &str) -> Option<Kind> {
    match verb {
        "index" | "update" => Some(Kind::Index),
        "create" => Some(Kind::Create),
        "delete" => Some(Kind::Delete),
        _ => None,
    }
}

fn one(ctx: &mut Ctx<'_>, update: bool, mut write: Write) -> Outcome<(u16, Value)> {
    if write.index.is_empty() {
        return Err(Failure::invalid(&["index is missing".into()]));
    }
    if update {
        let patch = write.source.take().unwrap_or_default();
        let id = write.id.as_deref().unwrap_or("");
        let routing = write.routing.as_deref();
        let (source, _) = documents::updated(ctx.cluster()?, &write.index, id, routing, &patch)?;
        write.source = Some(source);
    }
    documents::write(ctx.state, ctx.me, write, ctx.now_ms)
}

/// `GET` and `POST /_mget` and `/{index}/_mget`.
pub(crate) fn mget(ctx: &mut Ctx<'_>) -> Outcome {
    let body = ctx.json()?;
    let default = ctx.arg(0);
    let cluster = ctx.cluster()?;
    let mut wanted: Vec<(String, String, Option<String>)> = Vec::new();
    for id in body.get("ids").and_then(Value::as_array).into_iter().flatten() {
        wanted.push((default.to_owned(), id.as_str().unwrap_or_default().to_owned(), None));
    }
    for doc in body.get("docs").and_then(Value::as_array).into_iter().flatten() {
        let part = |name: &str| doc.get(name).and_then(Value::as_str).map(str::to_owned);
        wanted.push((
            part("_index").unwrap_or_else(|| default.to_owned()),
            part("_id").unwrap_or_default(),
            part("routing"),
        ));
    }
    if wanted.is_empty() {
        return Err(Failure::invalid(&["no documents to get".into()]));
    }
    let docs: Vec<Value> = wanted
        .into_iter()
        .map(|(index, id, routing)| {
            documents::found(cluster, &index, &id, routing.as_deref()).unwrap_or_else(|failure| {
                let mut doc = json!({"_index": index, "_id": id, "error": failure.body()});
                documents::add_type(&mut doc, cluster.version.0 < 8);
                doc
            })
        })
        .collect();
    Ok(Reply::ok(json!({"docs": docs})))
}
