//! The console proxy of the cluster's Kibana.
//!
//! Every request is a `POST /api/console/proxy?path=…&method=…`. The cluster's status and body
//! come back as they are; what Kibana itself refuses has another shape
//! (`statusCode`, `error`, `message`) and is told apart by it.

use super::http::{Answer, Http, fetch};
use super::{Ask, Broken};
use crate::elastic::client::{Entrance, encode};
use crate::elastic::login::Login;
use crate::redact::Redactor;
use crate::secret::Secret;
use escrr_engine::{Fault, Report};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// Kibana refuses a `POST` without it, whatever its value.
const XSRF: &str = "kbn-xsrf";
/// Release 9 keeps the console for callers that name themselves so; older ones do not mind.
const INTERNAL_ORIGIN: &str = "x-elastic-internal-origin";
/// What is repeated of an answer that is a page for people.
const MOST_SAID: usize = 200;

/// The console proxy of a Kibana.
#[derive(Clone, Debug)]
pub(in crate::elastic) struct Kibana {
    http: Http,
    login: Login,
    authorization: HeaderValue,
    /// Cookies of a session, where Kibana takes no `Authorization`.
    session: Arc<Mutex<Option<Secret>>>,
    redactor: Redactor,
}

impl Kibana {
    /// Prepares the way; nothing is sent yet.
    pub(in crate::elastic) fn new(entrance: &Entrance, redactor: Redactor) -> Result<Self, Fault> {
        let http = Http::new(&entrance.url, entrance.ca_file.as_deref())?;
        let authorization = entrance.login.header().map_err(|said| {
            Fault::prerequisite(Report::new(format!("sign in at `{}`", http.place), said))
        })?;
        let login = entrance.login.clone();
        Ok(Self { http, login, authorization, session: Arc::default(), redactor })
    }

    pub(super) fn place(&self) -> &str {
        &self.http.place
    }

