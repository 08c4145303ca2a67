//! Both regions as a picture: what stands where, the way of the connection, the way of the data.

use super::{Facts, anchor};
use crate::ui::picture::{Area, Tone, fit, legend, word};
use crate::ui::words::ids;
use escrr_engine::{Direction, NodeState, Origin};
use escrr_steps::spec::Spec;
use maud::{Markup, html};
use serde_json::Value;
use std::collections::BTreeMap;

const WIDTH: usize = 1240;
const HEIGHT: usize = 500;

/// A box of the picture: where it lies, what it is called, the node behind it, and where in the
/// node's output its further lines stand.
type Drawn = (Area, &'static str, &'static str, &'static [&'static str]);

/// The columns of boxes, from the leader to the follower.
const LEADER: usize = 46;
const LEADER_ROUTER: usize = 268;
const MIDDLE: usize = 446;
const FOLLOWER_ROUTER: usize = 634;
const BALANCER: usize = 826;
const FOLLOWER: usize = 1042;

const fn area(x: usize, y: usize, w: usize, h: usize) -> Area {
    Area { x, y, w, h }
}

#[rustfmt::skip]
const BOXES: [Drawn; 18] = [
    (area(LEADER, 120, 190, 84), "Leader cluster", "leader.cluster", &["name", "version"]),
    (area(LEADER, 218, 190, 52), "Private addresses", "leader.private_ip", &["addresses"]),
    (area(LEADER, 284, 190, 52), "Allow list", "leader.allow_list", &[""]),
    (area(LEADER, 350, 190, 52), "vSwitches", "leader.vswitches", &[""]),
    (area(LEADER_ROUTER, 120, 150, 52), "Transit router", "leader.transit_router", &["router"]),
    (area(LEADER_ROUTER, 186, 150, 52), "VPC attachment", "leader.vpc_attachment", &["attachment"]),
    (area(LEADER_ROUTER, 252, 150, 52), "VPC route", "leader.vpc_route", &[]),
    (area(MIDDLE, 120, 160, 52), "Peer attachment", "network.peer_attachment", &["attachment"]),
    (area(MIDDLE, 218, 160, 52), "CEN", "network.cen", &["cen"]),
    (area(MIDDLE, 284, 160, 52), "Routes both ways", "network.routes", &[]),
    (area(FOLLOWER_ROUTER, 120, 150, 52), "Transit router", "follower.transit_router", &["router"]),
    (area(FOLLOWER_ROUTER, 186, 150, 52), "VPC attachment", "follower.vpc_attachment", &["attachment"]),
    (area(FOLLOWER_ROUTER, 252, 150, 52), "VPC route", "follower.vpc_route", &[]),
    (area(BALANCER, 120, 176, 68), "Server group", "follower.server_group", &["group"]),
    (area(BALANCER, 202, 176, 52), "Listener 9200-9300", "follower.listener", &["listener"]),
    (area(BALANCER, 268, 176, 52), "Network load balancer", "follower.load_balancer", &["balancer"]),
    (area(BALANCER, 350, 176, 52), "Endpoint service", "follower.endpoint_service", &["service"]),
    (area(FOLLOWER, 120, 166, 84), "Follower cluster", "follower.cluster", &["name", "version"]),
];

#[rustfmt::skip]
const CONNECTION_BOXES: [Drawn; 2] = [
    (area(FOLLOWER, 232, 166, 52), "Remote cluster alias", "follower.remote_cluster", &["alias"]),
    (area(FOLLOWER, 350, 166, 52), "Private connection", "follower.private_connection", &["endpoint"]),
];

/// The way of the connection, from the follower to the leader; each part with the node that has
/// to stand for it.
#[rustfmt::skip]
const WAY: [(&str, &str); 9] = [
    ("M1125 204L1125 232", "follower.remote_cluster"),
    ("M1125 284L1125 350", "follower.remote_cluster"),
    ("M1042 376L1002 376", "follower.private_connection"),
    ("M914 350L914 320", "follower.endpoint_service"),
    ("M914 268L914 254", "follower.listener"),
    ("M914 202L914 188", "follower.backend_healthy"),
    ("M826 146L784 146", "network.routes"),
    ("M634 146L606 146", "network.peer_attachment"),
    ("M446 146L418 146", "network.peer_attachment"),
];
/// Its last part, from the transit router to the leader.
const LAST: (&str, &str) = ("M268 146L236 146", "network.routes");
/// The data go the other way, over everything.
const DATA: &str = "M212 120L212 34Q212 24 222 24L1115 24Q1125 24 1125 34L1125 120";

