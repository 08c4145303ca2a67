//! One cluster's client.

use super::error;
use super::login::Login;
use super::route::{Ask, Candidate, Direct, Kibana, Relay, Relayed, Route, Ways};
use crate::again::Again;
use crate::redact::Redactor;
use crate::way::Way;
use escrr_engine::{Fault, Report};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How to get at a cluster.
#[derive(Clone, Debug)]
pub struct Access {
    /// What the cluster is called in messages, for example `leader`.
    pub name: String,
    /// The ways in. One is taken as it is; of several the first that answers is used.
    pub gates: Vec<Gate>,
}

/// One way into a cluster.
#[derive(Clone, Debug)]
pub enum Gate {
    /// By the cluster's own HTTP address.
    Direct(Entrance),
    /// By the console proxy of its Kibana.
    Kibana(Entrance),
    /// By a call that carries requests: the OpenAPI's `InvokeEsRequest`.
    OpenApi(Arc<dyn Relay>),
    /// A way that cannot be tried, and why.
    Shut(Way, String),
}

/// An address and what opens it.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// For example `http://es-cn-abc.elasticsearch.aliyuncs.com:9200`.
    pub url: String,
    /// Who asks.
    pub login: Login,
    /// PEM certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// One cluster's client; a clone is cheap and shares connections.
#[derive(Clone, Debug)]
pub struct Cluster {
    name: String,
    ways: Arc<Ways>,
    opaque_id: String,
    again: Again,
}

/// Whether a call can change anything: it decides what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It only looks.
    Read,
    /// It may have happened although nobody said so.
    Write,
}

impl Effect {
    /// Tells by method and path; several searches are `POST`.
    fn of(method: &Method, path: &str) -> Self {
        const LOOKS: [&str; 5] = ["_search", "_mget", "_count", "_refresh", "_has_privileges"];
        let last = path.rsplit('/').next().unwrap_or_default();
        if [Method::GET, Method::HEAD].contains(method) || LOOKS.contains(&last) {
            Self::Read
        } else {
            Self::Write
        }
    }
}

/// Which call an answer or a fault belongs to.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) tried: String,
    pub(super) place: String,
    pub(super) effect: Effect,
}

impl Origin {
    /// The question whether a cluster answers at all.
    pub(super) fn probe(place: &str) -> Self {
        let tried = format!("GET / ({place})");
        Self { tried, place: place.to_owned(), effect: Effect::Read }
    }

    pub(super) fn report(&self, said: impl Into<String>) -> Report {
        Report::new(&self.tried, said)
    }

    /// An answer that cannot be what it should be.
    ///
    /// A change may have been made all the same: a look tells.
    pub(super) fn unreadable(&self, why: &str) -> Fault {
        let report = self.report(format!("the answer cannot be read: {why}"));
        crate::again::odd(report, self.effect == Effect::Write)
    }
}

impl Cluster {
    /// Makes a client; nothing is sent yet.
    ///
    /// An address, password or CA file that cannot be used is refused as a prerequisite.
    pub fn new(access: Access) -> Result<Self, Fault> {
        Self::redacting(access, Redactor::default())
    }

    /// Makes a client whose reports say none of the secrets that a redactor knows, nor its own.
    ///
    /// # Errors
    /// As [`Cluster::new`].
    pub fn redacting(access: Access, redactor: Redactor) -> Result<Self, Fault> {
        let candidate = |gate| {
            Ok(match gate {
                Gate::Direct(entrance) => {
                    entrance.login.teach(&redactor);
                    Candidate::Open(Route::Direct(Direct::new(&entrance)?))
                }
                Gate::Kibana(entrance) => {
                    entrance.login.teach(&redactor);
                    Candidate::Open(Route::Kibana(Kibana::new(&entrance, redactor.clone())?))
                }
                Gate::OpenApi(relay) => Candidate::Open(Route::Relay(Relayed::new(relay))),
                Gate::Shut(way, why) => Candidate::Shut(way, why),
            })
        };
        let all = access.gates.into_iter().map(candidate).collect::<Result<_, Fault>>()?;
        let ways = Arc::new(Ways::new(&access.name, all, redactor));
        let again = Again::default();
        Ok(Self { name: access.name, ways, opaque_id: "escrr".to_owned(), again })
    }

    /// The way in that is used and where it leads, once the first request has found it out.
    pub fn way(&self) -> Option<(Way, &str)> {
        self.ways.chosen().map(|route| (route.way(), route.place()))
    }

