//! Making, showing, changing, closing and deleting indices.

use super::Reply;
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::flat;
use super::index::Index;
use super::index_settings;
use super::mapping;
use super::model::State;
use super::names::{Options, check_index_name, resolve};
use super::streams;
use serde_json::{Map, Value, json};

/// What the query says about missing, hidden and closed indices.
pub(crate) fn options(ctx: &Ctx<'_>, closed: bool) -> Options {
    let wildcards = ctx.query("expand_wildcards").unwrap_or("");
    Options {
        ignore_unavailable: ctx.flag("ignore_unavailable"),
        hidden: wildcards.contains("hidden") || wildcards.contains("all"),
        closed: closed || wildcards.contains("closed") || wildcards.contains("all"),
    }
}

/// The indices that the first place holder names.
pub(crate) fn named(ctx: &Ctx<'_>, closed: bool) -> Outcome<Vec<String>> {
    let expression = if ctx.args.is_empty() { "_all" } else { ctx.arg(0) };
    resolve(ctx.cluster()?, expression, options(ctx, closed))
}

/// Makes an index from a request's body.
pub(crate) fn make(
    state: &mut State,
    me: &str,
    name: &str,
    body: &Value,
    now_ms: u64,
) -> Outcome<()> {
    check_index_name(name)?;
    let cluster = state.cluster(me)?;
    if let Some(known) = cluster.indices.get(name) {
        return Err(Failure::new(
            400,
            "resource_already_exists_exception",
            format!("index [{name}/{}] already exists", known.uuid),
        )
        .with("index_uuid", known.uuid.clone())
        .with("index", name));
    }
    if let Some(key) = body
        .as_object()
        .and_then(|m| m.keys().find(|k| !["settings", "mappings", "aliases"].contains(&k.as_str())))
    {
        return Err(Failure::new(
            400,
            "parse_exception",
            format!("unknown key [{key}] for create index"),
        ));
    }
    let mut settings = index_settings::read(body.get("settings").unwrap_or(&Value::Null));
    index_settings::check_known(cluster.version, &settings)?;
    let shards = index_settings::shards(&settings)?;
    settings.remove("index.number_of_shards");
    settings.retain(|_, v| !v.is_null());
    let uuid = state.fresh_uuid();
    let histories = (0..shards).map(|_| state.fresh_uuid()).collect();
    let mut index = Index::new(uuid, histories, now_ms);
    index.settings = settings;
    if let Some(mappings) = body.get("mappings") {
        mapping::merge(&mut index.mapping, mappings)?;
    }
    for (alias, value) in body.get("aliases").and_then(Value::as_object).into_iter().flatten() {
        index.aliases.insert(alias.clone(), value.clone());
    }
    state.cluster_mut(me)?.indices.insert(name.to_owned(), index);
    Ok(())
}

/// `PUT /{index}`.
pub(crate) fn create(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let body = ctx.json()?;
    make(ctx.state, ctx.me, &name, &body, ctx.now_ms)?;
    Ok(Reply::ok(json!({"acknowledged": true, "shards_acknowledged": true, "index": name})))
}

/// `DELETE /{index}`.
pub(crate) fn delete(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    for part in ctx.arg(0).split(',') {
        let concrete = !part.contains('*') && part != "_all";
        if concrete
            && !cluster.indices.contains_key(part)
            && cluster.indices.values().any(|i| i.aliases.contains_key(part))
        {
            return Err(Failure::illegal(format!(
                "The provided expression [{part}] matches an alias, specify the corresponding concrete indices instead."
            )));
        }
        if !concrete && cluster.setting_text("action.destructive_requires_name") == Some("true") {
            return Err(Failure::illegal("Wildcard expressions or all indices are not allowed"));
        }
    }
    let names = named(ctx, true)?;
    let cluster = ctx.cluster_mut()?;
    streams::refuse_delete(cluster, &names)?;
    for name in names {
        cluster.indices.remove(&name);
    }
    Ok(Reply::acknowledged())
}

/// `HEAD /{index}`.
pub(crate) fn exists(ctx: &mut Ctx<'_>) -> Outcome {
    named(ctx, true)?;
    Ok(Reply::ok(Value::Null))
}