impl Facts<'_> {
    pub(super) fn topology(&self) -> Markup {
        let outputs = self.outputs();
        let places = Places::of(self, &outputs);
        html! {
            div.wide tabindex="0" role="group" aria-label="Topology" {
                svg.picture viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) width=(WIDTH) height=(HEIGHT)
                    role="img" aria-label="Topology of both regions" {
                    defs { (tip("way")) (tip("data")) (tip("off")) }
                    (frames(&places))
                    (self.arrow("data", DATA, "follower.existing_indices"))
                    text.small x="620" y="16" text-anchor="middle" { (self.data_said(&outputs)) }
                    @for (way, node) in WAY.iter().chain([&LAST]) {
                        (self.arrow("way", way, node))
                    }
                    @for drawn in BOXES.iter().chain(&CONNECTION_BOXES) { (self.boxed(drawn, &outputs)) }
                    text.small x=(LEADER) y="488" { "Dashed blue: the connection, from the follower to the leader's port 9300. Green: the data. Grey: not there." }
                }
            }
            (legend())
        }
    }

    fn state(&self, node: &str) -> &NodeState {
        self.saga.node(self.catalog.find(node).unwrap_or(usize::MAX))
    }

    /// The tone and the word of a box. What was seen of the way before a rollback is no longer so.
    fn look(&self, node: &str) -> (Tone, &'static str) {
        let state = self.state(node);
        let built = self.catalog.about().iter().any(|a| a.phase > 0 && a.id.to_string() == node);
        match (self.saga.direction, state) {
            (Direction::Backward, NodeState::Done { origin: Origin::Checked, .. }) if built => {
                (Tone::Aside, "was checked before")
            }
            (Direction::Backward, NodeState::Done { origin: Origin::Found, .. }) => {
                (Tone::Aside, "was found before")
            }
            _ => (Tone::of(state), word(state)),
        }
    }

    /// An arrow in its colour while the node behind it holds; a rollback begins with the arrows.
    fn arrow(&self, kind: &str, way: &str, node: &str) -> Markup {
        let holds = self.saga.direction == Direction::Forward && self.state(node).satisfied();
        let tip = if holds { kind } else { "off" };
        html! { path.(kind).off[!holds] d=(way) marker-end=(format!("url(#tip-{tip})")) {} }
    }

    fn boxed(&self, drawn: &Drawn, outputs: &BTreeMap<&str, &Value>) -> Markup {
        let (Area { x, y, w, h }, name, node, fields) = *drawn;
        let (tone, word) = self.look(node);
        let output = outputs.get(node).copied();
        let said = |field: &&str| {
            let part =
                output.and_then(
                    |output| if field.is_empty() { Some(output) } else { output.get(*field) },
                );
            part.map(said).filter(|said| !said.is_empty())
        };
        let mut lines: Vec<String> = fields.iter().filter_map(said).collect();
        let more =
            (node == "follower.server_group").then(|| outputs.get("follower.backend")).flatten();
        lines.extend(more.map(|backend| ids(backend)));
        // From below the name to above the state, which stands last.
        let rows: Vec<(usize, &String)> = (y + 31..).step_by(15).zip(&lines).collect();
        html! {
            a href=(format!("#{}", anchor(node))) {
                g.(tone.class()) {
                    title { (node) ": " (word) " " (lines.join(", ")) }
                    rect.box x=(x) y=(y) width=(w) height=(h) rx="6" {}
                    text x=(x + 9) y=(y + 16) { (name) }
                    @for (row, line) in rows { text.mono x=(x + 9) y=(row) { (fit(line, w - 12, 11)) } }
                    text.small x=(x + 9) y=(y + h - 7) { (word) }
                }
            }
        }
    }

    /// What is replicated, over the arrow of the data.
    fn data_said(&self, outputs: &BTreeMap<&str, &Value>) -> String {
        let pairs = outputs.get("follower.existing_indices").and_then(|output| output.get("pairs"));
        let number = pairs.and_then(Value::as_array).map_or(0, Vec::len);
        let (indices, auto) =
            (self.state("follower.existing_indices"), self.state("follower.auto_follow"));
        let word = if number == 1 { "index" } else { "indices" };
        format!(
            "Cross-cluster replication: {number} {word} ({}), auto-follow ({})",
            crate::ui::picture::word(indices),
            crate::ui::picture::word(auto)
        )
    }
}

/// A value in a few words: a version, ids, or the text itself.
fn said(value: &Value) -> String {
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    if let (Some(major), Some(minor), Some(patch)) =
        (number("major"), number("minor"), number("patch"))
    {
        return format!("Elasticsearch {major}.{minor}.{patch}");
    }
    match (value.as_str(), ids(value)) {
        (Some(text), _) => text.to_owned(),
        (None, ids) if !ids.is_empty() => ids,
        (None, _) => {
            let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            texts.collect::<Vec<_>>().join(", ")
        }
    }
}

