//! `POST /api/console/proxy?path=…&method=…`: a request to the cluster, handed on.

use super::refusal::{Refused, json_type, phrase};
use super::session::{authorization, check_xsrf};
use super::{Reply, Request};
use crate::World;
use crate::elastic::{self, Version};
use crate::wire::Http;
use serde_json::json;
use std::collections::BTreeMap;

/// The methods that the console hands on.
const METHODS: [&str; 5] = ["HEAD", "GET", "POST", "PUT", "DELETE"];

/// The request to the cluster that stands in one to the console.
pub(super) fn receive(world: &mut World, instance: &str, http: &Http) -> Result<Request, Refused> {
    let authorization = authorization(world, instance, http)?;
    check_xsrf(http)?;
    // Release 9 keeps internal routes for those who say that they are Kibana itself.
    if Version::of_instance(world, instance).since(9, 0)
        && http.header("x-elastic-internal-origin").is_none()
    {
        let said = "uri [/api/console/proxy] with method [post] exists but is not available with \
                    the current configuration";
        return Err(Refused::new(400, said));
    }
    let query: BTreeMap<&str, &str> =
        http.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let need = |name: &str| {
        query.get(name).copied().ok_or_else(|| {
            let said = format!(
                "[request query.{name}]: expected value of type [string] but got [undefined]"
            );
            Refused::new(400, said)
        })
    };
    let method = need("method")?.to_ascii_uppercase();
    if !METHODS.contains(&method.as_str()) {
        let said = format!(
            "[request query.method]: Method must be one of, case insensitive ['{}']. Received '{method}'.",
            METHODS.join("', '")
        );
        return Err(Refused::new(400, said));
    }
    let path = need("path")?;
    if path.is_empty() {
        return Err(Refused::new(400, "[request query.path]: expected non-empty string"));
    }
    let target = format!("/{}", path.trim_start_matches('/'));
    let inner = Http::new(&method, &target, BTreeMap::new(), Vec::new());
    let mut query: BTreeMap<String, String> = inner.query.iter().cloned().collect();
    query.entry("pretty".into()).or_insert_with(|| "true".into());
    let mut headers = BTreeMap::from([("authorization".to_owned(), authorization)]);
    // Of the caller's headers only these are handed on.
    for name in ["content-type", "es-client-authentication"] {
        headers.extend(http.header(name).map(|value| (name.to_owned(), value.to_owned())));
    }
    Ok(Request { method, path: inner.segments(), query, headers, body: http.body.clone() })
}

/// The cluster's answer as the console hands it on: status and body, and no header but warnings.
pub(crate) fn answered(method: &str, reply: &elastic::Reply) -> Reply {
    let warnings = reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("warning"));
    let mut headers: Vec<_> = warnings.map(|(k, v)| (k.clone(), v.clone())).collect();
    let body = if method == "HEAD" {
        headers.push(("content-type".into(), "text/plain".into()));
        format!("{} - {}", reply.status, phrase(reply.status))
    } else if reply.body.is_null() {
        String::new()
    } else {
        reply.body.to_string()
    };
    Reply { status: reply.status, headers, body: body.into() }
}

/// What the console says when its cluster takes longer than it waits.
pub(crate) fn timed_out() -> Reply {
    Refused::new(504, "Client request timeout").reply()
}

/// `GET /api/status`, as a stranger sees it.
pub(super) fn status(world: &World, instance: &str) -> Reply {
    let overall = if Version::of_instance(world, instance).since(8, 0) {
        json!({"level": "available"})
    } else {
        json!({"state": "green"})
    };
    let body = json!({"status": {"overall": overall}});
    Reply { status: 200, headers: vec![json_type()], body: body.to_string().into() }
}
