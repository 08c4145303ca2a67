//! Security Token Service (Sts 2015-04-01): who am I, and temporary keys.

use crate::clock::rfc3339;
use crate::listing::unknown_action;
use crate::{Answer, Call, Refusal, World, oidc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The shortest session of a role, in seconds.
const SHORTEST: u64 = 900;
/// The longest session of a role that another role's session assumes.
const LONGEST_OF_A_ROLE: u64 = 3_600;

/// Temporary keys by access key id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `STS.…` access key id.
    pub sessions: BTreeMap<String, Session>,
    /// Tokens of the instance metadata, and when they end.
    #[serde(default)]
    pub metadata_tokens: BTreeMap<String, u64>,
    /// The key that the instance metadata hand out.
    #[serde(default)]
    pub instance: Option<String>,
}

/// One assumed role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Secret of the temporary key.
    pub access_key_secret: String,
    /// The token that goes with it.
    pub security_token: String,
    /// Its end, in the world's time.
    pub expires_ms: u64,
    /// `acs:ram::ACCOUNT:role/NAME`.
    pub role_arn: String,
    /// Name of the session.
    pub name: String,
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    match call.action.as_str() {
        "GetCallerIdentity" => Ok(identity(world)),
        "AssumeRole" => assume_role(world, call),
        "AssumeRoleWithOIDC" => oidc::assume_role(world, call),
        _ => unknown_action(call),
    }
}

fn identity(world: &World) -> Value {
    let account = &world.file.account.id;
    match world.sts.sessions.get(&world.request.access_key_id) {
        None => json!({
            "AccountId": account,
            "Arn": format!("acs:ram::{account}:root"),
            "IdentityType": "Account",
            "PrincipalId": account,
            "UserId": account,
        }),
        Some(session) => {
            let role = role_name(&session.role_arn);
            json!({
                "AccountId": account,
                "Arn": format!("acs:ram::{account}:assumed-role/{role}/{}", session.name),
                "IdentityType": "AssumedRoleUser",
                "PrincipalId": format!("{}:{}", role_id(role), session.name),
                "RoleId": role_id(role),
            })
        }
    }
}

fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// A stable number for a role name.
fn role_id(role: &str) -> String {
    let sum = role.bytes().fold(7_u64, |a, b| a.wrapping_mul(31).wrapping_add(u64::from(b)));
    format!("3{:017}", sum % 100_000_000_000_000_000)
}

/// A role's resource name.
pub(crate) fn role_arn(world: &World, role: &str) -> String {
    format!("acs:ram::{}:role/{role}", world.file.account.id)
}

fn assume_role(world: &mut World, call: &Call) -> Answer {
    let asked = read(world, call)?;
    let chained = world.sts.sessions.contains_key(&world.request.access_key_id);
    if chained && asked.seconds > LONGEST_OF_A_ROLE {
        return Err(wrong_duration());
    }
    let wanted =
        world.file.account.roles.get(role_name(&asked.arn)).and_then(|r| r.external_id.clone());
    if wanted.is_some() && wanted.as_deref() != call.get("ExternalId") {
        return Err(Refusal::new(
            403,
            "NoPermission",
            "You are not authorized to do this action. You should be authorized by RAM.",
        ));
    }
    Ok(granted(world, &asked))
}

/// What both ways to assume a role ask for.
pub(crate) struct Asked {
    arn: String,
    name: String,
    seconds: u64,
}

/// Reads and judges it.
pub(crate) fn read(world: &World, call: &Call) -> Result<Asked, Refusal> {
    let arn = call.need("RoleArn")?.to_owned();
    let name = call.need("RoleSessionName")?.to_owned();
    let seconds: u64 = call.number("DurationSeconds")?.unwrap_or(3600);
    let legal = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(legal) {
        return Err(Refusal::bad(
            "InvalidParameter.RoleSessionName",
            "The parameter RoleSessionName is wrongly formed.",
        ));
    }
    let role = arn.strip_prefix(&role_arn(world, "")).unwrap_or_default();
    let Some(known) = world.file.account.roles.get(role) else {
        return Err(Refusal::missing(
            "EntityNotExist.Role",
            format!("The role not exists: {arn}."),
        ));
    };
    if !(SHORTEST..=known.max_seconds).contains(&seconds) {
        return Err(wrong_duration());
    }
    Ok(Asked { arn, name, seconds })
}

