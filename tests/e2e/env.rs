//! A home and a pretend cloud of one test; nothing of the caller's environment gets in.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a process said and how it ended.
#[derive(Debug)]
#[must_use]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Asserts the exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that it was killed.
    pub(crate) fn dies_by_kill(self, at: &str) {
        assert_eq!(
            self.signal,
            Some(9),
            "{at}\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
    }

    /// Asserts that both streams together say something.
    pub(crate) fn says(self, text: &str) -> Self {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert!(all.contains(text), "{text:?} is missing in\n{all}");
        self
    }

    /// The document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect(&self.stdout)
    }
}

/// The sandbox as a process of its own.
pub(crate) struct Cloud {
    child: Child,
    folder: TempDir,
}

impl Cloud {
    /// Starts it on the default world, or on the world file given.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    /// Starts another one on a copy of its world that was altered; no request is remembered.
    pub(crate) fn copy(&self, alter: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = folder.path().join("state/sandbox/world");
        std::fs::create_dir_all(&world).unwrap();
        let lines = std::fs::read_to_string(self.world().join("world.ndjson")).unwrap();
        let mut last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        alter(&mut last);
        std::fs::write(world.join("world.ndjson"), format!("{last}\n")).unwrap();
        Self::start_in(folder, &[])
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let mut child = bare(folder.path())
            .args(["sandbox", "start"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "the sandbox did not say its addresses: {line:?}");
        std::fs::write(folder.path().join("line.json"), line).unwrap();
        Self { child, folder }
    }

    /// The file with its addresses.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("line.json")
    }

    /// Where its world is kept.
    pub(crate) fn world(&self) -> PathBuf {
        self.folder.path().join("state/sandbox/world")
    }

    /// Asks one of its clusters, `leader` or `follower`.
    pub(crate) fn ask(&self, side: &str, path: &str) -> Value {
        let line = self.line();
        let url = format!("{}{path}", line[side].as_str().unwrap());
        send(|client| client.get(url).basic_auth("elastic", self.password()))
    }

    /// Posts to one of its clusters.
    pub(crate) fn post(&self, side: &str, path: &str, body: &Value) -> Value {
        let line = self.line();
        let url = format!("{}{path}", line[side].as_str().unwrap());
        send(|client| client.post(url).json(body).basic_auth("elastic", self.password()))
    }

    /// Puts something into one of its clusters.
    pub(crate) fn put(&self, side: &str, path: &str, body: &Value) -> Value {
        let line = self.line();
        let url = format!("{}{path}", line[side].as_str().unwrap());
        send(|client| client.put(url).json(body).basic_auth("elastic", self.password()))
    }

    /// Deletes something in one of its clusters.
    pub(crate) fn delete(&self, side: &str, path: &str) -> Value {
        let line = self.line();
        let url = format!("{}{path}", line[side].as_str().unwrap());
        send(|client| client.delete(url).basic_auth("elastic", self.password()))
    }

    /// Alters what the cluster of an instance holds of a document, behind its own back.
    pub(crate) fn alter(&self, instance: &str, index: &str, id: &str, source: Option<&Value>) {
        let order = serde_json::json!({
            "instance": instance, "index": index, "id": id, "source": source,
        });
        let answer = self.control("document", &order);
        assert_eq!(answer["error"], Value::Null, "{index}/{id}: {answer}");
    }

    fn password(&self) -> Option<String> {
        self.line()["elastic_password"].as_str().map(str::to_owned)
    }

    /// Somebody else makes a call about an instance.
    pub(crate) fn change(&self, action: &str, instance: &str, body: &Value) {
        let params = serde_json::json!({"InstanceId": instance});
        let order = serde_json::json!({
            "product": "Elasticsearch", "action": action, "params": params, "body": body,
        });
        let answer = self.control("change", &order);
        assert_eq!(answer["error"], Value::Null, "{action}: {answer}");
    }

    /// Somebody else makes a call to another product.
    pub(crate) fn call(&self, product: &str, action: &str, params: &Value) -> Value {
        let order = serde_json::json!({"product": product, "action": action, "params": params});
        let answer = self.control("change", &order);
        assert_eq!(answer["error"], Value::Null, "{action}: {answer}");
        answer
    }

    /// Lets seconds pass.
    pub(crate) fn pass(&self, seconds: u64) {
        let line = self.line();
        let url = format!("{}/sandbox/clock", line["openapi"].as_str().unwrap());
        let token = line["control_token"].as_str().unwrap();
        let now_ms = send(|client| client.get(url).bearer_auth(token))["now_ms"].as_u64().unwrap();
        drop(self.control("clock", &serde_json::json!({"to_ms": now_ms + seconds * 1000})));
    }