    /// Sets how reads are repeated.
    #[must_use]
    pub fn asking(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    /// Marks every request as made by a saga: `X-Opaque-Id: escrr/<saga>`.
    ///
    /// It lands in the cluster's tasks and slow logs.
    #[must_use]
    pub fn for_saga(mut self, saga: &str) -> Self {
        // A header holds visible ASCII only, and nothing hangs on the exact name.
        let visible = saga.chars().filter(char::is_ascii_graphic).collect::<String>();
        self.opaque_id = format!("escrr/{visible}");
        self
    }

    /// Sends one request and gives status and body, whatever the status.
    ///
    /// `path` is encoded already. A body that is no JSON is given as a text, an empty one as
    /// null; only a missing answer is a fault.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<(u16, Value), Fault> {
        let route = self.ways.settle(&self.opaque_id).await?;
        let origin = self.origin(&method, path);
        let query: Vec<String> =
            query.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
        let body = body.map(Value::to_string);
        let query = query.join("&");
        let ask = Ask {
            method: &method,
            path,
            query: &query,
            body: body.as_deref(),
            opaque_id: &self.opaque_id,
            writes: origin.effect == Effect::Write,
        };
        let outcome = route.exchange(ask).await;
        let status = outcome.as_ref().map_or(0, |(status, _)| *status);
        let (way, place, request) = (route.way().name(), route.place(), &self.opaque_id);
        let method = method.as_str();
        if origin.effect == Effect::Write {
            tracing::info!(method, path, way, place, request, status, "changed Elasticsearch");
        } else {
            tracing::debug!(method, path, way, place, request, status, "called Elasticsearch");
        }
        let redactor = self.ways.redactor();
        let (status, body) =
            outcome.map_err(|broken| redactor.fault(error::broken(&origin, broken)))?;
        let mut value = match serde_json::from_slice(&body) {
            Ok(value) => value,
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&body).into_owned()),
        };
        redactor.answer(&mut value, !(200..300).contains(&status));
        Ok((status, value))
    }

    /// Sends a request and gives the body of a success; a read is repeated, see [`Again`].
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Fault> {
        let once = || self.ask_once(method.clone(), path, query, body);
        match Effect::of(&method, path) {
            Effect::Read => self.again.read(once).await,
            Effect::Write => once().await,
        }
    }

    async fn ask_once(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Fault> {
        let head = method == Method::HEAD;
        let (status, value) = self.send(method.clone(), path, query, body).await?;
        let origin = self.origin(&method, path);
        if !(200..300).contains(&status) {
            return Err(error::judge(&origin, status, &value));
        }
        if !value.is_object() && !head {
            return Err(origin.unreadable("it is no JSON object"));
        }
        Ok(value)
    }

    /// Reads an object, or nothing where there is none.
    pub(super) async fn ask_for(&self, path: &str) -> Result<Option<Value>, Fault> {
        match self.ask(Method::GET, path, &[], None).await {
            Ok(value) => Ok(Some(value)),
            Err(fault) if error::not_found(&fault) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Sends a change that the cluster must acknowledge.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), Fault> {
        let value = self.ask(method.clone(), path, &[], body).await?;
        if flag(&value, "/acknowledged") == Some(false) {
            let origin = self.origin(&method, path);
            return Err(Fault::Unknown(origin.report("the cluster did not acknowledge in time")));
        }
        Ok(())
    }

    pub(super) fn origin(&self, method: &Method, path: &str) -> Origin {
        let place = self.ways.place().to_owned();
        let tried = format!("{method} {path} ({}, {place})", self.name);
        Origin { tried, place, effect: Effect::of(method, path) }
    }
}

/// Encodes one path segment or query part.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes an index expression: wildcards, commas and a remote's colon keep their meaning.
pub(super) fn encode_expression(text: &str) -> String {
    const EXPRESSION: &AsciiSet = &RESERVED.remove(b'*').remove(b',').remove(b':');
    utf8_percent_encode(text, EXPRESSION).to_string()
}

/// Reads a text, also when it was sent as a number or a truth value.
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    as_text(value.pointer(pointer)?).filter(|text| !text.is_empty())
}

pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads a number, also when it was sent as a text.
pub(super) fn number(value: &Value, pointer: &str) -> Option<i64> {
    let value = value.pointer(pointer)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Reads a number that cannot be negative.
pub(super) fn count(value: &Value, pointer: &str) -> Option<u64> {
    number(value, pointer).and_then(|number| u64::try_from(number).ok())
}

/// Reads a truth value, also when it was sent as a text.
pub(super) fn flag(value: &Value, pointer: &str) -> Option<bool> {
    let value = value.pointer(pointer)?;
    value.as_bool().or_else(|| value.as_str()?.trim().to_ascii_lowercase().parse().ok())
}

/// Reads the texts of a list.
pub(super) fn texts(value: &Value, pointer: &str) -> Vec<String> {
    list(value, pointer).iter().filter_map(as_text).collect()
}

/// Reads a list; a missing one is empty.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Reads an object's members; a missing one has none.
pub(super) fn members<'a>(
    value: &'a Value,
    pointer: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flatten()
}
