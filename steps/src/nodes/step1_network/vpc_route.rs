//! One VPC's routes to the other one, in its system route table: the load balancer uses no other.

use super::{Associate, PeerEnd, Propagate, Tie, VSwitches, VpcAttachment, VpcEnd, kept, targets};
use crate::aliyun::vpc::{CreateRouteEntry, RouteEntry};
use crate::aliyun::{Action, Product, TagKind};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::gone_is_fine;
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step2_leader_address::PrivateIp;
use crate::{Follower, Side, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;

/// Waits for the routes that the transit router publishes, and makes them where it does not.
#[derive(Default)]
pub struct VpcRoute<S>(pub S);

/// The system route table and its rows.
async fn rows<S: Side>(cx: &Cx<'_, VpcRoute<S>>) -> Result<(String, Vec<RouteEntry>), Fault> {
    let facts = &cx.needs.0.side(S::WHICH).instance;
    let client = cx.world.cloud.vpc(&facts.region);
    let tables = client.describe_route_tables(&facts.vpc, "System").await?;
    let Some(table) = tables.into_iter().next() else {
        let tried = format!("reading the system route table of {}", facts.vpc);
        return Err(Fault::transient(Report::new(tried, "the VPC shows none")));
    };
    let rows = client.describe_route_entries(&table.route_table_id).await?;
    Ok((table.route_table_id, rows))
}

fn leads_to(row: &RouteEntry, attachment: &str) -> bool {
    row.next_hops
        .iter()
        .any(|hop| hop.next_hop_id == attachment || hop.related_instance_id == attachment)
}

impl<S: Side> Declares for VpcRoute<S> {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::Vpc, "DescribeRouteTableList"),
            Action::new(Product::Vpc, "DescribeRouteEntryList"),
        ],
        act: &[Action::new(Product::Vpc, "CreateRouteEntry")],
        undo: &[
            Action::new(Product::Vpc, "DescribeRouteTableList"),
            Action::new(Product::Vpc, "DescribeRouteEntryList"),
            Action::new(Product::Cbn, "ListTagResources"),
            Action::new(Product::Vpc, "DeleteRouteEntry"),
        ],
    };
}

impl<S: Side> Step for VpcRoute<S> {
    type World = World;
    type Needs = (
        Prerequisites,
        VpcAttachment<S>,
        Tie<S, Associate, VpcEnd>,
        Tie<S, Propagate, PeerEnd>,
        Tie<S::Other, Propagate, VpcEnd>,
        Tie<S::Other, Associate, PeerEnd>,
        PrivateIp,
        VSwitches<Follower>,
    );
    type Output = ();
    const ID: NodeId = NodeId::new(S::WHICH.name(), "vpc_route");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "the VPC routes the other VPC's addresses to the transit router";
    const PATIENCE: Patience = Patience::new(10, 600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let Some(attached) = &cx.needs.1 else { return Ok(Seen::Unneeded(())) };
        let (_, rows) = rows(cx).await?;
        let mut missing = BTreeSet::new();
        let mut pending = Vec::new();
        for target in targets(S::WHICH.other(), &cx.needs.6, &cx.needs.7) {
            match best(&rows, target) {
                // Inside the VPC's own blocks there is nothing to route; a default route is no answer.
                None => {
                    let blocks = &cx.needs.0.side(S::WHICH.other()).blocks;
                    let block = blocks.iter().find(|b| b.contains(&target)).copied();
                    missing.insert(block.unwrap_or(target).to_string());
                }
                Some(row) if !leads_to(row, &attached.attachment) => {
                    return Ok(Seen::Drifted(elsewhere(&target.to_string(), row)));
                }
                Some(row) if row.status != "Available" => {
                    pending.push(format!(
                        "the route to {} is {}",
                        row.destination_cidr_block, row.status
                    ));
                }
                Some(_) => {}
            }
        }
        let missing: Vec<String> = missing.into_iter().collect();
        Ok(if !missing.is_empty() && attached.auto_publish {
            Seen::Pending(format!("the transit router publishes {}", missing.join(", ")))
        } else if !missing.is_empty() {
            Seen::Absent(missing)
        } else if !pending.is_empty() {
            Seen::Pending(pending.join(", "))
        } else if cx.items.is_empty() && cx.owns::<VpcAttachment<S>>() && !own(cx, &rows).is_empty()
        {
            Seen::Ours(())
        } else if attached.auto_publish && cx.items.is_empty() {
            Seen::Theirs(())
        } else {
            Seen::Ready(())
        })
    }
}

