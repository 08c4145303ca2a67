//! Secrets are nowhere: not in the home, not in what is printed, not in the log.

use crate::credentials::{order, profiles};
use crate::env::Env;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::path::Path;

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

#[test]
fn no_secret_is_found_in_the_home_or_in_the_output() {
    let env = Env::new();
    let line = env.cloud.line();
    let secrets =
        ["access_key_secret", "elastic_password"].map(|k| line[k].as_str().unwrap().to_owned());
    let mut said = String::new();
    for arguments in [
        &["run", "--yes", "-v"][..],
        &["status", "--output", "json"],
        &["events", "--output", "ndjson"],
        &["show", "network.cen"],
        &["rollback", "--yes", "-v"],
    ] {
        let sandboxed = ["run", "rollback"].contains(&arguments[0]);
        let ran = if sandboxed { env.escrr(arguments) } else { env.alone(arguments) }.exits(0);
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    }
    let mut all = Vec::new();
    files(&env.home.path().join("state"), &mut all);
    assert!(all.len() > 3, "the home holds a store and a log: {all:?}");
    for secret in secrets {
        assert!(!said.contains(&secret), "a secret was printed");
        for path in &all {
            let bytes = std::fs::read(path).unwrap();
            let held = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!held, "{} holds a secret", path.display());
        }
    }
}

/// A secret as it may come back: as it is, as part of an address or of JSON, in base64 with its
/// user before it and without.
fn repeated(secret: &str) -> Vec<String> {
    let mut all = forms(secret);
    all.extend([
        secret.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat(),
        STANDARD.encode(format!("elastic:{secret}")),
        secret.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect::<Vec<_>>().concat(),
    ]);
    all
}

#[test]
fn a_secret_that_is_repeated_in_a_refusal_is_nowhere_afterwards() {
    let env = Env::new();
    let line = env.cloud.line();
    let key = order(&env, "session", &json!({"seconds": 43_200}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let secrets = [
        text(&key["AccessKeySecret"]),
        text(&key["SecurityToken"]),
        text(&line["elastic_password"]),
    ];
    let spec = env.write(
        "spec.toml",
        &format!(
            "{}\n[credentials]\naccess_key_id = \"env:T_ID\"\naccess_key_secret = \"env:T_SECRET\"\n\
             security_token = \"env:T_TOKEN\"\n",
            escrr_steps::spec::defaults::SANDBOX
        ),
    );
    let run = |arguments: &[&str]| {
        let mut command = env.command(arguments);
        command.env("T_ID", text(&key["AccessKeyId"]));
        command.env("T_SECRET", &secrets[0]).env("T_TOKEN", &secrets[1]);
        crate::env::output(&mut command)
    };
    let said: Vec<String> = secrets.iter().flat_map(|secret| repeated(secret)).collect();
    let (code, message) = (format!("Odd.{}", said.join(".")), said.join(" | "));
    let refusal = json!({"refuse": {"status": 400, "code": code, "message": message}});
    let mut shown = String::new();
    // A node of the cloud's, then one of the cluster's; each is resumed until it gets through.
    for (number, (product, action)) in
        [("Nlb", "CreateLoadBalancer"), ("Es", "PutSettings")].into_iter().enumerate()
    {
        env.fault(&["--clear"]);
        let order = json!({"product": product, "action": action, "effect": refusal});
        let file = env.write("fault.json", &order.to_string());
        env.fault(&["--json", &file]);
        let arguments = if number == 0 { vec!["run", &spec, "--yes"] } else { vec!["resume"] };
        let ran = run(&[&arguments[..], &["-vv"]].concat());
        assert_ne!(ran.code, Some(0), "{product}: nothing was refused");
        shown.push_str(&ran.stdout);
        shown.push_str(&ran.stderr);
        let status = env.alone(&["status", "--output", "json"]);
        shown.push_str(&status.stdout);
    }
    assert!(shown.contains("[redacted]"), "{shown}");
    let mut all = Vec::new();
    files(&env.home.path().join("state"), &mut all);
    for form in &said {
        assert!(!shown.contains(form.as_str()), "{form} was printed");
        for path in &all {
            let bytes = std::fs::read(path).unwrap();
            let held = bytes.windows(form.len()).any(|w| w == form.as_bytes());
            assert!(!held, "{} holds {form}", path.display());
        }
    }
}

/// A text as it is, in base64 and as part of an address.
fn forms(secret: &str) -> Vec<String> {
    let encoded = secret.bytes().fold(String::new(), |all, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            all + char::from(byte).to_string().as_str()
        }
        _ => format!("{all}%{byte:02X}"),
    });
    // Without its end, which depends on what follows.
    let base64 = |text: String| text.trim_end_matches('=').to_owned();
    let twice = encoded.replace('%', "%25");
    vec![
        secret.to_owned(),
        encoded,
        twice,
        base64(STANDARD.encode(secret)),
        base64(URL_SAFE_NO_PAD.encode(secret)),
    ]
}

