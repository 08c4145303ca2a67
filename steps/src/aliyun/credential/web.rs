//! Sources that are asked over HTTP without a signature: metadata, a URI, OIDC.

use super::held::Held;
use super::source::{Means, OidcRole, cannot};
use crate::aliyun::cloud::{Effect, Origin};
use crate::aliyun::endpoint::Product;
use crate::aliyun::error;
use crate::aliyun::sign::{percent_encode, rpc};
use crate::aliyun::transport::{Broken, Incoming, Outgoing, WallClock, Wire, authority};
use crate::limited;
use crate::secret::Secret;
use crate::tls::is_loopback;
use escrr_engine::{Fault, Report};
use reqwest::{Method, Url};
use serde_json::Value;
use std::collections::BTreeMap;

/// The vendor's address of an instance's metadata: link-local in effect, and plain HTTP by design.
const METADATA: &str = "http://100.100.100.200";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
/// How long a metadata token holds: the longest.
const TOKEN_SECONDS: &str = "21600";
/// A token longer than this is none.
const MOST_TOKEN: usize = 64 * 1024;

/// Refuses an address for the metadata that is not on this machine: a page of somebody
/// else's could hand out keys there, and would learn that it is asked.
pub(super) fn check_metadata(text: &str) -> Result<(), Fault> {
    let url = Url::parse(text).ok();
    if url.is_some_and(|url| is_loopback(&url) && url.path() == "/" && url.query().is_none()) {
        return Ok(());
    }
    Err(Fault::prerequisite(
        Report::new("use another address for the instance metadata", "it is not on loopback")
            .help("Leave it out, or give an address such as http://127.0.0.1:8080."),
    ))
}

/// The credentials of the instance's role.
pub(super) async fn instance(
    wire: &Wire,
    at: Option<&str>,
    role: Option<&str>,
    token_only: bool,
) -> Result<Held, Fault> {
    const TRIED: &str = "ask the instance metadata for the role's credentials";
    let metadata = Metadata { wire, base: at.unwrap_or(METADATA).trim_end_matches('/') };
    let token = match metadata.token().await {
        Ok(token) => Some(token),
        Err(fault) if token_only => return Err(fault),
        Err(_) => None,
    };
    let ask = |path: String| {
        let (metadata, token) = (&metadata, token.as_ref());
        async move {
            match metadata.get(&path, token).await {
                // As the vendor's library does: an old service may not know the header.
                Err(_) if token.is_some() && !token_only => metadata.get(&path, None).await,
                answer => answer,
            }
        }
    };
    let role = match role {
        Some(role) => role.to_owned(),
        None => first_line(&ask(ROLES.to_owned()).await?)
            .ok_or_else(|| cannot(TRIED, "the instance has no role"))?,
    };
    let body = ask(format!("{ROLES}{}", percent_encode(&role))).await?;
    read(&body).map_err(|why| cannot(TRIED, why))
}

struct Metadata<'a> {
    wire: &'a Wire,
    base: &'a str,
}

