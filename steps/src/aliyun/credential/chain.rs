//! The sources of the vendor's own tools, in their order.

use super::config_file::{self, Around};
use super::held::Held;
use super::ini_file;
use super::provider::Provider;
use super::source::{Means, OidcRole, RoleSession, Source, StsAt};
use crate::aliyun::Credentials;
use crate::limited;
use crate::secret::Secret;
use escrr_engine::Fault;
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The name of a role's session where nobody gives one.
const SESSION_NAME: &str = "escrr";

/// What sources are looked for in.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// A variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The profile that is wanted; goes before `ALIBABA_CLOUD_PROFILE`.
    pub profile: Option<&'a str>,
    /// Now, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Why a source is not the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The source's name.
    pub name: &'static str,
    /// Why it was passed over; holds no secret.
    pub why: String,
    /// Was it set up by somebody, so that passing it over may surprise?
    pub meant: bool,
}

/// One place of the chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// What the place is called, also in the spec's `[credentials]`.
    pub name: &'static str,
    /// Where it was looked for.
    pub from: String,
    /// The source, or why there is none.
    pub found: Result<Source, (String, bool)>,
}

/// The chain, and what a person should know about the files that were read for it.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// In their order.
    pub links: Vec<Link>,
    /// Sentences for people.
    pub warnings: Vec<String>,
}

/// The first source that answered.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The source's name.
    pub name: &'static str,
    /// Where it was found.
    pub from: String,
    /// What renews its credentials.
    pub provider: Provider,
    /// What it answered.
    pub held: Held,
    /// The sources before it.
    pub passed: Vec<Passed>,
    /// The sources after it, which nobody looked at.
    pub unasked: Vec<&'static str>,
}

/// Finds every source of the vendor's default chain; asks none of them.
pub fn chain(around: Surroundings<'_>) -> Links {
    let mut warnings = Vec::new();
    let links = vec![
        environment(around),
        oidc(around),
        config(around, &mut warnings),
        ini(around, &mut warnings),
        instance(around),
        uri(around),
    ];
    Links { links, warnings }
}

/// Asks the links in their order and keeps the first that answers, with a role on it if one is given.
///
/// # Errors
/// None answers: why each was passed over.
pub async fn resolve(
    links: Vec<Link>,
    role: Option<&RoleSession>,
    means: &Means,
) -> Result<Resolved, Vec<Passed>> {
    let mut passed = Vec::new();
    let mut links = links.into_iter();
    while let Some(link) = links.next() {
        let source = match (link.found, role) {
            (Ok(source), None) => source,
            (Ok(source), Some(role)) => Source::Role(Box::new(source), role.clone()),
            (Err((why, is_set_up)), _) => {
                passed.push(Passed { name: link.name, why, meant: is_set_up });
                continue;
            }
        };
        // Nobody sets up the metadata: on most machines there are none.
        let is_set_up = !matches!(source, Source::Instance { .. });
        match ask(source, means).await {
            Ok((provider, held)) => {
                let unasked = links.map(|link| link.name).collect();
                let (name, from) = (link.name, link.from);
                return Ok(Resolved { name, from, provider, held, passed, unasked });
            }
            Err(fault) => {
                passed.push(Passed { name: link.name, why: fault.to_string(), meant: is_set_up });
            }
        }
    }
    Err(passed)
}

async fn ask(source: Source, means: &Means) -> Result<(Provider, Held), Fault> {
    let provider = Provider::new(source, means.clone())?;
    let held = provider.held().await?;
    Ok((provider, held))
}

impl Surroundings<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    fn home(&self) -> Option<PathBuf> {
        self.get("HOME").or_else(|| self.get("HOMEPATH")).map(PathBuf::from)
    }

    fn session_name(&self) -> String {
        self.get("ALIBABA_CLOUD_ROLE_SESSION_NAME").unwrap_or_else(|| SESSION_NAME.to_owned())
    }

    fn sts(&self) -> StsAt {
        StsAt {
            endpoint: self.get("ALIBABA_CLOUD_STS_ENDPOINT"),
            region: self.get("ALIBABA_CLOUD_STS_REGION"),
            vpc: self.is_true("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"),
        }
    }

    fn profile(&self) -> Option<String> {
        self.profile.map(str::to_owned).or_else(|| self.get("ALIBABA_CLOUD_PROFILE"))
    }

    fn token_only(&self) -> bool {
        self.is_true("ALIBABA_CLOUD_IMDSV1_DISABLED")
    }

    fn processes(&self) -> bool {
        !self.is_true("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS")
    }

    /// Hands on what reading a profile needs.
    fn reading<T>(&self, read: impl FnOnce(Around<'_>) -> T) -> T {
        let session_name = self.session_name();
        read(Around {
            session_name: &session_name,
            processes: self.processes(),
            token_only: self.token_only(),
            now_ms: self.now_ms,
        })
    }
}

fn unset(name: &str) -> (String, bool) {
    (format!("{name} is not set"), false)
}

