//! The profiles of the vendor's command line: `~/.aliyun/config.json`.

use super::held::Held;
use super::source::{OidcRole, RoleSession, Source, StsAt};
use crate::aliyun::Credentials;
use crate::secret::Secret;
use serde_json::Value;
use std::path::PathBuf;

/// What reading a profile needs to know beside the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// The name of a role's session where the profile has none.
    pub(super) session_name: &'a str,
    /// Are commands and addresses allowed as sources?
    pub(super) processes: bool,
    /// Is the metadata service to be asked with a token only?
    pub(super) token_only: bool,
    /// Now, in milliseconds since the Unix epoch.
    pub(super) now_ms: u64,
}

/// The source that a profile describes; the current one unless one is named.
///
/// The error names profiles, modes and members, and never a value of another member.
pub(super) fn source(text: &str, name: Option<&str>, around: Around<'_>) -> Result<Source, String> {
    let file: Value = serde_json::from_str(text).map_err(|_| "it is no JSON".to_owned())?;
    let current = file.get("current").and_then(Value::as_str).filter(|name| !name.is_empty());
    let name = name.or(current).ok_or("it names no current profile")?;
    Reader { file: &file, around }.profile(name, &mut Vec::new())
}

struct Reader<'a> {
    file: &'a Value,
    around: Around<'a>,
}

/// One profile.
#[derive(Clone, Copy)]
struct Profile<'a> {
    name: &'a str,
    members: &'a Value,
}

impl<'a> Profile<'a> {
    fn text(self, member: &str) -> Option<&'a str> {
        self.members.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn need(self, member: &str) -> Result<&'a str, String> {
        self.text(member).ok_or_else(|| format!("profile `{}` has no {member}", self.name))
    }

    fn number(self, member: &str) -> Option<u64> {
        self.members.get(member).and_then(Value::as_u64).filter(|number| *number > 0)
    }

    /// The mode, or what the members suggest where it is empty, as the command line does.
    fn mode(self) -> String {
        if let Some(mode) = self.text("mode") {
            return mode.to_ascii_lowercase();
        }
        let has = |member| self.text(member).is_some();
        let key = has("access_key_id") && has("access_key_secret");
        let mode = match () {
            () if key && has("ram_role_arn") => "ramrolearn",
            () if key && has("sts_token") => "ststoken",
            () if key => "ak",
            () if has("private_key") && has("key_pair_name") => "rsakeypair",
            () if has("ram_role_name") => "ecsramrole",
            () if has("process_command") => "external",
            () if has("oidc_provider_arn") && has("oidc_token_file") => "oidc",
            () if has("cloud_sso_sign_in_url") => "cloudsso",
            () if has("bearer_token") => "bearertoken",
            () => "",
        };
        mode.to_owned()
    }

    fn key(self, token: Option<&str>) -> Result<Credentials, String> {
        Ok(Credentials {
            access_key_id: self.need("access_key_id")?.to_owned(),
            access_key_secret: Secret::new(self.need("access_key_secret")?),
            security_token: token.map(Secret::new),
        })
    }
}

impl Reader<'_> {
    fn profile(&self, name: &str, above: &mut Vec<String>) -> Result<Source, String> {
        if above.iter().any(|seen| seen == name) {
            return Err(format!("the profiles {} go in a circle", above.join(", ")));
        }
        above.push(name.to_owned());
        let mut all = self.file.get("profiles").and_then(Value::as_array).into_iter().flatten();
        let named = |members: &&Value| members.get("name").and_then(Value::as_str) == Some(name);
        let members = all.find(named).ok_or_else(|| format!("it has no profile `{name}`"))?;
        let profile = Profile { name, members };
        let mode = profile.mode();
        match mode.as_str() {
            "ak" => Ok(Source::Fixed(Held::endless(profile.key(None)?))),
            "ststoken" => {
                let token = profile.need("sts_token")?;
                Ok(Source::Fixed(Held::endless(profile.key(Some(token))?)))
            }
            "ramrolearn" => {
                let key = Held::endless(profile.key(profile.text("sts_token"))?);
                Ok(Source::Role(Box::new(Source::Fixed(key)), self.session(profile)?))
            }
            "ecsramrole" => Ok(self.instance(profile)),
            "ramrolearnwithrolename" | "ramrolearnwithecs" => {
                Ok(Source::Role(Box::new(self.instance(profile)), self.session(profile)?))
            }
            "chainableramrolearn" => {
                let base = self.profile(profile.need("source_profile")?, above)?;
                Ok(Source::Role(Box::new(base), self.session(profile)?))
            }
            "oidc" => Ok(Source::Oidc(OidcRole {
                session: self.session(profile)?,
                provider_arn: profile.need("oidc_provider_arn")?.to_owned(),
                token_file: PathBuf::from(profile.need("oidc_token_file")?),
            })),
            "external" | "credentialsuri" if !self.around.processes => Err(format!(
                "profile `{name}` asks a command or an address, which \
                 ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS forbids"
            )),
            "external" => Ok(Source::External(Secret::new(profile.need("process_command")?))),
            "credentialsuri" => Ok(Source::Uri(Secret::new(profile.need("credentials_uri")?))),
            "cloudsso" | "oauth" => self.signed_in(profile),
            "" => Err(format!("profile `{name}` has no mode, and its members suggest none")),
            _ => Err(format!(
                "profile `{name}` has a mode that is not supported; supported are AK, StsToken, \
                 RamRoleArn, ChainableRamRoleArn, EcsRamRole, RamRoleArnWithEcs, OIDC, External, \
                 CredentialsURI, and CloudSSO and OAuth while signed in"
            )),
        }
    }

    fn instance(&self, profile: Profile<'_>) -> Source {
        let role = profile.text("ram_role_name").map(str::to_owned);
        Source::Instance { role, token_only: self.around.token_only }
    }

    fn session(&self, profile: Profile<'_>) -> Result<RoleSession, String> {
        let name = profile.text("ram_session_name").or_else(|| profile.text("role_session_name"));
        let seconds = profile.number("expired_seconds");
        Ok(RoleSession {
            role_arn: profile.need("ram_role_arn")?.to_owned(),
            session_name: name.unwrap_or(self.around.session_name).to_owned(),
            seconds: seconds.and_then(|seconds| u32::try_from(seconds).ok()),
            policy: profile.text("policy").map(str::to_owned),
            external_id: profile.text("external_id").map(Secret::new),
            sts: StsAt {
                endpoint: profile.text("sts_endpoint").map(str::to_owned),
                region: profile.text("sts_region").map(str::to_owned),
                vpc: profile.members.get("enable_vpc").and_then(Value::as_bool).unwrap_or(false),
            },
        })
    }

    /// What signing in with the command line has left in the file, while it holds.
    fn signed_in(&self, profile: Profile<'_>) -> Result<Source, String> {
        let expires_ms = profile.number("sts_expiration").map(|s| s.saturating_mul(1000));
        let key = profile.need("sts_token").and_then(|token| profile.key(Some(token)));
        match (key, expires_ms) {
            (Ok(credentials), Some(end)) if self.around.now_ms < end => {
                Ok(Source::Fixed(Held { credentials, expires_ms }))
            }
            _ => Err(format!(
                "the sign-in of profile `{}` has run out: sign in with the vendor's command \
                 line (`aliyun configure --profile {}`)",
                profile.name, profile.name
            )),
        }
    }
}

#[cfg(test)]
mod tests;
