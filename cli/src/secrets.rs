//! References to secrets become secrets: the spec names them, this reads them.
//!
//! An error names the reference and never the value, and nothing that a command
//! wrote to its stderr is shown: it may have said the secret.

use crate::codes;
use crate::error::CommandError;
use crate::settings::Env;
use escrr_steps::aliyun::Credentials;
use escrr_steps::command::{Limits, printed};
use escrr_steps::limited;
use escrr_steps::redact::Redactor;
use escrr_steps::secret::Secret;
use escrr_steps::spec::{CredentialsSpec, KeyId, SecretRef};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A password manager may have to ask a person, but not for ever.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// No secret is longer; a reference that leads to more leads to the wrong place.
const MOST_BYTES: usize = 16 * 1024;

/// Reads what references lead to.
pub struct Secrets<'a> {
    env: &'a dyn Env,
    command_limit: Duration,
    warnings: Vec<String>,
    redactor: Redactor,
}

impl<'a> Secrets<'a> {
    /// A reader that takes variables from an environment.
    pub fn new(env: &'a dyn Env) -> Self {
        Self {
            env,
            command_limit: COMMAND_LIMIT,
            warnings: Vec::new(),
            redactor: Redactor::default(),
        }
    }

    /// What a person should know about the secrets that were read.
    pub fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// Knows every secret that was read, for the clients that are to use them.
    pub const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The secret that a reference leads to.
    ///
    /// # Errors
    /// It leads nowhere, to nothing, or to more than one line.
    pub async fn resolve(&mut self, reference: &SecretRef) -> Result<Secret, CommandError> {
        let found = match reference {
            SecretRef::Env(name) => {
                self.env.get(name).ok_or_else(|| "the variable is not set".to_owned())
            }
            SecretRef::File(path) => self.read(path),
            SecretRef::Command(command) => self.ask(command).await,
        };
        let found = found.and_then(|text| one_line(&text)).map(Secret::new);
        found.inspect(|secret| self.redactor.learn(secret)).map_err(|why| {
            CommandError::new(
                codes::SECRET,
                format!("the secret `{reference}` cannot be had: {why}"),
            )
            .hint(match reference {
                SecretRef::Env(name) => format!("set it: export {name}=…"),
                SecretRef::File(path) => format!("put it alone into {}", path.display()),
                SecretRef::Command(_) => "run the command by hand to see what it says".into(),
            })
        })
    }

    /// The access key of a spec, if it names one.
    ///
    /// # Errors
    /// A reference leads nowhere.
    pub async fn access_key(
        &mut self,
        spec: &CredentialsSpec,
    ) -> Result<Option<Credentials>, CommandError> {
        let (Some(id), Some(secret)) = (&spec.access_key_id, &spec.access_key_secret) else {
            return Ok(None);
        };
        let access_key_id = match id {
            KeyId::Plain(id) => id.clone(),
            KeyId::Reference(reference) => self.resolve(reference).await?.reveal().to_owned(),
        };
        let access_key_secret = self.resolve(secret).await?;
        let security_token = match &spec.security_token {
            Some(reference) => Some(self.resolve(reference).await?),
            None => None,
        };
        Ok(Some(Credentials { access_key_id, access_key_secret, security_token }))
    }

    fn read(&mut self, path: &Path) -> Result<String, String> {
        let path = self.at_home(path);
        let about = std::fs::metadata(&path).map_err(|error| error.to_string())?;
        let mode = about.permissions().mode();
        if mode & 0o077 != 0 {
            self.warnings.push(format!(
                "{} holds a secret and others may read it (mode {:03o}): chmod 600 {0}",
                path.display(),
                mode & 0o777
            ));
        }
        limited::read_text(&path, MOST_BYTES).map_err(|error| error.to_string())
    }

    /// `~/x` is the user's own `x`, as in a shell.
    fn at_home(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.env.filled("HOME")) {
            (Ok(rest), Some(home)) => Path::new(&home).join(rest),
            _ => path.to_owned(),
        }
    }

    async fn ask(&self, command: &str) -> Result<String, String> {
        let limits = Limits { time: self.command_limit, bytes: MOST_BYTES };
        let printed = printed(command, limits).await?;
        String::from_utf8(printed).map_err(|_| "it is not text".to_owned())
    }
}

