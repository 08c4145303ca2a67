//! Where the leader's private addresses come from: the spec, a named DNS server, and an ECS
//! instance of its VPC, in this order. The system's DNS knows nothing of a pretend cloud.

use crate::env::Env;
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};

fn spec(more: &str) -> String {
    format!(
        "link = \"a-link\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader000001\"\n\
         [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-follower0001\"\n\
         [replication]\npatterns = [\"logs-*\"]\n[leader_address]\n{more}\n"
    )
}

/// A DNS server that knows these addresses for every name.
fn dns(addresses: &'static [[u8; 4]]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, asker)) = socket.recv_from(&mut bytes) {
            let mut answer = bytes[..length].to_vec();
            // An answer, without error, to one question.
            answer[2..8].copy_from_slice(&[
                0x81,
                0x80,
                0,
                1,
                0,
                u8::try_from(addresses.len()).unwrap(),
            ]);
            for address in addresses {
                // The name of the question, type A, class IN, 60 s, 4 bytes.
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(address);
            }
            socket.send_to(&answer, asker).unwrap();
        }
    });
    at
}

fn planned(env: &Env, more: &str) -> Value {
    let spec = env.write("link.toml", &spec(more));
    let plan = env.escrr(&["plan", &spec, "--output", "json"]).exits(0).json();
    let nodes = plan["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["id"] == "leader.private_ip").unwrap().clone()
}

#[test]
fn the_spec_goes_before_a_dns_server_and_that_before_cloud_assistant() {
    let env = Env::new();
    let server = dns(&[[10, 1, 1, 7], [10, 1, 1, 6]]);
    let named = format!("dns_server = \"{server}\"");
    let node = planned(&env, &format!("addresses = [\"10.1.1.9\", \"10.1.1.8\"]\n{named}"));
    assert_eq!(node["output"]["found_by"], "spec");
    assert_eq!(node["output"]["addresses"], serde_json::json!(["10.1.1.8", "10.1.1.9"]));
    let node = planned(&env, &named);
    assert_eq!(node["output"]["found_by"], format!("dns server {server}"));
    // All of them, not the first one.
    assert_eq!(node["output"]["addresses"], serde_json::json!(["10.1.1.6", "10.1.1.7"]));
    let node = planned(&env, "");
    assert_eq!((&node["verdict"], &node["items"][0]), (&"make".into(), &"i-leader-bastion".into()));
}

#[test]
fn cloud_assistant_finds_all_addresses() {
    let env = Env::new();
    let ran = env.escrr(&["run", "--yes", "--output", "json"]).exits(0).json();
    let nodes = ran["nodes"].as_array().unwrap();
    let node = nodes.iter().find(|node| node["id"] == "leader.private_ip").unwrap();
    assert_eq!(node["output"]["found_by"], "cloud assistant on i-leader-bastion");
    let all = node["output"]["addresses"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    let inventory = env.inventory();
    let backends = inventory.as_array().unwrap().iter().filter(|t| t["kind"] == "server");
    assert_eq!(backends.count(), 2);
}

#[test]
fn an_address_outside_the_leaders_vpc_is_refused_wherever_it_comes_from() {
    let env = Env::new();
    let server = dns(&[[10, 1, 1, 6], [10, 9, 1, 6]]);
    for more in [
        "addresses = [\"10.1.1.6\", \"10.9.1.6\"]".to_owned(),
        format!("dns_server = \"{server}\""),
    ] {
        let spec = env.write("link.toml", &spec(&more));
        let refused = env.escrr(&["plan", &spec]).exits(1).says("leader.private_ip");
        drop(refused.says("10.9.1.6 not inside the leader's VPC (10.1.0.0/16)"));
    }
}

#[test]
fn a_dns_server_that_is_silent_is_named_and_nobody_else_is_asked() {
    let env = Env::new();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let spec = env.write("link.toml", &spec(&format!("dns_server = \"{silent}\"")));
    let refused = env.escrr(&["plan", &spec]).exits(1).says("leader.private_ip");
    drop(refused.says(&silent.to_string()).says("leader_address.dns_server"));
    let log =
        env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"].clone();
    assert!(log.as_array().unwrap().iter().all(|row| row["product"] != "Ecs"), "{log}");
}
