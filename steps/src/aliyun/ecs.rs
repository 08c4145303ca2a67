//! Ecs 2014-05-26: running a command inside a VPC by the Cloud Assistant.

use super::answer::Row;
use super::call::{Paging, given};
use super::cloud::Caller;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use escrr_engine::Fault;
use serde_json::json;

/// Elastic Compute Service; made by [`Cloud::ecs`](super::Cloud::ecs).
#[derive(Clone, Copy, Debug)]
pub struct Ecs<'a>(pub(super) Caller<'a>);

/// One ECS instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The instance's id.
    pub instance_id: String,
    /// Its name.
    pub name: String,
    /// `Running`, for example.
    pub status: String,
    /// `linux` or `windows`.
    pub os_type: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its vSwitch.
    pub vswitch_id: String,
    /// Its zone.
    pub zone_id: String,
    /// Its private addresses.
    pub private_ips: Vec<String>,
}

/// Whether the Cloud Assistant of an instance answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssistantStatus {
    /// The instance's id.
    pub instance_id: String,
    /// Whether its agent is there and alive.
    pub alive: bool,
    /// When its agent was last heard of.
    pub last_heartbeat: String,
    /// `Linux`, `Windows` or `FreeBSD`.
    pub os_type: String,
}

/// A shell script for one instance.
#[derive(Clone, Copy, Debug)]
pub struct RunCommand<'a> {
    /// The instance that it runs on.
    pub instance_id: &'a str,
    /// The script; it runs as root. At most 18 KiB, which Base64 makes 24.
    pub script: &'a str,
    /// How it shows in the console.
    pub name: &'a str,
    /// When it is given up.
    pub timeout_s: u32,
    /// The idempotency token.
    pub token: &'a str,
}

/// What became of a command on one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationResult {
    /// The instance's id.
    pub instance_id: String,
    /// `Pending`, `Running`, `Success`, `Failed`, `Timeout`, …
    pub status: String,
    /// The script's exit code, when it ended.
    pub exit_code: Option<i64>,
    /// What it wrote, decoded.
    pub output: String,
    /// Bytes of output that were cut off.
    pub dropped_bytes: u64,
    /// Why it could not run, as a code.
    pub error_code: String,
    /// Why it could not run, in words.
    pub error_info: String,
}

impl Ecs<'_> {
    /// Lists the running instances of a VPC (`DescribeInstances`).
    pub async fn describe_running_instances(&self, vpc_id: &str) -> Result<Vec<Instance>, Fault> {
        let params = json!({"VpcId": vpc_id, "Status": "Running"});
        let at = (Paging::Token("MaxResults", 100), "Instances.Instance");
        self.0.list("DescribeInstances", params, at, instance).await
    }

    /// Asks whether the agents of at most 50 instances answer (`DescribeCloudAssistantStatus`).
    pub async fn describe_assistant_status(
        &self,
        instance_ids: &[String],
    ) -> Result<Vec<AssistantStatus>, Fault> {
        let params = json!({"InstanceId": instance_ids});
        let path = "InstanceCloudAssistantStatusSet.InstanceCloudAssistantStatus";
        let at = (Paging::Token("MaxResults", 50), path);
        self.0.list("DescribeCloudAssistantStatus", params, at, assistant_status).await
    }

    /// Starts a script once and gives the invocation's id (`RunCommand`).
    pub async fn run_command(&self, ask: RunCommand<'_>) -> Result<String, Fault> {
        let params = json!({
            "Type": "RunShellScript",
            "InstanceId": [ask.instance_id],
            "ContentEncoding": "Base64",
            "CommandContent": STANDARD.encode(ask.script),
            "Name": given(ask.name),
            "Timeout": ask.timeout_s,
            "KeepCommand": false,
            "ClientToken": given(ask.token),
        });
        self.0.write_only("RunCommand", params).await?.row().need("InvokeId")
    }

    /// Reads what became of a command, one row an instance (`DescribeInvocationResults`).
    pub async fn describe_invocation_results(
        &self,
        invoke_id: &str,
    ) -> Result<Vec<InvocationResult>, Fault> {
        let params = json!({"InvokeId": invoke_id, "ContentEncoding": "Base64", "PageSize": 50});
        let answer = self.0.read("DescribeInvocationResults", params).await?;
        let row = answer.row();
        row.rows("Invocation.InvocationResults.InvocationResult").iter().map(result).collect()
    }
}

fn instance(row: &Row<'_>) -> Result<Instance, Fault> {
    Ok(Instance {
        instance_id: row.need("InstanceId")?,
        name: row.text("InstanceName"),
        status: row.text("Status"),
        os_type: row.text("OSType"),
        vpc_id: row.text("VpcAttributes.VpcId"),
        vswitch_id: row.text("VpcAttributes.VSwitchId"),
        zone_id: row.text("ZoneId"),
        private_ips: row.texts("VpcAttributes.PrivateIpAddress.IpAddress"),
    })
}

fn assistant_status(row: &Row<'_>) -> Result<AssistantStatus, Fault> {
    Ok(AssistantStatus {
        instance_id: row.need("InstanceId")?,
        alive: row.flag("CloudAssistantStatus"),
        last_heartbeat: row.text("LastHeartbeatTime"),
        os_type: row.text("OSType"),
    })
}

fn result(row: &Row<'_>) -> Result<InvocationResult, Fault> {
    let sent = row.text("Output");
    // The encoding is asked for; a server that ignores the wish sends the text as it is.
    let decoded = STANDARD.decode(sent.trim()).ok();
    let output = decoded.map_or(sent, |bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(InvocationResult {
        instance_id: row.need("InstanceId")?,
        status: row.text("InvocationStatus"),
        exit_code: row.signed("ExitCode"),
        output,
        dropped_bytes: row.number("Dropped").unwrap_or_default(),
        error_code: row.text("ErrorCode"),
        error_info: row.text("ErrorInfo"),
    })
}
