//! Which way data flows and which way connections are opened: they are opposite, and it is easy
//! to build a link the wrong way round.

use super::Plan;
use crate::ui::table::cut;
use crate::ui::words::ids;
use escrr_engine::survey::Verdict;
use serde_json::{Value, json};

/// The signs of the picture; ASCII where the locale has nothing else.
struct Signs {
    line: &'static str,
    down: &'static str,
    up: &'static str,
}

const UNICODE: Signs = Signs { line: "│", down: "▼", up: "▲" };
const ASCII: Signs = Signs { line: "|", down: "v", up: "^" };
/// The roles are written this wide.
const ROLE_WIDTH: usize = 8;

/// One thing between the two clusters.
struct Hop {
    role: &'static str,
    what: String,
    /// The node that it stands for, and its verdict in a word; none for the clusters.
    node: Option<(&'static str, String)>,
}

impl Plan {
    /// From the leader down to the follower.
    fn hops(&self) -> Vec<Hop> {
        let spec = &self.spec;
        let side = |role, side: &escrr_steps::spec::SideSpec| Hop {
            role,
            what: format!("{} in {}", side.instance, side.region),
            node: None,
        };
        let (balancer, port) = (&spec.load_balancer, spec.load_balancer.health_check_port);
        let region = &spec.follower.region;
        vec![
            side("leader", &spec.leader),
            self.hop("address", "leader.private_ip", |found| match found {
                "" => format!("the leader's private addresses, port {port}"),
                found => format!("{found}, port {port}"),
            }),
            self.hop("network", "network.cen", |found| self.network(found)),
            self.hop("balancer", "follower.load_balancer", |found| {
                let name = if found.is_empty() { &spec.load_balancer_name() } else { found };
                let ports = (balancer.start_port, balancer.end_port);
                format!("{name} in {region}, ports {}-{}", ports.0, ports.1)
            }),
            self.hop("service", "follower.endpoint_service", |found| {
                if found.is_empty() { "an endpoint service".to_owned() } else { found.to_owned() }
            }),
            self.hop("endpoint", "follower.private_connection", |found| {
                let what = if found.is_empty() { "an endpoint" } else { found };
                format!("{what} of {}", spec.follower.instance)
            }),
            side("follower", &spec.follower),
        ]
    }

    fn hop(&self, role: &'static str, node: &'static str, what: impl Fn(&str) -> String) -> Hop {
        let row = self.rows().find(|row| row.about.id.to_string() == node);
        let found = row.and_then(|row| row.verdict.output()).map(ids).unwrap_or_default();
        let word = row.map_or("unknown", |row| row.word()).to_owned();
        Hop { role, what: what(&found), node: Some((node, word)) }
    }

    /// How the two VPCs meet.
    fn network(&self, cen: &str) -> String {
        let row = self.rows().find(|row| row.about.id.to_string() == "network.cen");
        if row.is_some_and(|row| matches!(row.verdict, Verdict::Unneeded(_))) {
            return "one VPC, nothing to connect".to_owned();
        }
        let cen = if cen.is_empty() { "a CEN" } else { cen };
        if self.spec.same_region() {
            return format!("{cen} with a transit router, in one region");
        }
        let bandwidth = self.spec.network.bandwidth_mbps;
        format!("{cen} with transit routers, {bandwidth} Mbit/s between regions")
    }

    /// The picture, right at 80 columns.
    pub(super) fn arrows(&self, unicode: bool, columns: Option<usize>) -> Vec<String> {
        let signs = if unicode { UNICODE } else { ASCII };
        let hops = self.hops();
        let last = hops.len().saturating_sub(2);
        let mut lines: Vec<String> = (0..)
            .zip(&hops)
            .map(|(at, hop): (usize, &Hop)| {
                let (data, opened) = match (at, &hop.node) {
                    (_, None) => (" ", " "),
                    (1, _) => (signs.line, signs.up),
                    (at, _) if at == last => (signs.down, signs.line),
                    _ => (signs.line, signs.line),
                };
                let state = hop.node.as_ref().map(|(_, word)| format!(" ({word})"));
                let text = format!(
                    "  {data}  {opened}  {:<ROLE_WIDTH$}  {}{}",
                    hop.role,
                    hop.what,
                    state.unwrap_or_default()
                );
                cut(&text, columns)
            })
            .collect();
        let port = self.spec.load_balancer.health_check_port;
        lines.push(format!("  {}  data flows from the leader to the follower", signs.down));
        lines.push(format!(
            "  {}  connections are opened by the follower to the leader, at port {port}",
            signs.up
        ));
        lines
    }

