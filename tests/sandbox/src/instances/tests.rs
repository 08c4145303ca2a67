//! The rules that bite.

use crate::Product::Elasticsearch;
use crate::network::stage::{FOLLOWER, FOLLOWER_VPC, LEADER, LEADER_VPC, Link, Stage, text};
use serde_json::{Value, json};

fn group(stage: &mut Stage, name: &str) -> Value {
    let shown = stage.es("DescribeInstance", LEADER, Value::Null).unwrap();
    let groups = shown["Result"]["networkConfig"]["whiteIpGroupList"].as_array().unwrap();
    let found = groups.iter().find(|g| g["groupName"] == name && g["whiteIpType"] == "PRIVATE_ES");
    found.map_or(Value::Null, |g| g["ips"].clone())
}

/// Sends a change and waits for the instance.
fn modify(stage: &mut Stage, body: Value) {
    stage.es("ModifyWhiteIps", LEADER, body).unwrap();
    stage.step(130);
}

fn of(mode: &str, name: &str, ips: &[&str]) -> Value {
    json!({"modifyMode": mode,
        "whiteIpGroup": {"groupName": name, "whiteIpType": "PRIVATE_ES", "ips": ips}})
}

#[test]
fn an_instance_shows_what_a_preflight_needs() {
    let mut stage = Stage::new();
    let shown = stage.es("DescribeInstance", LEADER, Value::Null).unwrap();
    let result = &shown["Result"];
    assert_eq!(result["esVersion"], "7.10.0_with_X-Pack");
    assert_eq!(result["archType"], "public");
    assert_eq!(result["networkConfig"]["vpcId"], LEADER_VPC);
    assert_eq!(result["networkConfig"]["vsArea"], "cn-shanghai-f");
    assert_eq!(result["port"], 9200);
    let domain = text(result, "domain");
    let addresses = super::resolve(&stage.world, &domain, LEADER_VPC).unwrap();
    assert_eq!(addresses.len(), 2);
    assert!(addresses.iter().all(|a| a.to_string().starts_with("10.1.1.")));
    assert_eq!(super::resolve(&stage.world, &domain, FOLLOWER_VPC), None);
    let missing = stage.es("DescribeInstance", "es-cn-none", Value::Null).unwrap_err();
    assert_eq!(missing.code, "InstanceNotFound");
    let listed =
        stage.call(Elasticsearch, "ListInstance", &[("size", "1"), ("page", "2")]).unwrap();
    assert_eq!(listed["Headers"]["X-Total-Count"], 2);
    assert_eq!(listed["Result"][0]["instanceId"], LEADER);
    assert_eq!(listed["Result"][0]["port"], "9200");
}

#[test]
fn cover_makes_a_group_and_overwrites_it() {
    let mut stage = Stage::new();
    modify(&mut stage, of("Cover", "escrr", &["10.2.1.0/24"]));
    modify(&mut stage, of("Append", "escrr", &["10.2.2.0/24", "10.2.1.0/24"]));
    assert_eq!(group(&mut stage, "escrr"), json!(["10.2.1.0/24", "10.2.2.0/24"]));
    // Without a mode the list is covered: what others put there is lost.
    let cover = json!({"whiteIpGroup": {"groupName": "escrr", "ips": ["10.9.0.1"]}});
    modify(&mut stage, cover);
    assert_eq!(group(&mut stage, "escrr"), json!(["10.9.0.1"]));
    let list =
        json!({"nodeType": "WORKER", "networkType": "PRIVATE", "whiteIpList": ["10.7.0.0/16"]});
    modify(&mut stage, list);
    assert_eq!(group(&mut stage, "default"), json!(["10.7.0.0/16"]));
    assert_eq!(group(&mut stage, "escrr"), json!(["10.9.0.1"]));
}

