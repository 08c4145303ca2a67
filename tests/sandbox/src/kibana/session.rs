//! Who asks a Kibana: by `Authorization` on each request, or by the cookie of a session.

use super::Reply;
use super::refusal::{Refused, json_type};
use crate::World;
use crate::elastic::{Request, Version};
use crate::route::at_cluster;
use crate::wire::Http;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Name of the session's cookie.
const COOKIE: &str = "sid";

/// The sessions of all Kibanas.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    sessions: BTreeMap<String, Session>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    instance: String,
    /// What Kibana asks its cluster with.
    authorization: String,
}

/// The header that `X` in `kbn-xsrf: X` guards: nobody's browser sends it by accident.
pub(super) fn check_xsrf(http: &Http) -> Result<(), Refused> {
    if http.header("kbn-xsrf").or(http.header("kbn-version")).is_some() {
        return Ok(());
    }
    Err(Refused::new(400, "Request must contain a kbn-xsrf header."))
}

/// What Kibana asks its cluster with, on behalf of the caller.
pub(super) fn authorization(
    world: &mut World,
    instance: &str,
    http: &Http,
) -> Result<String, Refused> {
    let mut cookies = http.header("cookie").unwrap_or_default().split(';').map(str::trim);
    let sid = cookies.find_map(|c| c.strip_prefix(COOKIE)?.strip_prefix('='));
    let session = sid.and_then(|sid| world.kibana.sessions.get(sid));
    if let Some(session) = session.filter(|session| session.instance == instance) {
        return Ok(session.authorization.clone());
    }
    let by_header = world.file.instances.get(instance).is_some_and(|file| file.kibana_http_auth);
    match http.header("authorization") {
        Some(header) if by_header => {
            let header = header.to_owned();
            known(world, instance, &header)?;
            Ok(header)
        }
        Some(_) | None => Err(Refused::new(401, "Unauthorized")),
    }
}

/// Asks the cluster whether it knows the caller, as Kibana does.
fn known(world: &mut World, instance: &str, authorization: &str) -> Result<(), Refused> {
    let request = Request {
        method: "GET".into(),
        path: vec!["_security".into(), "_authenticate".into()],
        query: BTreeMap::new(),
        headers: [("authorization".to_owned(), authorization.to_owned())].into(),
        body: Vec::new(),
    };
    let reply = at_cluster(world, instance, &request);
    if reply.status < 400 {
        return Ok(());
    }
    let text = |pointer: &str| reply.body.pointer(pointer).and_then(Value::as_str);
    let kind = text("/error/type").unwrap_or("security_exception");
    let reason = text("/error/reason").unwrap_or("no reason");
    // Two generations of Elasticsearch's client, and of how its errors are written.
    let message = if Version::of_instance(world, instance).since(8, 0) {
        format!("[{kind}\n\tRoot causes:\n\t\t{kind}: {reason}]: {reason}")
    } else {
        format!("[{kind}] {reason}")
    };
    Err(Refused::new(reply.status, message))
}

/// `POST /internal/security/login`.
pub(super) fn sign_in(world: &mut World, instance: &str, http: &Http) -> Result<Reply, Refused> {
    check_xsrf(http)?;
    let body: Value = serde_json::from_slice(&http.body).unwrap_or_default();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    for name in ["providerType", "providerName", "currentURL"] {
        if text(&format!("/{name}")).is_none() {
            let said = format!(
                "[request body.{name}]: expected value of type [string] but got [undefined]"
            );
            return Err(Refused::new(400, said));
        }
    }
    let unauthorized = || Refused::new(401, "Unauthorized");
    if text("/providerType") != Some("basic") || text("/providerName") != Some("basic") {
        return Err(unauthorized());
    }
    let (user, password) = (
        text("/params/username").unwrap_or_default(),
        text("/params/password").unwrap_or_default(),
    );
    let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    known(world, instance, &authorization)?;
    let sid = world.fresh_id("Fe26.2**");
    let session = Session { instance: instance.to_owned(), authorization };
    world.kibana.sessions.insert(sid.clone(), session);
    let cookie = format!("{COOKIE}={sid}; HttpOnly; Path=/");
    Ok(Reply {
        status: 200,
        headers: vec![json_type(), ("set-cookie".into(), cookie)],
        body: json!({"location": "/"}).to_string().into(),
    })
}
