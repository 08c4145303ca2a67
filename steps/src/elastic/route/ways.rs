//! Which way into the cluster is used: the one that was named, or the first that answers.

use super::{Ask, Route};
use crate::redact::Redactor;
use crate::way::Way;
use escrr_engine::{Class, Fault, Report};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::OnceCell;

/// An allow list that is closed lets packets vanish: nobody waits for those for long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Calls of the control plane take longer by themselves.
const OPENAPI_PATIENCE: Duration = Duration::from_secs(20);
/// A part of `GET /` alone: a way that loses the query loses this filter too, and shows it.
const PROBE: &str = "filter_path=cluster_uuid";

/// One way, as it looks before anything was sent.
#[derive(Debug)]
pub(in crate::elastic) enum Candidate {
    /// It can be tried.
    Open(Route),
    /// It cannot, and why.
    Shut(Way, String),
}

/// All ways, in the order in which they are tried, and the one that is used.
#[derive(Debug)]
pub(in crate::elastic) struct Ways {
    cluster: String,
    all: Vec<Candidate>,
    chosen: OnceCell<usize>,
    redactor: Redactor,
}

/// Why a way is not used.
struct Closed {
    said: String,
    /// The fault, where the way was the only one.
    fault: Fault,
}

impl Ways {
    pub(in crate::elastic) fn new(cluster: &str, all: Vec<Candidate>, redactor: Redactor) -> Self {
        Self { cluster: cluster.to_owned(), all, chosen: OnceCell::new(), redactor }
    }

    /// Knows what no report may say.
    pub(in crate::elastic) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The way that is used, once it is known.
    pub(in crate::elastic) fn chosen(&self) -> Option<&Route> {
        match self.all.get(*self.chosen.get()?)? {
            Candidate::Open(route) => Some(route),
            Candidate::Shut(..) => None,
        }
    }

    /// Where requests go, for messages.
    pub(in crate::elastic) fn place(&self) -> &str {
        let open = self.all.iter().find_map(|candidate| match candidate {
            Candidate::Open(route) => Some(route),
            Candidate::Shut(..) => None,
        });
        self.chosen().or(open).map_or("no way in", Route::place)
    }

    /// Finds the way, asking each in turn whether the cluster answers there; only once.
    pub(in crate::elastic) async fn settle(&self, opaque_id: &str) -> Result<&Route, Fault> {
        self.chosen.get_or_try_init(|| self.choose(opaque_id)).await?;
        self.chosen().ok_or_else(|| {
            Fault::Bug(Report::new("choosing a way into the cluster", "the chosen one is gone"))
        })
    }

    async fn choose(&self, opaque_id: &str) -> Result<usize, Fault> {
        // A single way that hides nothing needs no asking: its first call tells.
        if let [Candidate::Open(Route::Direct(_) | Route::Kibana(_))] = self.all.as_slice() {
            return Ok(0);
        }
        let mut closed = Vec::new();
        for (at, candidate) in self.all.iter().enumerate() {
            let (way, outcome) = match candidate {
                Candidate::Open(route) => {
                    (route.way(), probe(route, opaque_id).await.map_err(|it| self.discreet(it)))
                }
                Candidate::Shut(way, why) => (*way, Err(self.shut(why))),
            };
            match outcome {
                Ok(()) => {
                    if let Candidate::Open(route) = candidate {
                        tracing::info!(
                            cluster = self.cluster,
                            way = way.name(),
                            place = route.place(),
                            "chose the way into the cluster"
                        );
                    }
                    return Ok(at);
                }
                Err(reason) => {
                    let said = reason.said.as_str();
                    tracing::info!(cluster = self.cluster, way = way.name(), said, "no way in");
                    closed.push((candidate, way, reason));
                }
            }
        }
        Err(self.none(closed))
    }

    fn discreet(&self, closed: Closed) -> Closed {
        Closed { said: self.redactor.text(&closed.said), fault: self.redactor.fault(closed.fault) }
    }

    fn shut(&self, why: &str) -> Closed {
        let tried = format!("signing in to the {} cluster", self.cluster);
        Closed { said: why.to_owned(), fault: Fault::prerequisite(Report::new(tried, why)) }
    }

