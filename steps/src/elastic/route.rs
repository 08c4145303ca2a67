//! The way in to a cluster.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use escrr_engine::{Fault, Report};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Method, Url};
use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// Long enough for a far region, short enough to notice a closed allow list.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Settings of an unreachable remote cluster take 10 s to apply; some unfollows never answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Shard statistics of thousands of indices stay below this.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// How requests get to the cluster.
#[derive(Clone, Debug)]
pub(super) enum Route {
    /// By the cluster's own HTTP address.
    Direct(Direct),
}

impl Route {
    /// Sends one request and reads the whole answer.
    pub(super) async fn exchange(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Broken> {
        match self {
            Self::Direct(direct) => direct.exchange(ask).await,
        }
    }

    /// Where requests go, for messages.
    pub(super) fn place(&self) -> &str {
        match self {
            Self::Direct(direct) => &direct.place,
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
}

/// Why nothing usable came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// No connection came about: the request was certainly not seen.
    Unreachable(String),
    /// The connection broke or fell silent after the request may have left.
    Lost(String),
    /// The answer is larger than [`MAX_ANSWER_BYTES`].
    TooLarge,
    /// The request could not be built.
    Misbuilt(String),
}

/// The cluster's own HTTP address.
#[derive(Clone, Debug)]
pub(super) struct Direct {
    client: Client,
    base: Url,
    place: String,
}

impl Direct {
    /// Prepares the way; nothing is sent yet.
    pub(super) fn new(
        base_url: &str,
        (user, password): (&str, &Secret),
        ca_file: Option<&Path>,
    ) -> Result<Self, Fault> {
        let tried = format!("use the cluster address `{base_url}`");
        let unusable = |said: String| Fault::prerequisite(Report::new(tried.clone(), said));
        let base = Url::parse(base_url.trim_end_matches('/'))
            .map_err(|error| unusable(error.to_string()))?;
        if !["http", "https"].contains(&base.scheme()) || base.host_str().is_none() {
            return Err(unusable("it is neither an http nor an https URL".to_owned()));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(unusable("user and password belong into the settings".to_owned()));
        }
        let place = base.port().map_or_else(
            || base.host_str().unwrap_or_default().to_owned(),
            |port| format!("{}:{port}", base.host_str().unwrap_or_default()),
        );
        let headers = headers(user, password).map_err(unusable)?;
        crate::install_tls();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("escrr/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        builder = match ca_file {
            Some(file) => builder.tls_certs_merge(certificates(file)?),
            // Trust roots may be missing on this machine, and plain HTTP needs none.
            None if base.scheme() == "http" => builder.tls_certs_only([]),
            None => builder,
        };
        let client = builder.build().map_err(|error| unusable(chain(&error)))?;
        Ok(Self { client, base, place })
    }

    async fn exchange(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Broken> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path().trim_end_matches('/'), ask.path));
        url.set_query(Some(ask.query).filter(|query| !query.is_empty()));
        let request = self.client.request(ask.method.clone(), url);
        let mut request = request.header("x-opaque-id", ask.opaque_id);
        if let Some(body) = ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let mut response = request.send().await.map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                    return Err(Broken::TooLarge);
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok((status, body)),
                Err(error) => return Err(Broken::Lost(chain(&error))),
            }
        }
    }
}

fn headers(user: &str, password: &Secret) -> Result<HeaderMap, String> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal())));
    let mut basic =
        HeaderValue::from_str(&basic).map_err(|_| "the password cannot stand in an HTTP header")?;
    basic.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, basic);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    Ok(headers)
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Fault> {
    let unusable = |said: String| {
        let tried = format!("read the CA file `{}`", file.display());
        Fault::prerequisite(Report::new(tried, said).help("Name a file of PEM certificates."))
    };
    let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(chain(&error)))?;
    if found.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(found)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn broken(error: &reqwest::Error) -> Broken {
    if error.is_connect() {
        Broken::Unreachable(chain(error))
    } else if error.is_builder() {
        Broken::Misbuilt(chain(error))
    } else {
        Broken::Lost(chain(error))
    }
}

/// Writes the causes of an error; the outermost text repeats the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    match (causes.is_empty(), error.is_timeout()) {
        (true, true) => "timed out".to_owned(),
        (true, false) => "no details".to_owned(),
        (false, _) => causes.join(": "),
    }
}
