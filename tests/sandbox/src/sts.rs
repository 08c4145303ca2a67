//! Security Token Service (Sts 2015-04-01): who am I, and temporary keys.

use crate::clock::rfc3339;
use crate::listing::unknown_action;
use crate::{Answer, Call, Refusal, World};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// Temporary keys by access key id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `STS.…` access key id.
    pub sessions: BTreeMap<String, Session>,
}

/// One assumed role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Secret of the temporary key.
    pub access_key_secret: String,
    /// The token that goes with it.
    pub security_token: String,
    /// Real time of its end: credentials belong to the caller's clock, not the world's.
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
        _ => unknown_action(call),
    }
}

fn identity(world: &World) -> serde_json::Value {
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
            let role = session.role_arn.rsplit('/').next().unwrap_or_default();
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

/// A stable number for a role name.
fn role_id(role: &str) -> String {
    let sum = role.bytes().fold(7_u64, |a, b| a.wrapping_mul(31).wrapping_add(u64::from(b)));
    format!("3{:017}", sum % 100_000_000_000_000_000)
}

fn assume_role(world: &mut World, call: &Call) -> Answer {
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
    if !(900..=43_200).contains(&seconds) {
        return Err(Refusal::bad(
            "InvalidParameter.DurationSeconds",
            "The Min/Max value of DurationSeconds is 15min/1hr.",
        ));
    }
    let Some(role) = arn.strip_prefix(&format!("acs:ram::{}:role/", world.file.account.id)) else {
        return Err(Refusal::missing(
            "EntityNotExist.Role",
            format!("The role not exists: {arn}."),
        ));
    };
    let key = world.fresh_id("STS").replace('-', ".");
    let session = Session {
        access_key_secret: world.fresh_id("secret"),
        security_token: format!("CAIS+{}/{}==", world.fresh_id("token"), role),
        expires_ms: world.request.wall_ms + seconds * 1000,
        role_arn: arn.clone(),
        name: name.clone(),
    };
    let answer = json!({
        "AssumedRoleUser": {
            "Arn": format!("acs:ram::{}:assumed-role/{role}/{name}", world.file.account.id),
            "AssumedRoleId": format!("{}:{name}", role_id(role)),
        },
        "Credentials": {
            "AccessKeyId": key,
            "AccessKeySecret": session.access_key_secret,
            "Expiration": rfc3339(session.expires_ms),
            "SecurityToken": session.security_token,
        },
    });
    world.sts.sessions.insert(key, session);
    Ok(answer)
}
