//! Reads of instances, their description, nodes and health.

use super::state::{AllowGroup, Instance};
use crate::clock::rfc3339;
use crate::listing::{invalid, wants};
use crate::{Answer, Call, Refusal, World};
use serde_json::{Map, Value, json};

/// Data nodes that an instance shows.
const NODES: u8 = 3;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "DescribeInstance" => describe(world, call),
        "ListInstance" => list(world, call),
        "UpdateDescription" => update(world, call),
        "DescribeElasticsearchHealth" => health(world, call),
        "ListAllNode" => nodes(world, call),
        "DescribeRegions" => Ok(regions(world)),
        _ => return None,
    })
}

/// Domain of an instance in its VPC.
pub(crate) fn domain(id: &str) -> String {
    format!("{id}.elasticsearch.aliyuncs.com")
}

fn describe(world: &World, call: &Call) -> Answer {
    let (id, instance) = world.instances.of(call)?;
    let mut fields = common(world, id, instance);
    fields.insert("port".into(), json!(9200));
    fields.insert("isNewDeployment".into(), json!(true));
    fields.insert("enableKibanaPrivateNetwork".into(), json!(false));
    fields.insert("enableKibanaPublicNetwork".into(), json!(instance.kibana_public));
    fields.insert("enablePublic".into(), json!(instance.public_network));
    fields.insert("endpoints".into(), json!([]));
    fields.insert("esConfig".into(), json!({}));
    fields.insert("esIPBlacklist".into(), json!([]));
    fields.insert("esIPWhitelist".into(), default_list(instance, "PRIVATE_ES"));
    fields.insert("haveClientNode".into(), json!(false));
    fields.insert("haveKibana".into(), json!(true));
    fields.insert("inited".into(), json!(true));
    fields.insert("instanceCategory".into(), json!(instance.category));
    fields.insert("kibanaDomain".into(), json!(format!("{id}.kibana.elasticsearch.aliyuncs.com")));
    fields.insert("kibanaPort".into(), json!(5601));
    fields.insert("warmNode".into(), json!(false));
    if instance.public_network {
        let public = format!("{id}.public.elasticsearch.aliyuncs.com");
        fields.insert("publicDomain".into(), json!(public));
        fields.insert("publicPort".into(), json!(9200));
    }
    Ok(json!({ "Result": fields }))
}

/// The fields that both reads have.
fn common(world: &World, id: &str, i: &Instance) -> Map<String, Value> {
    let status = i.course.status(world.now_ms);
    let groups: Vec<Value> = i.groups.iter().map(group).collect();
    let tags: Vec<Value> =
        i.tags.iter().map(|(k, v)| json!({"tagKey": k, "tagValue": v})).collect();
    let row = json!({
        "advancedDedicateMaster": false,
        "archType": i.arch_type,
        "createdAt": rfc3339(i.since_ms),
        "dedicateMaster": false,
        "description": i.description,
        "domain": domain(id),
        "esVersion": format!("{}_with_X-Pack", i.version),
        "extendConfigs": [],
        "instanceId": id,
        "kibanaIPWhitelist": default_list(i, "PUBLIC_KIBANA"),
        "kibanaPrivateIPWhitelist": default_list(i, "PRIVATE_KIBANA"),
        "networkConfig": {
            "type": "vpc",
            "vpcId": i.vpc,
            "vsArea": i.zone,
            "vswitchId": i.vswitch,
            "whiteIpGroupList": groups,
        },
        "nodeAmount": NODES,
        "nodeSpec": {"disk": 20, "diskType": "cloud_ssd", "spec": "elasticsearch.sn2ne.large"},
        "paymentType": "postpaid",
        "postpaidServiceStatus": "active",
        "privateNetworkIpWhiteList": default_list(i, "PRIVATE_ES"),
        "protocol": "HTTP",
        "publicIpWhitelist": default_list(i, "PUBLIC_ES"),
        "serviceVpc": i.arch_type == "public",
        "status": status,
        "tags": tags,
        "updatedAt": rfc3339(i.updated_ms),
        "vpcInstanceId": format!("{id}-worker"),
        "zoneCount": 1,
        "zoneInfos": [{"status": "NORMAL", "zoneId": i.zone}],
    });
    let Value::Object(mut fields) = row else { return Map::new() };
    // An instance that is broken has no address to show.
    if ["invalid", "unknown"].contains(&status) {
        fields.remove("domain");
    }
    fields
}

