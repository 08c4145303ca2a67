//! One HTTP exchange: limits, timeouts, and the only look at the wall clock.

use crate::tls::is_loopback;
use escrr_engine::{Fault, Report};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder, Method, Url};
use std::error::Error;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// Long enough for a far region, short enough to notice a dropped route.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Control-plane calls of Elasticsearch can take half a minute.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// No answer takes longer from the request to its last byte, however steadily it drips.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(180);
/// The limit of the vendor's library for an instance's metadata.
const NEAR_TIMEOUT: Duration = Duration::from_secs(1);
/// No answer of the calls that are made comes near to this; more is not from the API.
pub(super) const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// One request, ready to be sent. It has no `Debug`: headers and body hold signatures and tokens.
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Incoming {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why nothing usable came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// No connection came about: the request was certainly not seen.
    Unreachable { host: String, why: String },
    /// The certificate is not one that is trusted: nothing was sent.
    Distrusted { host: String, why: String },
    /// The connection broke or fell silent after the request may have left.
    Lost { why: String },
    /// The answer is larger than [`MAX_ANSWER_BYTES`].
    TooLarge,
    /// The request could not be built.
    Misbuilt { why: String },
}

/// The HTTP clients, made when first needed.
///
/// There are two because a proxy from the environment must not see loopback traffic, and
/// because trust roots are not needed, and may be missing, where only loopback is spoken to.
#[derive(Debug, Default)]
pub(super) struct Wire {
    /// Authorities that are trusted besides the usual ones.
    trusted: Vec<Certificate>,
    /// The longest that an answer may take; absent: the usual time.
    whole: Option<Duration>,
    outside: OnceLock<Result<Client, String>>,
    loopback: OnceLock<Result<Client, String>>,
}

impl Wire {
    /// A wire for what is next door, such as an instance's metadata: never by a proxy, and
    /// without patience, since on most machines nobody is there.
    pub(super) fn near() -> Self {
        let client = builder()
            .no_proxy()
            .tls_certs_only([])
            .connect_timeout(NEAR_TIMEOUT)
            .read_timeout(NEAR_TIMEOUT)
            .build()
            .map_err(|error| chain(&error));
        Self {
            whole: Some(10 * NEAR_TIMEOUT),
            outside: OnceLock::from(client.clone()),
            loopback: OnceLock::from(client),
            ..Self::default()
        }
    }

    /// Clients that trust these authorities besides the usual ones.
    pub(super) fn trusting(trusted: Vec<Certificate>) -> Self {
        Self { trusted, ..Self::default() }
    }

    /// Sends a request once and reads the whole answer.
    pub(super) async fn exchange(&self, outgoing: Outgoing) -> Result<Incoming, Broken> {
        let host = authority(&outgoing.url);
        let client = self.client(&outgoing.url)?;
        let headers = headers(&outgoing.headers)?;
        let sent = client
            .request(outgoing.method, outgoing.url)
            .headers(headers)
            .body(outgoing.body)
            .timeout(self.whole.unwrap_or(WHOLE_TIMEOUT))
            .send()
            .await;
        let mut response = sent.map_err(|error| broken(&error, &host))?;
        let mut incoming = Incoming {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Vec::new(),
        };
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if incoming.body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                    return Err(Broken::TooLarge);
                }
                Ok(Some(chunk)) => incoming.body.extend_from_slice(&chunk),
                Ok(None) => return Ok(incoming),
                Err(error) => return Err(Broken::Lost { why: chain(&error) }),
            }
        }
    }

    fn client(&self, url: &Url) -> Result<&Client, Broken> {
        let made = if is_loopback(url) {
            self.loopback.get_or_init(|| {
                let builder = builder().no_proxy();
                let builder = if url.scheme() == "http" {
                    builder.tls_certs_only([])
                } else {
                    builder.tls_certs_merge(self.trusted.clone())
                };
                builder.build().map_err(|error| chain(&error))
            })
        } else {
            self.outside.get_or_init(|| {
                let builder = builder().tls_certs_merge(self.trusted.clone());
                builder.build().map_err(|error| chain(&error))
            })
        };
        made.as_ref().map_err(|why| Broken::Misbuilt { why: why.clone() })
    }
}

fn builder() -> ClientBuilder {
    crate::install_tls();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("escrr/", env!("CARGO_PKG_VERSION")))
}

