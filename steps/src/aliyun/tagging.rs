//! Tags of resources of every product, read and changed by the calls that all of them have:
//! `ListTagResources`, `TagResources` and, in Vpc, `UnTagResources` for `UntagResources`.

use super::action::Action;
use super::answer::Row;
use super::call::{Paging, tag_list};
use super::cloud::Cloud;
use super::endpoint::Product;
use super::types::Tags;
use escrr_engine::Fault;
use serde_json::json;
use std::collections::BTreeMap;

/// A type of resource that carries tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TagKind {
    /// A CEN instance.
    Cen,
    /// A transit router.
    TransitRouter,
    /// A VPC attachment.
    VpcAttachment,
    /// An inter-region connection.
    PeerAttachment,
    /// A vSwitch.
    VSwitch,
    /// A server group.
    ServerGroup,
    /// An NLB instance.
    LoadBalancer,
    /// A listener.
    Listener,
    /// An endpoint service.
    EndpointService,
}

impl TagKind {
    /// All of them, in the order in which they are created.
    pub const ALL: [Self; 9] = [
        Self::Cen,
        Self::TransitRouter,
        Self::VSwitch,
        Self::VpcAttachment,
        Self::PeerAttachment,
        Self::ServerGroup,
        Self::LoadBalancer,
        Self::Listener,
        Self::EndpointService,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cen => "CEN",
            Self::TransitRouter => "transit router",
            Self::VpcAttachment => "VPC attachment",
            Self::PeerAttachment => "inter-region connection",
            Self::VSwitch => "vSwitch",
            Self::ServerGroup => "server group",
            Self::LoadBalancer => "NLB instance",
            Self::Listener => "listener",
            Self::EndpointService => "endpoint service",
        }
    }

    const fn product(self) -> Product {
        match self {
            Self::Cen | Self::TransitRouter | Self::VpcAttachment | Self::PeerAttachment => {
                Product::Cbn
            }
            Self::VSwitch => Product::Vpc,
            Self::ServerGroup | Self::LoadBalancer | Self::Listener => Product::Nlb,
            Self::EndpointService => Product::PrivateLink,
        }
    }

    /// The `ResourceType` of its product's tag calls.
    const fn resource_type(self) -> &'static str {
        match self {
            Self::Cen => "Cen",
            Self::TransitRouter => "TransitRouter",
            Self::VpcAttachment => "TransitRouterVpcAttachment",
            Self::PeerAttachment => "TransitRouterPeerAttachment",
            Self::VSwitch => "VSWITCH",
            Self::ServerGroup => "servergroup",
            Self::LoadBalancer => "loadbalancer",
            Self::Listener => "listener",
            Self::EndpointService => "vpcendpointservice",
        }
    }

    const fn untag(self) -> &'static str {
        if matches!(self, Self::VSwitch) { "UnTagResources" } else { "UntagResources" }
    }

    const fn paging(self) -> (Paging, &'static str) {
        match self.product() {
            Product::Cbn => (Paging::Token("PageSize", 50), "TagResources.TagResource"),
            Product::Vpc => (Paging::Token("MaxResults", 50), "TagResources.TagResource"),
            Product::PrivateLink => (Paging::Unsized, "TagResources"),
            Product::Ecs | Product::Nlb | Product::Elasticsearch | Product::Sts => {
                (Paging::Token("MaxResults", 50), "TagResources")
            }
        }
    }
}

/// The calls that read tags, one of each product.
pub const LIST_TAGS: [Action; 4] = [
    Action::new(Product::Cbn, "ListTagResources"),
    Action::new(Product::Vpc, "ListTagResources"),
    Action::new(Product::Nlb, "ListTagResources"),
    Action::new(Product::PrivateLink, "ListTagResources"),
];

/// How many ids a call takes: Cbn and Vpc take no more.
const MOST_IDS: usize = 20;

fn tag(row: &Row<'_>) -> Result<(String, String, String), Fault> {
    Ok((row.need("ResourceId")?, row.need("TagKey")?, row.text("TagValue")))
}

impl Cloud {
    /// The resources of a kind in a region that carry all of these tags, each with all its tags.
    ///
    /// A list that is filtered by a tag need not tell the other ones, so they are asked for by id.
    pub async fn tagged(
        &self,
        (region, kind): (&str, TagKind),
        tags: &Tags,
    ) -> Result<BTreeMap<String, Tags>, Fault> {
        let by_tag = json!({"ResourceType": kind.resource_type(), "Tag": tag_list(tags)});
        let found = self.tag_rows(region, kind, by_tag).await?;
        let ids: Vec<String> = found.into_keys().collect();
        let mut all = BTreeMap::new();
        for ids in ids.chunks(MOST_IDS) {
            let by_id = json!({"ResourceType": kind.resource_type(), "ResourceId": ids});
            all.extend(self.tag_rows(region, kind, by_id).await?);
        }
        Ok(all)
    }

    /// The tags of one resource; none where it does not exist.
    pub async fn tags_of(&self, (region, kind): (&str, TagKind), id: &str) -> Result<Tags, Fault> {
        let by_id = json!({"ResourceType": kind.resource_type(), "ResourceId": [id]});
        Ok(self.tag_rows(region, kind, by_id).await?.remove(id).unwrap_or_default())
    }

    async fn tag_rows(
        &self,
        region: &str,
        kind: TagKind,
        params: serde_json::Value,
    ) -> Result<BTreeMap<String, Tags>, Fault> {
        let caller = self.caller(kind.product(), region);
        let rows = caller.list("ListTagResources", params, kind.paging(), tag).await?;
        let mut all: BTreeMap<String, Tags> = BTreeMap::new();
        for (id, key, value) in rows {
            all.entry(id).or_default().insert(key, value);
        }
        Ok(all)
    }

    /// Puts tags onto a resource; those that it has keep their keys and take the new values.
    pub async fn tag(
        &self,
        (region, kind): (&str, TagKind),
        id: &str,
        tags: &Tags,
    ) -> Result<(), Fault> {
        let params = json!({"ResourceType": kind.resource_type(), "ResourceId": [id],
            "Tag": tag_list(tags)});
        self.caller(kind.product(), region).write_only("TagResources", params).await.map(drop)
    }

    /// Takes one tag off a resource.
    pub async fn untag(
        &self,
        (region, kind): (&str, TagKind),
        id: &str,
        key: &str,
    ) -> Result<(), Fault> {
        let params =
            json!({"ResourceType": kind.resource_type(), "ResourceId": [id], "TagKey": [key]});
        self.caller(kind.product(), region).write_only(kind.untag(), params).await.map(drop)
    }
}
