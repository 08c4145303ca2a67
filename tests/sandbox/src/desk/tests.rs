use super::*;
use crate::wire::{Http, encode};
use crate::{control, verify};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// A caller that only takes note of being stopped.
#[derive(Default)]
struct Victim {
    killed: RefCell<Vec<u32>>,
}

impl Caller for Victim {
    fn process(&self) -> Option<u32> {
        Some(4242)
    }
    fn kill(&self, pid: u32) {
        self.killed.borrow_mut().push(pid);
    }
}

fn desk() -> Desk {
    Desk::open(&Options::default()).unwrap()
}

/// A request signed by RPC V1 with the account's key.
fn signed(desk: &Desk, version: &str, action: &str, params: &[(&str, &str)]) -> Http {
    let nonce = fresh_nonce();
    let time = crate::clock::rfc3339(wall_ms());
    let account = &desk.world.file.account;
    let mut all = BTreeMap::from([
        ("AccessKeyId", account.access_key_id.as_str()),
        ("Action", action),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", nonce.as_str()),
        ("SignatureVersion", "1.0"),
        ("Timestamp", time.as_str()),
        ("Version", version),
    ]);
    all.extend(params.iter().copied());
    let owned = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let signature = verify::sign_rpc("POST", &owned, &account.access_key_secret);
    let query: Vec<String> = all
        .iter()
        .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
        .chain([format!("Signature={}", encode(&signature))])
        .collect();
    Http::new("POST", &format!("/?{}", query.join("&")), BTreeMap::new(), Vec::new())
}

/// A nonce that no other request of these tests has.
fn fresh_nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("nonce-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

const VPC: &str = "2016-04-28";
const CREATE: &[(&str, &str)] = &[
    ("RegionId", "cn-shanghai"),
    ("VpcId", "vpc-leader0001"),
    ("ZoneId", "cn-shanghai-g"),
    ("CidrBlock", "10.1.9.0/28"),
    ("ClientToken", "token-1"),
];

fn ask(desk: &mut Desk, action: &str, params: &[(&str, &str)]) -> Option<(u16, Value)> {
    let http = signed(desk, VPC, action, params);
    let reply = desk.openapi(&http, &Victim::default()).reply?;
    Some((reply.status, serde_json::from_slice(&reply.body).unwrap()))
}

fn count(desk: &mut Desk) -> u64 {
    let region = [("RegionId", "cn-shanghai")];
    ask(desk, "DescribeVSwitches", &region).unwrap().1["TotalCount"].as_u64().unwrap()
}

fn order(desk: &mut Desk, fault: Value) -> u64 {
    desk.order(serde_json::from_value(fault).unwrap()).unwrap()
}

fn last(desk: &Desk) -> &crate::LogLine {
    desk.log().last().unwrap()
}

#[test]
fn a_signed_call_is_answered_and_logged() {
    let mut desk = desk();
    let (status, body) = ask(&mut desk, "CreateVSwitch", CREATE).unwrap();
    assert_eq!(status, 200);
    assert!(body["VSwitchId"].as_str().unwrap().starts_with("vsw-"));
    assert_eq!(body["RequestId"].as_str().unwrap().len(), 36);
    let line = last(&desk);
    assert_eq!((line.product.as_str(), line.action.as_str()), ("Vpc", "CreateVSwitch"));
    assert_eq!(line.token.as_deref(), Some("token-1"));
    assert_eq!((line.outcome.as_str(), line.mutating, line.seq), ("ok", true, 1));
    assert_eq!(line.region, "cn-shanghai");
}

#[test]
fn a_token_has_one_effect_over_the_wire() {
    let mut desk = desk();
    let first = ask(&mut desk, "CreateVSwitch", CREATE).unwrap().1;
    let again = ask(&mut desk, "CreateVSwitch", CREATE).unwrap().1;
    assert_eq!(first["VSwitchId"], again["VSwitchId"]);
    assert_ne!(first["RequestId"], again["RequestId"]);
    assert_eq!(count(&mut desk), 2);
}

#[test]
fn a_bad_signature_is_refused_and_logged() {
    let mut desk = desk();
    let mut http = signed(&desk, VPC, "CreateVSwitch", CREATE);
    http.query.push(("Extra".into(), "1".into()));
    let reply = desk.openapi(&http, &Victim::default()).reply.unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["Code"], "SignatureDoesNotMatch");
    assert_eq!(last(&desk).outcome, "SignatureDoesNotMatch");
    assert_eq!(last(&desk).action, "CreateVSwitch");
}

