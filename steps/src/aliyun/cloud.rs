//! The account's client: credentials, handles, and sending one call.

use super::cbn::Cbn;
use super::credential::Provider;
use super::ecs::Ecs;
use super::elasticsearch::Elasticsearch;
use super::endpoint::{Endpoints, Product};
use super::error;
use super::manner::Manner;
use super::nlb::Nlb;
use super::privatelink::PrivateLink;
use super::sign::encode::Moment;
use super::sign::{Signature, percent_encode};
use super::signer::Signer;
use super::sts::Sts;
use super::transport::{Incoming, WallClock, Wire};
use super::vpc::Vpc;
use crate::redact::Redactor;
use crate::secret::Secret;
use escrr_engine::{Fault, Report};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::{NoContext, Uuid};

/// What proves who is calling.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The public half; it appears in requests and may be shown.
    pub access_key_id: String,
    /// The secret half; it signs and never travels.
    pub access_key_secret: Secret,
    /// Present with temporary credentials.
    pub security_token: Option<Secret>,
}

impl Credentials {
    /// Lets a redactor know the secret half and the token.
    pub(super) fn teach(&self, redactor: &Redactor) {
        redactor.learn(&self.access_key_secret);
        if let Some(token) = &self.security_token {
            redactor.learn(token);
        }
    }
}

/// What a [`Cloud`] is made from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who is calling.
    pub credentials: Credentials,
    /// Addresses that win over the vendor's.
    pub endpoints: Endpoints,
}

/// One account's client; a clone is cheap and shares connections and clock.
#[derive(Clone, Debug)]
pub struct Cloud {
    shared: Arc<Shared>,
    dry_run: bool,
}

#[derive(Debug)]
struct Shared {
    credentials: Provider,
    endpoints: Endpoints,
    manner: Manner,
    wire: Wire,
    clock: WallClock,
}

impl Cloud {
    /// Makes a client; nothing is sent yet.
    ///
    /// An endpoint that cannot be used, or that asks for plain HTTP beyond loopback, is
    /// refused as a prerequisite.
    pub fn new(config: Config) -> Result<Self, Fault> {
        Self::with(config, Manner::default())
    }

    /// Makes a client that calls in a manner of its own; otherwise as [`Cloud::new`].
    ///
    /// A CA file that cannot be used is refused as a prerequisite.
    pub fn with(config: Config, manner: Manner) -> Result<Self, Fault> {
        Self::renewing(Provider::fixed(config.credentials), config.endpoints, manner)
    }

    /// Makes a client whose credentials are asked for at every attempt.
    ///
    /// # Errors
    /// As [`Cloud::with`].
    pub fn renewing(
        credentials: Provider,
        endpoints: Endpoints,
        manner: Manner,
    ) -> Result<Self, Fault> {
        endpoints.check()?;
        let (wire, clock) = (Wire::trusting(manner.certificates()?), WallClock::default());
        let shared = Arc::new(Shared { credentials, endpoints, manner, wire, clock });
        Ok(Self { shared, dry_run: false })
    }

