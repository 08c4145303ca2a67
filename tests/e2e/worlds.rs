//! Two sandboxes are two worlds; and every command that is printed leads back to where it was
//! printed, when a shell reads it.

use crate::env::{Cloud, Env, Output, bare, output};
use std::path::PathBuf;
use std::process::Command;

/// A command of one home over another sandbox.
fn over(env: &Env, other: &Cloud, arguments: &[&str]) -> Output {
    env.alone(&[arguments, &[&format!("--sandbox={}", other.file().display())]].concat())
}

/// The commands after `next:`.
fn next(output: &Output) -> String {
    let line = output.stderr.lines().find_map(|line| line.strip_prefix("next: "));
    line.expect(&output.stderr).to_owned()
}

/// A shell reads a printed command, in another directory and without the variable of the home.
fn pasted(env: &Env, command: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_escrr_under_test");
    let mut shell = Command::new("bash");
    let script = format!("escrr() {{ '{program}' \"$@\"; }}; {command}");
    shell.args(["-c", &script]).env_clear().env("HOME", env.home.path()).current_dir("/");
    output(&mut shell)
}

#[test]
fn a_saga_of_one_sandbox_is_refused_in_another() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let made = env.inventory();
    let other = Cloud::start(&[]);
    for command in [&["rollback", "--yes"][..], &["resume"], &["audit"], &["verify"], &["doctor"]] {
        let refused = over(&env, &other, command).exits(2);
        drop(refused.says("E0506").says("begun in another sandbox").says("nothing was done"));
    }
    assert_eq!(env.inventory(), made);
    // The command that is printed leads to the right one.
    let refused = over(&env, &other, &["rollback", "--yes"]);
    let command = next(&refused);
    assert!(command.contains(&env.cloud.file().display().to_string()), "{command}");
    drop(pasted(&env, &format!("{command} --yes")).exits(0).says("is taken back"));
}

#[test]
fn the_same_link_in_two_sandboxes_is_two_sagas() {
    let env = Env::new();
    let other = Cloud::start(&[]);
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(over(&env, &other, &["run", "--yes"]).exits(0).says("set up and verified"));
    // Each command works on the one of its own world, though the other is the younger.
    drop(env.escrr(&["audit"]).exits(0));
    drop(env.escrr(&["verify"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    drop(over(&env, &other, &["audit"]).exits(0));
    drop(over(&env, &other, &["rollback", "--yes"]).exits(0).says("is taken back"));
}

#[test]
fn a_sandbox_that_was_reset_is_another_one() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(env.escrr(&["sandbox", "reset"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(2).says("E0506").says("escrr run"));
    drop(env.escrr(&["run", "--yes"]).exits(0).says("set up and verified"));
}

#[test]
fn a_printed_command_works_when_it_is_pasted() {
    let env = Env::new();
    // A file and a home whose names have to be quoted.
    let file = env.home.path().join("it's a sandbox.json");
    std::fs::copy(env.cloud.file(), &file).unwrap();
    let home = env.home.path().join("my home");
    let at = |arguments: &[&str]| {
        let mut command = bare(env.home.path());
        command.env_remove("ESCRR_HOME").args(arguments).arg("--home").arg(&home);
        command
    };
    let sandbox = format!("--sandbox={}", file.display());
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "QuotaExceeded.X", "--times", "3"]);
    let parked = output(at(&["run", "--yes"]).arg(&sandbox)).exits(6);
    let resumed = pasted(&env, &next(&parked)).exits(6);
    // Commands that name no sandbox know the saga's.
    let status = output(&mut at(&["status"])).exits(0);
    assert_eq!(next(&status), next(&resumed));
    let document = output(&mut at(&["status", "--output", "json"])).exits(0).json();
    let listed = output(&mut at(&["list", "--output", "json"])).exits(0).json();
    for command in [&document["next_command"], &listed["links"][0]["next_command"]] {
        assert_eq!(command.as_str(), Some(next(&status).as_str()));
    }
    let hint = parked.stderr.lines().find(|line| line.contains("escrr rollback")).unwrap();
    let command = hint.split('`').nth(1).unwrap();
    drop(pasted(&env, &format!("{command} --yes")).exits(0).says("is taken back"));
}

#[test]
fn a_path_that_is_no_text_works_for_every_option() {
    use std::os::unix::ffi::OsStringExt as _;
    let env = Env::new();
    let odd = |name: &[u8]| {
        let mut path = env.home.path().to_owned().into_os_string().into_vec();
        path.extend_from_slice(name);
        PathBuf::from(std::ffi::OsString::from_vec(path))
    };
    let (file, home, out) = (odd(b"/s\xff.json"), odd(b"/h\xff"), odd(b"/o\xff.html"));
    std::fs::copy(env.cloud.file(), &file).unwrap();
    let at = |arguments: &[&str]| {
        let mut command = bare(env.home.path());
        command.env("ESCRR_HOME", &home).args(arguments);
        command
    };
    let mut sandbox = std::ffi::OsString::from("--sandbox=");
    sandbox.push(&file);
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "QuotaExceeded.X", "--times", "1"]);
    let parked = output(at(&["run", "--yes"]).arg(&sandbox)).exits(6);
    drop(pasted(&env, &next(&parked)).exits(0).says("set up and verified"));
    drop(output(at(&["report", "--out"]).arg(&out)).exits(0));
    drop(output(at(&["store", "export"]).arg(odd(b"/e\xff"))).exits(0));
    assert!(out.exists());
    // Where the home hangs on a variable that is no text.
    let mut usual = bare(env.home.path());
    usual.env_remove("ESCRR_HOME").env("HOME", odd(b"/\xffhome")).args(["list"]);
    drop(output(&mut usual).exits(0));
    assert!(!odd(b"/.local").exists());
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let env = Env::new();
    let mut command = env.command(&["plan"]);
    for name in ["OUTPUT", "COLOR", "PROGRESS", "VERBOSE", "NETWORK", "SIGNATURE", "PLAN_OUT"] {
        command.env(format!("ESCRR_{name}"), "");
    }
    drop(output(&mut command).exits(0));
    // Help does not depend on it.
    let mut help = bare(env.home.path());
    let usual = output(help.args(["plan", "--help"])).exits(0);
    help.env("ESCRR_OUTPUT", "");
    assert_eq!(output(&mut help).exits(0).stdout, usual.stdout);
}
