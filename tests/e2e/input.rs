//! Bad input: each has its exit code and a sentence that helps.

use crate::env::{Env, bare, output};

const SPEC: &str = "link = \"a-link\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader000001\"\n\
                    [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-follower0001\"\n\
                    [replication]\npatterns = [\"logs-*\"]\n";

#[test]
fn an_unknown_key_is_shown_with_line_and_column() {
    let env = Env::new();
    let spec = env.write("spec.toml", &format!("{SPEC}\n[network]\nbandwith_mbps = 5\n"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(2).says("bandwith_mbps").says(":12:1"));
}

#[test]
fn the_same_instance_twice_is_refused() {
    let env = Env::new();
    let spec = env.write("spec.toml", &SPEC.replace("es-cn-follower0001", "es-cn-leader000001"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(2).says("es-cn-leader000001"));
}

#[test]
fn a_bad_address_is_refused() {
    let env = Env::new();
    let spec = env
        .write("spec.toml", &format!("{SPEC}\n[leader_address]\naddresses = [\"10.1.1.300\"]\n"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(2).says(":12:"));
}

#[test]
fn a_missing_secret_is_named_and_no_value_is_shown() {
    let env = Env::new();
    let spec = env.write(
        "spec.toml",
        &SPEC.replace(
            "[follower]",
            "[leader.access]\npassword = \"env:NOT_SET_ANYWHERE\"\n[follower]",
        ),
    );
    drop(env.escrr(&["run", &spec, "--yes"]).exits(2).says("NOT_SET_ANYWHERE"));
    let plain = env.write(
        "plain.toml",
        &SPEC.replace("[follower]", "[leader.access]\npassword = \"hunter2-hunter2\"\n[follower]"),
    );
    let refused = env.escrr(&["run", &plain, "--yes"]).exits(2);
    assert!(!format!("{}{}", refused.stdout, refused.stderr).contains("hunter2"), "{refused:?}");
}

#[test]
fn a_wrong_secret_is_an_authentication_failure() {
    let env = Env::new();
    let mut line = env.cloud.line();
    line["access_key_secret"] = "wrong-secret-wrong-secret".into();
    let wrong = env.write("wrong.json", &line.to_string());
    let refused = env.alone(&["run", "--yes", &format!("--sandbox={wrong}")]).exits(4);
    assert!(
        !format!("{}{}", refused.stdout, refused.stderr).contains("wrong-secret-wrong"),
        "{refused:?}"
    );
    drop(refused.says("SignatureDoesNotMatch"));
}

#[test]
fn nobody_at_the_address_is_said_with_the_host() {
    let env = Env::new();
    let mut line = env.cloud.line();
    line["openapi"] = "http://127.0.0.1:9".into();
    let nobody = env.write("nobody.json", &line.to_string());
    drop(env.alone(&["run", "--yes", &format!("--sandbox={nobody}")]).exits(1).says("127.0.0.1:9"));
}

#[test]
fn without_a_terminal_a_confirmation_names_its_flag() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(env.escrr(&["rollback"]).exits(2).says("--yes"));
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let meta = env.home.path().join("state/store/meta");
    std::fs::write(&meta, "format = 99\n").unwrap();
    drop(env.escrr(&["run", "--yes"]).exits(10).says("99"));
    drop(env.alone(&["status"]).exits(10).says("99"));
}

#[test]
fn a_home_that_cannot_be_written_is_said() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "not a folder").unwrap();
    let state = home.path().join("file/state");
    let refused = output(bare(home.path()).env("ESCRR_HOME", &state).args(["run", "--sandbox"]));
    drop(refused.exits(1).says("file/state"));
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn skipped() {
    println!("skipped: this system allows no mount namespaces");
}

/// Mounts need a namespace of one's own; where the system allows none, there is nothing to test.
fn in_namespace(script: &str, home: &std::path::Path) -> Option<crate::env::Output> {
    let allowed = output(std::process::Command::new("unshare").args(["-rm", "true"]));
    if allowed.code != Some(0) {
        skipped();
        return None;
    }
    let mut command = std::process::Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]).arg(env!("CARGO_BIN_EXE_escrr_under_test"));
    command.env_clear().env("HOME", home).env("NO_COLOR", "1");
    command.env("PATH", crate::env::path()).current_dir(home);
    Some(output(&mut command))
}

#[test]
fn a_full_disk_is_said_and_the_run_begins_when_there_is_room() {
    let env = Env::new();
    let script = format!(
        "mkdir -p small && mount -t tmpfs -o size=64k,mode=700 tmpfs small && export ESCRR_HOME=$PWD/small && \
         \"$0\" run --yes --sandbox={0}; echo \"first ended with $?\"; \
         mount -o remount,size=64m small && \"$0\" run --yes --sandbox={0}; echo \"second ended with $?\"",
        env.cloud.file().display()
    );
    let Some(ran) = in_namespace(&script, env.home.path()) else { return };
    drop(ran.says("first ended with 1").says("space").says("second ended with 0"));
}