fn wrong_duration() -> Refusal {
    Refusal::bad(
        "InvalidParameter.DurationSeconds",
        "The Min/Max value of DurationSeconds is 15min/1hr.",
    )
}

/// Makes the session and answers with its key.
pub(crate) fn granted(world: &mut World, asked: &Asked) -> Value {
    let role = role_name(&asked.arn).to_owned();
    let (key, session) = open(world, &asked.arn, &asked.name, asked.seconds);
    json!({
        "AssumedRoleUser": {
            "Arn": format!("acs:ram::{}:assumed-role/{role}/{}", world.file.account.id, asked.name),
            "AssumedRoleId": format!("{}:{}", role_id(&role), asked.name),
        },
        "Credentials": credentials(&key, &session),
    })
}

/// A new session of a role: its key, and the rest.
pub(crate) fn open(world: &mut World, arn: &str, name: &str, seconds: u64) -> (String, Session) {
    let key = world.fresh_id("STS").replace('-', ".");
    let session = Session {
        access_key_secret: world.fresh_id("secret"),
        security_token: format!("CAIS+{}/{}==", world.fresh_id("token"), role_name(arn)),
        expires_ms: world.now_ms.saturating_add(seconds.saturating_mul(1000)),
        role_arn: arn.to_owned(),
        name: name.to_owned(),
    };
    world.sts.sessions.insert(key.clone(), session.clone());
    (key, session)
}

/// A session's key as every service hands it out.
pub(crate) fn credentials(key: &str, session: &Session) -> Value {
    json!({
        "AccessKeyId": key,
        "AccessKeySecret": session.access_key_secret,
        "Expiration": rfc3339(session.expires_ms),
        "SecurityToken": session.security_token,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Product, WorldFile};

    fn call(params: &[(&str, &str)]) -> Call {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Call {
            product: Product::Sts,
            action: "AssumeRole".into(),
            params,
            path: BTreeMap::new(),
            body: Value::Null,
        }
    }

    #[test]
    fn a_session_ends_in_the_worlds_time_and_knows_its_bounds() {
        let mut world = World::from_file(&WorldFile::default(), 5_000).unwrap();
        let arn = role_arn(&world, "escrr");
        let base = [("RoleArn", arn.as_str()), ("RoleSessionName", "s-1")];
        let ask = |world: &mut World, more: &[(&str, &str)]| {
            let all: Vec<(&str, &str)> = base.iter().chain(more).copied().collect();
            handle(world, &call(&all)).map_err(|refusal| refusal.code)
        };
        let answer = ask(&mut world, &[("DurationSeconds", "900")]).unwrap();
        assert_eq!(answer["Credentials"]["Expiration"], "1970-01-01T00:15:05Z");
        for seconds in ["899", "43201"] {
            let code = ask(&mut world, &[("DurationSeconds", seconds)]).unwrap_err();
            assert_eq!(code, "InvalidParameter.DurationSeconds");
        }
        world.request.access_key_id =
            answer["Credentials"]["AccessKeyId"].as_str().unwrap().to_owned();
        let who = handle(&mut world, &Call { action: "GetCallerIdentity".into(), ..call(&[]) });
        assert!(who.unwrap()["Arn"].as_str().unwrap().ends_with(":assumed-role/escrr/s-1"));
        // A role on a role is short.
        assert!(ask(&mut world, &[("DurationSeconds", "3601")]).is_err());
        world.file.account.roles.values_mut().for_each(|r| r.external_id = Some("x".into()));
        assert_eq!(ask(&mut world, &[]).unwrap_err(), "NoPermission");
        assert!(ask(&mut world, &[("ExternalId", "x")]).is_ok());
        world.file.account.roles.clear();
        assert_eq!(ask(&mut world, &[]).unwrap_err(), "EntityNotExist.Role");
    }
}
