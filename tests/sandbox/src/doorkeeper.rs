//! Who is let in: a page in a browser must neither read nor order anything here.
//!
//! Every port is on loopback, and so is the browser of whoever runs the sandbox. A page from
//! elsewhere can send requests to it, and by a name of its own that leads to 127.0.0.1 it could
//! read the answers too. So the `Host` has to be loopback, nothing with an `Origin` is answered,
//! and the sandbox's own calls want JSON and the token that its first line holds.

use crate::desk::Reply;
use crate::wire::Http;
use serde_json::json;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;

/// Where the sandbox's own calls begin.
pub(crate) const CONTROL: &str = "/sandbox/";
/// Bytes of chance in a token.
const TOKEN_BYTES: usize = 24;

/// A token that nobody guesses.
///
/// # Errors
/// The system gives out no chance.
pub(crate) fn token() -> std::io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(crate::verify::hex(&bytes))
}

/// Refuses what a browser sends for somebody else.
pub(crate) fn refuse_strangers(http: &Http) -> Result<(), Reply> {
    let host = http.header("host").unwrap_or_default();
    if !is_loopback(host) {
        return Err(refusal(421, "the Host is not loopback"));
    }
    if http.headers.contains_key("origin") {
        return Err(refusal(403, "no page may call a sandbox"));
    }
    Ok(())
}

/// Refuses a call of the sandbox's own without its token, or in another form than JSON.
pub(crate) fn check_control(http: &Http, token: &str) -> Result<(), Reply> {
    let given = http.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
    if !given.is_some_and(|given| same(given.trim(), token)) {
        let said = "say `Authorization: Bearer` and the control_token of the sandbox's first line";
        return Err(refusal(401, said));
    }
    let kind = http.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if http.method == "POST" && !kind.eq_ignore_ascii_case("application/json") {
        return Err(refusal(415, "say `Content-Type: application/json`"));
    }
    Ok(())
}

/// Compares in a time that does not tell how much is right.
fn same(given: &str, token: &str) -> bool {
    let differing = given.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    given.len() == token.len() && differing == 0
}

/// `127.0.0.1:80`, `[::1]:80`, `localhost`.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refusal(status: u16, said: &str) -> Reply {
    Reply::json(status, &json!({"error": said}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn http(method: &str, headers: &[(&str, &str)]) -> Http {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Http::new(method, "/sandbox/clock", headers.collect::<BTreeMap<_, _>>(), Vec::new())
    }

    #[test]
    fn only_loopback_is_a_host_and_no_page_calls() {
        let status = |headers: &[(&str, &str)]| {
            refuse_strangers(&http("GET", headers)).err().map(|reply| reply.status)
        };
        for good in ["127.0.0.1", "127.0.0.1:80", "127.1.2.3:1", "localhost:80", "[::1]:80"] {
            assert_eq!(status(&[("host", good)]), None, "{good}");
        }
        for bad in ["", "x", "evil.example:80", "127.0.0.1.example", "10.0.0.1", "[fd00::1]:1"] {
            assert_eq!(status(&[("host", bad)]), Some(421), "{bad}");
        }
        for origin in ["http://evil.example", "null", "http://127.0.0.1:80", ""] {
            assert_eq!(status(&[("host", "127.0.0.1"), ("origin", origin)]), Some(403), "{origin}");
        }
    }

    #[test]
    fn an_order_has_the_token_and_is_json() {
        let token = token().unwrap();
        assert_eq!(token.len(), 2 * TOKEN_BYTES);
        let bearer = format!("Bearer {token}");
        let status = |method: &str, headers: &[(&str, &str)]| {
            check_control(&http(method, headers), &token).err().map(|reply| reply.status)
        };
        let right = ("authorization", bearer.as_str());
        assert_eq!(status("GET", &[right]), None);
        assert_eq!(status("DELETE", &[right]), None);
        let json = ("content-type", "application/json; charset=utf-8");
        assert_eq!(status("POST", &[right, json]), None);
        assert_eq!(status("POST", &[right, ("content-type", "text/plain")]), Some(415));
        assert_eq!(status("POST", &[right]), Some(415));
        for wrong in ["", "Bearer ", "Bearer x", &token, &bearer[..bearer.len() - 1]] {
            assert_eq!(status("GET", &[("authorization", wrong)]), Some(401), "{wrong}");
        }
    }
}