pub(super) fn group(group: &AllowGroup) -> Value {
    json!({"groupName": group.name, "ips": group.ips, "whiteIpType": group.kind})
}

/// The default group of a kind: what the older fields show.
fn default_list(instance: &Instance, kind: &str) -> Value {
    instance.allowed(kind, Some("default")).map(String::as_str).collect()
}

fn list(world: &World, call: &Call) -> Answer {
    let page: usize = call.number("page")?.unwrap_or(1);
    let size: usize = call.number("size")?.unwrap_or(10);
    if page == 0 || !(1..=100).contains(&size) {
        return Err(Refusal::bad("InvalidParameter", "The page or the size is not valid."));
    }
    let tags = tag_filter(call)?;
    let all: Vec<Value> = world
        .instances
        .instances
        .iter()
        .filter(|(id, i)| {
            crate::listing::in_region(call, &i.region)
                && wants(call, "instanceId", id)
                && wants(call, "description", &i.description)
                && wants(call, "instanceCategory", &i.category)
                && wants(call, "status", i.course.status(world.now_ms))
                && wants(call, "vpcId", &i.vpc)
                && wants(call, "zoneId", &i.zone)
                && call.get("esVersion").is_none_or(|v| format!("{}_with_X-Pack", i.version) == v)
                && tags.iter().all(|(k, v)| i.tags.get(k) == Some(v))
        })
        .map(|(id, i)| {
            let mut fields = common(world, id, i);
            // Strings in this answer, other than in DescribeInstance.
            fields.insert("port".into(), json!("9200"));
            fields.insert("isNewDeployment".into(), json!("true"));
            Value::Object(fields)
        })
        .collect();
    let total = all.len();
    let rows: Vec<Value> = all.into_iter().skip((page - 1) * size).take(size).collect();
    Ok(json!({"Headers": {"X-Total-Count": total}, "Result": rows}))
}

/// The `tags` parameter: a JSON list of `tagKey` and `tagValue`.
fn tag_filter(call: &Call) -> Result<Vec<(String, String)>, Refusal> {
    let Some(text) = call.get("tags") else { return Ok(Vec::new()) };
    let rows: Vec<Value> = serde_json::from_str(text).map_err(|_| invalid("tags"))?;
    let member = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    rows.iter()
        .map(|r| Some((member(r, "tagKey")?, member(r, "tagValue")?)))
        .collect::<Option<_>>()
        .ok_or_else(|| invalid("tags"))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let (id, _) = world.instances.of(call)?;
    let text = call.body.get("description").and_then(Value::as_str);
    let text = text.ok_or_else(|| invalid("description"))?;
    text.clone_into(&mut world.instances.get_mut(id)?.description);
    Ok(json!({"Result": {"description": text}}))
}

fn health(world: &World, call: &Call) -> Answer {
    let (_, instance) = world.instances.of(call)?;
    let up = ["active", "activating"].contains(&instance.course.status(world.now_ms));
    Ok(json!({"Code": "", "Message": "", "Result": if up { "GREEN" } else { "GRAY" }}))
}

fn nodes(world: &World, call: &Call) -> Answer {
    let (_, instance) = world.instances.of(call)?;
    let rows: Vec<Value> = (1..=NODES)
        .map(|n| {
            json!({
                "cpuPercent": "3.2%",
                "diskUsedPercent": "11.0%",
                "health": "GREEN",
                "heapPercent": "41.0%",
                "host": format!("172.16.0.{n}"),
                "loadOneM": "0.3",
                "nodeType": "WORKER",
                "port": 9200,
                "zoneId": instance.zone,
            })
        })
        .collect();
    Ok(json!({ "Result": rows }))
}

fn regions(world: &World) -> Value {
    let rows: Vec<Value> = world
        .file
        .regions
        .keys()
        .map(|id| {
            json!({
                "consoleEndpoint": "https://elasticsearch.console.aliyun.com",
                "localName": id,
                "regionEndpoint": format!("elasticsearch.{id}.aliyuncs.com"),
                "regionId": id,
                "status": "available",
            })
        })
        .collect();
    json!({ "Result": rows })
}
