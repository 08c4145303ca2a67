use super::*;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn get(base: &str, path: &str) -> (String, String) {
    get_with(base, path, None).await
}

async fn get_with(base: &str, path: &str, token: Option<&str>) -> (String, String) {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let request = match token {
        Some(token) => {
            request.replace("Connection", &format!("Authorization: Bearer {token}\r\nConnection"))
        }
        None => request,
    };
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
    let (head, body) =
        get_with(&addresses.openapi, "/sandbox/inventory", Some(&addresses.control_token)).await;
    assert!(head.starts_with("http/1.1 200") && head.contains("\r\ndate: "), "{head}");
    let things: Vec<crate::Thing> = serde_json::from_str(&body).unwrap();
    assert!(things.iter().any(|t| t.kind == "vpc" && t.id == "vpc-leader0001"));
    let product = "x-elastic-product: elasticsearch";
    let (head, _) = get(&addresses.leader, "/").await;
    assert!(!head.contains(product), "7.10 does not send it yet: {head}");
    let (head, _) = get(&addresses.follower, "/").await;
    assert!(head.contains(product), "{head}");
    let (head, body) = get(&addresses.openapi, "/?Action=DescribeVpcs&Version=2016-04-28").await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["Code"], "MissingParameter.AccessKeyId");
    sandbox.stop().await;
    let address = addresses.openapi.strip_prefix("http://").unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_copy_goes_on_by_itself() {
    let still = Options { speed: Some(0.0), ..Options::default() };
    let first = Sandbox::start(still).await.unwrap();
    let mut world = first.world();
    world.vpc.vswitches.clear();
    let copy = Sandbox::of_world(world, Some(0.0)).await.unwrap();
    let inventory = async |sandbox: &Sandbox| {
        let at = sandbox.addresses();
        let token = Some(at.control_token.as_str());
        let (_, body) = get_with(&at.openapi, "/sandbox/inventory", token).await;
        serde_json::from_str::<Vec<crate::Thing>>(&body).unwrap()
    };
    let (first, copy) = (inventory(&first).await, inventory(&copy).await);
    assert!(first.iter().any(|thing| thing.kind == "vswitch"));
    let rest: Vec<_> = first.into_iter().filter(|thing| thing.kind != "vswitch").collect();
    assert_eq!(copy, rest, "the same things, since the same time");
}

/// Sends a request as it stands and gives the first line of the answer, and all of it.
async fn raw(base: &str, text: &str) -> (String, String) {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let answer = String::from_utf8(answer).unwrap();
    (answer.lines().next().unwrap_or_default().to_owned(), answer)
}

#[tokio::test]
async fn whatever_is_asked_is_answered() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let api = sandbox.addresses().openapi.clone();
    let end = "Host: localhost\r\nConnection: close\r\n";
    for path in ["/nothing/here", "/openapi/nothing?Version=2017-06-13", "/%zz", "//"] {
        for method in ["GET", "POST", "DELETE", "PATCH"] {
            let request = format!("{method} {path} HTTP/1.1\r\n{end}Content-Length: 0\r\n\r\n");
            let (first, all) = raw(&api, &request).await;
            assert!(first.starts_with("HTTP/1.1 4"), "{method} {path}: {first}");
            let body = all.split_once("\r\n\r\n").unwrap().1;
            let body: Value = serde_json::from_str(body).unwrap();
            assert!(body["Code"].is_string() && body["RequestId"].is_string(), "{body}");
        }
    }
    let head = format!("HEAD / HTTP/1.1\r\n{end}Accept-Encoding: gzip, br\r\n\r\n");
    let (first, all) = raw(&api, &head).await;
    assert!(first.starts_with("HTTP/1.1 400") && all.ends_with("\r\n\r\n"), "{all}");
    let leader = sandbox.addresses().leader.clone();
    let (first, all) = raw(&leader, &head).await;
    assert!(first.starts_with("HTTP/1.1 401") && all.ends_with("\r\n\r\n"), "{all}");
    let (first, _) = raw(&leader, "nonsense\r\n\r\n").await;
    assert!(first.starts_with("HTTP/1.1 400"), "{first}");
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let over = |limit: usize| {
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", limit + 1)
    };
    // The length alone says that it is too long: the body need not come.
    let (first, all) = raw(&sandbox.addresses().openapi, &over(OPENAPI_BODY)).await;
    assert!(first.starts_with("HTTP/1.1 413") && all.contains("RequestBodyTooLarge"), "{all}");
    let (first, _) = raw(&sandbox.addresses().leader, &over(CLUSTER_BODY)).await;
    assert!(first.starts_with("HTTP/1.1 413"), "{first}");
}

#[tokio::test]
async fn no_page_of_a_browser_is_answered_at_any_port() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let at = sandbox.addresses().clone();
    let ports = [&at.openapi, &at.leader, &at.follower, &at.metadata];
    for base in ports.into_iter().chain(at.kibana.values()) {
        for (header, status) in [
            ("Host: evil.example", "421"),
            ("Host: localhost\r\nOrigin: http://evil.example", "403"),
            ("Host: localhost\r\nOrigin: null", "403"),
        ] {
            let request = format!("GET / HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n");
            let (first, _) = raw(base, &request).await;
            assert!(first.starts_with(&format!("HTTP/1.1 {status}")), "{base} {header}: {first}");
        }
    }
    let order = |headers: &str| {
        let body = "{\"effect\": \"cut\"}";
        format!(
            "POST /sandbox/fault HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let bearer = format!("Authorization: Bearer {}\r\n", at.control_token);
    let json = "Content-Type: application/json\r\n";
    let (plain, both) =
        (format!("{bearer}Content-Type: text/plain\r\n"), format!("{bearer}{json}"));
    for (headers, status) in
        [("", "401"), (json, "401"), (bearer.as_str(), "415"), (&plain, "415"), (&both, "200")]
    {
        let (first, _) = raw(&at.openapi, &order(headers)).await;
        assert!(first.starts_with(&format!("HTTP/1.1 {status}")), "{headers}: {first}");
    }
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
         printf 'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n%s\\r\\n' \"$1\" >&3; \
         read -r line <&3; exit 7"
    );
    let ask = |header: &str| {
        let line = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
        let arguments = ["-c", &script, "bash", &line];
        tokio::process::Command::new("bash").args(arguments).spawn().unwrap()
    };
    // Whoever does not say who he is gets his answer and lives.
    for stranger in ["", "Authorization: Basic ZWxhc3RpYzp3cm9uZw=="] {
        assert_eq!(ask(stranger).wait().await.unwrap().code(), Some(7), "{stranger}");
    }
    let addresses = sandbox.addresses();
    let pair = format!("{}:{}", addresses.elastic_user, addresses.elastic_password);
    let pair = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair);
    let mut child = ask(&format!("Authorization: Basic {pair}"));
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
