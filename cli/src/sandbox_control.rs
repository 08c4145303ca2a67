//! Speaks to a sandbox that runs: which one, and its own calls under `/sandbox/`.

use crate::args::SandboxChoice;
use crate::codes;
use crate::error::{CommandError, chain};
use crate::settings::Home;
use escrr_sandbox::Addresses;
use escrr_steps::limited;
use escrr_steps::secret::Secret;
use reqwest::{Client, Method, Response, Url};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sandbox answers at once; one that does not within this time is stopped or stuck.
const LIMIT: Duration = Duration::from_secs(10);
/// The log of a long life is below this; nothing else comes near to it.
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// The line with a sandbox's addresses is much shorter.
const MOST_LINE_BYTES: usize = 1024 * 1024;

/// One sandbox's own calls.
#[derive(Clone, Debug)]
pub struct Control {
    client: Client,
    base: String,
    token: Secret,
}

impl Control {
    /// The sandbox at these addresses, which must be on loopback.
    ///
    /// # Errors
    /// The address is elsewhere.
    pub fn new(addresses: &Addresses) -> Result<Self, CommandError> {
        let base = addresses.openapi.trim_end_matches('/').to_owned();
        if !is_loopback(&base) {
            let said = format!("{base} is not on this machine");
            return Err(CommandError::new(codes::SANDBOX_CONTROL, said)
                .meaning("a sandbox listens on loopback only"));
        }
        escrr_steps::install_tls();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| CommandError::new(codes::BUG, chain(&error)))?;
        Ok(Self { client, base, token: Secret::new(addresses.control_token.as_str()) })
    }

    /// `GET /sandbox/<path>`
    ///
    /// # Errors
    /// Nobody answers ([`codes::NO_SANDBOX`]), or the sandbox says no.
    pub async fn get(&self, path: &str) -> Result<Value, CommandError> {
        self.call(Method::GET, path, None).await
    }

    /// `POST /sandbox/<path>`
    ///
    /// # Errors
    /// As [`Control::get`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, CommandError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `DELETE /sandbox/<path>`
    ///
    /// # Errors
    /// As [`Control::get`].
    pub async fn delete(&self, path: &str) -> Result<Value, CommandError> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, CommandError> {
        let tried = format!("{method} {}/sandbox/{path}", self.base);
        let mut request = self.client.request(method, format!("{}/sandbox/{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(self.token.reveal());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| {
            CommandError::new(codes::NO_SANDBOX, "the sandbox does not answer")
                .tried(format!("{tried}: {}", chain(&error)))
                .hint("start it with `escrr sandbox start`")
        })?;
        let status = response.status();
        let body = whole(response).await;
        let answer: Value = body
            .and_then(|body| serde_json::from_slice(&body).map_err(|error| error.to_string()))
            .map_err(|why| CommandError::new(codes::SANDBOX_CONTROL, why).tried(tried.clone()))?;
        if status.is_success() {
            return Ok(answer);
        }
        let why = answer.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        Err(CommandError::new(codes::SANDBOX_CONTROL, format!("the sandbox says no: {why}"))
            .tried(format!("{tried} ({status})")))
    }
}

/// The body of an answer, if it is no longer than what a sandbox has to say.
async fn whole(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(format!("the answer is longer than {MOST_BYTES} bytes: no sandbox's"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Does an address lead to this machine, and to nobody who is named before the host?
fn is_loopback(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && escrr_steps::is_loopback(&url)
    })
}

/// Refuses addresses of which any leads elsewhere: whoever uses them sends keys and passwords,
/// also real ones that a spec names.
fn all_on_loopback(addresses: &Addresses) -> Result<(), CommandError> {
    let single = [
        ("openapi", &addresses.openapi),
        ("leader", &addresses.leader),
        ("follower", &addresses.follower),
        ("metadata", &addresses.metadata),
        ("credentials_uri", &addresses.credentials_uri),
    ];
    let lists = [("instances", &addresses.instances), ("kibana", &addresses.kibana)];
    let listed = lists.iter().flat_map(|(name, all)| all.values().map(move |url| (*name, url)));
    for (name, address) in single.into_iter().chain(listed) {
        // What an older sandbox does not say is spoken to by nobody.
        if !address.is_empty() && !is_loopback(address) {
            let said = format!("the address `{address}` under `{name}` is not on this machine");
            return Err(CommandError::new(codes::SANDBOX_CONTROL, said)
                .meaning("a sandbox listens on loopback only; nothing was sent")
                .hint("use the line that `escrr sandbox start` printed, as it is"));
        }
    }
    Ok(())
}

/// The addresses of the sandbox that is meant; none when none runs.
///
/// # Errors
/// A file was named that holds no addresses.
pub fn find(
    choice: Option<&SandboxChoice>,
    home: &Home,
) -> Result<Option<Addresses>, CommandError> {
    match choice {
        Some(SandboxChoice::File(path)) => read(path).map(Some),
        Some(SandboxChoice::Own | SandboxChoice::Off) | None => Ok(running(home)),
    }
}

fn read(path: &Path) -> Result<Addresses, CommandError> {
    let text = limited::read_text(path, MOST_LINE_BYTES)
        .map_err(|error| CommandError::file(codes::UNREADABLE, "cannot read", path, &error))?;
    let addresses: Addresses = serde_json::from_str(&text).map_err(|error| {
        let said = format!("{} holds no sandbox's addresses: {error}", path.display());
        CommandError::new(codes::UNREADABLE, said)
            .hint("it has to hold the line that `escrr sandbox start` prints")
    })?;
    all_on_loopback(&addresses)?;
    Ok(addresses)
}

/// The sandbox that runs on a home's world, as it announced itself.
pub fn running(home: &Home) -> Option<Addresses> {
    let addresses = read(&home.running()).ok()?;
    is_alive(addresses.pid).then_some(addresses)
}

/// A process of another user is alive too: the system says so by refusing.
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| {
        matches!(rustix::process::test_kill_process(pid), Ok(()) | Err(rustix::io::Errno::PERM))
    })
}