/// Stops a run in the middle, lets `meddle` do something to the disk, and goes on twice: while
/// the disk is as it is then, and after `mend`.
fn in_mid_run(meddle: &str, mend: &str) -> Option<crate::env::Output> {
    let env = Env::new();
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "Forbidden.RAM"]);
    let script = format!(
        "mkdir -p small && mount -t tmpfs -o size=16m,mode=700 tmpfs small && export ESCRR_HOME=$PWD/small \
         && \"$0\" run --yes --sandbox={0}; echo \"first ended with $?\"; \"$0\" events >before; \
         {meddle}; \"$0\" resume --sandbox={0}; echo \"then ended with $?\"; {mend}; \
         \"$0\" events | head -n \"$(wc -l <before)\" | cmp - before && echo \"nothing lost\"; \
         \"$0\" sandbox fault --clear --sandbox={0}; \
         \"$0\" resume --sandbox={0}; echo \"at last ended with $?\"",
        env.cloud.file().display()
    );
    let ran = in_namespace(&script, env.home.path())?;
    Some(ran.says("first ended with 4").says("nothing lost").says("at last ended with 0"))
}

#[test]
fn a_disk_that_fills_up_in_mid_run_costs_nothing_that_was_written() {
    let ran = in_mid_run("dd if=/dev/zero of=small/filler 2>/dev/null", "rm small/filler");
    drop(ran.map(|ran| ran.says("then ended with 1").says("no space left")));
}

#[test]
fn a_disk_that_becomes_read_only_in_mid_run_is_said() {
    let ran = in_mid_run("mount -o remount,ro small", "mount -o remount,rw small");
    drop(ran.map(|ran| ran.says("then ended with 1").says("ead-only")));
}

#[test]
fn a_read_only_home_is_said() {
    let env = Env::new();
    let script = format!(
        "mkdir -p frozen && mount -t tmpfs tmpfs frozen && mount -o remount,ro frozen && \
         ESCRR_HOME=$PWD/frozen/state \"$0\" run --yes --sandbox={}; echo \"ended with $?\"",
        env.cloud.file().display()
    );
    let Some(ran) = in_namespace(&script, env.home.path()) else { return };
    drop(ran.says("ended with 1").says("ead-only"));
}

#[test]
fn a_sandbox_file_that_leads_elsewhere_is_refused_before_anything_is_sent() {
    let env = Env::new();
    let elsewhere = "http://192.0.2.1:9";
    let id = "es-cn-leader000001";
    for path in [
        &["openapi"][..],
        &["leader"],
        &["follower"],
        &["metadata"],
        &["credentials_uri"],
        &["instances", id],
        &["kibana", id],
    ] {
        let mut line = env.cloud.line();
        let place = path.iter().fold(&mut line, |at, key| &mut at[*key]);
        *place = elsewhere.into();
        let file = env.write("elsewhere.json", &line.to_string());
        let before = env.cloud.line();
        assert_ne!(before, line, "{path:?} is in the file");
        let refused = env.alone(&["run", "--yes", &format!("--sandbox={file}")]).exits(1);
        drop(refused.says(path[0]).says("not on this machine"));
        let mut command = bare(env.home.path());
        let by_variable = command.env("ESCRR_SANDBOX", &file).args(["plan"]);
        drop(output(by_variable).exits(1).says("not on this machine"));
    }
    assert_eq!(env.changes(), Vec::<String>::new());
}

#[test]
fn a_password_goes_over_plain_http_only_where_the_spec_allows_it() {
    let impostor = crate::impostor::Impostor::start(|_| {
        let error = serde_json::json!({"type": "security_exception", "reason": "no"});
        (401, serde_json::json!({"error": error, "status": 401}).to_string())
    });
    // It is this machine, by an address that is not its loopback.
    let url = format!("http://0.0.0.0:{}", impostor.address.port());
    let env = Env::new();
    let spec = |allow: &str| {
        let access = format!(
            "[leader.access]\nway = \"direct\"\nurl = {url:?}\npassword = \"env:PASSWORD\"\n{allow}"
        );
        env.write("plain.toml", &SPEC.replace("[follower]", &format!("{access}\n[follower]")))
    };
    let plan = |spec: &str| {
        let mut command = env.command(&["plan", spec]);
        output(command.env("PASSWORD", "hunter2-hunter2"))
    };
    let refused = plan(&spec("")).says("allow_plain_http").says("unencrypted");
    assert_ne!(refused.code, Some(0), "{refused:?}");
    assert_eq!(impostor.seen(), Vec::<String>::new());
    drop(plan(&spec("allow_plain_http = true")).says("warning: [leader.access] has allow_plain"));
    assert!(impostor.seen().iter().any(|request| request.contains("authorization: Basic")));
}

