use super::*;
use serde_json::json;

const AROUND: Around<'_> =
    Around { session_name: "usual", processes: true, token_only: false, now_ms: 5_000 };

fn file() -> String {
    let key = |more: Value| {
        let mut all = json!({"access_key_id": "ID", "access_key_secret": "canary-s"});
        for (name, value) in more.as_object().unwrap() {
            all[name.as_str()] = value.clone();
        }
        all
    };
    let role = "acs:ram::1:role/r";
    json!({"current": "ak", "profiles": [
        key(json!({"name": "ak", "mode": "AK"})),
        key(json!({"name": "guess"})),
        key(json!({"name": "guess-sts", "sts_token": "canary-t"})),
        key(json!({"name": "sts", "mode": "StsToken", "sts_token": "canary-t"})),
        key(json!({"name": "role", "mode": "RamRoleArn", "ram_role_arn": role,
            "ram_session_name": "s-1", "expired_seconds": 900, "sts_region": "cn-beijing",
            "external_id": "canary-x", "policy": "{}"})),
        {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "n"},
        {"name": "ecs-any", "mode": "ecsramrole"},
        {"name": "ecs-role", "mode": "RamRoleArnWithEcs", "ram_role_name": "n", "ram_role_arn": role},
        {"name": "chain", "mode": "ChainableRamRoleArn", "source_profile": "role", "ram_role_arn": role},
        {"name": "a", "mode": "ChainableRamRoleArn", "source_profile": "b", "ram_role_arn": role},
        {"name": "b", "mode": "ChainableRamRoleArn", "source_profile": "a", "ram_role_arn": role},
        {"name": "oidc", "mode": "OIDC", "ram_role_arn": role, "oidc_provider_arn": "p", "oidc_token_file": "/t"},
        {"name": "cmd", "mode": "External", "process_command": "echo canary"},
        {"name": "uri", "mode": "CredentialsURI", "credentials_uri": "127.0.0.1/canary"},
        key(json!({"name": "sso", "mode": "CloudSSO", "sts_token": "canary-t", "sts_expiration": 6})),
        key(json!({"name": "sso-over", "mode": "CloudSSO", "sts_token": "canary-t", "sts_expiration": 5})),
        key(json!({"name": "rsa", "mode": "RsaKeyPair"})),
        {"name": "empty"},
        {"name": "half", "mode": "AK", "access_key_id": "canary-i"},
    ]})
    .to_string()
}

fn read(name: &str) -> Result<Source, String> {
    source(&file(), Some(name), AROUND)
}

fn describe(base: &Source) -> &'static str {
    match base {
        Source::Fixed(_) => "key",
        Source::Role(..) => "role",
        Source::Instance { .. } => "instance",
        Source::Oidc(_) | Source::Uri(_) | Source::External(_) => "other",
    }
}

#[test]
fn every_mode_becomes_its_source() {
    let kind = |source: &Source| match source {
        Source::Fixed(held) => match &held.credentials.security_token {
            None => "key".to_owned(),
            Some(_) => format!("token until {:?}", held.expires_ms),
        },
        Source::Role(base, session) => {
            format!("{} by {}", session.session_name, describe(base))
        }
        Source::Oidc(role) => format!("oidc {} {}", role.provider_arn, role.token_file.display()),
        Source::Instance { role, .. } => format!("instance {role:?}"),
        Source::Uri(_) => "uri".to_owned(),
        Source::External(_) => "command".to_owned(),
    };
    for (name, wanted) in [
        ("ak", "key"),
        ("guess", "key"),
        ("guess-sts", "token until None"),
        ("sts", "token until None"),
        ("role", "s-1 by key"),
        ("ecs", "instance Some(\"n\")"),
        ("ecs-any", "instance None"),
        ("ecs-role", "usual by instance"),
        ("chain", "usual by role"),
        ("oidc", "oidc p /t"),
        ("cmd", "command"),
        ("uri", "uri"),
        ("sso", "token until Some(6000)"),
    ] {
        let found = read(name).unwrap();
        assert_eq!(kind(&found), wanted, "{name}");
        assert!(!format!("{found:?}").contains("canary"), "{name}");
    }
    let Source::Role(_, session) = read("role").unwrap() else { panic!() };
    assert_eq!((session.seconds, session.policy.as_deref()), (Some(900), Some("{}")));
    assert_eq!(session.sts.region.as_deref(), Some("cn-beijing"));
    assert_eq!(session.external_id.unwrap().reveal(), "canary-x");
}

#[test]
fn the_current_profile_is_taken_where_none_is_named() {
    assert!(matches!(source(&file(), None, AROUND), Ok(Source::Fixed(_))));
    assert!(source("{}", None, AROUND).unwrap_err().contains("no current profile"));
}

#[test]
fn what_cannot_be_used_is_said_without_values() {
    for (name, said) in [
        ("absent", "no profile `absent`"),
        ("a", "a, b go in a circle"),
        ("rsa", "not supported"),
        ("empty", "no mode"),
        ("half", "no access_key_secret"),
        ("sso-over", "has run out"),
    ] {
        let error = read(name).unwrap_err();
        assert!(error.contains(said) && !error.contains("canary"), "{name}: {error}");
    }
    assert_eq!(source("canary", None, AROUND).unwrap_err(), "it is no JSON");
    let forbidden = Around { processes: false, ..AROUND };
    for name in ["cmd", "uri"] {
        assert!(source(&file(), Some(name), forbidden).unwrap_err().contains("forbids"));
    }
}
