//! What a Kibana says, release by release.

use super::{Received, Reply, answered, is_open, receive};
use crate::elastic;
use crate::network::stage::{FOLLOWER, LEADER, Stage};
use crate::route::at_cluster;
use crate::wire::{Http, encode};
use crate::{World, WorldFile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn world(change: impl Fn(&mut WorldFile)) -> World {
    let mut file = WorldFile::default();
    change(&mut file);
    World::from_file(&file, 1_790_000_000_000).unwrap()
}

/// The credentials of a user of the default world.
fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("elastic:{password}")))
}

fn good() -> String {
    basic("Sandbox-elastic-1")
}

fn http(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Http {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Http::new(method, target, headers, body.as_bytes().to_vec())
}

/// A request to the console with everything that Kibana wants.
fn console(method: &str, path: &str, body: &str) -> Http {
    let target = format!("/api/console/proxy?path={}&method={method}", encode(path));
    let authorization = good();
    let headers = [("kbn-xsrf", "x"), ("authorization", authorization.as_str())];
    http("POST", &target, &headers, body)
}

/// What comes back, from Kibana itself or from its cluster.
fn ask(world: &mut World, instance: &str, http: &Http) -> Reply {
    match receive(world, instance, http) {
        Received::Own(reply) => reply,
        Received::Console(request) => {
            let reply = at_cluster(world, instance, &request);
            answered(&request.method, &reply)
        }
    }
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn refused(reply: &Reply) -> (u16, String) {
    let value = json_of(reply);
    assert_eq!(value["statusCode"], reply.status);
    (reply.status, value["message"].as_str().unwrap().to_owned())
}

#[test]
fn the_clusters_status_and_body_come_back_and_its_headers_do_not() {
    let mut world = world(|_| {});
    let hello = ask(&mut world, FOLLOWER, &console("GET", "/", ""));
    assert_eq!(json_of(&hello)["version"]["number"], "7.16.2");
    assert!(hello.headers.is_empty(), "{:?}", hello.headers);
    let made = ask(&mut world, LEADER, &console("PUT", "new", "{\"settings\":{}}"));
    assert_eq!((made.status, &json_of(&made)["acknowledged"]), (200, &json!(true)));
    let missing = ask(&mut world, LEADER, &console("GET", "/none/_search?size=0", ""));
    assert_eq!(missing.status, 404);
    assert_eq!(json_of(&missing)["error"]["type"], "index_not_found_exception");
    // Encoded once for Kibana, once for the cluster.
    let percent = ask(&mut world, LEADER, &console("GET", "/logs-2026-10/_doc/a%2Fb", ""));
    assert_eq!(json_of(&percent)["_id"], "a/b");
    let bulk = "{\"index\":{\"_index\":\"new\",\"_id\":\"1\"}}\n{\"n\":1}\n";
    let bulk = ask(&mut world, LEADER, &console("POST", "/_bulk", bulk));
    assert_eq!(json_of(&bulk)["errors"], false, "{:?}", json_of(&bulk));
}

#[test]
fn head_is_answered_with_a_text() {
    let mut world = world(|_| {});
    for (path, status, text) in
        [("/logs-2026-10", 200, "200 - OK"), ("/none", 404, "404 - Not Found")]
    {
        let reply = ask(&mut world, LEADER, &console("HEAD", path, ""));
        assert_eq!((reply.status, reply.body.as_slice()), (status, text.as_bytes()));
        assert_eq!(reply.headers, [("content-type".to_owned(), "text/plain".to_owned())]);
    }
}

#[test]
fn what_is_wrong_with_the_request_is_kibanas_own_word() {
    let mut world = world(|_| {});
    let authorization = good();
    let by = |target: &str, xsrf: bool| {
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(xsrf.then_some(("kbn-xsrf", "x")));
        http("POST", target, &headers, "")
    };
    let mut say = |http: &Http| refused(&ask(&mut world, LEADER, http));
    let whole = "/api/console/proxy?path=%2F&method=GET";
    let said = "Request must contain a kbn-xsrf header.";
    assert_eq!(say(&by(whole, false)), (400, said.to_owned()));
    let (status, said) = say(&by("/api/console/proxy?path=%2F&method=PATCH", true));
    assert!(status == 400 && said.starts_with("[request query.method]"), "{said}");
    let (status, said) = say(&by("/api/console/proxy?path=&method=GET", true));
    assert!(status == 400 && said.starts_with("[request query.path]"), "{said}");
    let (status, said) = say(&by("/api/console/proxy?method=GET", true));
    assert!(status == 400 && said.contains("[undefined]"), "{said}");
    assert_eq!(say(&by("/api/console", true)).0, 404);
    let (status, said) = say(&http("POST", whole, &[("kbn-xsrf", "x")], ""));
    assert_eq!((status, said.as_str()), (401, "Unauthorized"));
}

#[test]
fn a_wrong_password_is_said_in_the_words_of_the_release() {
    let wrong = basic("wrong");
    let headers = [("kbn-xsrf", "x"), ("authorization", wrong.as_str())];
    let request = http("POST", "/api/console/proxy?path=%2F&method=GET", &headers, "");
    let reason =
        "unable to authenticate user [elastic] for REST request [/_security/_authenticate]";
    let mut old = world(|_| {});
    assert_eq!(
        refused(&ask(&mut old, LEADER, &request)),
        (401, format!("[security_exception] {reason}"))
    );
    let mut new = world(|file| {
        file.instances.values_mut().for_each(|i| i.version = "8.17.0".into());
    });
    let (_, said) = refused(&ask(&mut new, LEADER, &request));
    assert!(said.contains("Root causes:") && said.ends_with(reason), "{said}");
}

#[test]
fn release_9_wants_to_know_that_kibana_itself_asks() {
    let mut world = world(|file| {
        file.instances.values_mut().for_each(|i| i.version = "9.0.1".into());
    });
    let mut request = console("GET", "/", "");
    let (status, said) = refused(&ask(&mut world, LEADER, &request));
    assert!(status == 400 && said.ends_with("available with the current configuration"), "{said}");
    request.headers.insert("x-elastic-internal-origin".into(), "kibana".into());
    assert_eq!(ask(&mut world, LEADER, &request).status, 200);
}

#[test]
fn a_kibana_that_takes_no_header_gives_a_session() {
    let mut world = world(|file| {
        file.instances.values_mut().for_each(|i| i.kibana_http_auth = false);
    });
    let mut request = console("GET", "/", "");
    assert_eq!(refused(&ask(&mut world, LEADER, &request)).0, 401);
    let login = |password: &str| {
        let body = json!({"providerType": "basic", "providerName": "basic", "currentURL": "/",
            "params": {"username": "elastic", "password": password}});
        let headers = [("kbn-xsrf", "x")];
        http("POST", "/internal/security/login", &headers, &body.to_string())
    };
    assert_eq!(ask(&mut world, LEADER, &login("wrong")).status, 401);
    let begun = ask(&mut world, LEADER, &login("Sandbox-elastic-1"));
    let headers: BTreeMap<_, _> = begun.headers.iter().cloned().collect();
    let cookie = headers["set-cookie"].split(';').next().unwrap().to_owned();
    request.headers.remove("authorization");
    request.headers.insert("cookie".into(), cookie);
    assert_eq!(ask(&mut world, LEADER, &request).status, 200);
    // A session belongs to one Kibana.
    assert_eq!(ask(&mut world, FOLLOWER, &request).status, 401);
}

#[test]
fn kibana_has_a_switch_and_an_allow_list_of_its_own() {
    let mut stage = Stage::new();
    assert!(is_open(&stage.world, LEADER));
    let trigger =
        |action: &str| json!({"nodeType": "KIBANA", "networkType": "PUBLIC", "actionType": action});
    stage.es("TriggerNetwork", LEADER, trigger("CLOSE")).unwrap();
    assert!(!is_open(&stage.world, LEADER) && is_open(&stage.world, FOLLOWER));
    stage.step(100);
    let shown = stage.es("DescribeInstance", LEADER, Value::Null).unwrap();
    assert_eq!(shown["Result"]["enableKibanaPublicNetwork"], false);
    stage.es("TriggerNetwork", LEADER, trigger("OPEN")).unwrap();
    stage.step(100);
    let list = |kind: &str| {
        let group = json!({"groupName": "default", "whiteIpType": kind, "ips": ["10.9.9.9"]});
        json!({"modifyMode": "Cover", "whiteIpGroup": group})
    };
    stage.es("ModifyWhiteIps", LEADER, list("PRIVATE_ES")).unwrap();
    stage.step(130);
    let direct = |s: &Stage| crate::instances::is_open(&s.world, LEADER);
    assert!(is_open(&stage.world, LEADER) && !direct(&stage));
    stage.es("ModifyWhiteIps", LEADER, list("PUBLIC_KIBANA")).unwrap();
    assert!(!is_open(&stage.world, LEADER));
    let bad = json!({"nodeType": "KIBANA", "networkType": "PRIVATE", "actionType": "OPEN"});
    stage.step(130);
    assert_eq!(stage.es("TriggerNetwork", LEADER, bad).unwrap_err().code, "InvalidParameter");
}

#[test]
fn a_timed_out_console_says_so_in_kibanas_form() {
    let (status, said) = refused(&super::timed_out());
    assert_eq!((status, said.as_str()), (504, "Client request timeout"));
    let reply =
        elastic::Reply { status: 429, body: json!({"error": "x"}), headers: BTreeMap::new() };
    assert_eq!(answered("PUT", &reply).status, 429);
}