    /// Gives a client whose writes are only checked by the other side, never carried out.
    ///
    /// Such a write always ends in a fault; [`dry_run_passed`](super::dry_run_passed) tells a
    /// passed check from a refusal. An action that cannot be rehearsed is not sent at all.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), dry_run: true }
    }

    /// Cloud Enterprise Network and transit routers.
    pub fn cbn<'a>(&'a self, region: &'a str) -> Cbn<'a> {
        Cbn(self.caller(Product::Cbn, region))
    }

    /// Virtual private clouds.
    pub fn vpc<'a>(&'a self, region: &'a str) -> Vpc<'a> {
        Vpc(self.caller(Product::Vpc, region))
    }

    /// Elastic Compute Service, for its Cloud Assistant.
    pub fn ecs<'a>(&'a self, region: &'a str) -> Ecs<'a> {
        Ecs(self.caller(Product::Ecs, region))
    }

    /// Network Load Balancer.
    pub fn nlb<'a>(&'a self, region: &'a str) -> Nlb<'a> {
        Nlb(self.caller(Product::Nlb, region))
    }

    /// PrivateLink endpoint services.
    pub fn privatelink<'a>(&'a self, region: &'a str) -> PrivateLink<'a> {
        PrivateLink(self.caller(Product::PrivateLink, region))
    }

    /// The control plane of Elasticsearch.
    pub fn elasticsearch<'a>(&'a self, region: &'a str) -> Elasticsearch<'a> {
        Elasticsearch(self.caller(Product::Elasticsearch, region))
    }

    /// Security Token Service.
    pub fn sts<'a>(&'a self, region: &'a str) -> Sts<'a> {
        Sts(self.caller(Product::Sts, region))
    }

    /// What no report may say; shared with whoever makes more clients for the same command.
    pub fn redactor(&self) -> &Redactor {
        &self.shared.manner.redactor
    }

    pub(super) fn caller<'a>(&'a self, product: Product, region: &'a str) -> Caller<'a> {
        Caller { cloud: self, product, region }
    }

    /// Whether writes are only rehearsed.
    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Sends one call; one that only looks is repeated as the manner says.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Fault> {
        match (&self.shared.manner.again, call.origin.effect) {
            (Some(again), Effect::Read) => again.read(|| self.send_once(call)).await,
            (Some(_) | None, _) => self.send_once(call).await,
        }
    }

    /// Sends one call, and once more if only our clock was wrong or the credentials had run out.
    pub(super) async fn send_once(&self, call: &Call) -> Result<Answer, Fault> {
        let credentials = self.shared.credentials.credentials().await?;
        let (outcome, date) = self.attempt(call, &credentials).await;
        let Err(fault) = &outcome else { return outcome };
        if error::clock_is_off(fault) && date.is_some_and(|date| self.shared.clock.learn(&date)) {
            return self.attempt(call, &credentials).await.0;
        }
        if error::has_run_out(fault, &credentials)
            && let Some(renewed) = self.shared.credentials.instead_of(&credentials).await?
        {
            // The gateway refused before anything was done.
            return self.attempt(call, &renewed).await.0;
        }
        outcome
    }

    async fn attempt(
        &self,
        call: &Call,
        credentials: &Credentials,
    ) -> (Result<Answer, Fault>, Option<String>) {
        let redactor = self.redactor();
        credentials.teach(redactor);
        let (outcome, date) = match self.exchange(call, credentials).await {
            Ok(incoming) => {
                let date = incoming.header("date").map(str::to_owned);
                (error::judge(&call.origin, &incoming), date)
            }
            Err(fault) => (Err(fault), None),
        };
        let outcome = match outcome {
            Ok(answer) => Ok(answer.discreet(redactor)),
            Err(fault) => Err(redactor.fault(fault)),
        };
        note(call, &outcome);
        (outcome, date)
    }

    async fn exchange(&self, call: &Call, credentials: &Credentials) -> Result<Incoming, Fault> {
        let (origin, manner) = (&call.origin, &self.shared.manner);
        let root = self.shared.endpoints.root(origin.product, manner.network, &origin.region)?;
        if let Some(pace) = &manner.pace {
            pace.pass(origin.product).await;
        }
        // After the wait: a signature is good for minutes only.
        let moment = self.moment();
        let signer = Signer { origin, credentials, moment: &moment };
        let outgoing = match (manner.signature, &call.style) {
            (Signature::V1, Style::Rpc { params }) => signer.rpc(root, params.clone()),
            (Signature::V1, Style::Roa(rest)) => signer.roa(root, rest),
            (Signature::V3, Style::Rpc { params }) => signer.v3_rpc(root, params),
            (Signature::V3, Style::Roa(rest)) => signer.v3_roa(root, rest),
        };
        let exchanged = self.shared.wire.exchange(outgoing).await;
        exchanged.map_err(|broken| error::broken(&call.origin, broken))
    }

    /// Every attempt has a time and a nonce of its own.
    fn moment(&self) -> Moment {
        let time = self.shared.clock.now();
        let seconds = u64::try_from(time.as_second()).unwrap_or_default();
        let nanos = u32::try_from(time.subsec_nanosecond()).unwrap_or_default();
        let unique = Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos));
        Moment { time, nonce: unique.simple().to_string() }
    }
}

