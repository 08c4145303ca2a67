//! Credentials that end, that are renewed, and that come from each source there is.

use crate::env::{Cloud, Env, Output, output};
use serde_json::{Value, json};
use std::path::Path;

const WORLD: &str = include_str!("../sandbox/src/default_world.toml");
const SPEC: &str = "link = \"a-link\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader000001\"\n\
                    [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-follower0001\"\n\
                    [replication]\npatterns = [\"logs-*\"]\n[credentials]\n";
const ATTACH: &str = "Cbn CreateTransitRouterVpcAttachment";

/// A home over a world in which attaching a VPC takes 40 minutes of its time.
fn slow(more: &str) -> Env {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    let durations = "[durations]\n\"Cbn.CreateTransitRouterVpcAttachment\" = 2400.0\n";
    std::fs::write(&file, format!("{WORLD}\n{more}\n{durations}")).unwrap();
    Env::over(Cloud::start(&["--world", &file.display().to_string()]))
}

/// Asks something of the sandbox itself.
pub(crate) fn order(env: &Env, what: &str, body: &Value) -> Value {
    env.cloud.control(what, body)
}

/// Runs with a temporary key in the environment.
fn with_key(env: &Env, key: &Value, arguments: &[&str]) -> Output {
    let mut command = env.command(arguments);
    for name in ["AccessKeyId", "AccessKeySecret", "SecurityToken"] {
        command.env(format!("T_{name}"), key[name].as_str().unwrap());
    }
    output(&mut command)
}

/// The requests so far: `Product Action` and the outcome.
fn asked(env: &Env) -> Vec<(String, String)> {
    let log =
        env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"].clone();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = log.as_array().unwrap().iter();
    rows.map(|r| (format!("{} {}", text(r, "product"), text(r, "action")), text(r, "outcome")))
        .collect()
}

fn count(all: &[(String, String)], what: &str) -> usize {
    all.iter().filter(|(name, outcome)| name == what && outcome == "ok").count()
}

#[test]
fn a_key_that_ends_in_a_long_attachment_parks_and_a_new_one_goes_on() {
    let env = slow("");
    let by_variables = "access_key_id = \"env:T_AccessKeyId\"\n\
                        access_key_secret = \"env:T_AccessKeySecret\"\n\
                        security_token = \"env:T_SecurityToken\"\n";
    let spec = env.write("spec.toml", &format!("{SPEC}{by_variables}"));
    let key = order(&env, "session", &json!({"seconds": 900}));
    let ran = with_key(&env, &key, &["run", &spec, "--yes"]).exits(4);
    drop(ran.says("InvalidSecurityToken.Expired").says("resume"));
    // It ended while the attachments were being made, not before and not after.
    let status = env.alone(&["status", "--output", "json"]).exits(0).json();
    let nodes = status["nodes"].as_array().unwrap().iter();
    let waiting: Vec<&Value> = nodes
        .filter(|n| n["id"].as_str().unwrap().ends_with("vpc_attachment"))
        .filter(|n| n["state"] != "done")
        .collect();
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    assert_eq!(count(&asked(&env), ATTACH), 2);
    // The old key does not come back to life.
    drop(with_key(&env, &key, &["resume"]).exits(4));
    let key = order(&env, "session", &json!({"seconds": 43_200}));
    drop(with_key(&env, &key, &["resume"]).exits(0));
    assert_eq!(count(&asked(&env), ATTACH), 2);
}

