//! `InvokeEsRequest`: a request to the cluster, carried by the OpenAPI.
//!
//! The allow lists do not stand in its way. What comes back is the body of the cluster's answer
//! alone, without its status: the vendor's documentation promises no more.

use crate::elastic::Request;
use crate::route::at_cluster;
use crate::wire::Http;
use crate::{Answer, Call, Refusal, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The user behind the instance's default credential, and behind the provider's own.
const DEFAULT_USER: &str = "elastic";

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    (call.action == "InvokeEsRequest").then(|| invoke(world, call))
}

fn invoke(world: &mut World, call: &Call) -> Answer {
    let (id, instance) = world.instances.of(call)?;
    if !["active", "activating"].contains(&instance.course.status(world.now_ms)) {
        return Err(Refusal::bad(
            "InstanceStatusNotSupportCurrentAction",
            "The instance status does not support the current action.",
        ));
    }
    let method = call.get("method").unwrap_or("GET");
    if !["GET", "HEAD", "POST", "PUT", "DELETE"].contains(&method) {
        return Err(Refusal::bad("InvalidParameter", "The parameter method is not valid."));
    }
    if let Some(id) = call.get("credentialId") {
        let said = format!("The credential {id} does not exist.");
        return Err(Refusal::missing("CredentialNotFound", said));
    }
    let request = Request {
        method: method.to_owned(),
        headers: headers(world, id)?,
        body: body(&call.body),
        ..target(call.need("path")?)
    };
    let id = id.to_owned();
    Ok(json!({"Result": at_cluster(world, &id, &request).body}))
}

/// Path and query; the slash before them may be left out.
fn target(path: &str) -> Request {
    let http = Http::new(
        "GET",
        &format!("/{}", path.trim_start_matches('/')),
        BTreeMap::new(),
        Vec::new(),
    );
    Request {
        method: String::new(),
        path: http.segments(),
        query: http.query.into_iter().collect(),
        headers: BTreeMap::new(),
        body: Vec::new(),
    }
}

fn headers(world: &World, instance: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let users = world.file.instances.get(instance).map(|file| &file.users);
    let password = users.and_then(|users| users.get(DEFAULT_USER)).ok_or_else(|| {
        Refusal::bad("CredentialNotFound", "The instance has no default credential.")
    })?;
    let pair = STANDARD.encode(format!("{DEFAULT_USER}:{password}"));
    Ok(BTreeMap::from([
        ("authorization".to_owned(), format!("Basic {pair}")),
        ("content-type".to_owned(), "application/json".to_owned()),
    ]))
}

/// The body as it is, or the text that it holds where a client has wrapped it into a string.
fn body(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string().into_bytes()
        }
    }
}