    pub(crate) fn control(&self, what: &str, body: &Value) -> Value {
        let line = self.line();
        let url = format!("{}/sandbox/{what}", line["openapi"].as_str().unwrap());
        let token = line["control_token"].as_str().unwrap();
        send(|client| client.post(url).bearer_auth(token).json(body))
    }

    /// Its addresses.
    pub(crate) fn line(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.file()).unwrap()).unwrap()
    }
}

/// Sends one request and reads the JSON that comes back.
fn send(request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder) -> Value {
    escrr_steps::install_tls();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = async { request(&client).send().await.unwrap().json().await.unwrap() };
    tokio::runtime::Runtime::new().unwrap().block_on(asked)
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The binary with an environment of its own.
pub(crate) fn bare(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_escrr_under_test"));
    command
        .env_clear()
        .env("HOME", home)
        .env("ESCRR_HOME", home.join("state"))
        .env("TZ", "UTC")
        .env("NO_COLOR", "1")
        .env("PATH", path())
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

/// Where programs are found; everything else of the environment stays outside.
#[expect(clippy::disallowed_methods, reason = "a test hands its own search path on")]
pub(crate) fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// A home over a pretend cloud.
pub(crate) struct Env {
    pub(crate) home: TempDir,
    pub(crate) cloud: Cloud,
}

impl Env {
    /// A fresh home over a fresh default world.
    pub(crate) fn new() -> Self {
        Self::over(Cloud::start(&[]))
    }

    /// A fresh home over a pretend cloud.
    pub(crate) fn over(cloud: Cloud) -> Self {
        Self { home: tempfile::tempdir().unwrap(), cloud }
    }

    /// The binary with these arguments and the sandbox, ready to start.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(self.home.path());
        command.args(arguments).arg(format!("--sandbox={}", self.cloud.file().display()));
        command
    }

    /// Runs the binary with these arguments and the sandbox.
    pub(crate) fn escrr(&self, arguments: &[&str]) -> Output {
        output(&mut self.command(arguments))
    }

    /// Runs the binary without the sandbox.
    pub(crate) fn alone(&self, arguments: &[&str]) -> Output {
        output(bare(self.home.path()).args(arguments))
    }

    /// Writes a file into the home.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Everything that exists.
    pub(crate) fn inventory(&self) -> Value {
        self.escrr(&["sandbox", "inventory", "--output", "json"]).exits(0).json()["things"].clone()
    }

    /// Who may connect to an instance: `group/address`, the console's own placeholder left out.
    pub(crate) fn admitted(&self, instance: &str) -> Vec<String> {
        let prefix = format!("{instance}/PRIVATE_ES/");
        let all = self.inventory();
        let ids = all.as_array().unwrap().iter().filter_map(|row| row["id"].as_str());
        ids.filter_map(|id| id.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    /// The group that was made in the allow list of the leader.
    pub(crate) fn group(&self) -> String {
        let all = self.admitted("es-cn-leader000001");
        let own = all.iter().find(|entry| entry.starts_with("escrr_")).unwrap();
        own.split_once('/').unwrap().0.to_owned()
    }

    /// The changes that took effect.
    pub(crate) fn changes(&self) -> Vec<String> {
        let log =
            self.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"].clone();
        let rows = log.as_array().unwrap().iter();
        rows.filter(|r| r["mutating"] == true && r["outcome"] == "ok")
            .map(|r| {
                format!("{} {}", r["product"].as_str().unwrap(), r["action"].as_str().unwrap())
            })
            .collect()
    }

    /// Orders a fault.
    pub(crate) fn fault(&self, arguments: &[&str]) {
        let all: Vec<&str> = ["sandbox", "fault"].iter().chain(arguments).copied().collect();
        drop(self.escrr(&all).exits(0));
    }
}

/// Runs a command to its end.
pub(crate) fn output(command: &mut Command) -> Output {
    let ended = command.output().unwrap();
    Output {
        code: ended.status.code(),
        signal: ended.status.signal(),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

/// What exists, without the ids that differ from run to run.
pub(crate) fn shape(inventory: &Value) -> Vec<String> {
    let mut all: Vec<String> = inventory
        .as_array()
        .unwrap()
        .iter()
        .map(|r| format!("{} {} {}", r["kind"], r["region"], r["owner"]))
        .collect();
    all.sort();
    all
}