#[test]
fn unknown_actions_are_not_found() {
    let mut desk = desk();
    let (status, body) = ask(&mut desk, "MakeCoffee", &[]).unwrap();
    assert_eq!((status, &body["Code"]), (404, &json!("InvalidAction.NotFound")));
}

#[test]
fn refuse_throttle_and_expire_answer_with_their_codes_and_change_nothing() {
    let mut desk = desk();
    let effects = [
        (json!({"refuse": {"status": 409, "code": "Operation.Blocking"}}), "Operation.Blocking"),
        (json!("throttle"), "Throttling.User"),
        (json!("expire_credentials"), "InvalidSecurityToken.Expired"),
    ];
    for (effect, code) in effects {
        order(&mut desk, json!({"action": "CreateVSwitch", "times": 1, "effect": effect}));
        let (_, body) = ask(&mut desk, "CreateVSwitch", CREATE).unwrap();
        assert_eq!(body["Code"], code);
        assert_eq!(last(&desk).outcome, code);
    }
    assert_eq!(count(&mut desk), 1);
}

#[test]
fn a_lost_answer_was_applied_and_a_cut_request_was_not() {
    let mut desk = desk();
    order(&mut desk, json!({"mutating": true, "nth": 1, "effect": "cut"}));
    assert_eq!(ask(&mut desk, "CreateVSwitch", CREATE), None);
    assert_eq!(last(&desk).outcome, "cut");
    assert_eq!(count(&mut desk), 1);
    order(&mut desk, json!({"mutating": true, "nth": 1, "effect": "lost"}));
    assert_eq!(ask(&mut desk, "CreateVSwitch", CREATE), None);
    assert_eq!(last(&desk).outcome, "lost");
    assert_eq!(count(&mut desk), 2);
    // The token remembers what the caller never heard.
    let (status, _) = ask(&mut desk, "CreateVSwitch", CREATE).unwrap();
    assert_eq!((status, count(&mut desk)), (200, 2));
}

#[test]
fn a_late_request_is_applied_when_its_time_has_come() {
    let mut desk = Desk::open(&Options { speed: Some(0.0), ..Options::default() }).unwrap();
    order(&mut desk, json!({"mutating": true, "nth": 1, "effect": {"late_ms": 30_000}}));
    let now_ms = desk.world.now_ms;
    assert_eq!(ask(&mut desk, "CreateVSwitch", CREATE), None);
    assert_eq!(last(&desk).outcome, "late");
    assert!(desk.move_clock(now_ms + 29_999));
    assert_eq!(count(&mut desk), 1);
    assert!(desk.move_clock(now_ms + 90_000));
    let line = last(&desk);
    assert_eq!((line.outcome.as_str(), line.action.as_str()), ("ok", "CreateVSwitch"));
    assert_eq!(line.at_ms, now_ms + 30_000, "at its time, however far the clock jumped");
    assert_eq!(count(&mut desk), 2);
}

#[test]
fn a_hint_comes_with_the_gateways_refusal() {
    let mut desk = desk();
    order(&mut desk, json!({"effect": {"throttle_ms": 700}}));
    let http = signed(&desk, VPC, "CreateVSwitch", CREATE);
    let reply = desk.openapi(&http, &Victim::default()).reply.unwrap();
    assert!(reply.headers.contains(&("x-acs-retry-after".into(), "700".into())));
}

#[test]
fn a_delay_is_told_and_the_request_applied() {
    let mut desk = desk();
    order(&mut desk, json!({"effect": {"delay_ms": 1500}}));
    let http = signed(&desk, VPC, "CreateVSwitch", CREATE);
    let outcome = desk.openapi(&http, &Victim::default());
    assert_eq!(outcome.delay_ms, 1500);
    assert_eq!(outcome.reply.unwrap().status, 200);
}