fn environment(around: Surroundings<'_>) -> Link {
    const ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
    const SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
    let found = match (around.get(ID), around.get(SECRET)) {
        (Some(access_key_id), Some(secret)) => Ok(Source::Fixed(Held::endless(Credentials {
            access_key_id,
            access_key_secret: Secret::new(secret),
            security_token: around.get("ALIBABA_CLOUD_SECURITY_TOKEN").map(Secret::new),
        }))),
        (None, None) => Err(unset(ID)),
        (Some(_), None) => Err((format!("{SECRET} is not set, and {ID} is"), true)),
        (None, Some(_)) => Err((format!("{ID} is not set, and {SECRET} is"), true)),
    };
    Link { name: "environment", from: ID.to_owned(), found }
}

fn oidc(around: Surroundings<'_>) -> Link {
    const NAMES: [&str; 3] = [
        "ALIBABA_CLOUD_ROLE_ARN",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    ];
    let found = match NAMES.map(|name| around.get(name)) {
        [Some(role_arn), Some(provider_arn), Some(token_file)] => Ok(Source::Oidc(OidcRole {
            session: RoleSession {
                role_arn,
                session_name: around.session_name(),
                sts: around.sts(),
                ..RoleSession::default()
            },
            provider_arn,
            token_file: PathBuf::from(token_file),
        })),
        values => {
            let missing = NAMES.iter().zip(&values).find(|(_, value)| value.is_none());
            let (why, _) = unset(missing.map_or(NAMES[0], |(name, _)| name));
            // A role alone is also what other tools are told.
            Err((why, values[1].is_some() || values[2].is_some()))
        }
    };
    Link { name: "oidc", from: NAMES[0].to_owned(), found }
}

/// No file of profiles is longer.
const MOST_BYTES: usize = 1024 * 1024;

/// The text of a file that should hold secrets; none where there is no file.
fn private(path: &Path, warnings: &mut Vec<String>) -> Result<Option<String>, String> {
    let text = match limited::read_text(path, MOST_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mode = std::fs::metadata(path).map_or(0, |about| about.permissions().mode());
    if mode & 0o077 != 0 {
        warnings.push(format!(
            "{} holds keys and others may read it (mode {:03o}): chmod 600 {0}",
            path.display(),
            mode & 0o777
        ));
    }
    Ok(Some(text))
}

/// Reads a source out of the first of some files that is there.
fn in_file(
    name: &'static str,
    paths: &[PathBuf],
    meant: bool,
    warnings: &mut Vec<String>,
    read: impl FnOnce(&str) -> Result<Source, String>,
) -> Link {
    let first = paths.first().map_or_else(String::new, |path| path.display().to_string());
    for path in paths {
        let from = path.display().to_string();
        match private(path, warnings) {
            Ok(None) => {}
            Err(why) => return Link { name, found: Err((format!("{from}: {why}"), true)), from },
            Ok(Some(text)) => {
                let found = read(&text).map_err(|why| (format!("{from}: {why}"), true));
                return Link { name, from, found };
            }
        }
    }
    Link { name, found: Err((format!("there is no {first}"), meant)), from: first }
}

fn config(around: Surroundings<'_>, warnings: &mut Vec<String>) -> Link {
    const NAME: &str = "profile";
    const DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
    let without = |why: String| Link { name: NAME, from: String::new(), found: Err((why, false)) };
    if around.profile.is_none() && around.is_true(DISABLED) {
        return without(format!("{DISABLED} is set"));
    }
    let Some(home) = around.home() else { return without("HOME is not set".to_owned()) };
    let profile = around.profile();
    let path = [home.join(".aliyun/config.json")];
    in_file(NAME, &path, profile.is_some(), warnings, |text| {
        around.reading(|around| config_file::source(text, profile.as_deref(), around))
    })
}

fn ini(around: Surroundings<'_>, warnings: &mut Vec<String>) -> Link {
    const FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
    let given = around.get(FILE).map(PathBuf::from);
    let meant = given.is_some();
    let folder = around.home().map(|home| home.join(".alibabacloud"));
    let usual = folder.map(|at| vec![at.join("credentials"), at.join("credentials.ini")]);
    let paths = given.map_or_else(|| usual.unwrap_or_default(), |path| vec![path]);
    let section = around.profile().unwrap_or_else(|| "default".to_owned());
    in_file("credentials-file", &paths, meant, warnings, |text| {
        around.reading(|around| ini_file::source(text, &section, around))
    })
}

fn instance(around: Surroundings<'_>) -> Link {
    const DISABLED: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
    let found = if around.is_true(DISABLED) {
        Err((format!("{DISABLED} is set"), false))
    } else {
        let role = around.get("ALIBABA_CLOUD_ECS_METADATA");
        Ok(Source::Instance { role, token_only: around.token_only() })
    };
    Link { name: "instance-role", from: "the metadata of this ECS instance".to_owned(), found }
}

fn uri(around: Surroundings<'_>) -> Link {
    const NAME: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
    let found = match around.get(NAME) {
        None => Err(unset(NAME)),
        Some(_) if !around.processes() => {
            Err(("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS is set".to_owned(), true))
        }
        Some(uri) => Ok(Source::Uri(Secret::new(uri))),
    };
    Link { name: "credentials-uri", from: NAME.to_owned(), found }
}

#[cfg(test)]
mod tests;
