//! Associations (which table an attachment forwards by) and propagations (which table learns its routes).

use super::state::{Link, Table, at_rest, blocking, no_attachment};
use crate::listing::wants;
use crate::paging::{Size, by_token};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The words that differ between the two kinds of link.
struct Kind {
    begin: &'static str,
    end: &'static str,
    beginning: &'static str,
    ending: &'static str,
    rows: &'static str,
    of: fn(&Table) -> &BTreeMap<String, Link>,
    of_mut: fn(&mut Table) -> &mut BTreeMap<String, Link>,
    exists: &'static str,
    missing: &'static str,
    /// An attachment has one table at most on each router.
    single: bool,
}

const ASSOCIATION: Kind = Kind {
    begin: "Cbn.AssociateTransitRouterAttachmentWithRouteTable",
    end: "Cbn.DissociateTransitRouterAttachmentFromRouteTable",
    beginning: "Associating",
    ending: "Dissociating",
    rows: "TransitRouterAssociations",
    of: |t| &t.associations,
    of_mut: |t| &mut t.associations,
    exists: "InvalidOperation.AssociationExist",
    missing: "InvalidTransitRouterRouteTableAssociation.NotFound",
    single: true,
};

const PROPAGATION: Kind = Kind {
    begin: "Cbn.EnableTransitRouterRouteTablePropagation",
    end: "Cbn.DisableTransitRouterRouteTablePropagation",
    beginning: "Enabling",
    ending: "Disabling",
    rows: "TransitRouterPropagations",
    of: |t| &t.propagations,
    of_mut: |t| &mut t.propagations,
    exists: "InvalidOperation.PropagationExist",
    missing: "InvalidTransitRouterRouteTablePropagation.NotFound",
    single: false,
};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "AssociateTransitRouterAttachmentWithRouteTable" => begin(world, call, &ASSOCIATION),
        "DissociateTransitRouterAttachmentFromRouteTable" => end(world, call, &ASSOCIATION),
        "ReplaceTransitRouterRouteTableAssociation" => replace(world, call),
        "ListTransitRouterRouteTableAssociations" => list(world, call, &ASSOCIATION),
        "EnableTransitRouterRouteTablePropagation" => begin(world, call, &PROPAGATION),
        "DisableTransitRouterRouteTablePropagation" => end(world, call, &PROPAGATION),
        "ListTransitRouterRouteTablePropagations" => call
            .need("TransitRouterRouteTableId")
            .map(|_| ())
            .and_then(|()| list(world, call, &PROPAGATION)),
        _ => return None,
    })
}

/// The attachment and the table, both at rest, and no other link of the attachment in motion.
fn both<'a>(world: &World, call: &'a Call) -> Result<(&'a str, &'a str), Refusal> {
    let attachment = call.need("TransitRouterAttachmentId")?;
    let table_id = call.need("TransitRouterRouteTableId")?;
    let table = world.cbn.table(table_id)?;
    let course = world.cbn.attachment_on(attachment, &table.router).ok_or_else(no_attachment)?;
    at_rest(course, world.now_ms)?;
    at_rest(&table.course, world.now_ms)?;
    at_rest(&world.cbn.router(&table.router)?.course, world.now_ms)?;
    if world.cbn.links_of(attachment).any(|(_, link)| link.course.in_motion(world.now_ms)) {
        return Err(blocking());
    }
    Ok((attachment, table_id))
}

fn begin(world: &mut World, call: &Call, kind: &Kind) -> Answer {
    let (attachment, table_id) = both(world, call)?;
    let router = &world.cbn.table(table_id)?.router;
    let taken = world.cbn.tables.iter().any(|(id, t)| {
        (id == table_id || (kind.single && t.router == *router))
            && (kind.of)(t).contains_key(attachment)
    });
    if taken {
        return Err(Refusal::bad(
            kind.exists,
            "The attachment already has one with a route table of this transit router.",
        ));
    }
    let link = Link {
        course: Course::moving(kind.beginning, world.after(kind.begin), "Active"),
        since_ms: world.now_ms,
    };
    (kind.of_mut)(world.cbn.table_mut(table_id)?).insert(attachment.to_owned(), link);
    Ok(json!({}))
}

fn end(world: &mut World, call: &Call, kind: &Kind) -> Answer {
    let (attachment, table_id) = both(world, call)?;
    let until = world.after(kind.end);
    let link =
        (kind.of_mut)(world.cbn.table_mut(table_id)?).get_mut(attachment).ok_or_else(|| {
            Refusal::missing(kind.missing, "The attachment has none with this table.")
        })?;
    link.course = Course::leaving(kind.ending, until);
    Ok(json!({}))
}

fn replace(world: &mut World, call: &Call) -> Answer {
    let (attachment, table_id) = both(world, call)?;
    let router = world.cbn.table(table_id)?.router.clone();
    let link = Link {
        course: Course::moving("Associating", world.after(ASSOCIATION.begin), "Active"),
        since_ms: world.now_ms,
    };
    for table in world.cbn.tables.values_mut().filter(|t| t.router == router) {
        table.associations.remove(attachment);
    }
    world.cbn.table_mut(table_id)?.associations.insert(attachment.to_owned(), link);
    Ok(json!({}))
}

fn list(world: &World, call: &Call, kind: &Kind) -> Answer {
    if let Some(table) = call.get("TransitRouterRouteTableId") {
        world.cbn.table(table)?;
    }
    let rows = world
        .cbn
        .tables
        .iter()
        .filter(|(id, _)| wants(call, "TransitRouterRouteTableId", id))
        .flat_map(|(id, table)| {
            (kind.of)(table).iter().filter_map(move |(attachment, link)| {
                row(world, call, (id, &table.router), (attachment, link))
            })
        })
        .collect();
    by_token(call, rows, &[kind.rows], Size::new(50, 100))
}

fn row(
    world: &World,
    call: &Call,
    (table, router): (&str, &str),
    (attachment, link): (&str, &Link),
) -> Option<Value> {
    let (resource, resource_type) = resource(world, attachment, router)?;
    let status = link.course.status(world.now_ms);
    let wanted = wants(call, "TransitRouterAttachmentId", attachment)
        && wants(call, "TransitRouterAttachmentResourceId", &resource)
        && wants(call, "TransitRouterAttachmentResourceType", resource_type)
        && wants(call, "Status", status);
    wanted.then(|| {
        json!({
            "ResourceId": resource,
            "ResourceType": resource_type,
            "Status": status,
            "TransitRouterAttachmentId": attachment,
            "TransitRouterRouteTableId": table,
        })
    })
}

/// What an attachment leads to, seen from one router: a VPC, or the router on the other side.
pub(super) fn resource(
    world: &World,
    attachment: &str,
    router: &str,
) -> Option<(String, &'static str)> {
    if let Some(vpc) = world.cbn.vpc_attachments.get(attachment) {
        return Some((vpc.vpc.clone(), "VPC"));
    }
    let peer = world.cbn.peer_attachments.get(attachment)?;
    let other = if peer.router == router { &peer.peer_router } else { &peer.router };
    Some((other.clone(), "TR"))
}
