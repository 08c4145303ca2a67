//! What an ECS instance is told about itself, and a credentials URI.
//!
//! One port beside the OpenAPI's: version 2 of the metadata service, which wants a token, and
//! `/credentials`, which answers as an address in `ALIBABA_CLOUD_CREDENTIALS_URI` does. Both
//! hand out the session of the instance's role.

use crate::wire::Http;
use crate::{World, sts};
use serde_json::Value;

/// The longest that a token of the metadata holds, in seconds.
const LONGEST_TOKEN: u64 = 21_600;
const ROLES: &str = "/latest/meta-data/ram/security-credentials";
/// A session with less than this left is replaced by a new one.
const LEAST_LEFT_MS: u64 = 30 * 60_000;

/// An answer: status, type of content, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

impl Told {
    fn text(body: impl Into<String>) -> Self {
        Self { status: 200, kind: "text/plain", body: body.into() }
    }

    pub(crate) fn refused(status: u16, why: &str) -> Self {
        Self { status, kind: "text/plain", body: why.to_owned() }
    }
}

/// The product and the action that the log and faults call a request by.
pub(crate) fn action(http: &Http) -> (&'static str, &'static str) {
    match (http.method.as_str(), http.path.trim_end_matches('/')) {
        ("PUT", "/latest/api/token") => ("Metadata", "GetToken"),
        ("GET", ROLES) => ("Metadata", "ListRoles"),
        ("GET", path) if path.starts_with(ROLES) => ("Metadata", "GetRoleCredentials"),
        ("GET", "/credentials") => ("CredentialsUri", "GetCredentials"),
        _ => ("Metadata", "Unknown"),
    }
}

/// Answers one request.
pub(crate) fn handle(world: &mut World, http: &Http) -> Told {
    let action = action(http).1;
    if matches!(action, "ListRoles" | "GetRoleCredentials") && !is_known(world, http) {
        return Told::refused(403, "a valid X-aliyun-ecs-metadata-token is needed");
    }
    let role = world.file.account.instance_role.clone();
    match (action, role) {
        ("GetToken", _) => token(world, http),
        ("ListRoles", Some(role)) => Told::text(role),
        ("GetRoleCredentials", Some(role)) => {
            let asked = http.path.trim_end_matches('/').rsplit('/').next();
            if asked == Some(role.as_str()) {
                credentials(world, &role)
            } else {
                Told::refused(404, "no such role")
            }
        }
        ("GetCredentials", Some(role)) => credentials(world, &role),
        _ => Told::refused(404, "not found"),
    }
}

fn token(world: &mut World, http: &Http) -> Told {
    let seconds: Option<u64> =
        http.header("x-aliyun-ecs-metadata-token-ttl-seconds").and_then(|t| t.trim().parse().ok());
    let Some(seconds) = seconds.filter(|s| (1..=LONGEST_TOKEN).contains(s)) else {
        return Told::refused(400, "X-aliyun-ecs-metadata-token-ttl-seconds is 1 to 21600");
    };
    let token = world.fresh_id("metadata-token");
    let end_ms = world.now_ms + seconds * 1000;
    world.sts.metadata_tokens.insert(token.clone(), end_ms);
    Told::text(token)
}

fn is_known(world: &World, http: &Http) -> bool {
    let token = http.header("x-aliyun-ecs-metadata-token").unwrap_or_default();
    world.sts.metadata_tokens.get(token).is_some_and(|end_ms| world.now_ms < *end_ms)
}

/// The session at hand, or a new one when it is about to end.
fn credentials(world: &mut World, role: &str) -> Told {
    let length_ms = world.file.account.instance_seconds * 1000;
    let least_ms = LEAST_LEFT_MS.min(length_ms / 2);
    let now_ms = world.now_ms;
    let at_hand = world.sts.instance.as_ref().and_then(|key| {
        let session = world.sts.sessions.get(key)?;
        let left_ms = session.expires_ms.saturating_sub(now_ms);
        (left_ms > least_ms).then(|| (key.clone(), session.clone()))
    });
    let (key, session) = at_hand.unwrap_or_else(|| {
        let arn = sts::role_arn(world, role);
        let opened = sts::open(world, &arn, "i-sandbox000001", length_ms / 1000);
        world.sts.instance = Some(opened.0.clone());
        opened
    });
    let mut value = sts::credentials(&key, &session);
    if let Value::Object(members) = &mut value {
        members.insert("Code".into(), "Success".into());
        members.insert("LastUpdated".into(), crate::clock::rfc3339(now_ms).into());
    }
    Told { status: 200, kind: "application/json", body: value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WorldFile;
    use std::collections::BTreeMap;

    fn ask(world: &mut World, method: &str, path: &str, header: Option<(&str, &str)>) -> Told {
        let headers: BTreeMap<String, String> =
            header.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        handle(world, &Http::new(method, path, headers, Vec::new()))
    }

    const TTL: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
    const TOKEN: &str = "x-aliyun-ecs-metadata-token";

    #[test]
    fn the_metadata_want_a_token_that_holds() {
        let mut world = World::from_file(&WorldFile::default(), 5_000).unwrap();
        let roles = "/latest/meta-data/ram/security-credentials/";
        assert_eq!(ask(&mut world, "GET", roles, None).status, 403);
        for wrong in ["0", "21601", "x"] {
            assert_eq!(ask(&mut world, "PUT", "/latest/api/token", Some((TTL, wrong))).status, 400);
        }
        let token = ask(&mut world, "PUT", "/latest/api/token", Some((TTL, "60"))).body;
        let with = Some((TOKEN, token.as_str()));
        assert_eq!(ask(&mut world, "GET", roles, with).body, "escrr");
        let told = ask(&mut world, "GET", &format!("{roles}escrr"), with);
        let value: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(value["Code"], "Success");
        assert_eq!(ask(&mut world, "GET", &format!("{roles}other"), with).status, 404);
        world.now_ms += 60_000;
        assert_eq!(ask(&mut world, "GET", roles, with).status, 403);
    }

    #[test]
    fn a_session_is_handed_out_again_until_it_is_about_to_end() {
        let mut world = World::from_file(&WorldFile::default(), 5_000).unwrap();
        let key = |world: &mut World| {
            let told = ask(world, "GET", "/credentials", None);
            let value: Value = serde_json::from_str(&told.body).unwrap();
            value["AccessKeyId"].as_str().unwrap().to_owned()
        };
        let first = key(&mut world);
        world.now_ms += (21_600 - 1_801) * 1000;
        assert_eq!(key(&mut world), first);
        world.now_ms += 1_000;
        assert_ne!(key(&mut world), first);
    }
}
