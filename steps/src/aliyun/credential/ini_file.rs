//! The profiles of the vendor's libraries: `~/.alibabacloud/credentials`.

use super::config_file::Around;
use super::held::Held;
use super::source::{OidcRole, RoleSession, Source, StsAt};
use crate::aliyun::Credentials;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The source that a section describes. The error names sections and keys, never a value.
pub(super) fn source(text: &str, name: &str, around: Around<'_>) -> Result<Source, String> {
    let section = section(text, name).ok_or_else(|| format!("it has no section [{name}]"))?;
    let text = |key: &str| section.get(key).filter(|value| !value.is_empty());
    let need =
        |key: &str| text(key).cloned().ok_or_else(|| format!("section [{name}] has no {key}"));
    if text("enable").is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        return Err(format!("section [{name}] is not enabled"));
    }
    let key = |token: Option<String>| -> Result<Source, String> {
        Ok(Source::Fixed(Held::endless(Credentials {
            access_key_id: need("access_key_id")?,
            access_key_secret: Secret::new(need("access_key_secret")?),
            security_token: token.map(Secret::new),
        })))
    };
    let session = || -> Result<RoleSession, String> {
        let given = text("role_session_name").cloned();
        Ok(RoleSession {
            role_arn: need("role_arn")?,
            session_name: given.unwrap_or_else(|| around.session_name.to_owned()),
            policy: text("policy").cloned(),
            sts: StsAt { region: text("sts_region").cloned(), ..StsAt::default() },
            ..RoleSession::default()
        })
    };
    match need("type")?.as_str() {
        "access_key" => key(None),
        "sts" => key(Some(need("security_token")?)),
        "ram_role_arn" => {
            let base = key(text("security_token").cloned())?;
            Ok(Source::Role(Box::new(base), session()?))
        }
        "oidc_role_arn" => Ok(Source::Oidc(OidcRole {
            session: session()?,
            provider_arn: need("oidc_provider_arn")?,
            token_file: PathBuf::from(need("oidc_token_file_path")?),
        })),
        "ecs_ram_role" => {
            Ok(Source::Instance { role: text("role_name").cloned(), token_only: around.token_only })
        }
        _ => Err(format!(
            "section [{name}] has a type that is not supported; supported are access_key, sts, \
             ram_role_arn, oidc_role_arn and ecs_ram_role"
        )),
    }
}

/// The keys of a section; what stands after `#` in a value is a comment.
fn section(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut inside = false;
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            inside = header.trim_end_matches(']').trim() == name;
            if inside {
                found.get_or_insert_default();
            }
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            let all = found.get_or_insert_default();
            all.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
# a comment
[default]
enable = true
type = access_key   # the usual one
access_key_id = ID
access_key_secret = canary-s#not this
[sts]
type=sts
access_key_id=ID
access_key_secret=canary-s
security_token=canary-t
[role]
type = ram_role_arn
access_key_id = ID
access_key_secret = canary-s
role_arn = acs:ram::1:role/r
role_session_name = named
[oidc]
type = oidc_role_arn
role_arn = acs:ram::1:role/r
oidc_provider_arn = p
oidc_token_file_path = /t
[ecs]
type = ecs_ram_role
[off]
enable = false
type = access_key
[half]
type = sts
access_key_id = canary-i
[rsa]
type = rsa_key_pair
";

    const AROUND: Around<'_> =
        Around { session_name: "usual", processes: true, token_only: true, now_ms: 0 };

    #[test]
    fn every_type_becomes_its_source() {
        let read = |name| source(FILE, name, AROUND).unwrap();
        let Source::Fixed(held) = read("default") else { panic!() };
        assert_eq!(held.credentials.access_key_secret.reveal(), "canary-s");
        assert!(held.credentials.security_token.is_none());
        let Source::Fixed(held) = read("sts") else { panic!() };
        assert_eq!(held.credentials.security_token.unwrap().reveal(), "canary-t");
        let Source::Role(_, session) = read("role") else { panic!() };
        assert_eq!(session.session_name, "named");
        let Source::Oidc(role) = read("oidc") else { panic!() };
        assert_eq!(role.session.session_name, "usual");
        assert!(matches!(read("ecs"), Source::Instance { role: None, token_only: true }));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_values() {
        for (name, said) in [
            ("absent", "no section [absent]"),
            ("off", "not enabled"),
            ("half", "no security_token"),
            ("rsa", "not supported"),
        ] {
            let error = source(FILE, name, AROUND).unwrap_err();
            assert!(error.contains(said) && !error.contains("canary"), "{name}: {error}");
        }
    }
}
