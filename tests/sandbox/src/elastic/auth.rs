//! Who asks, and what that one may do.

use super::Reply;
use super::Request;
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::model::{ApiKey, Cluster};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The one who may do everything.
pub(crate) const SUPERUSER: &str = "elastic";

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Any user.
    Read,
    /// A superuser.
    Manage,
}

/// Finds out who asks.
pub(crate) fn authenticate(cluster: &Cluster, request: &Request) -> Outcome<String> {
    let uri = Ctx::uri(request);
    let missing = || {
        Failure::new(
            401,
            "security_exception",
            format!("missing authentication credentials for REST request [{uri}]"),
        )
        .with(
            "header",
            json!({"WWW-Authenticate": ["Basic realm=\"security\" charset=\"UTF-8\"", "Bearer realm=\"security\"", "ApiKey"]}),
        )
    };
    let refused = |user: &str| {
        Failure::new(
            401,
            "security_exception",
            format!("unable to authenticate user [{user}] for REST request [{uri}]"),
        )
        .with(
            "header",
            json!({"WWW-Authenticate": ["Basic realm=\"security\" charset=\"UTF-8\"", "Bearer realm=\"security\"", "ApiKey"]}),
        )
    };
    let header = request.headers.get("authorization").ok_or_else(missing)?;
    let (scheme, token) = header.trim().split_once(' ').ok_or_else(missing)?;
    let decoded = STANDARD.decode(token.trim()).ok().and_then(|b| String::from_utf8(b).ok());
    let decoded = decoded.ok_or_else(missing)?;
    let (name, secret) = decoded.split_once(':').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("basic") {
        if cluster.users.get(name).is_some_and(|password| password == secret) {
            return Ok(name.to_owned());
        }
        return Err(refused(name));
    }
    if scheme.eq_ignore_ascii_case("apikey") {
        return match cluster.api_keys.get(name) {
            Some(key) if key.secret == secret => Ok(key.owner.clone()),
            _ => Err(refused(name)),
        };
    }
    Err(missing())
}

/// Refuses what the user may not do.
pub(crate) fn authorize(
    cluster: &Cluster,
    user: &str,
    access: Access,
    (action, indices): (&str, &str),
) -> Outcome<()> {
    let may = match cluster.grants.get(user) {
        Some(grants) => grants.allow(action, indices),
        None => access == Access::Read,
    };
    if may || user == SUPERUSER {
        return Ok(());
    }
    let granted = if action.starts_with("indices:data/write") {
        "index privileges [create,index,write,all]"
    } else if action.starts_with("indices:") {
        "index privileges [manage,all]"
    } else if action.contains("ccr") {
        "cluster privileges [manage_ccr,manage,all]"
    } else {
        "cluster privileges [manage,all]"
    };
    let mut reason = format!("action [{action}] is unauthorized for user [{user}]");
    if cluster.version.since(7, 15) {
        reason.push_str(" with roles [reader]");
    }
    reason.push_str(", this action is granted by the ");
    reason.push_str(granted);
    Err(Failure::new(403, "security_exception", reason))
}

/// `GET /_security/_authenticate`.
pub(crate) fn whoami(ctx: &mut Ctx<'_>) -> Outcome {
    let role = if ctx.user == SUPERUSER { "superuser" } else { "reader" };
    // A key shows itself, though it acts with its owner's rights.
    let scheme = ctx.request.headers.get("authorization").ok_or_else(Failure::no_cluster)?;
    let key = scheme.to_ascii_lowercase().starts_with("apikey");
    Ok(Reply::ok(json!({
        "username": ctx.user, "roles": [role], "full_name": null, "email": null,
        "metadata": {}, "enabled": true,
        "authentication_realm": {"name": "native1", "type": "native"},
        "lookup_realm": {"name": "native1", "type": "native"},
        "authentication_type": if key { "api_key" } else { "realm" },
    })))
}

/// `GET` and `POST /_security/user/_has_privileges`.
pub(crate) fn has_privileges(ctx: &mut Ctx<'_>) -> Outcome {
    let body = ctx.json()?;
    if body.get("cluster").or(body.get("index")).or(body.get("application")).is_none() {
        return Err(Failure::new(
            400,
            "parse_exception",
            "must specify at least one of [cluster], [index] or [application]",
        ));
    }
    let superuser = ctx.user == SUPERUSER;
    let grants = ctx.cluster()?.grants.get(&ctx.user).cloned();
    let strings = |value: Option<&Value>| -> Vec<String> {
        match value {
            Some(Value::Array(list)) => {
                list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        }
    };
    let mut all = true;
    let readable =
        |privilege: &str| ["read", "monitor", "view_index_metadata"].contains(&privilege);
    let mut judge = |privilege: &str, name: Option<&str>| {
        let granted = match (&grants, name) {
            (Some(grants), Some(name)) => grants.has_on(name, privilege),
            (Some(grants), None) => grants.has(privilege),
            (None, Some(_)) => readable(privilege),
            (None, None) => false,
        };
        let has = superuser || granted;
        all &= has;
        Value::Bool(has)
    };
    let cluster: Map<String, Value> = strings(body.get("cluster"))
        .into_iter()
        .map(|p| {
            let has = judge(&p, None);
            (p, has)
        })
        .collect();
    let mut index = Map::new();
    for entry in body.get("index").and_then(Value::as_array).into_iter().flatten() {
        for name in strings(entry.get("names")) {
            let judged: Map<String, Value> = strings(entry.get("privileges"))
                .into_iter()
                .map(|p| {
                    let has = judge(&p, Some(&name));
                    (p, has)
                })
                .collect();
            // A name may be asked about in several entries.
            let known = index.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if let Some(known) = known.as_object_mut() {
                known.extend(judged);
            }
        }
    }
    Ok(Reply::ok(json!({
        "username": ctx.user, "has_all_requested": all,
        "cluster": cluster, "index": index, "application": {},
    })))
}

/// `POST` and `PUT /_security/api_key`.
pub(crate) fn create_api_key(ctx: &mut Ctx<'_>) -> Outcome {
    let body = ctx.json()?;
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return Err(Failure::invalid(&["api key name is required".into()]));
    };
    let id = ctx.state.fresh_id();
    let secret = ctx.state.fresh_uuid();
    let owner = ctx.user.clone();
    let cluster = ctx.cluster_mut()?;
    let mut reply = json!({"id": id, "name": name, "api_key": secret});
    if cluster.version.since(7, 16)
        && let Some(map) = reply.as_object_mut()
    {
        map.insert("encoded".into(), json!(STANDARD.encode(format!("{id}:{secret}"))));
    }
    cluster.api_keys.insert(id, ApiKey { secret, owner });
    Ok(Reply::ok(reply))
}
