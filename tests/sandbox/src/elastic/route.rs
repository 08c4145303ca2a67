//! From method and path to the function that answers.

use super::auth::{self, Access};
use super::ccr::{auto_rest, follow, forget, life, report};
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::flat::filter_path;
use super::model::{State, Version};
use super::{Reply, Request, Wire};
use super::{
    bulk, cluster_settings, cross_search, documents, index_admin, overview, remote, search, stats,
    streams,
};
use serde_json::Value;

/// One way in.
struct Route {
    methods: &'static str,
    /// Segments; `{}` stands for anything that does not begin with `_`, `_all` excepted.
    template: &'static str,
    access: Access,
    /// The name that a refusal gives the action.
    action: &'static str,
    call: fn(&mut Ctx<'_>) -> Outcome,
}

const fn route(
    methods: &'static str,
    template: &'static str,
    access: Access,
    action: &'static str,
    call: fn(&mut Ctx<'_>) -> Outcome,
) -> Route {
    Route { methods, template, access, action, call }
}

use Access::{Manage, Read};

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route("GET HEAD", "", Read, "cluster:monitor/main", overview::hello),
    route("GET", "_license", Read, "cluster:monitor/xpack/license/get", overview::license),
    route("GET", "_xpack", Read, "cluster:monitor/xpack/info", overview::xpack),
    route("GET", "_cluster/health", Read, "cluster:monitor/health", overview::health),
    route("GET", "_cluster/health/{}", Read, "cluster:monitor/health", overview::health),
    route("GET", "_cluster/settings", Manage, "cluster:monitor/state", cluster_settings::get),
    route("PUT", "_cluster/settings", Manage, "cluster:admin/settings/update", cluster_settings::put),
    route("GET", "_cluster/state", Manage, "cluster:monitor/state", overview::state),
    route("GET", "_nodes", Read, "cluster:monitor/nodes/info", overview::nodes),
    route("GET", "_nodes/plugins", Read, "cluster:monitor/nodes/info", overview::nodes),
    route("GET", "_cat/indices", Read, "indices:monitor/stats", overview::cat_indices),
    route("GET", "_cat/indices/{}", Read, "indices:monitor/stats", overview::cat_indices),
    route("GET", "_remote/info", Manage, "cluster:monitor/remote/info", remote::info),
    route("GET", "_security/_authenticate", Read, "cluster:admin/xpack/security/user/authenticate", auth::whoami),
    route("GET POST", "_security/user/_has_privileges", Read, "cluster:admin/xpack/security/user/has_privileges", auth::has_privileges),
    route("POST PUT", "_security/api_key", Manage, "cluster:admin/xpack/security/api_key/create", auth::create_api_key),
    route("GET", "_ccr/stats", Manage, "cluster:monitor/ccr/stats", report::stats),
    route("GET", "_ccr/auto_follow", Manage, "cluster:admin/xpack/ccr/auto_follow_pattern/get", auto_rest::get),
    route("GET", "_ccr/auto_follow/{*}", Manage, "cluster:admin/xpack/ccr/auto_follow_pattern/get", auto_rest::get),
    route("PUT", "_ccr/auto_follow/{*}", Manage, "cluster:admin/xpack/ccr/auto_follow_pattern/put", auto_rest::put),
    route("DELETE", "_ccr/auto_follow/{*}", Manage, "cluster:admin/xpack/ccr/auto_follow_pattern/delete", auto_rest::delete),
    route("POST", "_ccr/auto_follow/{*}/pause", Manage, "cluster:admin/xpack/ccr/auto_follow_pattern/activate", auto_rest::pause),
    route("POST", "_ccr/auto_follow/{*}/resume", Manage, "cluster:admin/xpack/ccr/auto_follow_pattern/activate", auto_rest::resume),
    route("PUT", "{}/_ccr/follow", Manage, "indices:admin/xpack/ccr/put_follow", follow::put),
    route("POST", "{}/_ccr/pause_follow", Manage, "cluster:admin/xpack/ccr/pause_follow", life::pause),
    route("POST", "{}/_ccr/resume_follow", Manage, "cluster:admin/xpack/ccr/resume_follow", life::resume),
    route("POST", "{}/_ccr/unfollow", Manage, "indices:admin/xpack/ccr/unfollow", life::unfollow),
    route("POST", "{}/_ccr/forget_follower", Manage, "indices:admin/xpack/ccr/forget_follower", forget::post),
    route("GET", "{}/_ccr/info", Manage, "cluster:monitor/ccr/follow_info", report::info),
    route("GET", "{}/_ccr/stats", Manage, "cluster:monitor/ccr/follow_stats", report::follow_stats),
    route("POST", "_data_stream/_promote/{*}", Manage, "indices:admin/data_stream/promote", streams::promote),
    route("DELETE", "_data_stream/{*}", Manage, "indices:admin/data_stream/delete", streams::delete),
    route("POST", "{}/_rollover", Manage, "indices:admin/rollover", streams::rollover),
    route("GET", "_resolve/index/{}", Read, "indices:admin/resolve/index", index_admin::resolve_index),
    route("GET", "_resolve/cluster/{}", Read, "indices:admin/resolve/cluster", cross_search::resolve_cluster),
    route("GET POST", "_search", Read, "indices:data/read/search", search::search),
    route("GET POST", "{}/_search", Read, "indices:data/read/search", search::search),
    route("GET POST", "_search/scroll", Read, "indices:data/read/scroll", search::scroll),
    route("DELETE", "_search/scroll", Read, "indices:data/read/scroll/clear", search::close_context),
    route("POST", "{}/_pit", Read, "indices:data/read/open_point_in_time", search::open_pit),
    route("DELETE", "_pit", Read, "indices:data/read/close_point_in_time", search::close_context),
    route("GET POST", "_count", Read, "indices:data/read/search", search::count),
    route("GET POST", "{}/_count", Read, "indices:data/read/search", search::count),
    route("GET POST", "_mget", Read, "indices:data/read/mget", bulk::mget),
    route("GET POST", "{}/_mget", Read, "indices:data/read/mget", bulk::mget),
    route("PUT POST", "_bulk", Manage, "indices:data/write/bulk", bulk::bulk),
    route("PUT POST", "{}/_bulk", Manage, "indices:data/write/bulk", bulk::bulk),
    route("GET", "_stats", Read, "indices:monitor/stats", stats::stats),
    route("GET", "{}/_stats", Read, "indices:monitor/stats", stats::stats),
    route("GET", "{}/_stats/{}", Read, "indices:monitor/stats", stats::stats),
    route("GET", "_recovery", Read, "indices:monitor/recovery", stats::recovery),
    route("GET", "{}/_recovery", Read, "indices:monitor/recovery", stats::recovery),
    route("GET", "_mapping", Read, "indices:admin/mappings/get", index_admin::get_mapping),
    route("GET", "{}/_mapping", Read, "indices:admin/mappings/get", index_admin::get_mapping),
    route("PUT POST", "{}/_mapping", Manage, "indices:admin/mapping/put", index_admin::put_mapping),
    route("GET", "_settings", Read, "indices:monitor/settings/get", index_admin::get_settings),
    route("GET", "{}/_settings", Read, "indices:monitor/settings/get", index_admin::get_settings),
    route("PUT", "{}/_settings", Manage, "indices:admin/settings/update", index_admin::put_settings),
    route("GET", "_alias", Read, "indices:admin/aliases/get", index_admin::get_alias),
    route("GET", "{}/_alias", Read, "indices:admin/aliases/get", index_admin::get_alias),
    route("PUT POST", "{}/_alias/{}", Manage, "indices:admin/aliases", index_admin::put_alias),
    route("DELETE", "{}/_alias/{}", Manage, "indices:admin/aliases", index_admin::delete_alias),
    route("POST", "{}/_open", Manage, "indices:admin/open", index_admin::open),
    route("POST", "{}/_close", Manage, "indices:admin/close", index_admin::close),
    route("PUT", "{}/_block/{}", Manage, "indices:admin/block/add", index_admin::block),
    route("GET POST", "_refresh", Manage, "indices:admin/refresh", index_admin::refresh),
    route("GET POST", "{}/_refresh", Manage, "indices:admin/refresh", index_admin::refresh),
    route("GET HEAD", "{}/_doc/{*}", Read, "indices:data/read/get", documents::get),
    route("GET", "{}/_source/{*}", Read, "indices:data/read/get", documents::get_source),
    route("PUT POST", "{}/_doc/{*}", Manage, "indices:data/write/index", documents::put),
    route("DELETE", "{}/_doc/{*}", Manage, "indices:data/write/delete", documents::delete),
    route("POST", "{}/_doc", Manage, "indices:data/write/index", documents::put),
    route("PUT POST", "{}/_create/{*}", Manage, "indices:data/write/index", documents::put),
    route("POST", "{}/_update/{*}", Manage, "indices:data/write/update", documents::update),
    route("HEAD", "{}", Read, "indices:admin/get", index_admin::exists),
    route("GET", "{}", Read, "indices:admin/get", index_admin::get),
    route("PUT", "{}", Manage, "indices:admin/create", index_admin::create),
    route("DELETE", "{}", Manage, "indices:admin/delete", index_admin::delete),
];

/// What the place holders of a template stand for; `None` when the path is another one.
fn capture(template: &str, path: &[&str]) -> Option<Vec<String>> {
    let segments: Vec<&str> = template.split('/').filter(|s| !s.is_empty()).collect();
    if segments.len() != path.len() {
        return None;
    }
    let mut args = Vec::new();
    for (segment, part) in segments.iter().zip(path) {
        match *segment {
            "{*}" => args.push((*part).to_owned()),
            "{}" if !part.starts_with('_') || *part == "_all" => args.push((*part).to_owned()),
            fixed if fixed == *part => {}
            _ => return None,
        }
    }
    Some(args)
}

/// Parameters that every call takes.
const COMMON: &[&str] = &["pretty", "human", "error_trace", "filter_path", "format"];

/// CCR calls refuse parameters that they do not know; releases before 8.0 know no time-outs.
fn check_query(template: &str, version: Version, request: &Request) -> Outcome<()> {
    if !template.contains("_ccr") {
        return Ok(());
    }
    let known = |name: &str| {
        COMMON.contains(&name)
            || (template.ends_with("/follow") && name == "wait_for_active_shards")
            || (version.since(8, 0) && ["master_timeout", "timeout"].contains(&name))
    };
    let unknown: Vec<&str> =
        request.query.keys().map(String::as_str).filter(|n| !known(n)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let plural = if unknown.len() > 1 { "s" } else { "" };
    let list: Vec<String> = unknown.iter().map(|n| format!("[{n}]")).collect();
    Err(Failure::illegal(format!(
        "request [/{}] contains unrecognized parameter{plural}: {}",
        request.path.join("/"),
        list.join(", ")
    )))
}

fn answer(state: &mut State, wire: &dyn Wire, now_ms: u64, me: &str, request: &Request) -> Outcome {
    let cluster = state.cluster(me)?;
    let user = auth::authenticate(cluster, request)?;
    let version = cluster.version;
    let path: Vec<&str> =
        request.path.iter().map(String::as_str).filter(|s| !s.is_empty()).collect();
    let known = |r: &&Route| {
        (version.since(8, 13) || !r.template.starts_with("_resolve/cluster"))
            && capture(r.template, &path).is_some()
    };
    let mut allowed: Vec<&str> = Vec::new();
    for route in ROUTES.iter().filter(known) {
        if !route.methods.split(' ').any(|m| m == request.method) {
            allowed.extend(route.methods.split(' '));
            continue;
        }
        let args = capture(route.template, &path).unwrap_or_default();
        let first = args.first().filter(|_| route.template.starts_with("{}"));
        let indices = first.map_or("_all", String::as_str);
        auth::authorize(cluster, &user, route.access, (route.action, indices))?;
        check_query(route.template, version, request)?;
        return (route.call)(&mut Ctx { state, wire, now_ms, me, request, user, args });
    }
    let (uri, method) = (Ctx::uri(request), &request.method);
    if allowed.is_empty() {
        return Ok(Reply::plain(
            400,
            &format!("no handler found for uri [{uri}] and method [{method}]"),
        ));
    }
    allowed.sort_unstable();
    allowed.dedup();
    let mut reply = Reply::plain(
        405,
        &format!(
            "Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{}]",
            allowed.join(", ")
        ),
    );
    reply.headers.insert("Allow".into(), allowed.join(","));
    Ok(reply)
}

/// Answers one request.
pub(crate) fn handle(
    state: &mut State,
    wire: &dyn Wire,
    now_ms: u64,
    me: &str,
    request: &Request,
) -> Reply {
    let mut reply =
        answer(state, wire, now_ms, me, request).unwrap_or_else(|failure| failure.reply());
    if let Some(filters) = request.query.get("filter_path") {
        reply.body = filter_path(std::mem::take(&mut reply.body), filters);
    }
    if request.method == "HEAD" {
        reply.body = Value::Null;
    }
    // Official clients look for it and refuse what does not send it; older releases do not.
    if state.cluster(me).is_ok_and(|cluster| cluster.version.since(7, 14)) {
        reply.headers.insert("X-elastic-product".into(), "Elasticsearch".into());
    }
    reply
}