/// One entry for each index that the place holder names.
fn each(ctx: &Ctx<'_>, show: impl Fn(&str, &Index) -> Outcome<Value>) -> Outcome {
    let cluster = ctx.cluster()?;
    let mut body = Map::new();
    for name in named(ctx, true)? {
        body.insert(name.clone(), show(&name, cluster.index(&name)?)?);
    }
    Ok(Reply::ok(Value::Object(body)))
}

/// `GET /{index}`.
pub(crate) fn get(ctx: &mut Ctx<'_>) -> Outcome {
    let (version, flat) = (ctx.cluster()?.version, ctx.flag("flat_settings"));
    each(ctx, |name, index| {
        Ok(json!({
            "aliases": index.aliases,
            "mappings": index.mapping,
            "settings": flat::shown(&index_settings::all(version, name, index), flat),
        }))
    })
}

/// `GET /{index}/_mapping`.
pub(crate) fn get_mapping(ctx: &mut Ctx<'_>) -> Outcome {
    each(ctx, |_, index| Ok(json!({"mappings": index.mapping})))
}

/// `GET /{index}/_settings`.
pub(crate) fn get_settings(ctx: &mut Ctx<'_>) -> Outcome {
    let (version, flat) = (ctx.cluster()?.version, ctx.flag("flat_settings"));
    each(ctx, |name, index| {
        Ok(json!({"settings": flat::shown(&index_settings::all(version, name, index), flat)}))
    })
}

/// `GET /{index}/_alias`.
pub(crate) fn get_alias(ctx: &mut Ctx<'_>) -> Outcome {
    each(ctx, |_, index| Ok(json!({"aliases": index.aliases})))
}

/// `PUT /{index}/_alias/{alias}`.
pub(crate) fn put_alias(ctx: &mut Ctx<'_>) -> Outcome {
    let (names, alias, body) = (named(ctx, false)?, ctx.arg(1).to_owned(), ctx.json()?);
    let cluster = ctx.cluster_mut()?;
    if cluster.indices.contains_key(&alias) {
        return Err(Failure::new(
            400,
            "invalid_alias_name_exception",
            format!(
                "Invalid alias name [{alias}]: an index or data stream exists with the same name as the alias"
            ),
        ));
    }
    for name in names {
        let index = cluster.index_mut(&name)?;
        let value = if body.is_object() { body.clone() } else { json!({}) };
        index.aliases.insert(alias.clone(), value);
        index.aliases_version += 1;
    }
    Ok(Reply::acknowledged())
}

/// `DELETE /{index}/_alias/{alias}`.
pub(crate) fn delete_alias(ctx: &mut Ctx<'_>) -> Outcome {
    let (names, alias) = (named(ctx, false)?, ctx.arg(1).to_owned());
    let cluster = ctx.cluster_mut()?;
    let mut found = false;
    for name in names {
        let index = cluster.index_mut(&name)?;
        if index.aliases.remove(&alias).is_some() {
            index.aliases_version += 1;
            found = true;
        }
    }
    if found {
        return Ok(Reply::acknowledged());
    }
    Err(Failure::new(404, "aliases_not_found_exception", format!("aliases [{alias}] missing")))
}

/// `PUT /{index}/_mapping`.
pub(crate) fn put_mapping(ctx: &mut Ctx<'_>) -> Outcome {
    let (names, body) = (named(ctx, false)?, ctx.json()?);
    let cluster = ctx.cluster_mut()?;
    let followers: Vec<&str> = names
        .iter()
        .filter(|n| cluster.indices.get(*n).is_some_and(|i| i.follow.is_some()))
        .map(String::as_str)
        .collect();
    if !followers.is_empty() {
        return Err(Failure::new(
            403,
            "status_exception",
            format!(
                "can't put mapping to the following indices [{}]; the mapping requests of the following indices are self-replicated from its leader indices",
                followers.join(", ")
            ),
        ));
    }
    for name in names {
        let index = cluster.index_mut(&name)?;
        if mapping::merge(&mut index.mapping, &body)? {
            index.mapping_version += 1;
        }
    }
    Ok(Reply::acknowledged())
}

