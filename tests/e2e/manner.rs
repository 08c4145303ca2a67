//! How the cloud is called: both generations of signatures, and proxies.

use crate::env::{Env, bare, output};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

/// The schemes that the cloud was called by, as its log has them.
fn schemes(env: &Env) -> BTreeSet<String> {
    let log =
        env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"].clone();
    let lines = log.as_array().unwrap().iter();
    lines.filter_map(|line| Some(line.get("scheme")?.as_str()?.to_owned())).collect()
}

/// There and back by one generation of signatures.
fn there_and_back(flags: &[&str]) -> BTreeSet<String> {
    let env = Env::new();
    let before = env.inventory();
    let run: Vec<&str> = ["run", "--yes"].iter().chain(flags).copied().collect();
    drop(env.escrr(&run).exits(0));
    assert_ne!(env.inventory(), before);
    let back: Vec<&str> = ["rollback", "--yes"].iter().chain(flags).copied().collect();
    drop(env.escrr(&back).exits(0));
    assert_eq!(env.inventory(), before);
    schemes(&env)
}

fn set(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_run_and_its_rollback_by_the_first_generation() {
    assert_eq!(there_and_back(&["--signature", "v1"]), set(&["roa-v1", "rpc-v1"]));
}

#[test]
fn a_run_and_its_rollback_by_the_newer_generation() {
    assert_eq!(there_and_back(&["--signature", "v3"]), set(&["v3"]));
}

#[test]
fn the_environment_goes_before_the_spec() {
    let env = Env::new();
    let spec = format!("{}\n[cloud]\nsignature = \"v3\"\n", escrr_steps::spec::defaults::SANDBOX);
    let spec = env.write("escrr.toml", &spec);
    drop(env.escrr(&["plan", &spec]).exits(0));
    assert_eq!(schemes(&env), set(&["v3"]));
    drop(output(env.command(&["plan", &spec]).env("ESCRR_SIGNATURE", "v1")).exits(0));
    assert_eq!(schemes(&env), set(&["roa-v1", "rpc-v1", "v3"]));
}

#[test]
fn loopback_is_never_called_by_way_of_a_proxy() {
    let env = Env::new();
    let mut command = env.command(&["run", "--yes"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"] {
        // Nobody listens there.
        command.env(name, "http://127.0.0.1:9");
    }
    drop(output(&mut command).exits(0));
}

/// Starts a run on the real cloud behind a proxy of ours; gives the first host asked for.
fn first_host_asked_of_the_proxy(no_proxy: &str, more: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let spec = format!("{}\n{more}", escrr_steps::spec::defaults::SANDBOX);
    std::fs::write(home.path().join("escrr.toml"), spec).unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = bare(home.path())
        .args(["plan", "escrr.toml"])
        .env("HTTPS_PROXY", format!("http://{}", proxy.local_addr().unwrap()))
        .env("NO_PROXY", no_proxy)
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "testid")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "testsecret")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = proxy.accept().unwrap();
    let mut line = String::new();
    BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
    stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    line.trim().to_owned()
}

#[test]
fn a_proxy_of_the_environment_is_asked_for_the_clouds_host() {
    let line = first_host_asked_of_the_proxy("", "");
    assert_eq!(line, "CONNECT sts.cn-hangzhou.aliyuncs.com:443 HTTP/1.1");
    let named = "[cloud]\nnetwork = \"vpc\"\n[cloud.endpoints]\nelasticsearch = \"es.example\"\n";
    let line = first_host_asked_of_the_proxy("sts.example", named);
    assert_eq!(line, "CONNECT sts-vpc.cn-hangzhou.aliyuncs.com:443 HTTP/1.1");
}