#[test]
fn what_is_not_there_is_made_by_cover_alone() {
    let mut stage = Stage::new();
    for body in [
        of("Append", "escrr", &["10.2.1.0/24"]),
        of("Delete", "escrr", &["10.2.1.0/24"]),
        of("Cover", "escrr", &[]),
    ] {
        let refused = stage.es("ModifyWhiteIps", LEADER, body.clone()).unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (404, "NotFound"), "{body}");
    }
    let long = "a".repeat(33);
    for name in ["shanghai-hangzhou", "1a", "a", "A_b", "a b", long.as_str()] {
        let refused = stage.es("ModifyWhiteIps", LEADER, of("Cover", name, &["10.2.1.0/24"]));
        assert_eq!(refused.unwrap_err().code, "InvalidParameter", "{name}");
    }
}

#[test]
fn only_cover_empties_a_group_and_then_it_is_gone() {
    let mut stage = Stage::new();
    modify(&mut stage, of("Cover", "escrr", &["10.2.1.0/24", "10.2.2.0/24"]));
    modify(&mut stage, of("Delete", "escrr", &["10.2.1.0/24"]));
    assert_eq!(group(&mut stage, "escrr"), json!(["10.2.2.0/24"]));
    let last = of("Delete", "escrr", &["10.2.2.0/24"]);
    assert_eq!(stage.es("ModifyWhiteIps", LEADER, last).unwrap_err().code, "InvalidParameter");
    let own = of("Cover", "default", &[]);
    assert_eq!(stage.es("ModifyWhiteIps", LEADER, own).unwrap_err().code, "InvalidParameter");
    let entries =
        |s: &Stage| s.inventory().into_iter().filter(|t| t.kind == "allow_list_entry").count();
    assert_eq!(entries(&stage), 1);
    modify(&mut stage, of("Cover", "escrr", &["127.0.0.1"]));
    assert_eq!(entries(&stage), 1);
    modify(&mut stage, of("Cover", "escrr", &[]));
    assert_eq!((entries(&stage), group(&mut stage, "escrr")), (0, Value::Null));
}

#[test]
fn a_change_makes_the_instance_busy() {
    let mut stage = Stage::new();
    let body = of("Cover", "escrr", &["10.2.1.0/24"]);
    stage.es("ModifyWhiteIps", LEADER, body.clone()).unwrap();
    let shown = stage.es("DescribeInstance", LEADER, Value::Null).unwrap();
    assert_eq!(shown["Result"]["status"], "activating");
    let refused = stage.es("ModifyWhiteIps", LEADER, body).unwrap_err();
    assert_eq!(refused.code, "InstanceStatusNotSupportCurrentAction");
    stage.step(120);
    let shown = stage.es("DescribeInstance", LEADER, Value::Null).unwrap();
    assert_eq!(shown["Result"]["status"], "active");
}

#[test]
fn forms_that_do_not_go_together_are_refused() {
    let mut stage = Stage::new();
    let mut both = of("Append", "escrr", &["10.2.1.0/24"]);
    both["whiteIpList"] = json!(["10.2.1.0/24"]);
    for body in [
        both,
        json!({"modifyMode": "Append"}),
        json!({"whiteIpList": ["10.2.1.0/24"]}),
        of("Append", "escrr", &["not-an-address"]),
        of("Append", "escrr", &[]),
        of("Replace", "escrr", &["10.2.1.0/24"]),
    ] {
        let refused = stage.es("ModifyWhiteIps", LEADER, body.clone()).unwrap_err();
        assert_eq!(refused.code, "InvalidParameter", "{body}");
    }
}

