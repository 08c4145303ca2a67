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
        "mkdir -p small && mount -t tmpfs -o size=64k tmpfs small && export ESCRR_HOME=$PWD/small && \
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
        "mkdir -p small && mount -t tmpfs -o size=16m tmpfs small && export ESCRR_HOME=$PWD/small \
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