#[test]
fn a_stale_read_sees_the_world_before_the_last_change() {
    let mut desk = desk();
    order(&mut desk, json!({"action": "DescribeVSwitches", "times": 1, "effect": "stale"}));
    ask(&mut desk, "CreateVSwitch", CREATE).unwrap();
    assert_eq!(count(&mut desk), 1);
    assert_eq!(count(&mut desk), 2);
}

#[test]
fn what_is_stuck_ends_when_the_order_is_cleared() {
    let mut desk = desk();
    let id = order(&mut desk, json!({"action": "CreateVSwitch", "effect": "stuck"}));
    let made = ask(&mut desk, "CreateVSwitch", CREATE).unwrap().1["VSwitchId"].clone();
    let made = made.as_str().unwrap().to_owned();
    let status = |desk: &mut Desk| {
        let params = [("VSwitchId", made.as_str())];
        ask(desk, "DescribeVSwitchAttributes", &params).unwrap().1["Status"].clone()
    };
    let later = desk.clock.now_ms() + 86_400_000;
    assert!(desk.move_clock(later));
    assert_eq!(status(&mut desk), "Pending");
    desk.clear_faults(Some(id)).unwrap();
    assert_eq!(status(&mut desk), "Available");
}

#[test]
fn the_caller_is_stopped_before_or_after_applying() {
    for (when, applied) in [("before", 1), ("after", 2)] {
        let mut desk = desk();
        let effect = json!({"kill": {"when": when}});
        order(&mut desk, json!({"action": "CreateVSwitch", "nth": 1, "effect": effect}));
        let victim = Victim::default();
        let http = signed(&desk, VPC, "CreateVSwitch", CREATE);
        assert!(desk.openapi(&http, &victim).reply.is_none());
        assert_eq!(*victim.killed.borrow(), [4242]);
        let line = last(&desk);
        assert_eq!((line.outcome.as_str(), line.pid), ("killed", Some(4242)));
        assert_eq!(count(&mut desk), applied);
    }
}

/// One request of any product, as a run sends them.
fn send(desk: &mut Desk, victim: &Victim, what: &str) -> Option<Reply> {
    let es = |desk: &mut Desk, method: &str, path: &str| {
        let basic = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            "elastic:Sandbox-elastic-1",
        );
        let headers = BTreeMap::from([("authorization".into(), format!("Basic {basic}"))]);
        let http = Http::new(method, path, headers, Vec::new());
        desk.elastic("es-cn-follower0001", &http, victim).reply
    };
    let (version, params): (&str, Vec<(&str, &str)>) = match what {
        "PUT" => return es(desk, "PUT", "/made"),
        "GET" => return es(desk, "GET", "/_remote/info"),
        "SEARCH" => return es(desk, "POST", "/_search"),
        "CreateVSwitch" => (VPC, CREATE.to_vec()),
        "RunCommand" => (
            "2014-05-26",
            vec![
                ("RegionId", "cn-shanghai"),
                ("Type", "RunShellScript"),
                ("CommandContent", "Z2V0ZW50IGFob3N0c3Y0IHgueQ=="),
                ("ContentEncoding", "Base64"),
                ("InstanceId.1", "i-leader-bastion"),
            ],
        ),
        "DescribeRegions" => (VPC, Vec::new()),
        "CreateTransitRouter" => ("2017-09-12", vec![("CenId", "cen-none"), ("DryRun", "true")]),
        "CreateCen" => ("2017-09-12", Vec::new()),
        other => panic!("{other}"),
    };
    let http = signed(desk, version, what, &params);
    desk.openapi(&http, victim).reply
}