fn headers(pairs: &[(&'static str, String)]) -> Result<HeaderMap, Broken> {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        // The value may be a secret: it stays out of the message.
        let value = HeaderValue::from_str(value)
            .map_err(|_| Broken::Misbuilt { why: format!("the value of header `{name}`") })?;
        map.insert(HeaderName::from_static(name), value);
    }
    Ok(map)
}

fn broken(error: &reqwest::Error, host: &str) -> Broken {
    if crate::tls::distrusts(error) {
        Broken::Distrusted { host: host.to_owned(), why: chain(error) }
    } else if error.is_connect() {
        Broken::Unreachable { host: host.to_owned(), why: chain(error) }
    } else if error.is_builder() {
        Broken::Misbuilt { why: chain(error) }
    } else {
        Broken::Lost { why: chain(error) }
    }
}

/// Writes the innermost causes of an error; the outer ones repeat the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    if causes.is_empty() {
        return if error.is_timeout() { "timed out".to_owned() } else { "no details".to_owned() };
    }
    causes.join(": ")
}

/// The host and port of a URL, for messages.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Lets HTTPS pass, and plain HTTP to loopback: requests carry signatures and tokens.
pub(super) fn guard(url: &Url) -> Result<(), Fault> {
    if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)) {
        return Ok(());
    }
    let tried = format!("use the endpoint `{}`", authority(url));
    Err(Fault::prerequisite(
        Report::new(tried, format!("`{}` is not allowed for this host", url.scheme()))
            .code("PlainHttp")
            .meaning("requests are signed with your access key and must be encrypted on the way")
            .help("Use https, or a loopback address such as 127.0.0.1."),
    ))
}

/// The machine's time, corrected by what a server's clock taught.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    ahead_ms: AtomicI64,
}

impl WallClock {
    /// The server's time as far as it is known.
    pub(super) fn now(&self) -> Timestamp {
        let ahead = Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed).unsigned_abs());
        let machine = machine_time();
        let corrected = if self.ahead_ms.load(Ordering::Relaxed) < 0 {
            machine.checked_sub(ahead)
        } else {
            machine.checked_add(ahead)
        };
        corrected.unwrap_or(machine)
    }

    /// Learns from a `Date` header; says whether it could be read.
    pub(super) fn learn(&self, date: &str) -> bool {
        let Ok(server) = jiff::fmt::rfc2822::parse(date) else { return false };
        let server_ms = server.timestamp().as_millisecond();
        self.ahead_ms.store(server_ms - machine_time().as_millisecond(), Ordering::Relaxed);
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "a signature needs the true time, not a saga's")]
fn machine_time() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::{Broken, Outgoing, WallClock, Wire, guard, headers, machine_time};
    use crate::aliyun::sign::encode::Moment;
    use escrr_engine::{Class, Fault};
    use reqwest::{Method, Url};
    use std::time::Duration;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn an_answer_that_drips_on_and_on_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
            stream.write_all(head).await.unwrap();
            // The limit for silence is far away.
            std::future::pending::<()>().await;
        });
        let wire = Wire { whole: Some(Duration::from_millis(50)), ..Wire::default() };
        let outgoing = Outgoing { method: Method::GET, url, headers: Vec::new(), body: Vec::new() };
        let broken = wire.exchange(outgoing).await.unwrap_err();
        assert!(matches!(&broken, Broken::Lost { .. }), "{broken:?}");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let judge = |text: &str| guard(&Url::parse(text).unwrap());
        for fine in
            ["https://cbn.aliyuncs.com", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost"]
        {
            assert!(judge(fine).is_ok(), "{fine}");
        }
        for bad in ["http://cbn.aliyuncs.com", "http://10.0.0.1", "http://127.0.0.1.example.com"] {
            let Err(Fault::Refused { class: Class::Prerequisite, report }) = judge(bad) else {
                panic!("{bad}")
            };
            assert_eq!(report.code.as_deref(), Some("PlainHttp"));
        }
    }

    #[test]
    fn the_clock_learns_in_both_directions() {
        let clock = WallClock::default();
        for hours in [5, -5] {
            let server = machine_time() + jiff::SignedDuration::from_hours(hours);
            let date = Moment { time: server, nonce: String::new() };
            assert!(clock.learn(&date.http_date()));
            let off = clock.now().duration_since(server).as_secs();
            assert!((-2..=2).contains(&off), "{off}");
        }
        assert!(!clock.learn("yesterday"));
    }

    #[test]
    fn a_header_that_cannot_be_sent_does_not_show_its_value() {
        let broken = headers(&[("x-acs-security-token", "se\ncret".to_owned())]).unwrap_err();
        assert!(!format!("{broken:?}").contains("cret\""), "{broken:?}");
    }
}