/// Leaves a call in the log: what changes something always, what only looks where more is wanted.
fn note(call: &Call, outcome: &Result<Answer, Fault>) {
    let request_id = match outcome {
        Ok(answer) => answer.origin.request_id.as_deref(),
        Err(fault) => fault.report().request_id.as_deref(),
    };
    let request_id = request_id.unwrap_or("-");
    let outcome = outcome.as_ref().err().map_or_else(|| "ok".to_owned(), brief);
    let Origin { product, action, region, effect, .. } = &call.origin;
    let product = product.name();
    if *effect == Effect::Write {
        tracing::info!(product, action, region, request_id, outcome, "changed by the OpenAPI");
    } else {
        tracing::debug!(product, action, region, request_id, outcome, "called the OpenAPI");
    }
}

/// The fault in a word or two, without anything that a server said.
fn brief(fault: &Fault) -> String {
    let kind = match fault {
        Fault::Transient { .. } => "transient",
        Fault::Busy(_) => "busy",
        Fault::Unknown(_) => "unknown",
        Fault::Refused { .. } => "refused",
        Fault::Blocked { .. } => "blocked",
        Fault::Bug(_) => "bug",
    };
    match &fault.report().code {
        Some(code) => format!("{kind} ({code})"),
        None => kind.to_owned(),
    }
}

/// Whether a call can change anything: it decides what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It only looks.
    Read,
    /// It may have happened although nobody said so.
    Write,
}

/// Which call an answer or a fault belongs to.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) product: Product,
    pub(super) action: &'static str,
    pub(super) region: String,
    pub(super) effect: Effect,
    /// The vendor's id, once there is an answer.
    pub(super) request_id: Option<String>,
}

impl Origin {
    /// Starts a report about this call.
    pub(super) fn report(&self, said: impl Into<String>) -> Report {
        let tried = format!("{} ({}, {})", self.action, self.product, self.region);
        Report::new(tried, said).request_id(self.request_id.clone())
    }

    /// An answer that cannot be what it should be.
    ///
    /// A change may have been made all the same: a look tells.
    pub(super) fn unreadable(&self, why: &str) -> Fault {
        let report = self.report(format!("the answer cannot be read: {why}"));
        crate::again::odd(report, self.effect == Effect::Write)
    }

    #[cfg(test)]
    pub(super) fn sample() -> Self {
        Self {
            product: Product::Cbn,
            action: "DescribeCens",
            region: "cn-shanghai".to_owned(),
            effect: Effect::Read,
            request_id: Some("r-1".to_owned()),
        }
    }
}

/// One call before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) origin: Origin,
    pub(super) style: Style,
}

/// How a product wants to be asked.
#[derive(Clone, Debug)]
pub(super) enum Style {
    /// One form, `Action` and `Version` inside.
    Rpc { params: BTreeMap<String, String> },
    /// A REST request.
    Roa(Rest),
}

/// The REST part of a ROA call.
#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub(super) method: Method,
    /// Already encoded.
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
}

impl Rest {
    /// A request below one Elasticsearch instance.
    pub(super) fn instance(method: Method, instance_id: &str, below: &str) -> Self {
        let path = format!("/openapi/instances/{}{below}", percent_encode(instance_id));
        Self { method, path, query: BTreeMap::new(), body: None }
    }

    /// Adds a query parameter; an empty value is left out, since schemes sign it differently.
    #[must_use]
    pub(super) fn query(mut self, key: &str, value: &(impl ToString + ?Sized)) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.query.insert(key.to_owned(), value);
        }
        self
    }

    /// Adds a JSON body.
    #[must_use]
    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A readable success.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Answer {
    /// The request id goes into every report about the answer.
    fn discreet(mut self, redactor: &Redactor) -> Self {
        self.origin.request_id = self.origin.request_id.map(|id| redactor.text(&id));
        self
    }
}

/// One product in one region, asked on behalf of one account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) product: Product,
    pub(super) region: &'a str,
}