impl Metadata<'_> {
    async fn token(&self) -> Result<Secret, Fault> {
        let headers = vec![("x-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_SECONDS.to_owned())];
        let body = self.exchange(Method::PUT, "/latest/api/token", headers).await?;
        let token = first_line(&body).filter(|token| token.len() <= MOST_TOKEN);
        token.map(Secret::new).ok_or_else(|| cannot("get a metadata token", "it is empty"))
    }

    async fn get(&self, path: &str, token: Option<&Secret>) -> Result<Vec<u8>, Fault> {
        let header = |token: &Secret| ("x-aliyun-ecs-metadata-token", token.reveal().to_owned());
        self.exchange(Method::GET, path, token.map(header).into_iter().collect()).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(&'static str, String)>,
    ) -> Result<Vec<u8>, Fault> {
        let tried = format!("{method} {path} of the instance metadata");
        let url = Url::parse(&format!("{}{path}", self.base))
            .map_err(|error| cannot(&tried, error.to_string()))?;
        let outgoing = Outgoing { method, url, headers, body: Vec::new() };
        good(&tried, self.wire.exchange(outgoing).await)
    }
}

/// The body of a good answer.
fn good(tried: &str, answer: Result<Incoming, Broken>) -> Result<Vec<u8>, Fault> {
    match answer {
        Ok(incoming) if (200..300).contains(&incoming.status) => Ok(incoming.body),
        Ok(incoming) => {
            let said = format!("the answer has HTTP status {}", incoming.status);
            // Whoever is overloaded may recover; whoever refuses does not.
            if incoming.status == 429 || incoming.status >= 500 {
                return Err(Fault::transient(Report::new(tried, said)));
            }
            Err(cannot(tried, said))
        }
        Err(Broken::Unreachable { host, why }) => {
            Err(Fault::transient(Report::new(tried, format!("`{host}` cannot be reached: {why}"))))
        }
        Err(Broken::Distrusted { host, why }) => {
            Err(cannot(tried, format!("the certificate of {host} is not trusted: {why}")))
        }
        Err(Broken::Lost { why }) => {
            Err(Fault::transient(Report::new(tried, format!("the answer was lost: {why}"))))
        }
        Err(Broken::TooLarge) => Err(cannot(tried, "the answer is too large")),
        Err(Broken::Misbuilt { why }) => Err(cannot(tried, why)),
    }
}

fn first_line(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// The answer of the metadata and of a credentials URI: `Code` is `Success`, then the members.
fn read(body: &[u8]) -> Result<Held, String> {
    let value: Value =
        serde_json::from_slice(body).map_err(|_| "the answer is no JSON".to_owned())?;
    let code = value.get("Code").and_then(Value::as_str);
    if code.is_some_and(|code| code != "Success") {
        return Err("the answer's Code is not Success".to_owned());
    }
    Held::from_answer(&value)
}

/// The credentials that an address answers with; plain HTTP where nothing else is said.
pub(super) async fn uri(wire: &Wire, uri: &str) -> Result<Held, Fault> {
    const TRIED: &str = "ask the credentials URI";
    let full = if uri.contains("://") { uri.to_owned() } else { format!("http://{uri}") };
    // The error of a URL repeats none of it, and neither do we: it may hold a key.
    let url = Url::parse(&full).map_err(|error| cannot(TRIED, error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(cannot(TRIED, "it is neither http nor https"));
    }
    let tried = format!("{TRIED} at `{}`", authority(&url));
    let headers = vec![("accept", "application/json".to_owned())];
    let outgoing = Outgoing { method: Method::GET, url, headers, body: Vec::new() };
    let body = good(&tried, wire.exchange(outgoing).await)?;
    read(&body).map_err(|why| cannot(&tried, why))
}

/// `AssumeRoleWithOIDC`: anonymous, the token in the form so that no log of addresses has it.
pub(super) async fn oidc(wire: &Wire, role: &OidcRole, means: &Means) -> Result<Held, Fault> {
    let token = limited::read_text(&role.token_file, MOST_TOKEN).map_err(|error| {
        cannot("read the OIDC token", format!("{}: {error}", role.token_file.display()))
    })?;
    let token = Secret::new(token.trim());
    let redactor = &means.manner.redactor;
    redactor.learn(&token);
    let session = &role.session;
    let region = session.sts.region.clone().unwrap_or_default();
    let network = means.manner.network;
    let root = session.sts.endpoints(&means.endpoints).root(Product::Sts, network, &region)?;
    let now = WallClock::default().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let seconds = session.seconds.map(|seconds| seconds.to_string());
    let form = [
        ("Action", Some("AssumeRoleWithOIDC")),
        ("Version", Some(Product::Sts.version())),
        ("Format", Some("JSON")),
        ("Timestamp", Some(now.as_str())),
        ("RoleArn", Some(&session.role_arn)),
        ("OIDCProviderArn", Some(&role.provider_arn)),
        ("OIDCToken", Some(token.reveal())),
        ("RoleSessionName", Some(&session.session_name)),
        ("DurationSeconds", seconds.as_deref()),
        ("Policy", session.policy.as_deref()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())))
    .collect::<BTreeMap<String, String>>();
    let origin = Origin {
        product: Product::Sts,
        action: "AssumeRoleWithOIDC",
        region,
        effect: Effect::Read,
        request_id: None,
    };
    let outgoing = Outgoing {
        method: Method::POST,
        url: root,
        headers: vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: rpc::form(&form).into_bytes(),
    };
    let incoming = wire.exchange(outgoing).await.map_err(|b| error::broken(&origin, b))?;
    // A refusal may repeat the token that it refuses.
    let answer = error::judge(&origin, &incoming).map_err(|fault| redactor.fault(fault))?;
    let credentials = answer.value.get("Credentials").unwrap_or(&Value::Null);
    Held::from_answer(credentials).map_err(|why| answer.origin.unreadable(&why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_can_be_moved_to_loopback_only() {
        for good in ["http://127.0.0.1:1", "http://localhost:1/", "http://[::1]:1"] {
            assert!(check_metadata(good).is_ok(), "{good}");
        }
        for bad in [
            "http://100.100.100.200",
            "http://169.254.169.254",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:1/x",
            "http://127.0.0.1@example.com",
            "127.0.0.1",
            "",
        ] {
            assert!(check_metadata(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_source_over_metadata_elsewhere_is_refused_before_anything_is_asked() {
        use crate::aliyun::credential::{Provider, Source};
        let provider = |metadata: &str, source: Source| {
            let clock = std::sync::Arc::new(escrr_engine::SystemClock);
            let endpoints = crate::aliyun::Endpoints::default();
            let (manner, metadata) = (crate::aliyun::Manner::default(), Some(metadata.to_owned()));
            Provider::new(source, Means { endpoints, manner, metadata, clock })
        };
        let instance = || Source::Instance { role: None, token_only: true };
        for bad in ["", "http://169.254.169.254"] {
            assert!(provider(bad, instance()).is_err(), "{bad}");
        }
        assert!(provider("http://127.0.0.1:9", instance()).is_ok());
    }

    #[test]
    fn an_answer_that_is_no_success_shows_none_of_its_text() {
        for body in ["canary", "{\"Code\":\"canary\"}", "{\"Code\":\"Success\"}"] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_address_with_a_key_is_not_repeated() {
        for uri in
            ["http://user:canary@127.0.0.1:9/canary?k=canary", "ftp://canary", "http://:canary"]
        {
            let fault = super::uri(&Wire::default(), uri).await.unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("canary"), "{fault:?}");
        }
    }
}