#[test]
fn the_nth_change_of_any_product_stops_the_caller_and_looks_do_not_count() {
    const RUN: &[(&str, u32)] = &[
        ("DescribeRegions", 0),
        ("CreateCen", 1),
        ("GET", 0),
        ("SEARCH", 0),
        // A dry run is a look.
        ("CreateTransitRouter", 0),
        ("CreateVSwitch", 2),
        ("RunCommand", 3),
        ("DescribeRegions", 0),
        ("PUT", 4),
    ];
    let made = |world: &World| {
        let indices = crate::ledger::inventory(world).len();
        (world.next_id, indices, serde_json::to_value(&world.elastic).unwrap()["clusters"].clone())
    };
    for nth in 1..=4 {
        for when in ["before", "after"] {
            let dir = tempfile::tempdir().unwrap();
            let options =
                Options { dir: Some(dir.path().to_owned()), lazy: true, ..Options::default() };
            let mut desk = Desk::open(&options).unwrap();
            let effect = json!({"kill": {"when": when}});
            order(&mut desk, json!({"mutating": true, "nth": nth, "effect": effect}));
            let victim = Victim::default();
            for (what, number) in RUN {
                let before = made(&desk.world);
                let answered = send(&mut desk, &victim, what).is_some();
                if *number != nth {
                    assert!(answered, "{what} is answered");
                    continue;
                }
                assert!(!answered, "{what} is not answered");
                let changed = made(&desk.world) != before;
                assert_eq!(changed, when == "after", "{what} {when}");
                // Even a lazy world is on disk when its caller dies.
                let on_disk = crate::offline(dir.path()).unwrap().world;
                assert_eq!(made(&on_disk), made(&desk.world));
            }
            assert_eq!(*victim.killed.borrow(), [4242], "once, {nth} {when}");
            desk.close().unwrap();
        }
    }
}

#[test]
fn a_refused_call_is_not_worth_a_write() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: Some(dir.path().to_owned()), ..Options::default() };
    let mut desk = Desk::open(&options).unwrap();
    let length = || std::fs::metadata(dir.path().join("world.ndjson")).unwrap().len();
    let before = length();
    let bad: Vec<_> = CREATE.iter().copied().filter(|(name, _)| *name != "ZoneId").collect();
    assert_eq!(ask(&mut desk, "CreateVSwitch", &bad).unwrap().0, 400);
    assert_eq!(length(), before);
    assert_eq!(ask(&mut desk, "CreateVSwitch", CREATE).unwrap().0, 200);
    assert!(length() > before);
}

#[test]
fn a_cluster_is_throttled_in_its_own_words() {
    let mut desk = desk();
    order(&mut desk, json!({"product": "Es", "action": "Root", "effect": "throttle"}));
    let http = Http::new("GET", "/", BTreeMap::new(), Vec::new());
    let reply = desk.elastic("es-cn-leader000001", &http, &Victim::default()).reply.unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(reply.status, 429);
    assert_eq!(body["error"]["type"], "es_rejected_execution_exception");
    assert_eq!(last(&desk).region, "cn-shanghai");
}

