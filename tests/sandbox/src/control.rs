//! The sandbox's own calls under `/sandbox/`: time, faults, ledger, reset.
//!
//! They need the token of the sandbox's first line; `doorkeeper` asks for it.

use crate::desk::{Desk, Reply};
use crate::wire::Http;
use crate::{Call, Course, Error, Fault, Product, elastic, instances, ledger, oidc, route, sts};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveClock {
    to_ms: u64,
}

/// How long something is to hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    seconds: u64,
}

/// A change made behind the caller's back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    product: String,
    action: String,
    #[serde(default)]
    params: BTreeMap<String, String>,
    /// Path parameters of an Elasticsearch call; left out, they are taken from `params`.
    #[serde(default)]
    path: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

/// What a cluster is to hold of a document from now on, without having been told by anybody.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alter {
    instance: String,
    index: String,
    id: String,
    /// The content; left out, the document is gone.
    source: Option<Value>,
}

/// What becomes of an instance by itself, without a call: other nodes, an outage, an upgrade.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Befall {
    instance: String,
    /// Its nodes are other ones, and have other addresses.
    #[serde(default)]
    move_addresses: bool,
    /// `active`, `inactive`, `invalid`.
    status: Option<String>,
    /// `public` for the control plane v3, `exclusive` for an older one.
    arch_type: Option<String>,
}

/// Answers one call of the sandbox's own.
pub(crate) fn handle(desk: &mut Desk, http: &Http) -> Reply {
    let segments = http.segments();
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    if let ("GET", ["log"]) = (http.method.as_str(), path.as_slice()) {
        return Reply::text(desk.log().json());
    }
    let answer = match (http.method.as_str(), path.as_slice()) {
        ("GET", ["clock"]) => Ok(clock(desk)),
        ("POST", ["clock"]) => parse(http).and_then(|to: MoveClock| {
            if desk.move_clock(to.to_ms) {
                Ok(clock(desk))
            } else {
                Err((409, "the clock runs at a speed and cannot be moved".to_owned()))
            }
        }),
        ("GET", ["world"]) => Ok(json!({"id": desk.world.id})),
        ("GET", ["fault"]) => Ok(json!(desk.world.faults.orders())),
        ("POST", ["fault"]) => parse(http).and_then(|fault: Fault| {
            desk.order(fault).map(|id| json!({"id": id})).map_err(|e| internal(&e))
        }),
        ("DELETE", ["fault"]) => clear(desk, None),
        ("DELETE", ["fault", id]) => match id.parse() {
            Ok(id) => clear(desk, Some(id)),
            Err(_) => Err((400, format!("{id} is no number of a fault"))),
        },
        ("GET", ["inventory"]) => {
            desk.catch_up();
            Ok(json!(ledger::inventory(&desk.world)))
        }
        ("GET", ["durations"]) => Ok(json!(desk.world.durations.all())),
        ("POST", ["session"]) => parse(http).and_then(|order| session(desk, &order)),
        ("POST", ["oidc"]) => parse(http).map(|Hold { seconds }| {
            desk.catch_up();
            json!({"token": oidc::token(&desk.world, seconds)})
        }),
        ("POST", ["reset"]) => desk.reset().map(|()| json!({})).map_err(|e| internal(&e)),
        ("POST", ["change"]) => parse(http).and_then(|order| change(desk, order)),
        ("POST", ["instance"]) => parse(http).and_then(|order| befall(desk, order)),
        ("POST", ["document"]) => parse(http).and_then(|order| alter(desk, order)),
        _ => Err((404, format!("there is no {} {}", http.method, http.path))),
    };
    match answer {
        Ok(value) => Reply::json(200, &value),
        Err((status, text)) => Reply::json(status, &json!({"error": text})),
    }
}

type Said = Result<Value, (u16, String)>;

fn parse<T: for<'a> Deserialize<'a>>(http: &Http) -> Result<T, (u16, String)> {
    serde_json::from_slice(&http.body).map_err(|error| (400, error.to_string()))
}

fn internal(error: &Error) -> (u16, String) {
    (500, error.to_string())
}

fn clock(desk: &Desk) -> Value {
    json!({"now_ms": desk.clock.now_ms(), "speed": desk.clock.speed()})
}

/// A temporary key, as a person gets one from somewhere else.
fn session(desk: &mut Desk, hold: &Hold) -> Said {
    desk.catch_up();
    let arn = sts::role_arn(&desk.world, "escrr");
    let (key, session) = sts::open(&mut desk.world, &arn, "by-hand", hold.seconds);
    desk.changed().map_err(|e| internal(&e))?;
    Ok(sts::credentials(&key, &session))
}

fn clear(desk: &mut Desk, id: Option<u64>) -> Said {
    desk.clear_faults(id).map(|count| json!({"cleared": count})).map_err(|e| internal(&e))
}

/// A document that is altered behind the back of its cluster.
fn alter(desk: &mut Desk, order: Alter) -> Said {
    desk.catch_up();
    let Alter { instance, index, id, source } = order;
    let there = elastic::alter(&mut desk.world.elastic, &instance, (&index, &id), source.as_ref());
    if !there {
        return Err((404, format!("{instance} holds no document {id} of {index}")));
    }
    desk.changed().map(|()| json!({})).map_err(|e| internal(&e))
}

fn befall(desk: &mut Desk, order: Befall) -> Said {
    desk.catch_up();
    let Befall { instance, move_addresses, status, arch_type } = order;
    if move_addresses {
        instances::move_addresses(&mut desk.world, &instance);
    }
    let Some(found) = desk.world.instances.instances.get_mut(&instance) else {
        return Err((404, format!("there is no instance {instance}")));
    };
    if let Some(status) = status {
        found.course = Course::settled(&status);
    }
    found.arch_type = arch_type.unwrap_or_else(|| found.arch_type.clone());
    desk.changed().map(|()| json!({})).map_err(|e| internal(&e))
}

fn change(desk: &mut Desk, order: Change) -> Said {
    let product = Product::of_name(&order.product)
        .ok_or_else(|| (400, format!("there is no product {}", order.product)))?;
    desk.catch_up();
    let path = if order.path.is_empty() && product == Product::Elasticsearch {
        order.params.clone()
    } else {
        order.path
    };
    let call = Call { product, action: order.action, params: order.params, path, body: order.body };
    let answer = route::answer(&mut desk.world, &call)
        .map_err(|refusal| (refusal.status, format!("{}: {}", refusal.code, refusal.message)))?;
    desk.changed().map_err(|e| internal(&e))?;
    Ok(answer)
}
