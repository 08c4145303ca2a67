//! Asking a command of the user's for a secret.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::{OsStr, OsString};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// What a password manager needs to find its files, its agent and its server.
const NEEDED: [&str; 27] = [
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "TMPDIR",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "GPG_TTY",
    "GPG_AGENT_INFO",
    "GNUPGHOME",
    "KUBECONFIG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];
/// The same, by how the names begin.
const FAMILIES: [&str; 7] = ["LC_", "XDG_", "PASSWORD_STORE_", "VAULT_", "OP_", "BW_", "SOPS_"];

/// How long a command may take, and how much it may print.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The time until it has ended.
    pub time: Duration,
    /// Bytes on its stdout.
    pub bytes: usize,
}

/// Runs a command line by `sh` and gives what it prints. The error shows nothing of that, and what
/// the command says on its stderr is not shown either: it may be the secret.
///
/// The command has a process group of its own, so that it ends with everything that it started,
/// and of the environment it gets what a password manager needs: no access key, no password.
///
/// # Errors
/// It cannot be started, fails, prints too much, or has not ended in time; then it is killed.
pub async fn printed(command: &str, limits: Limits) -> Result<Vec<u8>, String> {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(command)
        .env_clear()
        .envs(environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the command cannot be started: {error}"))?;
    let group = Group::of(&child);
    let answer = tokio::time::timeout(limits.time, read(&mut child, limits.bytes)).await;
    let (printed, success, status) = answer
        .map_err(|_| format!("the command gave no answer within {} s", limits.time.as_secs()))??;
    group.ended();
    if !success {
        return Err(format!("the command failed ({status})"));
    }
    Ok(printed)
}

async fn read(child: &mut Child, most: usize) -> Result<(Vec<u8>, bool, String), String> {
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = stdout.take(most as u64 + 1);
        stdout.read_to_end(&mut printed).await.map_err(|error| error.to_string())?;
    }
    if printed.len() > most {
        return Err(format!("the command printed more than {most} bytes"));
    }
    let status = child.wait().await.map_err(|error| error.to_string())?;
    Ok((printed, status.success(), status.to_string()))
}

/// What of our own environment a command gets.
fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_needed(name))
}

fn is_needed(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    NEEDED.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// All processes of a command; those that are left are killed when nobody waits any more.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// The command has ended by itself.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Whoever has ended in the meantime need not be killed.
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(ms: u64, bytes: usize) -> Limits {
        Limits { time: Duration::from_millis(ms), bytes }
    }

    #[tokio::test]
    async fn more_than_is_wanted_is_not_read() {
        let error = printed("yes", limits(60_000, 1000)).await.unwrap_err();
        assert!(error.contains("more than 1000 bytes"), "{error}");
        assert_eq!(printed("printf 12345", limits(60_000, 5)).await.unwrap(), b"12345");
    }

    #[tokio::test]
    async fn a_command_ends_with_everything_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("alive");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // The grandchild holds the pipe's other end open as long as it lives.
        let command = format!("(exec 3>'{}'; echo >&3; exec sleep 600) & wait", pipe.display());
        let asked = tokio::spawn(async move { printed(&command, limits(600_000, 10)).await });
        let mut reader = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&pipe).unwrap();
        let mut heard = [0; 8];
        loop {
            // Nobody has opened the other end yet.
            if reader.read(&mut heard).await.unwrap() > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
        // The end of the pipe: nobody holds it any more.
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
    }

    #[test]
    fn of_the_environment_nothing_secret_is_handed_on() {
        for name in ["PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR", "GNUPGHOME", "VAULT_ADDR"] {
            assert!(is_needed(OsStr::new(name)), "{name}");
        }
        for name in [
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "ALIBABA_CLOUD_SECURITY_TOKEN",
            "LEADER_PASSWORD",
            "ESCRR_HOME",
            "LD_PRELOAD",
        ] {
            assert!(!is_needed(OsStr::new(name)), "{name}");
        }
    }
}