fn tip(kind: &str) -> Markup {
    html! {
        marker id=(format!("tip-{kind}")) viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10"
            markerHeight="10" markerUnits="userSpaceOnUse" orient="auto" {
            path.(format!("tip-{kind}")) d="M0 0L8 4L0 8z" {}
        }
    }
}

/// What the regions and VPCs are called: as the gates found them, or as the spec says.
struct Places {
    leader: String,
    follower: String,
    leader_vpc: String,
    leader_blocks: String,
    follower_vpc: String,
    follower_blocks: String,
}

impl Places {
    fn of(facts: &Facts<'_>, outputs: &BTreeMap<&str, &Value>) -> Self {
        let spec = Spec::parse(&facts.saga.spec, "spec").ok();
        let text = |node: &str, field: &str| {
            let found = outputs.get(node).and_then(|output| output.get(field));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        let blocks = |side: &str| {
            let found = outputs.get("link.compatible").and_then(|output| output.get(side));
            found.map(said).unwrap_or_default()
        };
        let region = |node: &str, side: &str, from_spec: Option<String>| {
            let name = text(node, "region").or(from_spec).unwrap_or_default();
            format!("{name}, {side}").trim_start_matches(", ").to_owned()
        };
        let vpc = |node: &str| {
            let name = text(node, "vpc").unwrap_or_default();
            format!("VPC {name}").trim().to_owned()
        };
        let of = |pick: fn(&Spec) -> String| spec.as_ref().map(pick);
        Self {
            leader: region("leader.instance", "leader", of(|spec| spec.leader.region.clone())),
            follower: region(
                "follower.instance",
                "follower",
                of(|spec| spec.follower.region.clone()),
            ),
            leader_vpc: vpc("leader.instance"),
            leader_blocks: blocks("leader"),
            follower_vpc: vpc("follower.instance"),
            follower_blocks: blocks("follower"),
        }
    }
}

/// Regions and VPCs, behind the boxes.
fn frames(places: &Places) -> Markup {
    let region = |area: Area, name: &str| {
        let Area { x, y, w, h } = area;
        html! {
            rect.band x=(x) y=(y) width=(w) height=(h) rx="10" {}
            rect.frame x=(x) y=(y) width=(w) height=(h) rx="10" {}
            text.head x=(x + 12) y=(y + 22) { (fit(name, w - 16, 13)) }
        }
    };
    // What a network is called stands below its boxes: arrows come from above.
    let network = |x: usize, w: usize, lines: [&str; 2]| {
        html! {
            rect.frame x=(x) y="98" width=(w) height="354" rx="8" {}
            @for (y, line) in [424, 441].into_iter().zip(lines) {
                text.small x=(x + 14) y=(y) { (fit(line, w - 16, 11)) }
            }
        }
    };
    html! {
        rect.paper width=(WIDTH) height=(HEIGHT) {}
        (region(area(14, 46, 418, 420), &places.leader))
        (region(area(620, 46, 606, 420), &places.follower))
        (network(32, 218, [&places.leader_vpc, &places.leader_blocks]))
        (network(812, 204, [&places.follower_vpc, &places.follower_blocks]))
        (network(1028, 194, ["the service's own network", ""]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_box_and_every_part_of_the_way_is_a_node() {
        let catalog = escrr_steps::catalog::catalog().unwrap();
        let boxes = BOXES.iter().chain(&CONNECTION_BOXES).map(|(_, _, node, _)| *node);
        for node in boxes.chain(WAY.iter().chain([&LAST]).map(|(_, node)| *node)) {
            assert!(catalog.find(node).is_some(), "{node}");
        }
    }

    #[test]
    fn no_box_lies_on_another() {
        let all: Vec<Area> = BOXES.iter().chain(&CONNECTION_BOXES).map(|drawn| drawn.0).collect();
        for (at, one) in all.iter().enumerate() {
            assert!(one.x + one.w < WIDTH && one.y + one.h < HEIGHT, "{one:?}");
            for other in all.iter().skip(at + 1) {
                let apart = one.x + one.w <= other.x
                    || other.x + other.w <= one.x
                    || one.y + one.h <= other.y
                    || other.y + other.h <= one.y;
                assert!(apart, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn values_are_said_in_few_words() {
        assert_eq!(said(&json!({"major": 7, "minor": 16, "patch": 2})), "Elasticsearch 7.16.2");
        assert_eq!(said(&json!(["10.2.1.0/24", "10.2.2.0/24"])), "10.2.1.0/24, 10.2.2.0/24");
        assert_eq!(said(&json!([{"vswitch": "vsw-1", "zone": "z"}])), "vsw-1");
        assert_eq!(said(&json!("cen-1")), "cen-1");
    }
}