/// The text without its last line end, if it is one line and says something.
fn one_line(text: &str) -> Result<String, String> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line {
        "" => Err("it is empty".to_owned()),
        _ if line.len() > MOST_BYTES => Err("it is too long for a secret".to_owned()),
        _ if line.chars().any(char::is_control) => {
            Err("it has more than one line, or control characters".to_owned())
        }
        _ => Ok(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use std::collections::BTreeMap;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    async fn resolve(reference: &str, env: &dyn Env) -> Result<String, CommandError> {
        let reference = reference.parse().unwrap();
        Secrets::new(env).resolve(&reference).await.map(|secret| secret.reveal().to_owned())
    }

    #[tokio::test]
    async fn each_kind_is_read_and_loses_one_line_end() {
        let env = env(&[("PASSWORD", "hunter2")]);
        assert_eq!(resolve("env:PASSWORD", &env).await.unwrap(), "hunter2");
        assert_eq!(resolve("cmd:printf 'hunter2\\r\\n'", &env).await.unwrap(), "hunter2");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, " hunter2\n").unwrap();
        let reference = format!("file:{}", path.display());
        assert_eq!(resolve(&reference, &env).await.unwrap(), " hunter2");
    }

    #[tokio::test]
    async fn an_error_names_the_reference_and_not_the_value() {
        let env = env(&[("LINES", "hunter2\nhunter3"), ("EMPTY", "")]);
        for reference in [
            "env:LINES",
            "env:EMPTY",
            "env:ABSENT",
            "file:/nowhere/at/all",
            "cmd:X=hunt; echo \"${X}er2\"; echo \"${X}er2\" >&2; exit 3",
            "cmd:X=hunt; echo \"${X}er2\"; echo more",
        ] {
            let error = resolve(reference, &env).await.unwrap_err();
            let shown = format!("{error:?} {}", error.to_json());
            assert!(error.to_string().contains(reference), "{shown}");
            assert!(!shown.contains("hunter"), "{shown}");
            assert_eq!(error.exit(), Exit::Usage);
        }
    }

    #[tokio::test]
    async fn a_command_that_never_answers_is_given_up() {
        let env = env(&[]);
        let mut secrets = Secrets::new(&env);
        secrets.command_limit = Duration::from_millis(1);
        let reference = SecretRef::Command("exec sleep 600".into());
        assert!(secrets.resolve(&reference).await.unwrap_err().said.contains("no answer"));
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_warned_about() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "hunter2").unwrap();
        for (mode, warned) in [(0o600, false), (0o644, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let env = env(&[]);
            let mut secrets = Secrets::new(&env);
            secrets.resolve(&SecretRef::File(path.clone())).await.unwrap();
            let warnings = secrets.into_warnings();
            assert_eq!(!warnings.is_empty(), warned, "{warnings:?}");
            assert!(!warnings.concat().contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn a_token_belongs_to_its_key() {
        let full = env(&[
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "token-of-environment"),
            ("MINE", "secret-of-spec"),
        ]);
        assert!(
            Secrets::new(&full).access_key(&CredentialsSpec::default()).await.unwrap().is_none()
        );
        let spec = CredentialsSpec {
            access_key_id: Some(KeyId::Plain("LTAI5tExampleExample".into())),
            access_key_secret: Some(SecretRef::Env("MINE".into())),
            ..CredentialsSpec::default()
        };
        let key = Secrets::new(&full).access_key(&spec).await.unwrap().unwrap();
        assert_eq!(key.access_key_id, "LTAI5tExampleExample");
        assert_eq!(key.access_key_secret.reveal(), "secret-of-spec");
        // The environment's token is not put to the spec's key.
        assert!(key.security_token.is_none());
        assert!(!format!("{key:?}").contains("secret-of-spec"));
    }
}
