//! Data streams, as far as their names tell: `.ds-<stream>-[<date>-]<generation>`.
//!
//! A stream whose newest backing index is or was a follower is a replicated one: it takes no
//! rollover before it is promoted, and its newest backing index is neither closed nor deleted.

use super::Reply;
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::index_admin;
use super::model::Cluster;
use serde_json::{Value, json};

/// Stream and generation of a backing index.
fn backing(name: &str) -> Option<(&str, u64)> {
    let (rest, generation) = name.strip_prefix(".ds-")?.rsplit_once('-')?;
    let is_date =
        |text: &str| text.len() == 10 && text.chars().all(|c| c == '.' || c.is_ascii_digit());
    let stream = match rest.rsplit_once('-') {
        Some((stream, date)) if is_date(date) => stream,
        Some(_) | None => rest,
    };
    Some((stream, generation.parse().ok()?))
}

/// The backing index that a stream writes to.
fn write_index<'c>(cluster: &'c Cluster, stream: &str) -> Option<&'c String> {
    let of_stream =
        cluster.indices.keys().filter(|name| backing(name).is_some_and(|b| b.0 == stream));
    of_stream.max_by_key(|name| backing(name).map(|b| b.1))
}

/// The stream that writes to an index, if one does.
pub(crate) fn written_by<'n>(cluster: &Cluster, name: &'n str) -> Option<&'n str> {
    let (stream, _) = backing(name)?;
    (write_index(cluster, stream)? == name).then_some(stream)
}

/// Refuses to close the write indices of streams.
pub(crate) fn refuse_close(cluster: &Cluster, names: &[String]) -> Outcome<()> {
    let open: Vec<&str> = names
        .iter()
        .filter(|name| written_by(cluster, name).is_some())
        .map(String::as_str)
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(Failure::illegal(format!(
        "cannot close the following data stream write indices [{}]",
        open.join(", ")
    )))
}

/// Refuses to delete the write index of a stream on its own.
pub(crate) fn refuse_delete(cluster: &Cluster, names: &[String]) -> Outcome<()> {
    match names.iter().find_map(|name| Some((name, written_by(cluster, name)?))) {
        None => Ok(()),
        Some((name, stream)) => Err(Failure::illegal(format!(
            "index [{name}] is the write index for data stream [{stream}] and cannot be deleted"
        ))),
    }
}

fn known(ctx: &Ctx<'_>) -> Outcome<(String, String)> {
    let stream = ctx.arg(0).to_owned();
    let newest = write_index(ctx.cluster()?, &stream).cloned();
    Ok((stream.clone(), newest.ok_or_else(|| Failure::no_index(&stream))?))
}

/// `POST /_data_stream/_promote/{stream}`.
pub(crate) fn promote(ctx: &mut Ctx<'_>) -> Outcome {
    let (stream, _) = known(ctx)?;
    ctx.cluster_mut()?.promoted.insert(stream);
    Ok(Reply::acknowledged())
}

/// `POST /{stream}/_rollover`.
pub(crate) fn rollover(ctx: &mut Ctx<'_>) -> Outcome {
    let (stream, newest) = known(ctx)?;
    let cluster = ctx.cluster()?;
    let replicated = cluster.index(&newest)?.follow.is_some();
    if replicated && !cluster.promoted.contains(&stream) {
        return Err(Failure::illegal(format!(
            "data stream [{stream}] cannot be rolled over, because it is a replicated data stream"
        )));
    }
    let generation = backing(&newest).map_or(1, |(_, generation)| generation + 1);
    let head = newest.rsplit_once('-').map_or("", |(head, _)| head);
    let new = format!("{head}-{generation:06}");
    index_admin::make(ctx.state, ctx.me, &new, &Value::Null, ctx.now_ms)?;
    Ok(Reply::ok(json!({
        "acknowledged": true, "old_index": newest, "new_index": new, "rolled_over": true,
        "dry_run": false,
    })))
}

/// `DELETE /_data_stream/{stream}`.
pub(crate) fn delete(ctx: &mut Ctx<'_>) -> Outcome {
    let (stream, _) = known(ctx)?;
    let cluster = ctx.cluster_mut()?;
    cluster.indices.retain(|name, _| backing(name).is_none_or(|b| b.0 != stream));
    cluster.promoted.remove(&stream);
    Ok(Reply::acknowledged())
}
