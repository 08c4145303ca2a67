use super::*;
use crate::Product;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

fn world() -> World {
    World::from_file(&WorldFile::default(), 1_790_000_000_000).unwrap()
}

fn ask(world: &mut World, action: &str, params: &[(&str, &str)]) -> Answer {
    let mut params: BTreeMap<String, String> =
        params.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    params.entry("RegionId".into()).or_insert("cn-shanghai".into());
    let (path, body) = (BTreeMap::new(), Value::Null);
    let call = Call { product: Product::Ecs, action: action.into(), params, path, body };
    crate::route::answer(world, &call)
}

fn run(world: &mut World, script: &str) -> String {
    let content = BASE64.encode(script);
    let params = [
        ("Type", "RunShellScript"),
        ("CommandContent", content.as_str()),
        ("ContentEncoding", "Base64"),
        ("InstanceId.1", "i-leader-bastion"),
    ];
    let answer = ask(world, "RunCommand", &params).unwrap();
    answer["InvokeId"].as_str().unwrap().to_owned()
}

fn result(world: &mut World, invoke: &str) -> Value {
    let params = [("InvokeId", invoke), ("ContentEncoding", "PlainText")];
    let answer = ask(world, "DescribeInvocationResults", &params).unwrap();
    answer["Invocation"]["InvocationResults"]["InvocationResult"][0].clone()
}

#[test]
fn instances_are_found_by_vpc_and_status() {
    let mut world = world();
    let of = |world: &mut World, vpc: &str, status: &str| {
        ask(world, "DescribeInstances", &[("VpcId", vpc), ("Status", status)]).unwrap()
            ["TotalCount"]
            .clone()
    };
    assert_eq!(of(&mut world, "vpc-leader0001", "Running"), 1);
    assert_eq!(of(&mut world, "vpc-leader0001", "Stopped"), 0);
    assert_eq!(of(&mut world, "vpc-follower01", "Running"), 0);
    let status = ask(&mut world, "DescribeCloudAssistantStatus", &[]).unwrap();
    let row = &status["InstanceCloudAssistantStatusSet"]["InstanceCloudAssistantStatus"][0];
    assert_eq!(row["CloudAssistantStatus"], "true");
}

#[test]
fn a_name_that_nobody_knows_fails_with_exit_code_2() {
    let mut world = world();
    let invoke = run(&mut world, "getent ahostsv4 nobody.example.com");
    assert_eq!(result(&mut world, &invoke)["InvocationStatus"], "Running");
    world.now_ms += 3_000;
    let row = result(&mut world, &invoke);
    assert_eq!(row["InvocationStatus"], "Failed");
    assert_eq!(row["ExitCode"], 2);
    let listed = ask(&mut world, "DescribeInvocations", &[("InvokeId", &invoke)]).unwrap();
    assert_eq!(listed["Invocations"]["Invocation"][0]["InvocationStatus"], "Failed");
}

#[test]
fn without_an_agent_the_command_times_out() {
    let mut world = world();
    world.ecs.servers.get_mut("i-leader-bastion").unwrap().cloud_assistant = false;
    let invoke = run(&mut world, "getent ahostsv4 a.example.com");
    assert_eq!(result(&mut world, &invoke)["InvocationStatus"], "Pending");
    world.now_ms += 60_000;
    assert_eq!(result(&mut world, &invoke)["InvocationStatus"], "Timeout");
}

#[test]
fn an_unknown_instance_is_refused() {
    let mut world = world();
    let params = [("Type", "RunShellScript"), ("CommandContent", "x"), ("InstanceId.1", "i-none")];
    let refusal = ask(&mut world, "RunCommand", &params).unwrap_err();
    assert_eq!(refusal.code, "InvalidInstance.NotFound");
}

#[test]
fn the_output_is_base64_unless_plain_text_is_asked_for() {
    let mut world = world();
    let invoke = run(&mut world, "uptime");
    world.now_ms += 3_000;
    let answer = ask(&mut world, "DescribeInvocationResults", &[("InvokeId", &invoke)]).unwrap();
    let row = &answer["Invocation"]["InvocationResults"]["InvocationResult"][0];
    let text = BASE64.decode(row["Output"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8(text).unwrap().starts_with("sandbox:"));
    assert_eq!(row["ExitCode"], 127);
}