#[test]
fn a_private_connection_takes_its_course() {
    let mut stage = Stage::new();
    let mut link = Link::default();
    stage.build_network(&mut link);
    stage.build_service(&mut link);
    let body = json!({"serviceId": link.service, "zoneId": "cn-hangzhou-k"});
    let refused = stage.es("CreateVpcEndpoint", FOLLOWER, body).unwrap_err();
    assert_eq!(refused.code, "InvalidParameter");
    let body = json!({"serviceId": link.service, "zoneId": "cn-hangzhou-i"});
    stage.es("CreateVpcEndpoint", FOLLOWER, body).unwrap();
    let page = |s: &mut Stage, page: &str| {
        let query = [("page", page), ("size", "1")];
        s.es_query("ListVpcEndpoints", FOLLOWER, &query, Value::Null).unwrap()["Result"].clone()
    };
    let both = [page(&mut stage, "1"), page(&mut stage, "2")];
    assert_eq!(page(&mut stage, "3"), json!([]));
    let statuses: Vec<&Value> = both.iter().map(|p| &p[0]["endpointStatus"]).collect();
    assert!(statuses.contains(&&json!("Active")) && statuses.contains(&&json!("Creating")));
    stage.step(60);
    let second = page(&mut stage, "2");
    assert_eq!(second[0]["connectionStatus"], "Connected");
    assert!(text(&second[0], "endpointDomain").ends_with(".cn-hangzhou.privatelink.aliyuncs.com"));
    let other = format!("{LEADER}/{}", link.endpoint);
    let refused = stage.es("DeleteVpcEndpoint", &other, Value::Null).unwrap_err();
    assert_eq!(refused.code, "EndpointNotFound");
}

#[test]
fn tags_travel_as_json() {
    let mut stage = Stage::new();
    let body = json!({"ResourceType": "INSTANCE", "ResourceIds": [LEADER],
        "Tags": [{"key": "env", "value": "dev"}]});
    stage.es("TagResources", LEADER, body).unwrap();
    let query = [("ResourceType", "INSTANCE"), ("Tags", "[{\"key\":\"env\",\"value\":\"dev\"}]")];
    let listed = stage.es_query("ListTagResources", LEADER, &query, Value::Null).unwrap();
    assert_eq!(listed["TagResources"]["TagResource"][0]["ResourceId"], LEADER);
    let ids = format!("[\"{LEADER}\"]");
    let query = [("ResourceIds", ids.as_str()), ("TagKeys", "[\"env\"]")];
    stage.es_query("UntagResources", LEADER, &query, Value::Null).unwrap();
    assert!(stage.world.instances.instances[LEADER].tags.is_empty());
}

#[test]
fn the_openapi_carries_a_request_to_the_cluster() {
    let mut stage = Stage::new();
    let mut ask = |query: &[(&str, &str)], body: Value| {
        stage.es_query("InvokeEsRequest", LEADER, query, body)
    };
    let get = |path| [("method", "GET"), ("path", path)];
    // The slash may be left out, the query may not get lost.
    let hello = ask(&get("?filter_path=cluster_uuid"), Value::Null).unwrap();
    let hello = hello["Result"].as_object().unwrap();
    assert_eq!(hello.keys().collect::<Vec<_>>(), ["cluster_uuid"]);
    let put = [("method", "PUT"), ("path", "/new/_doc/a%2Fb")];
    assert_eq!(ask(&put, json!({"n": 1})).unwrap()["Result"]["_id"], "a/b");
    // A body wrapped into a string is the body.
    assert_eq!(ask(&put, json!("{\"n\":2}")).unwrap()["Result"]["result"], "updated");
    let missing = ask(&get("/none/_search"), Value::Null).unwrap();
    assert_eq!(missing["Result"]["status"], 404);
    assert_eq!(
        ask(&[("method", "HEAD"), ("path", "/new")], Value::Null).unwrap()["Result"],
        Value::Null
    );
    let code = |answer: crate::Answer| answer.unwrap_err().code;
    assert_eq!(code(ask(&[("method", "GET")], Value::Null)), "MissingParameter.path");
    assert_eq!(code(ask(&[("method", "PATCH"), ("path", "/")], Value::Null)), "InvalidParameter");
    let stored = [("path", "/"), ("credentialId", "c-1")];
    assert_eq!(code(ask(&stored, Value::Null)), "CredentialNotFound");
}