    pub(super) async fn exchange(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Broken> {
        let answer = self.send(ask).await?;
        // Kibana looks at credentials first: what it refused for them has reached no cluster.
        if is_stranger(&answer) && self.sign_in().await? {
            return read(ask.method, self.send(ask).await?);
        }
        read(ask.method, answer)
    }

    async fn send(&self, ask: Ask<'_>) -> Result<Answer, Broken> {
        let query = format!("path={}&method={}", encode(&ask.target()), ask.method);
        let request = self.post("/api/console/proxy", &query).header("x-opaque-id", ask.opaque_id);
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = match session {
            Some(cookies) => request.header(COOKIE, sensitive(cookies.reveal())?),
            None => request.header(AUTHORIZATION, self.authorization.clone()),
        };
        fetch(match ask.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_owned()),
            None => request,
        })
        .await
    }

    fn post(&self, path: &str, query: &str) -> RequestBuilder {
        let request = self.http.client.post(self.http.url(path, query));
        request.header(XSRF, "escrr").header(INTERNAL_ORIGIN, "kibana")
    }

    /// Begins a session, for a Kibana that takes no `Authorization`; an API key cannot.
    ///
    /// Says whether there is one now.
    async fn sign_in(&self) -> Result<bool, Broken> {
        let Login::Basic { username, password } = &self.login else { return Ok(false) };
        let body = json!({
            "providerType": "basic",
            "providerName": "basic",
            "currentURL": self.http.url("/login", "").as_str(),
            "params": {"username": username, "password": password.reveal()},
        });
        let request = self.post("/internal/security/login", "");
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        let answer = fetch(request).await?;
        let cookies = cookies(&answer.headers);
        for value in cookies.split("; ").filter_map(|pair| pair.split_once('=')).map(|pair| pair.1)
        {
            self.redactor.learn(&Secret::new(value));
        }
        let begun = (200..300).contains(&answer.status) && !cookies.is_empty();
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *session = begun.then(|| Secret::new(cookies));
        Ok(begun)
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, Broken> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Broken::Misbuilt("Kibana's cookie cannot be sent back".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The names and values of the cookies that an answer sets.
fn cookies(headers: &HeaderMap) -> String {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = set.filter_map(|text| text.split(';').next()).map(str::trim);
    pairs.filter(|pair| !pair.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Does Kibana want to know who is asking? It answers 401, or shows its page for signing in.
fn is_stranger(answer: &Answer) -> bool {
    let own = || {
        let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
        value.is_none_or(|value| is_kibanas(&value))
    };
    answer.status == 302 || (answer.status == 401 && own())
}

fn is_kibanas(value: &Value) -> bool {
    value.get("statusCode").is_some_and(Value::is_u64)
}

/// Tells the cluster's answer from Kibana's own.
fn read(method: &Method, answer: Answer) -> Result<(u16, Vec<u8>), Broken> {
    let Answer { status, body, .. } = answer;
    let text = String::from_utf8_lossy(&body);
    // A cluster answers `HEAD` without a body, and Kibana then writes one: `404 - Not Found`.
    if *method == Method::HEAD && text.starts_with(&format!("{status} - ")) {
        return Ok((status, Vec::new()));
    }
    if (200..300).contains(&status) {
        return Ok((status, body));
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if is_kibanas(&value) => {
            let field = |name: &str| value.get(name).and_then(Value::as_str);
            let said = field("message").or_else(|| field("error")).unwrap_or_default();
            Err(Broken::Turned { status, said: said.to_owned() })
        }
        Ok(value) if value.is_object() => Ok((status, body)),
        Ok(_) | Err(_) => Err(Broken::Turned { status, said: short(&text) }),
    }
}

fn short(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.starts_with('<') {
        return "a page for people".to_owned();
    }
    text.chars().take(MOST_SAID).collect()
}

#[cfg(test)]
mod tests {
    use super::{Answer, cookies, is_stranger, read};
    use crate::elastic::route::Broken;
    use reqwest::Method;
    use reqwest::header::{HeaderMap, SET_COOKIE};

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.into() }
    }

    #[test]
    fn the_clusters_answers_pass_and_kibanas_own_do_not() {
        let get = |status, body: &str| read(&Method::GET, answer(status, body));
        assert_eq!(get(200, "{}").unwrap(), (200, b"{}".to_vec()));
        let cluster = r#"{"error":{"type":"index_not_found_exception"},"status":404}"#;
        assert_eq!(get(404, cluster).unwrap().0, 404);
        let handler = r#"{"error":"no handler found for uri [/x] and method [GET]","status":400}"#;
        assert_eq!(get(400, handler).unwrap().0, 400);
        assert_eq!(get(404, r#"{"_index":"a","found":false}"#).unwrap().0, 404);
        let own = r#"{"statusCode":404,"error":"Not Found","message":"Not Found"}"#;
        let Err(Broken::Turned { status: 404, said }) = get(404, own) else { panic!() };
        assert_eq!(said, "Not Found");
        let Err(Broken::Turned { said, .. }) = get(502, "<html>bad gateway") else { panic!() };
        assert_eq!(said, "a page for people");
        let plain = "Unable to send requests to that path.";
        let Err(Broken::Turned { status: 403, said }) = get(403, plain) else { panic!() };
        assert_eq!(said, plain);
    }

    #[test]
    fn head_has_a_status_and_no_body() {
        let head = |status, body: &str| read(&Method::HEAD, answer(status, body));
        assert_eq!(head(200, "200 - OK").unwrap(), (200, Vec::new()));
        assert_eq!(head(404, "404 - Not Found").unwrap(), (404, Vec::new()));
        let own = r#"{"statusCode":404,"error":"Not Found","message":"Not Found"}"#;
        assert!(matches!(head(404, own), Err(Broken::Turned { status: 404, .. })));
    }

    #[test]
    fn a_stranger_is_told_from_a_user_whom_the_cluster_refuses() {
        assert!(is_stranger(&answer(302, "")));
        assert!(is_stranger(&answer(401, r#"{"statusCode":401,"error":"Unauthorized"}"#)));
        assert!(!is_stranger(&answer(401, r#"{"error":{"type":"x"},"status":401}"#)));
        assert!(!is_stranger(&answer(403, r#"{"statusCode":403}"#)));
    }

    #[test]
    fn cookies_go_back_without_their_attributes() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "sid=abc; HttpOnly; Path=/".parse().unwrap());
        headers.append(SET_COOKIE, "route=7".parse().unwrap());
        assert_eq!(cookies(&headers), "sid=abc; route=7");
    }
}