/// `PUT /{index}/_settings`.
pub(crate) fn put_settings(ctx: &mut Ctx<'_>) -> Outcome {
    let (names, body) = (named(ctx, true)?, ctx.json()?);
    let changes = index_settings::read(&body);
    let cluster = ctx.cluster_mut()?;
    if changes.is_empty() {
        return Err(Failure::invalid(&["no settings to update".into()]));
    }
    let version = cluster.version;
    for name in names {
        index_settings::update(version, &name, cluster.index_mut(&name)?, &changes)?;
    }
    Ok(Reply::acknowledged())
}

/// `POST /{index}/_open`.
pub(crate) fn open(ctx: &mut Ctx<'_>) -> Outcome {
    let names = named(ctx, true)?;
    let cluster = ctx.cluster_mut()?;
    for name in names {
        cluster.index_mut(&name)?.closed = false;
    }
    Ok(Reply::ok(json!({"acknowledged": true, "shards_acknowledged": true})))
}

/// `POST /{index}/_close`.
pub(crate) fn close(ctx: &mut Ctx<'_>) -> Outcome {
    let names = named(ctx, true)?;
    let cluster = ctx.cluster_mut()?;
    if let Some(name) = names.iter().find(|n| cluster.indices.get(*n).is_some_and(Index::restoring))
    {
        return Err(Failure::new(
            400,
            "snapshot_in_progress_exception",
            format!("Cannot close indices that are being restored: [[{name}]]"),
        ));
    }
    streams::refuse_close(cluster, &names)?;
    let mut closed = Map::new();
    for name in names {
        let index = cluster.index_mut(&name)?;
        if !index.closed {
            index.closed = true;
            closed.insert(name, json!({"closed": true}));
        }
    }
    Ok(Reply::ok(json!({"acknowledged": true, "shards_acknowledged": true, "indices": closed})))
}

/// `PUT /{index}/_block/{block}`.
pub(crate) fn block(ctx: &mut Ctx<'_>) -> Outcome {
    let (names, block) = (named(ctx, false)?, ctx.arg(1).to_owned());
    if !["metadata", "read", "read_only", "write"].contains(&block.as_str()) {
        return Err(Failure::illegal(format!("No block found with name {block}")));
    }
    let cluster = ctx.cluster_mut()?;
    let mut rows = Vec::new();
    for name in names {
        let index = cluster.index_mut(&name)?;
        index.settings.insert(format!("index.blocks.{block}"), json!("true"));
        index.settings_version += 1;
        rows.push(json!({"name": name, "blocked": true}));
    }
    Ok(Reply::ok(json!({"acknowledged": true, "shards_acknowledged": true, "indices": rows})))
}

/// `POST /{index}/_refresh`: documents are visible at once, so there is nothing to do.
pub(crate) fn refresh(ctx: &mut Ctx<'_>) -> Outcome {
    let names = named(ctx, false)?;
    let cluster = ctx.cluster()?;
    let mut total = 0;
    for name in names {
        let index = cluster.index(&name)?;
        refuse_closed(&name, index)?;
        total += index.shards.len() * (1 + index.replicas().min(2));
    }
    Ok(Reply::ok(json!({"_shards": {"total": total, "successful": total, "failed": 0}})))
}

/// Refuses work on a closed index.
pub(crate) fn refuse_closed(name: &str, index: &Index) -> Outcome<()> {
    if !index.closed {
        return Ok(());
    }
    Err(Failure::new(400, "index_closed_exception", "closed")
        .with("index", name)
        .with("index_uuid", index.uuid.clone()))
}

/// `GET /_resolve/index/{expression}`.
pub(crate) fn resolve_index(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    // Remote parts are swallowed when nothing answers, so they are no use for diagnosis.
    let local: Vec<&str> = ctx.arg(0).split(',').filter(|part| !part.contains(':')).collect();
    let names = if local.is_empty() {
        Vec::new()
    } else {
        resolve(cluster, &local.join(","), options(ctx, true))?
    };
    let mut rows = Vec::new();
    for name in names {
        let index = cluster.index(&name)?;
        let mut attributes = vec![if index.closed { "closed" } else { "open" }];
        if index.hidden() {
            attributes.insert(0, "hidden");
        }
        rows.push(json!({"name": name, "attributes": attributes}));
    }
    Ok(Reply::ok(json!({"indices": rows, "aliases": [], "data_streams": []})))
}