    /// No way answers: what each of them said.
    fn none(&self, mut closed: Vec<(&Candidate, Way, Closed)>) -> Fault {
        let table = format!("[{}.access]", self.cluster);
        if closed.len() == 1
            && let Some((_, _, only)) = closed.pop()
        {
            return only.fault;
        }
        let said: Vec<String> = closed
            .iter()
            .map(|(candidate, way, closed)| match candidate {
                Candidate::Open(route) => format!("{way} ({}): {}", route.place(), closed.said),
                Candidate::Shut(..) => format!("{way}: {}", closed.said),
            })
            .collect();
        let tried = format!("finding a way into the {} cluster", self.cluster);
        let report = Report::new(tried, format!("none answers. {}", said.join("; ")))
            .meaning("its own address, its Kibana and InvokeEsRequest were tried, in this order")
            .help(format!(
                "Open one of them to this machine (allow list, credentials, permission), and name \
                 it under {table}: way = \"direct\", \"kibana\" or \"openapi\"."
            ));
        match worst(closed.into_iter().map(|(_, _, closed)| closed.fault)) {
            Some(class) => Fault::Refused { class, report },
            None => Fault::transient(report.code("Unreachable")),
        }
    }
}

/// The class where nothing is worth another try; none where something may pass by itself.
fn worst(faults: impl Iterator<Item = Fault>) -> Option<Class> {
    let mut class = Class::Prerequisite;
    for fault in faults {
        match fault {
            Fault::Transient { .. } | Fault::Busy(_) | Fault::Unknown(_) => return None,
            Fault::Blocked { class: Class::Permission, .. } => class = Class::Permission,
            Fault::Blocked { .. } | Fault::Refused { .. } | Fault::Bug(_) => {}
        }
    }
    Some(class)
}

/// Asks whether the cluster answers on this way; what it answers about rights is its own matter.
async fn probe(route: &Route, opaque_id: &str) -> Result<(), Closed> {
    let ask =
        Ask { method: &Method::GET, path: "/", query: PROBE, body: None, opaque_id, writes: false };
    let patience = match route {
        Route::Direct(_) | Route::Kibana(_) => PATIENCE,
        Route::Relay(_) => OPENAPI_PATIENCE,
    };
    let origin = crate::elastic::client::Origin::probe(route.place());
    match tokio::time::timeout(patience, route.exchange(ask)).await {
        Err(_) => {
            let said = format!("no answer within {} s", patience.as_secs());
            let report = origin.report(said.as_str()).code("Unreachable");
            Err(Closed { said, fault: Fault::transient(report) })
        }
        Ok(Err(broken)) => {
            let fault = crate::elastic::error::broken(&origin, broken);
            let report = fault.report();
            let code = report.code.as_ref().map(|code| format!(" ({code})"));
            Err(Closed { said: format!("{}{}", report.said, code.unwrap_or_default()), fault })
        }
        Ok(Ok((status, body))) => judge(route.way(), status, &body).map_err(|said| {
            let report = origin.report(said.as_str());
            let fault = if status >= 500 || status == 429 {
                Fault::transient(report)
            } else {
                Fault::prerequisite(report)
            };
            Closed { said, fault }
        }),
    }
}

/// Is it the cluster that answers, and to the whole question?
fn judge(way: Way, status: u16, body: &[u8]) -> Result<(), String> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let is = |name: &str| value.get(name).is_some();
    if (200..300).contains(&status) && is("cluster_uuid") {
        if way == Way::OpenApi && is("version") {
            return Err("InvokeEsRequest does not hand on what follows the `?`".to_owned());
        }
        return Ok(());
    }
    if status >= 400 && is("error") && is("status") {
        return Ok(());
    }
    Err(format!("HTTP status {status}, and not from Elasticsearch"))
}

#[cfg(test)]
mod tests {
    use super::judge;
    use crate::way::Way;

    #[test]
    fn the_cluster_is_known_by_its_answer() {
        let of = |status, body: &str| judge(Way::Direct, status, body.as_bytes());
        assert!(of(200, r#"{"cluster_uuid":"u"}"#).is_ok());
        // It answers; who may ask what is told by the call that asks it.
        assert!(of(401, r#"{"error":{"type":"security_exception"},"status":401}"#).is_ok());
        assert!(of(503, r#"{"error":{"type":"x"},"status":503}"#).is_ok());
        for (status, body) in [(200, "<html>"), (200, "{}"), (403, "denied"), (502, "")] {
            let why = of(status, body).unwrap_err();
            assert!(why.contains(&status.to_string()), "{why}");
        }
    }

    #[test]
    fn a_relay_that_loses_the_query_is_known() {
        let whole = br#"{"cluster_uuid":"u","version":{"number":"8.13.4"},"tagline":"x"}"#;
        assert!(judge(Way::Direct, 200, whole).is_ok());
        assert!(judge(Way::OpenApi, 200, whole).unwrap_err().contains('?'));
        assert!(judge(Way::OpenApi, 200, br#"{"cluster_uuid":"u"}"#).is_ok());
    }
}
