//! One HTTP exchange with a cluster or its Kibana.

use super::Broken;
use escrr_engine::{Fault, Report};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use std::error::Error;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

/// Long enough for a far region, short enough to notice a closed allow list.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Settings of an unreachable remote cluster take 10 s to apply; some unfollows never answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Shard statistics of thousands of indices stay below this.
pub(in crate::elastic) const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// An address, and the HTTP client for it.
#[derive(Clone, Debug)]
pub(super) struct Http {
    pub(super) client: Client,
    pub(super) base: Url,
    /// Host and port.
    pub(super) place: String,
}

/// One whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// Prepares the way to an address; nothing is sent yet.
    pub(super) fn new(base_url: &str, ca_file: Option<&Path>) -> Result<Self, Fault> {
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
        crate::install_tls();
        let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("escrr/", env!("CARGO_PKG_VERSION")))
            .default_headers(accept);
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

    /// The address with a path below its own, and a query; both encoded.
    pub(super) fn url(&self, path: &str, query: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        url
    }
}

/// Sends a request once and reads the whole answer.
pub(super) async fn fetch(request: RequestBuilder) -> Result<Answer, Broken> {
    let response = request.send().await.map_err(|error| broken(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, body: whole(response).await? })
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                return Err(Broken::TooLarge);
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Broken::Lost(chain(&error))),
        }
    }
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
    if crate::tls::distrusts(error) {
        Broken::Distrusted(chain(error))
    } else if error.is_connect() {
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
