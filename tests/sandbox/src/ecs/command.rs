//! Commands of Cloud Assistant: run, and their results.

use super::page;
use crate::clock::rfc3339;
use crate::listing::wants;
use crate::{Answer, Call, Course, Refusal, World, instances};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::Ipv4Addr;

/// Largest command, in bytes after Base64.
const MAX_COMMAND: usize = 24 * 1024;

/// One run of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invocation {
    region: String,
    command_id: String,
    name: String,
    kind: String,
    /// As it was sent, in Base64.
    content: String,
    started_ms: u64,
    course: Course,
    results: Vec<Outcome>,
}

/// What it gave on one instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outcome {
    instance: String,
    exit_code: i32,
    output: String,
}

pub(super) fn run(world: &mut World, call: &Call) -> Answer {
    let region = call.need("RegionId")?.to_owned();
    let kind = call.need("Type")?.to_owned();
    let content = call.need("CommandContent")?;
    if kind != "RunShellScript" {
        return Err(Refusal::bad(
            "InvalidParameter.Type",
            "The instances are Linux ones: they run RunShellScript only.",
        ));
    }
    let script = script(content, call.get("ContentEncoding").unwrap_or("PlainText"))?;
    let ids = call.list("InstanceId");
    if ids.is_empty() {
        call.need("InstanceId.1")?;
    }
    let mut results = Vec::new();
    for id in &ids {
        let server = world.ecs.servers.get(id).filter(|s| s.region == region).ok_or_else(|| {
            Refusal::missing("InvalidInstance.NotFound", "The specified instance does not exist.")
        })?;
        if server.status != "Running" {
            return Err(Refusal::new(
                403,
                "InvalidInstanceStatus.NotRunning",
                "The specified instance is not running.",
            ));
        }
        let vpc = world.vpc.vswitches.get(&server.vswitch).map_or("", |v| v.vpc.as_str());
        let alive = server.cloud_assistant;
        let (exit_code, output) =
            if alive { shell(world, vpc, &script) } else { (-1, String::new()) };
        results.push((Outcome { instance: id.clone(), exit_code, output }, alive));
    }
    if call.get("RepeatMode") == Some("DryRun") {
        return Ok(json!({"CommandId": "", "InvokeId": ""}));
    }
    let invoke = world.fresh_id("t");
    let command_id = world.fresh_id("c");
    let until = world.after("Ecs.RunCommand");
    // Without an agent nobody takes the command up: it stays pending until it times out.
    let course = if results.iter().any(|(_, alive)| !alive) {
        let timeout: u64 = call.number("Timeout")?.unwrap_or(60);
        Course::moving("Pending", world.now_ms + timeout.saturating_mul(1000), "Timeout")
    } else {
        let failed = results.iter().any(|(o, _)| o.exit_code != 0);
        Course::moving("Running", until, if failed { "Failed" } else { "Success" })
    };
    let invocation = Invocation {
        region,
        command_id: command_id.clone(),
        name: call.get("Name").unwrap_or_default().to_owned(),
        kind,
        content: BASE64.encode(&script),
        started_ms: world.now_ms,
        course,
        results: results.into_iter().map(|(outcome, _)| outcome).collect(),
    };
    world.ecs.invocations.insert(invoke.clone(), invocation);
    Ok(json!({"CommandId": command_id, "InvokeId": invoke}))
}

fn script(content: &str, encoding: &str) -> Result<String, Refusal> {
    let bad =
        || Refusal::bad("InvalidParameter.CommandContent", "The CommandContent is not valid.");
    if content.len() > MAX_COMMAND {
        return Err(bad());
    }
    if encoding != "Base64" {
        return Ok(content.to_owned());
    }
    let bytes = BASE64.decode(content).map_err(|_| bad())?;
    String::from_utf8(bytes).map_err(|_| bad())
}

/// Exit code and output of a script on an instance in `vpc`.
fn shell(world: &World, vpc: &str, script: &str) -> (i32, String) {
    let Some(domain) = domain_in(script) else {
        return (127, "sandbox: only the resolution of a domain name is understood\n".into());
    };
    match instances::resolve(world, &domain, vpc) {
        Some(addresses) if !addresses.is_empty() => (0, getent(&domain, &addresses)),
        // What getent gives for a name that is not known.
        Some(_) | None => (2, String::new()),
    }
}

/// The first word of a script that is a domain name.
fn domain_in(script: &str) -> Option<String> {
    let breaks = |c: char| c.is_whitespace() || "\"'`;|&()<>=${}".contains(c);
    let mut words = script.split(breaks).filter(|w| !w.is_empty());
    words
        .find(|word| {
            let legal = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
            let last = word.rsplit('.').next().unwrap_or_default();
            legal
                && word.contains('.')
                && last.len() > 1
                && last.chars().all(|c| c.is_ascii_alphabetic())
        })
        .map(str::to_owned)
}

/// `getent ahostsv4`: three lines an address, the first one with the name.
fn getent(domain: &str, addresses: &[Ipv4Addr]) -> String {
    let mut text = String::new();
    for (index, address) in addresses.iter().enumerate() {
        let address = address.to_string();
        let name = if index == 0 { domain } else { "" };
        let _ = writeln!(text, "{address:<15} STREAM {name}");
        let _ = writeln!(text, "{address:<15} DGRAM  ");
        let _ = writeln!(text, "{address:<15} RAW    ");
    }
    text
}

impl Invocation {
    /// Status of the whole and of one instance: `InvocationStatus`.
    fn status(&self, now_ms: u64) -> &str {
        self.course.status(now_ms)
    }