/// Every key, token and password that the sandbox ever gave out.
fn given_out(env: &Env) -> Vec<String> {
    // Whatever was given out last is on disk after a change.
    order(env, "session", &json!({"seconds": 900}));
    let text = std::fs::read_to_string(env.cloud.world().join("world.ndjson")).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let sts = &last["world"]["sts"];
    let sessions = sts["sessions"].as_object().unwrap().values();
    let mut all: Vec<String> = sessions
        .flat_map(|s| [&s["access_key_secret"], &s["security_token"]])
        .map(|text| text.as_str().unwrap().to_owned())
        .collect();
    all.extend(sts["metadata_tokens"].as_object().unwrap().keys().cloned());
    let line = env.cloud.line();
    all.extend(
        ["access_key_secret", "elastic_password"].map(|k| line[k].as_str().unwrap().to_owned()),
    );
    all
}

#[test]
fn no_source_of_credentials_leaves_a_trace_of_its_secrets() {
    let env = Env::new();
    let spec = |profile: &str| {
        let text = format!(
            "{}\n[credentials]\nprofile = \"{profile}\"\n",
            escrr_steps::spec::defaults::SANDBOX
        );
        env.write(&format!("{profile}.toml"), &text)
    };
    let mut said = String::new();
    let mut ran = |arguments: &[&str], code: i32| {
        let ran = env.escrr(arguments).exits(code);
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    };
    for profile in profiles(&env) {
        ran(&["auth", "check", &spec(profile), "-vv"], 0);
    }
    // A whole link by the profile that runs a command, refused once in its middle.
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "SignatureDoesNotMatch"]);
    ran(&["run", &spec("cmd"), "--yes", "-vv"], 4);
    env.fault(&["--clear"]);
    ran(&["resume", "-vv"], 0);
    env.fault(&["--product", "Sts", "--refuse", "InvalidSecurityToken.Expired"]);
    for profile in ["role", "oidc", "cmd"] {
        ran(&["auth", "check", &spec(profile), "-vv", "--output", "json"], 4);
    }
    env.fault(&["--clear"]);
    ran(&["rollback", "--yes", "-vv"], 0);
    let mut secrets = given_out(&env);
    assert!(secrets.len() > 12, "{} secrets were in play", secrets.len());
    secrets.push(std::fs::read_to_string(env.home.path().join("token")).unwrap());
    let mut all = Vec::new();
    files(&env.home.path().join("state"), &mut all);
    // What every process was started with while the keys were in play.
    all.push(env.home.path().join("processes"));
    let started =
        String::from_utf8_lossy(&std::fs::read(&all[all.len() - 1]).unwrap()).into_owned();
    assert!(started.contains("escrr_under_test"), "the processes were not taken down");
    for secret in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!said.contains(&secret), "a secret was printed");
        for path in &all {
            let bytes = std::fs::read(path).unwrap();
            let held = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!held, "{} holds a secret", path.display());
        }
    }
}