fn control(desk: &mut Desk, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let reply = control::handle(desk, &Http::new(method, path, BTreeMap::new(), body));
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

#[test]
fn the_clock_moves_forward_only_and_not_at_a_speed() {
    let mut free = desk();
    let now = control(&mut free, "GET", "/sandbox/clock", &Value::Null).1;
    assert_eq!(now["speed"], Value::Null);
    let to = now["now_ms"].as_u64().unwrap() + 3_600_000;
    let (status, moved) = control(&mut free, "POST", "/sandbox/clock", &json!({"to_ms": to}));
    assert_eq!(status, 200);
    assert!(moved["now_ms"].as_u64().unwrap() >= to);
    let (_, back) = control(&mut free, "POST", "/sandbox/clock", &json!({"to_ms": 5}));
    assert!(back["now_ms"].as_u64().unwrap() >= to);
    let mut fast = Desk::open(&Options { speed: Some(60.0), ..Options::default() }).unwrap();
    assert_eq!(control(&mut fast, "POST", "/sandbox/clock", &json!({"to_ms": to})).0, 409);
}

#[test]
fn changes_behind_the_back_and_reset() {
    let mut desk = desk();
    let params: BTreeMap<_, _> = CREATE.iter().copied().collect();
    let change = json!({"product": "Vpc", "action": "CreateVSwitch", "params": params});
    assert_eq!(control(&mut desk, "POST", "/sandbox/change", &change).0, 200);
    assert_eq!(count(&mut desk), 2);
    let things = control(&mut desk, "GET", "/sandbox/inventory", &Value::Null).1;
    let kinds: Vec<_> = things.as_array().unwrap().iter().map(|t| t["kind"].clone()).collect();
    assert!(kinds.contains(&json!("ecs_instance")) && kinds.contains(&json!("vpc")));
    assert_eq!(control(&mut desk, "POST", "/sandbox/reset", &Value::Null).0, 200);
    assert_eq!(count(&mut desk), 1);
    let log = control(&mut desk, "GET", "/sandbox/log", &Value::Null).1;
    assert_eq!(log.as_array().unwrap().len(), 1);
    assert_eq!(log[0]["action"], "DescribeVSwitches");
}

#[test]
fn faults_are_listed_and_cleared_and_misspelt_ones_refused() {
    let mut desk = desk();
    let fault = json!({"product": "Cbn", "effect": "throttle"});
    let id = control(&mut desk, "POST", "/sandbox/fault", &fault).1["id"].as_u64().unwrap();
    let listed = control(&mut desk, "GET", "/sandbox/fault", &Value::Null).1;
    assert_eq!(listed[0]["fault"]["product"], "Cbn");
    let path = format!("/sandbox/fault/{id}");
    assert_eq!(control(&mut desk, "DELETE", &path, &Value::Null).1["cleared"], 1);
    assert_eq!(control(&mut desk, "POST", "/sandbox/fault", &json!({"effct": 1})).0, 400);
    assert_eq!(control(&mut desk, "GET", "/sandbox/nothing", &Value::Null).0, 404);
}

#[test]
fn a_change_is_on_disk_before_the_answer_and_outlives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: Some(dir.path().to_owned()), ..Options::default() };
    let mut desk = Desk::open(&options).unwrap();
    ask(&mut desk, "CreateVSwitch", CREATE).unwrap();
    // Nothing is closed or flushed here: that is how a killed process leaves it.
    let offline = crate::offline(dir.path()).unwrap();
    assert_eq!(offline.world.vpc.vswitches.len(), 4);
    assert_eq!(offline.log.len(), 1);
    desk.close().unwrap();
    let mut again = Desk::open(&options).unwrap();
    assert_eq!(count(&mut again), 2);
    let (_, body) = ask(&mut again, "CreateVSwitch", CREATE).unwrap();
    assert!(body["VSwitchId"].is_string());
    assert_eq!(count(&mut again), 2);
    assert_eq!(last(&again).seq, 4);
}

#[test]
fn a_lazy_world_is_written_when_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: Some(dir.path().to_owned()), lazy: true, ..Options::default() };
    let mut desk = Desk::open(&options).unwrap();
    ask(&mut desk, "CreateVSwitch", CREATE).unwrap();
    assert_eq!(crate::offline(dir.path()).unwrap().world.vpc.vswitches.len(), 3);
    desk.flush().unwrap();
    assert_eq!(crate::offline(dir.path()).unwrap().world.vpc.vswitches.len(), 4);
}

#[test]
fn an_assumed_role_signs_with_its_token() {
    let mut desk = desk();
    let arn = format!("acs:ram::{}:role/escrr", desk.world.file.account.id);
    let params = [("RoleArn", arn.as_str()), ("RoleSessionName", "tests")];
    let http = signed(&desk, "2015-04-01", "AssumeRole", &params);
    let reply = desk.openapi(&http, &Victim::default()).reply.unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let given = |name: &str| body["Credentials"][name].as_str().unwrap().to_owned();
    let token = given("SecurityToken");
    // The helper signs with the account's key: lend it the temporary one.
    let own = desk.world.file.account.clone();
    desk.world.file.account.access_key_id = given("AccessKeyId");
    desk.world.file.account.access_key_secret = given("AccessKeySecret");
    let params = [("SecurityToken", token.as_str())];
    let http = signed(&desk, "2015-04-01", "GetCallerIdentity", &params);
    desk.world.file.account = own;
    let reply = desk.openapi(&http, &Victim::default()).reply.unwrap();
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["IdentityType"], "AssumedRoleUser");
    assert!(body["Arn"].as_str().unwrap().ends_with("assumed-role/escrr/tests"));
}
