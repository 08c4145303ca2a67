//! Several links in one process, and a second process beside it.

use crate::env::{Cloud, Env, output};
use escrr_engine::store::{Holder, Lock, ProcessPlace};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

/// A spec of one link.
pub(crate) fn spec(link: &str, leader: &str, follower: &str) -> String {
    format!(
        "link = \"{link}\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"{leader}\"\n\
         [follower]\nregion = \"cn-hangzhou\"\ninstance = \"{follower}\"\n\
         [replication]\npatterns = [\"logs-*\"]\n"
    )
}

pub(crate) fn two_links(env: &Env) -> (String, String) {
    (
        env.write("one.toml", &spec("one", "es-cn-leader000001", "es-cn-follower0001")),
        env.write("two.toml", &spec("two", "es-cn-leader000002", "es-cn-follower0002")),
    )
}

pub(crate) fn world() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/worlds/two-links.toml").to_owned()
}

#[test]
fn two_specs_are_driven_side_by_side_in_one_process() {
    let env = Env::over(Cloud::start(&["--world", &world()]));
    let before = env.inventory();
    let (one, two) = two_links(&env);
    let ran = env.escrr(&["run", &one, &two, "--yes", "--output", "ndjson"]).exits(0);
    // Side by side: the second link has begun long before the first has ended.
    let position = |link: &str, kind: &str| {
        let wanted = |line: &serde_json::Value| line["link"] == link && line["type"] == kind;
        ran.stdout.lines().position(|l| wanted(&serde_json::from_str(l).unwrap())).unwrap()
    };
    assert!(position("two", "intended") < position("one", "finished"));
    assert!(position("one", "intended") < position("two", "finished"));
    drop(env.escrr(&["rollback", "one", "--yes"]).exits(0));
    drop(env.escrr(&["rollback", "two", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}

#[test]
fn two_runs_for_one_link_are_refused() {
    let env = Env::over(Cloud::start(&["--world", &world()]));
    let (one, _) = two_links(&env);
    drop(env.escrr(&["run", &one, &one, "--yes"]).exits(2).says("one"));
}

#[test]
fn a_second_process_is_refused_and_readers_are_not() {
    // At this speed a run takes seconds, so that there is something to look at meanwhile.
    let env = Env::over(Cloud::start(&["--speed", "40"]));
    let mut first = env
        .command(&["run", "--yes", "--output", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    lines.by_ref().find(|l| l.as_ref().is_ok_and(|l| l.contains("intended"))).unwrap().unwrap();

    let refused = env.escrr(&["run", "--yes"]).exits(7);
    drop(refused.says(&first.id().to_string()).says("shanghai-hangzhou"));
    drop(env.alone(&["status"]).exits(0).says("shanghai-hangzhou"));
    drop(env.alone(&["list"]).exits(0).says("shanghai-hangzhou"));
    drop(env.alone(&["events"]).exits(0).says("network.cen"));

    // Interrupted, it says how to go on, and goes on.
    drop(
        output(std::process::Command::new("kill").args(["-INT", &first.id().to_string()])).exits(0),
    );
    lines.for_each(drop);
    assert_eq!(first.wait().unwrap().code(), Some(130));
    drop(env.escrr(&["resume"]).exits(0));
}

#[test]
fn a_holder_that_lives_elsewhere_is_believed_and_no_process_of_here_is_to_be_killed() {
    let env = crate::store::interrupted();
    let place = ProcessPlace { host: "box-7".into(), ..ProcessPlace::here() };
    // The number of a process that is certainly there, and of one that is certainly not.
    for pid in [1, u32::MAX] {
        let links = vec!["shanghai-hangzhou".to_owned()];
        let place = place.clone();
        let holder = Holder { pid, doing: "run".into(), links, since_ms: 1, place };
        let lock = Lock::take(&env.home.path().join("state"), &holder).unwrap();
        let at_it = format!("process {pid} of box-7, another machine or container, is at it");
        drop(env.alone(&["status"]).exits(0).says(&at_it.replace(", is", " is")));
        let json = env.alone(&["status", "--output", "json"]).exits(0).json();
        assert_eq!(
            (&json["holder"]["pid"], &json["holder"]["host"]),
            (&pid.into(), &"box-7".into())
        );
        let refused = env.escrr(&["resume"]).exits(7).says("box-7");
        assert!(!refused.stderr.contains("kill"), "{refused:?}");
        drop(lock);
    }
    drop(env.escrr(&["resume"]).exits(0));
}
