//! One HTTP exchange with a cluster or its Kibana.

use super::Broken;
use crate::limited;
use crate::tls::is_loopback;
use escrr_engine::{Fault, Report};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, RequestBuilder, Response, Url};
use std::error::Error;
use std::path::Path;
use std::time::Duration;

/// Long enough for a far region, short enough to notice a closed allow list.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Settings of an unreachable remote cluster take 10 s to apply; some unfollows never answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// No answer takes longer from the request to its last byte, however steadily it drips.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(300);
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
    fetch_within(request, WHOLE_TIMEOUT).await
}

async fn fetch_within(request: RequestBuilder, limit: Duration) -> Result<Answer, Broken> {
    let request = request.timeout(limit);
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
    let pem = limited::read(file, crate::tls::MOST_PEM_BYTES)
        .map_err(|error| unusable(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(chain(&error)))?;
    if found.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(found)
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

#[cfg(test)]
mod tests {
    use super::{Broken, Http, fetch_within};
    use std::time::Duration;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn an_answer_that_drips_on_and_on_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = Http::new(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
            stream.write_all(head).await.unwrap();
            // The limit for silence is far away.
            std::future::pending::<()>().await;
        });
        let request = http.client.get(http.url("/", ""));
        let broken = fetch_within(request, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(&broken, Broken::Lost(_)), "{broken:?}");
    }
}
