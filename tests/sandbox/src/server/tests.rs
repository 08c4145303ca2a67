use super::*;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn get(base: &str, path: &str) -> (String, String) {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn answers_on_loopback_and_stops() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let addresses = sandbox.addresses().clone();
    assert_eq!(addresses.instances.len(), 2);
    let (head, body) = get(&addresses.openapi, "/sandbox/inventory").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("\r\ndate: "), "{head}");
    let things: Vec<crate::Thing> = serde_json::from_str(&body).unwrap();
    assert!(things.iter().any(|t| t.kind == "vpc" && t.id == "vpc-leader0001"));
    let (head, _) = get(&addresses.leader, "/").await;
    assert!(head.contains("x-elastic-product: elasticsearch"), "{head}");
    let (head, body) = get(&addresses.openapi, "/?Action=DescribeVpcs&Version=2016-04-28").await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["Code"], "MissingParameter.AccessKeyId");
    sandbox.stop().await;
    let address = addresses.openapi.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_cut_request_ends_without_an_answer() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let fault = serde_json::json!({"product": "Es", "times": 1, "effect": "cut"});
    lock(&sandbox.desk).order(serde_json::from_value(fault).unwrap()).unwrap();
    let base = sandbox.addresses().follower.clone();
    assert_eq!(get(&base, "/").await.0, "");
    assert!(get(&base, "/").await.0.starts_with("http/1.1"));
}

/// A shell is the caller: it writes a request by itself and waits for the answer.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_calling_process_is_stopped() {
    use std::os::unix::process::ExitStatusExt as _;
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let fault = serde_json::json!({"product": "Es", "effect": {"kill": {"when": "before"}}});
    lock(&sandbox.desk).order(serde_json::from_value(fault).unwrap()).unwrap();
    let base = sandbox.addresses().follower.clone();
    let port = base.rsplit(':').next().unwrap();
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; \
         printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; read -r line <&3; exit 7"
    );
    let mut child = tokio::process::Command::new("bash").args(["-c", &script]).spawn().unwrap();
    let pid = child.id();
    assert_eq!(child.wait().await.unwrap().signal(), Some(9));
    let desk = lock(&sandbox.desk);
    let line = desk.log().last().unwrap();
    assert_eq!((line.outcome.as_str(), line.pid), ("killed", pid));
}

#[tokio::test]
async fn dropping_lets_go_of_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: Some(dir.path().to_owned()), ..Options::default() };
    let first = Sandbox::start(options.clone()).await.unwrap();
    assert!(matches!(Sandbox::start(options.clone()).await, Err(Error::InUse { .. })));
    drop(first);
    Sandbox::start(options).await.unwrap().stop().await;
}
