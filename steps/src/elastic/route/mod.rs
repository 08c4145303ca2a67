//! The ways into a cluster, one file each, and the choice between them.
//!
//! | file | what |
//! |---|---|
//! | `http` | one HTTP exchange: limits, timeouts, certificates |
//! | `direct` | the cluster's own address |
//! | `kibana` | the console proxy of the cluster's Kibana |
//! | `relay` | somebody else's call that carries a request: the OpenAPI's `InvokeEsRequest` |
//! | `ways` | which of them is used, found out once |
//!
//! Whatever the way, a request comes to the same status and body, or to the same [`Broken`].

mod direct;
mod http;
mod kibana;
mod relay;
mod ways;

pub(super) use direct::Direct;
pub(super) use http::MAX_ANSWER_BYTES;
pub(super) use kibana::Kibana;
pub(super) use relay::Relayed;
pub use relay::{Carried, Relay};
pub(super) use ways::{Candidate, Ways};

use crate::way::Way;
use escrr_engine::Fault;
use reqwest::Method;

/// One way that can be tried.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// By the cluster's own HTTP address.
    Direct(Direct),
    /// By the console proxy of its Kibana.
    Kibana(Kibana),
    /// By a call that carries the request.
    Relay(Relayed),
}

impl Route {
    /// Sends one request and reads the whole answer.
    pub(super) async fn exchange(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Broken> {
        match self {
            Self::Direct(direct) => direct.exchange(ask).await,
            Self::Kibana(kibana) => kibana.exchange(ask).await,
            Self::Relay(relay) => relay.exchange(ask).await,
        }
    }

    /// Which way it is.
    pub(super) fn way(&self) -> Way {
        match self {
            Self::Direct(_) => Way::Direct,
            Self::Kibana(_) => Way::Kibana,
            Self::Relay(_) => Way::OpenApi,
        }
    }

    /// Where requests go, for messages.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::Direct(direct) => direct.place(),
            Self::Kibana(kibana) => kibana.place(),
            Self::Relay(relay) => relay.place(),
        }
    }
}

/// One request to the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a Method,
    /// Encoded, with its leading slash.
    pub(super) path: &'a str,
    /// Encoded, without the question mark; may be empty.
    pub(super) query: &'a str,
    pub(super) body: Option<&'a str>,
    /// Visible ASCII.
    pub(super) opaque_id: &'a str,
    /// Whether it can change anything.
    pub(super) writes: bool,
}

impl Ask<'_> {
    /// Path and query as they stand in a request line.
    fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// Why no answer of the cluster came back.
#[derive(Debug)]
pub(super) enum Broken {
    /// No connection came about: the request was certainly not seen.
    Unreachable(String),
    /// The certificate is not one that is trusted: nothing was sent.
    Distrusted(String),
    /// The connection broke or fell silent after the request may have left.
    Lost(String),
    /// The answer is larger than [`MAX_ANSWER_BYTES`].
    TooLarge,
    /// The request could not be built.
    Misbuilt(String),
    /// Kibana, or what stands before it, answered by itself instead of the cluster.
    Turned {
        /// The HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// The call that was to carry the request failed.
    Carrier(Fault),
}