    /// The same for programs.
    pub(super) fn flow(&self) -> Value {
        let end = |side: &escrr_steps::spec::SideSpec| json!({ "region": side.region, "instance": side.instance });
        let hop = |hop: Hop| {
            let (node, verdict) = hop.node.unzip();
            json!({ "role": hop.role, "what": hop.what, "node": node, "verdict": verdict })
        };
        json!({
            "data": { "from": "leader", "to": "follower" },
            "connections": {
                "from": "follower",
                "to": "leader",
                "port": self.spec.load_balancer.health_check_port,
            },
            "leader": end(&self.spec.leader),
            "follower": end(&self.spec.follower),
            "hops": self.hops().into_iter().map(hop).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::plan::Learnt;
    use crate::session::catalog;
    use escrr_steps::spec::{Spec, defaults};

    /// A plan for a spec in which these nodes are as said and the rest is not looked at.
    fn plan(spec: &str, seen: &[(&str, Verdict)]) -> Plan {
        let catalog = catalog().unwrap();
        let mut verdicts = vec![Verdict::Unlooked; catalog.len()];
        for (node, verdict) in seen {
            verdicts[catalog.find(node).unwrap()] = verdict.clone();
        }
        let ours = vec![false; catalog.len()];
        let spec = Spec::parse(spec, "t").unwrap();
        Plan { catalog, spec, verdicts, ours, learnt: Learnt::default(), problems: Vec::new() }
    }

    #[test]
    fn what_is_there_is_named_and_data_flows_against_the_connections() {
        let cen = Verdict::Found(json!({ "cen": "cen-1" }));
        let plan = plan(defaults::SANDBOX, &[("network.cen", cen)]);
        let lines = plan.arrows(false, Some(80));
        assert_eq!(
            lines[2],
            "  |  |  network   cen-1 with transit routers, 100 Mbit/s between regions (found)"
        );
        let up = lines.iter().position(|line| line.starts_with("  |  ^  ")).unwrap();
        let down = lines.iter().position(|line| line.starts_with("  v  |  ")).unwrap();
        let end = |role: &str| {
            lines.iter().position(|line| line.starts_with(&format!("        {role}"))).unwrap()
        };
        // The head of the connections is at the leader, that of the data at the follower.
        assert_eq!((up, down), (end("leader") + 1, end("follower") - 1));
        let flow = plan.flow();
        assert_eq!(
            (&flow["data"]["to"], &flow["connections"]["to"]),
            (&json!("follower"), &json!("leader"))
        );
        assert_eq!(flow["hops"][2]["verdict"], "found");
    }

    #[test]
    fn one_region_and_one_vpc_are_said() {
        let near = defaults::SANDBOX.replace("cn-hangzhou", "cn-shanghai");
        let lines = plan(&near, &[]).arrows(true, None);
        assert!(lines[2].contains("a CEN with a transit router, in one region"), "{lines:?}");
        let unneeded = Verdict::Unneeded(Value::Null);
        let lines = plan(&near, &[("network.cen", unneeded)]).arrows(true, None);
        assert!(lines[2].ends_with("one VPC, nothing to connect (unneeded)"), "{lines:?}");
    }

    #[test]
    fn long_names_are_cut_to_the_screen() {
        let long = format!("es-cn-{}", "x".repeat(58));
        let spec = defaults::SANDBOX.replace("es-cn-follower0001", &long);
        let lines = plan(&spec, &[]).arrows(true, Some(80));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }
}