    /// The coarser `InvokeRecordStatus`.
    fn record_status(&self, now_ms: u64) -> &str {
        match self.status(now_ms) {
            "Pending" => "Pending",
            "Running" => "Running",
            "Success" => "Finished",
            _ => "Failed",
        }
    }

    /// The result on one instance, in the form that both describe calls share.
    fn row(&self, invoke: &str, outcome: &Outcome, now_ms: u64, plain: bool) -> Value {
        let status = self.status(now_ms);
        let done = matches!(status, "Success" | "Failed");
        let output = if done { outcome.output.as_str() } else { "" };
        let output = if plain { output.to_owned() } else { BASE64.encode(output) };
        let (error, info) = match (status, outcome.exit_code) {
            ("Timeout", _) => ("ClientNetworkBlocked", "the command was not taken up in time"),
            ("Failed", _) => ("ExitCodeNonzero", "the exit code is not zero"),
            _ => ("", ""),
        };
        let over = !self.course.in_motion(now_ms);
        json!({
            "CommandId": self.command_id,
            "InvokeId": invoke,
            "InstanceId": outcome.instance,
            "InvocationStatus": status,
            "InvokeRecordStatus": self.record_status(now_ms),
            "ExitCode": if done { json!(outcome.exit_code) } else { Value::Null },
            "Output": output,
            "Dropped": 0,
            "ErrorCode": error,
            "ErrorInfo": info,
            "Repeats": u8::from(done),
            "StartTime": rfc3339(self.started_ms),
            "FinishedTime": if over { rfc3339(self.started_ms) } else { String::new() },
            "StopTime": "",
            "Username": "root",
            "Tags": {"Tag": []},
        })
    }
}

/// What a row of `DescribeInvocationResults` has and one of `DescribeInvocations` has not.
const ONLY_IN_RESULTS: &[&str] =
    &["CommandId", "InvokeId", "InvokeRecordStatus", "Tags", "Username"];

fn chosen<'a>(
    world: &'a World,
    call: &'a Call,
) -> Result<impl Iterator<Item = (&'a String, &'a Invocation)>, Refusal> {
    let region = call.need("RegionId")?;
    Ok(world.ecs.invocations.iter().filter(move |(id, invocation)| {
        invocation.region == region
            && wants(call, "InvokeId", id)
            && wants(call, "CommandId", &invocation.command_id)
    }))
}

fn plain(call: &Call) -> bool {
    call.get("ContentEncoding") == Some("PlainText")
}

pub(super) fn results(world: &World, call: &Call) -> Answer {
    let now = world.now_ms;
    let rows = chosen(world, call)?
        .flat_map(|(id, invocation)| invocation.results.iter().map(move |o| (id, invocation, o)))
        .filter(|(_, _, o)| call.get("InstanceId").is_none_or(|want| want == o.instance))
        .map(|(id, invocation, outcome)| invocation.row(id, outcome, now, plain(call)))
        .collect();
    let inner = page(call, rows, &["InvocationResults", "InvocationResult"], 50)?;
    Ok(json!({"Invocation": inner}))
}

pub(super) fn invocations(world: &World, call: &Call) -> Answer {
    let now = world.now_ms;
    let output = call.flag("IncludeOutput", false);
    let rows = chosen(world, call)?
        .map(|(id, invocation)| {
            let instances: Vec<Value> = invocation
                .results
                .iter()
                .map(|outcome| {
                    let mut row = invocation.row(id, outcome, now, plain(call));
                    if let Value::Object(row) = &mut row {
                        let status = row.get("InvocationStatus").cloned().unwrap_or_default();
                        row.insert("InstanceInvokeStatus".into(), status);
                        let finished = row.remove("FinishedTime").unwrap_or_default();
                        row.insert("FinishTime".into(), finished);
                        row.retain(|name, _| !ONLY_IN_RESULTS.contains(&name.as_str()));
                        if !output {
                            row.remove("Output");
                        }
                    }
                    row
                })
                .collect();
            json!({
                "InvokeId": id,
                "CommandId": invocation.command_id,
                "CommandName": invocation.name,
                "CommandType": invocation.kind,
                "CommandContent": invocation.content,
                "CreationTime": rfc3339(invocation.started_ms),
                "InvocationStatus": invocation.status(now),
                "InvokeStatus": invocation.record_status(now),
                "RepeatMode": "Once",
                "Timed": false,
                "InvokeInstances": {"InvokeInstance": instances},
                "Tags": {"Tag": []},
            })
        })
        .collect();
    page(call, rows, &["Invocations", "Invocation"], 50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_domain_in_a_script() {
        let cases = [
            (
                "getent ahostsv4 es-cn-a.elasticsearch.aliyuncs.com",
                "es-cn-a.elasticsearch.aliyuncs.com",
            ),
            ("name='x.y.com'; getent ahostsv4 \"$name\" 2>/dev/null", "x.y.com"),
            ("#!/bin/sh\nnslookup a.example.com || exit 2", "a.example.com"),
        ];
        for (script, domain) in cases {
            assert_eq!(domain_in(script).as_deref(), Some(domain));
        }
        assert_eq!(domain_in("echo 10.1.2.3 > /tmp/a.txt; ls"), None);
    }

    #[test]
    fn getent_prints_three_lines_an_address() {
        let text = getent("x.y.com", &["10.1.1.5".parse().unwrap()]);
        assert_eq!(
            text,
            "10.1.1.5        STREAM x.y.com\n10.1.1.5        DGRAM  \n10.1.1.5        RAW    \n"
        );
    }
}
