//! Asking a command of the user's for a secret.

use std::process::Stdio;
use std::time::Duration;

/// Runs a command line by `sh` and gives what it prints. The error shows nothing of that, and what
/// the command says on its stderr is not shown either: it may be the secret.
///
/// # Errors
/// It cannot be started, fails, or has not ended within `limit`; then it is killed.
pub async fn printed(command: &str, limit: Duration) -> Result<Vec<u8>, String> {
    let child = tokio::process::Command::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the command cannot be started: {error}"))?;
    let answer = tokio::time::timeout(limit, child.wait_with_output())
        .await
        .map_err(|_| format!("the command gave no answer within {} s", limit.as_secs()))?
        .map_err(|error| error.to_string())?;
    if !answer.status.success() {
        return Err(format!("the command failed ({})", answer.status));
    }
    Ok(answer.stdout)
}