/// The row that an address block takes: the longest prefix that covers it.
fn best(rows: &[RouteEntry], target: Ipv4Net) -> Option<&RouteEntry> {
    let covering = rows.iter().filter_map(|row| {
        let net: Ipv4Net = row.destination_cidr_block.parse().ok()?;
        (net.prefix_len() > 0 && net.contains(&target)).then_some((net.prefix_len(), row))
    });
    covering.max_by_key(|(length, _)| *length).map(|(_, row)| row)
}

fn elsewhere(block: &str, row: &RouteEntry) -> Report {
    let hops: Vec<&str> = row.next_hops.iter().map(|h| h.next_hop_id.as_str()).collect();
    Report::new(
        format!("checking the route to {block}"),
        format!("it leads to {} and not to the transit router", hops.join(", ")),
    )
    .meaning("somebody routes these addresses elsewhere, for example to a VPN")
    .help("remove that route if it is not needed, then `escrr resume`")
}

/// The routes that this saga created, announced or by the name that it gives them.
fn own<'r, S: Side>(cx: &Cx<'_, VpcRoute<S>>, rows: &'r [RouteEntry]) -> Vec<&'r RouteEntry> {
    let Some(attached) = &cx.needs.1 else { return Vec::new() };
    let named = cx.owns::<VpcAttachment<S>>();
    let name = cx.world.name();
    let ours = |row: &&RouteEntry| {
        (cx.items.contains(&row.destination_cidr_block) || (named && row.name == name))
            && row.entry_type == "Custom"
            && leads_to(row, &attached.attachment)
    };
    rows.iter().filter(ours).collect()
}

impl<S: Side> Act for VpcRoute<S> {
    const REVERSE: Reverse =
        Reverse::Undo("deletes the routes that were made; published ones go with the attachment");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("vpc {}", cx.needs.0.side(S::WHICH).instance.vpc))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let Some(attached) = &cx.needs.1 else { return Ok(None) };
        let (table, _) = rows(cx).await?;
        let name = cx.world.name();
        let ask = CreateRouteEntry {
            route_table_id: &table,
            destination_cidr_block: item,
            attachment_id: &attached.attachment,
            name: &name,
            description: "",
            token: &cx.token(item),
        };
        let region = &cx.needs.0.side(S::WHICH).instance.region;
        cx.world.cloud.vpc(region).create_route_entry(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let Some(attached) = &cx.needs.1 else { return Ok(Remains::Nothing) };
        let (_, rows) = rows(cx).await?;
        let ours = own(cx, &rows);
        if ours.is_empty() {
            return Ok(Remains::Nothing);
        }
        let region = &cx.needs.0.side(S::WHICH).instance.region;
        let at = (region.as_str(), TagKind::VpcAttachment);
        if let Some(why) = kept(cx.world, at, Some(attached)).await? {
            return Ok(Remains::Kept(why));
        }
        Ok(match ours.iter().find(|r| r.status != "Available") {
            Some(row) => Remains::Pending(format!(
                "the route to {} is {}",
                row.destination_cidr_block, row.status
            )),
            None => Remains::Items(ours.iter().map(|r| r.route_entry_id.clone()).collect()),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let region = &cx.needs.0.side(S::WHICH).instance.region;
        gone_is_fine(cx.world.cloud.vpc(region).delete_route_entry(item).await)
    }
}