#[test]
fn a_role_is_assumed_anew_through_a_long_attachment() {
    let env = slow("");
    let role = env.cloud.line()["role_arn"].as_str().unwrap().to_owned();
    let spec =
        env.write("spec.toml", &format!("{SPEC}role_arn = \"{role}\"\nrole_seconds = 900\n"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let all = asked(&env);
    assert_eq!(count(&all, ATTACH), 2);
    assert!(count(&all, "Sts AssumeRole") >= 3, "{}", count(&all, "Sts AssumeRole"));
    assert!(!all.iter().any(|(_, outcome)| outcome.contains("SecurityToken")));
}

#[test]
fn an_instances_role_is_renewed_through_a_long_attachment() {
    let env = slow("[account]\ninstance_seconds = 900\n");
    let spec = env.write("spec.toml", &format!("{SPEC}source = \"instance-role\"\n"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let all = asked(&env);
    assert_eq!(count(&all, ATTACH), 2);
    assert!(count(&all, "Metadata GetRoleCredentials") >= 3);
    assert!(count(&all, "Metadata GetToken") >= 3);
    assert!(!all.iter().any(|(_, outcome)| outcome.contains("SecurityToken")));
}

/// Makes this the only profile of the home.
fn only_profile(env: &Env, profile: &Value) {
    let all = json!({"current": profile["name"], "profiles": [profile]});
    private(&env.home.path().join(".aliyun/config.json"), &all.to_string());
}

/// Carries a link through attachments of 40 minutes with credentials that hold for less; gives
/// the requests.
fn renewed_through(env: &Env, credentials: &str) -> Vec<(String, String)> {
    let spec = env.write("spec.toml", &format!("{SPEC}{credentials}"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let all = asked(env);
    assert_eq!(count(&all, ATTACH), 2);
    assert!(!all.iter().any(|(_, outcome)| outcome.contains("SecurityToken")));
    all
}

#[test]
fn a_workloads_token_buys_a_new_session_through_a_long_attachment() {
    let env = slow("");
    let token = order(&env, "oidc", &json!({"seconds": 43_200}));
    private(&env.home.path().join("token"), token["token"].as_str().unwrap());
    let line = env.cloud.line();
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    let profile = json!({"name": "pod", "mode": "OIDC",
        "ram_role_arn": text("role_arn"), "oidc_provider_arn": text("oidc_provider_arn"),
        "oidc_token_file": env.home.path().join("token").display().to_string(),
        "expired_seconds": 900});
    only_profile(&env, &profile);
    let all = renewed_through(&env, "profile = \"pod\"\n");
    assert!(count(&all, "Sts AssumeRoleWithOIDC") >= 3);
}

#[test]
fn an_addresss_credentials_are_fetched_anew_through_a_long_attachment() {
    let env = slow("[account]\ninstance_seconds = 900\n");
    let uri = env.cloud.line()["credentials_uri"].as_str().unwrap().to_owned();
    only_profile(&env, &json!({"name": "uri", "mode": "CredentialsURI", "credentials_uri": uri}));
    let all = renewed_through(&env, "profile = \"uri\"\n");
    assert!(count(&all, "CredentialsUri GetCredentials") >= 3);
}

#[test]
fn a_program_is_asked_anew_through_a_long_attachment() {
    let env = slow("");
    for (file, seconds) in [("next.json", 900), ("later.json", 43_200)] {
        let key = order(&env, "session", &json!({"seconds": seconds}));
        let printed = json!({"mode": "StsToken", "access_key_id": key["AccessKeyId"],
            "access_key_secret": key["AccessKeySecret"], "sts_token": key["SecurityToken"],
            "expiration": key["Expiration"]});
        private(&env.home.path().join(file), &printed.to_string());
    }
    let command = "cat next.json; cp later.json next.json; echo asked >> times";
    only_profile(&env, &json!({"name": "cmd", "mode": "External", "process_command": command}));
    drop(renewed_through(&env, "profile = \"cmd\"\n"));
    let times = std::fs::read_to_string(env.home.path().join("times")).unwrap();
    assert_eq!(times.lines().count(), 2, "at the beginning, and before the first key ended");
}

#[test]
fn a_role_that_may_no_longer_be_assumed_parks_until_it_may() {
    let env = slow("");
    let role = env.cloud.line()["role_arn"].as_str().unwrap().to_owned();
    let spec =
        env.write("spec.toml", &format!("{SPEC}role_arn = \"{role}\"\nrole_seconds = 900\n"));
    let order = ["--product", "Sts", "--action", "AssumeRole", "--nth", "2", "--times", "1000"];
    env.fault(&[&order[..], &["--refuse", "NoPermission", "--status", "403"]].concat());
    drop(env.escrr(&["run", &spec, "--yes"]).exits(4).says("NoPermission").says("resume"));
    env.fault(&["--clear"]);
    drop(env.escrr(&["resume"]).exits(0));
    assert_eq!(count(&asked(&env), ATTACH), 2);
}

/// A file that nobody else may read.
fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A profile of every mode, with the sandbox's key below those that need one.
pub(crate) fn profiles(env: &Env) -> Vec<&'static str> {
    let line = env.cloud.line();
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    let token = order(env, "oidc", &json!({"seconds": 3600}));
    private(&env.home.path().join("token"), token["token"].as_str().unwrap());
    let key = order(env, "session", &json!({"seconds": 43_200}));
    let printed = json!({"mode": "StsToken", "access_key_id": key["AccessKeyId"],
        "access_key_secret": key["AccessKeySecret"], "sts_token": key["SecurityToken"],
        "expiration": key["Expiration"]});
    private(&env.home.path().join("printed.json"), &printed.to_string());
    // While keys are in play, it takes down what every process was started with.
    let command = "cat /proc/[0-9]*/cmdline >> processes 2>/dev/null; cat printed.json";
    let (id, secret, role) = (text("access_key_id"), text("access_key_secret"), text("role_arn"));
    let all = json!({"current": "ak", "profiles": [
        {"name": "ak", "mode": "AK", "access_key_id": id, "access_key_secret": secret},
        {"name": "sts", "mode": "StsToken", "access_key_id": key["AccessKeyId"],
         "access_key_secret": key["AccessKeySecret"], "sts_token": key["SecurityToken"]},
        {"name": "role", "mode": "RamRoleArn", "access_key_id": id, "access_key_secret": secret,
         "ram_role_arn": role, "ram_session_name": "by-profile"},
        {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "escrr"},
        {"name": "ecs-role", "mode": "RamRoleArnWithEcs", "ram_role_arn": role},
        {"name": "chain", "mode": "ChainableRamRoleArn", "source_profile": "role", "ram_role_arn": role},
        {"name": "oidc", "mode": "OIDC", "ram_role_arn": role,
         "oidc_provider_arn": text("oidc_provider_arn"),
         "oidc_token_file": env.home.path().join("token").display().to_string()},
        {"name": "uri", "mode": "CredentialsURI", "credentials_uri": text("credentials_uri")},
        {"name": "cmd", "mode": "External", "process_command": command},
    ]});
    private(&env.home.path().join(".aliyun/config.json"), &all.to_string());
    vec!["ak", "sts", "role", "ecs", "ecs-role", "chain", "oidc", "uri", "cmd"]
}

#[test]
fn every_mode_of_a_profile_is_taken_by_the_cloud() {
    let env = Env::new();
    for profile in profiles(&env) {
        let spec = env.write("spec.toml", &format!("{SPEC}profile = \"{profile}\"\n"));
        let checked = env.escrr(&["auth", "check", &spec, "--output", "json"]).exits(0).json();
        assert_eq!(checked["source"], "profile", "{profile}");
        let kind = if profile == "ak" { "Account" } else { "AssumedRoleUser" };
        assert_eq!(checked["identity"]["type"], kind, "{profile}: {checked}");
        assert_eq!(checked["warnings"].as_array().unwrap().is_empty(), profile != "sts");
    }
}

/// What is changed about a command before it starts.
type Change<'a> = &'a dyn Fn(&mut std::process::Command);

#[test]
fn every_place_of_the_chain_is_taken_by_the_cloud() {
    let env = Env::new();
    drop(profiles(&env));
    let line = env.cloud.line();
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("access_key_id"), text("access_key_secret"));
    let ini = format!(
        "[default]\ntype = ram_role_arn\naccess_key_id = {id}\naccess_key_secret = {secret}\n\
         role_arn = {}\n",
        text("role_arn")
    );
    private(&env.home.path().join(".alibabacloud/credentials"), &ini);
    let variables = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", id),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret),
        ("ALIBABA_CLOUD_ROLE_ARN", text("role_arn")),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", text("oidc_provider_arn")),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", env.home.path().join("token").display().to_string()),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", text("credentials_uri")),
    ];
    let spec = env.write("spec.toml", &format!("{SPEC}source = \"default\"\n"));
    // Whatever is taken away, the next in the order answers.
    let steps: [(&str, Change<'_>); 6] = [
        ("environment", &|_| {}),
        ("oidc", &|c| {
            c.env_remove("ALIBABA_CLOUD_ACCESS_KEY_ID");
        }),
        ("profile", &|c| {
            c.env_remove("ALIBABA_CLOUD_ROLE_ARN");
        }),
        ("credentials-file", &|c| {
            c.env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
        }),
        ("instance-role", &|c| {
            c.env("ALIBABA_CLOUD_CREDENTIALS_FILE", "/nowhere");
        }),
        ("credentials-uri", &|c| {
            c.env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
        }),
    ];
    for at in 0..steps.len() {
        let mut command = env.command(&["auth", "check", &spec, "--output", "json"]);
        command.envs(variables.iter().cloned());
        steps[..=at].iter().for_each(|(_, change)| change(&mut command));
        let checked = output(&mut command).exits(0).json();
        assert_eq!(checked["source"], steps[at].0, "{checked}");
        let chain = checked["chain"].as_array().unwrap();
        assert_eq!(chain.len(), 6);
        assert_eq!(chain[at]["state"], "used");
    }
}

#[test]
fn what_the_environment_holds_does_not_reach_a_sandbox_by_itself() {
    let env = Env::new();
    let mut command = env.command(&["auth", "check", "--output", "json"]);
    command.env("ALIBABA_CLOUD_ACCESS_KEY_ID", "real-id");
    command.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "real-secret");
    let checked = output(&mut command).exits(0).json();
    assert_eq!(checked["source"], "sandbox");
}

#[test]
fn credentials_of_another_account_carry_nothing_on() {
    let env = Env::new();
    let spec = env.write("spec.toml", &SPEC.replace("[credentials]\n", ""));
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "Forbidden.RAM"]);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(4));
    // The same world, the same keys, but of somebody else.
    let other = env.cloud.copy(|world| {
        let id = world.pointer_mut("/world/file/account/id").unwrap();
        *id = "1999999999999999".into();
    });
    let at = format!("--sandbox={}", other.file().display());
    for command in [&["resume", &at][..], &["rollback", "--yes", &at]] {
        let ended = env.alone(command).exits(4);
        drop(ended.says("1999999999999999").says("nothing was done").says("escrr auth check"));
    }
    let elsewhere = Env::over(other);
    let changed: Vec<_> = asked(&elsewhere).into_iter().map(|(name, _)| name).collect();
    assert_eq!(changed, ["Sts GetCallerIdentity", "Sts GetCallerIdentity"]);
    // With the right ones it goes on.
    drop(env.escrr(&["sandbox", "fault", "--clear"]).exits(0));
    drop(env.escrr(&["resume"]).exits(0));
}