/// The note that says where a sandbox answers; taken away when dropped.
#[derive(Debug)]
pub struct Announced {
    path: PathBuf,
    pid: u32,
}

impl Announced {
    /// Leaves the note in a home, readable by its owner alone: it holds the pretend secrets.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(home: &Home, addresses: &Addresses) -> Result<Self, CommandError> {
        let path = home.running();
        let fail =
            |error: io::Error| CommandError::file(codes::UNWRITABLE, "cannot write", &path, &error);
        let text = serde_json::to_string(addresses).map_err(|error| fail(error.into()))?;
        if let Some(parent) = path.parent() {
            Home::make(parent).map_err(fail)?;
        }
        // Whole or not at all, for somebody who reads it right now.
        let next = path.with_extension("json.next");
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&next)
            .map_err(fail)?;
        writeln!(file, "{text}").map_err(fail)?;
        fs::rename(&next, &path).map_err(fail)?;
        Ok(Self { path, pid: addresses.pid })
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Only our own: a later sandbox may have left its note in the meantime.
        if read(&self.path).is_ok_and(|addresses| addresses.pid == self.pid) {
            fs::remove_file(&self.path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt as _;

    fn addresses(openapi: &str, pid: u32) -> Addresses {
        Addresses {
            openapi: openapi.into(),
            leader: String::new(),
            follower: String::new(),
            instances: BTreeMap::new(),
            kibana: BTreeMap::new(),
            control_token: String::new(),
            access_key_id: String::new(),
            access_key_secret: "pretend".into(),
            elastic_user: String::new(),
            elastic_password: String::new(),
            speed: None,
            pid,
            metadata: String::new(),
            credentials_uri: String::new(),
            role_arn: String::new(),
            oidc_provider_arn: String::new(),
        }
    }

    #[test]
    fn only_loopback_is_spoken_to() {
        for good in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in ["http://10.0.0.1:1", "https://cbn.aliyuncs.com", "http://127.0.0.1.evil", ""] {
            assert!(!is_loopback(bad), "{bad}");
            assert!(Control::new(&addresses(bad, 1)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_elsewhere_is_refused_wherever_it_stands() {
        let good = "http://127.0.0.1:1";
        let list = |url: &str| BTreeMap::from([("es-cn-1".to_owned(), url.to_owned())]);
        let mine = || Addresses { instances: list(good), kibana: list(good), ..addresses(good, 1) };
        assert!(all_on_loopback(&mine()).is_ok());
        for bad in ["http://10.0.0.1:1", "http://127.0.0.1@evil.example", "ftp://127.0.0.1", "x"] {
            let bad = || bad.to_owned();
            for (name, other) in [
                ("openapi", Addresses { openapi: bad(), ..mine() }),
                ("leader", Addresses { leader: bad(), ..mine() }),
                ("follower", Addresses { follower: bad(), ..mine() }),
                ("instances", Addresses { instances: list(&bad()), ..mine() }),
                ("kibana", Addresses { kibana: list(&bad()), ..mine() }),
                ("metadata", Addresses { metadata: bad(), ..mine() }),
                ("credentials_uri", Addresses { credentials_uri: bad(), ..mine() }),
            ] {
                let error = all_on_loopback(&other).unwrap_err();
                assert!(error.said.contains(name) && error.said.contains(&bad()), "{error}");
            }
        }
    }

    #[test]
    fn a_note_is_private_and_goes_away() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        assert_eq!(running(&home), None);
        let mine = addresses("http://127.0.0.1:1", std::process::id());
        {
            let _note = Announced::new(&home, &mine).unwrap();
            let mode = fs::metadata(home.running()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(running(&home), Some(mine.clone()));
        }
        assert_eq!(running(&home), None);
        // A dead process's note, left by SIGKILL, counts for nothing.
        let left = Announced::new(&home, &addresses("http://127.0.0.1:1", 0)).unwrap();
        assert_eq!(running(&home), None);
        // A later sandbox's note is not taken away with an earlier one's.
        let later = Announced::new(&home, &mine).unwrap();
        drop(left);
        assert!(running(&home).is_some());
        drop(later);
    }

    #[test]
    fn a_file_that_holds_something_else_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        fs::write(&path, "{}").unwrap();
        let choice = SandboxChoice::File(path);
        let error = find(Some(&choice), &Home::at(dir.path())).unwrap_err();
        assert!(error.said.contains("a.json"), "{error}");
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_no_sandbox() {
        let control = Control::new(&addresses("http://127.0.0.1:9", 1)).unwrap();
        let error = control.get("clock").await.unwrap_err();
        assert_eq!(error.code, codes::NO_SANDBOX);
    }
}