/// Runs a command whose stdout takes nothing.
fn into_nothing(mut command: std::process::Command) -> crate::env::Output {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = command.stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let ended = child.wait_with_output().unwrap();
    crate::env::Output {
        code: ended.status.code(),
        signal: None,
        stdout: String::new(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

#[test]
fn a_result_that_could_not_be_written_is_no_success() {
    let env = Env::new();
    let run = into_nothing(env.command(&["run", "--yes", "--output", "json"])).exits(1);
    drop(run.says("E0005").says("the command itself finished (done, exit code 0)"));
    // It had: nothing is left to do.
    drop(env.escrr(&["run", "--yes"]).exits(0).says("is set up and verified"));
    for arguments in [
        &["status"][..],
        &["status", "--output", "json"],
        &["events"],
        &["events", "--output", "ndjson"],
        &["show", "network.cen"],
        &["list"],
        &["report", "--out", "-"],
        &["store", "export", "-"],
        &["completions", "bash"],
        &["schema", "spec"],
        &["graph"],
        &["steps"],
        &["explain", "E0005"],
        &["--help"],
        &["--version"],
    ] {
        let mut command = bare(env.home.path());
        command.args(arguments);
        let ended = into_nothing(command).exits(1);
        drop(ended.says("E0005").says("No space left"));
    }
}

#[test]
fn what_never_ends_is_given_up_wherever_it_is_read() {
    let env = Env::new();
    drop(env.escrr(&["plan", "/dev/zero"]).exits(2).says("more than 1048576 bytes"));
    let zero = env.alone(&["plan", "--sandbox=/dev/zero"]).exits(2);
    drop(zero.says("more than 1048576 bytes"));
    for (reference, why) in [
        ("cmd:yes", "printed more than 16384 bytes"),
        ("file:/dev/zero", "more than 16384 bytes"),
        ("cmd:echo ${ALIBABA_CLOUD_ACCESS_KEY_SECRET:-nothing} >&2; exit 3", "failed"),
    ] {
        let access = format!("[leader.access]\npassword = {reference:?}\n[follower]");
        let spec = env.write("spec.toml", &SPEC.replace("[follower]", &access));
        drop(env.escrr(&["plan", &spec]).exits(2).says(why));
    }
    let bad = "\"A*\", ".repeat(4000);
    let spec = env.write("bad.toml", &SPEC.replace("\"logs-*\"", &bad));
    let refused = env.escrr(&["plan", &spec]).exits(2).says("more like these");
    assert!(refused.stderr.len() < 20_000, "{}", refused.stderr.len());
    let key = format!("{} = 1\n{SPEC}", "k".repeat(1_000_000));
    let refused = env.escrr(&["plan", &env.write("key.toml", &key)]).exits(2).says("unknown key");
    assert!(refused.stderr.len() < 20_000, "{}", refused.stderr.len());
    let huge = format!("{} = 1\n{SPEC}", "k".repeat(10_000_000));
    let refused = env.escrr(&["plan", &env.write("huge.toml", &huge)]).exits(2);
    drop(refused.says("more than 1048576 bytes"));
}

#[test]
fn a_command_gets_no_secret_of_the_environment() {
    let env = Env::new();
    let reference = "cmd:env >seen; echo hunter2-hunter2";
    let access = format!("[leader.access]\npassword = {reference:?}\n[follower]");
    let spec = env.write("spec.toml", &SPEC.replace("[follower]", &access));
    let mut command = env.command(&["plan", &spec]);
    command.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary").env("LC_ALL", "C.UTF-8");
    drop(output(&mut command));
    let seen = std::fs::read_to_string(env.home.path().join("seen")).unwrap();
    assert!(seen.contains("PATH=") && seen.contains("LC_ALL=") && seen.contains("HOME="), "{seen}");
    assert!(!seen.contains("canary") && !seen.contains("ESCRR_"), "{seen}");
}

#[test]
fn limits_of_the_system_that_are_too_low_are_said() {
    let env = Env::new();
    for (limit, what) in [("ulimit -n 6", "open files"), ("ulimit -v 200000", "bytes of memory")] {
        let mut command = std::process::Command::new("sh");
        let script =
            format!("{limit} && exec \"$0\" run --yes --sandbox={}", env.cloud.file().display());
        command.args(["-c", &script]).arg(env!("CARGO_BIN_EXE_escrr_under_test"));
        command.env_clear().env("HOME", env.home.path()).env("PATH", crate::env::path());
        drop(output(&mut command).exits(1).says("E0007").says(what).says("ulimit -"));
    }
}

#[test]
fn an_answer_that_is_none_of_the_services_is_no_mistake_of_ours() {
    let page = "<html><h1>Sign in to the network</h1></html>";
    let impostor = crate::impostor::Impostor::start(move |line| {
        if line.contains("/sandbox/clock") {
            return (200, serde_json::json!({"now_ms": 1_790_000_000_000_u64}).to_string());
        }
        (200, page.to_owned())
    });
    let env = Env::new();
    let mut line = env.cloud.line();
    line["openapi"] = impostor.url().into();
    let file = env.write("page.json", &line.to_string());
    let ran = env.alone(&["run", "--yes", &format!("--sandbox={file}")]).exits(1);
    assert!(!ran.stderr.contains("E9001"), "{}", ran.stderr);
    drop(ran.says("E1001").says("no JSON").says("a proxy or a page to sign in"));
}
