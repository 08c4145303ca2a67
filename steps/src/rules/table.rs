//! The rules, one constant each.

use super::{Rule, Weight};

const SEED: &str = "the document, \"Prerequisites\"";
const INSTANCES: &str = "leader.instance, follower.instance";
const EDITIONS: &str = "leader.edition, follower.edition";
const CLUSTERS: &str = "leader.cluster, follower.cluster";
const LICENSES: &str = "leader.license, follower.license";

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $gate:expr, $weight:ident, $holds:expr, $evidence:expr, $remedy:expr, $source:expr;)+) => {
        $($(#[$doc])* pub const $name: Rule = Rule {
            id: $id, gate: $gate, weight: Weight::$weight, holds: $holds, evidence: $evidence,
            remedy: $remedy, source: $source,
        };)+
        /// All rules, by gate.
        pub const RULES: &[Rule] = &[$($name),+];
    };
}

rules! {
    /// The instance exists.
    EXISTS = "exists", INSTANCES, Stops,
        "the instance exists in the region that the spec names", "`DescribeInstance` (Elasticsearch)",
        "check `region` and `instance` of this side in the spec", SEED;
    /// The instance is active.
    STATUS = "status", INSTANCES, Stops,
        "`status` is `active`; an instance that is `activating` is waited for", "`DescribeInstance` (Elasticsearch)",
        "see its state in the Elasticsearch console", SEED;
    /// The control plane is v3.
    ARCHITECTURE = "architecture", EDITIONS, Stops,
        "the control plane is cloud-native v3: `archType` is `public`", "`DescribeInstance` (Elasticsearch)",
        "upgrade its architecture before it is linked: \"Upgrade the architecture of an instance\"", SEED;
    /// The edition can replicate.
    CATEGORY = "category", EDITIONS, Stops,
        "the edition is commercial: `instanceCategory` is `x-pack`; where it is not shown, `esVersion` ends with `_with_X-Pack`", "`DescribeInstance` (Elasticsearch)",
        "only commercial editions without OpenStore or indexing service replicate", "\"Use the CCR feature in disaster recovery scenarios\"";
    /// The version is late enough.
    VERSION = "version", "leader.edition, follower.edition, leader.license, follower.license", Stops,
        "the version is 7.10.0 or later, as the cloud and as the cluster itself say", "`DescribeInstance` (Elasticsearch), `GET /`",
        "upgrade it to 7.10.0 or later", SEED;
    /// The instance shows its network.
    NETWORK = "network", INSTANCES, Stops,
        "the instance shows its VPC and its private domain", "`DescribeInstance` (Elasticsearch)",
        "see the basic information of the instance in the Elasticsearch console", SEED;
    /// The follower is not older than the leader.
    PAIR = "pair", "link.compatible, link.prerequisites", Stops,
        "the follower's version is not older than the leader's, and of the same major version or the one after", "`DescribeInstance` (Elasticsearch), `GET /`",
        "upgrade the follower first: it must not be older than the leader", SEED;
    /// No other run of the link is at work.
    UNCLAIMED = "unclaimed", "link.prerequisites", Stops,
        "nothing in the account carries the tags of another run of this link, unless this home knows that it was rolled back", "`ListTagResources` (Cbn, Vpc, Nlb, PrivateLink)",
        "use that run's home; where it is lost, `escrr adopt` takes the run over; or choose another link name", "this program";
    /// The two are two clusters.
    TWO = "two_clusters", "link.prerequisites", Stops,
        "the two ways in lead to two clusters", "`GET /`",
        "check url and kibana_url under [leader.access] and [follower.access] in the spec", "this program";
    /// Blocks do not overlap.
    BLOCKS = "blocks", "link.compatible", Stops,
        "the blocks of the two VPCs do not overlap: primary, secondary and user blocks", "`DescribeVpcAttribute` (Vpc)",
        "networks with overlapping addresses cannot be routed to each other: one cluster has to move to a VPC with other addresses", "\"How transit routers work\": routes in conflict are not learnt";
    /// The VPCs are the account's own.
    OWNER = "owner", "link.compatible", Stops,
        "both VPCs belong to the account of the credentials", "`DescribeVpcAttribute` (Vpc), `GetCallerIdentity` (Sts)",
        "use the credentials of the account that owns both VPCs: this program does not link across accounts", "\"Grant permissions on a VPC\": another account's VPC is attached only with a grant of its owner";
    /// One CEN.
    CEN = "cen", "link.compatible", Stops,
        "neither VPC hangs on a CEN that is not the link's", "`DescribeVpcAttribute` (Vpc)",
        "a VPC can hang on one CEN only: name that one as cen_id, or detach the VPC from it", "\"How transit routers work\"";
    /// No border is crossed.
    CROSS_BORDER = "cross_border", "link.compatible", Warns,
        "both regions are in mainland China, or both outside of it", "the region ids in the spec",
        "have cross-border use approved by the carrier for the account first, and see the cross-border prices of CEN", "\"Billing\" of CEN: traffic over the border has a tariff of its own";
    /// Services are activated.
    SERVICES = "services", "network.services", Stops,
        "transit routers and PrivateLink are activated, or `activate_services` is set", "`CheckTransitRouterService` (Cbn), `CheckProductOpen` (PrivateLink)",
        "activate it in the console, or set `activate_services = true` under [prerequisites]", SEED;
    /// Quotas leave room.
    QUOTAS = "quotas", "network.zones", Warns,
        "the follower's region has less than 60 load balancers and 200 endpoint services, the quotas that every account begins with", "`ListLoadBalancers` (Nlb), `ListVpcEndpointServices` (PrivateLink)",
        "see in the Quota Center whether the account's quota was raised, or have it raised; else the run stops where it is met and can be resumed", "\"Limits\" of NLB and of PrivateLink";
    /// Zones and addresses.
    ZONES = "zones", "network.zones", Stops,
        "each side has two zones (one where the region has one) with every product that is needed there, and in each a vSwitch on the system route table with free addresses (1 on the leader's side, 9 on the follower's), or room for a new one", "`ListTransitRouterAvailableResource` (Cbn), `DescribeZones` (Nlb, PrivateLink), `DescribeVSwitches` (Vpc)",
        "make room or a vSwitch in another zone, or name zones and vSwitches in the spec", "\"NLB\", limits: 3 addresses a vSwitch, 8 to be kept free; a transit router takes 1";
    /// Named vSwitches can be used.
    NAMED_VSWITCH = "named_vswitch", "network.zones", Stops,
        "every vSwitch named in `vswitches` is in the VPC of its side, alone in one of the zones that are meant, on the system route table, and has free addresses (1 on the leader's side, 9 on the follower's)", "`DescribeVSwitches` (Vpc)",
        "correct `vswitches` of this side in the spec, or leave it out to have vSwitches chosen", "this program";
    /// No network ACL stands in the way.
    NETWORK_ACL = "network_acl", "network.zones", Warns,
        "no network ACL guards a vSwitch that is used", "`DescribeVSwitches` (Vpc)",
        "let it pass TCP between the two VPCs: to ports 9200 to 9300, or those under [load_balancer], and the answers to ports 1024 to 65535", "\"Network ACLs\" of VPC: an ACL keeps no state";
    /// Replication is licensed.
    LICENSE = "license", LICENSES, Stops,
        "the license includes cross-cluster replication", "`GET /_license`, `GET /_xpack`",
        "replication needs the commercial edition on both sides", "Elasticsearch, \"Subscriptions\"";
    /// The user may do it.
    PRIVILEGES = "privileges", CLUSTERS, Stops,
        "the user has every privilege that steps 5 and 6 need", "`POST /_security/user/_has_privileges`",
        "use a user with these privileges, for example elastic", "Elasticsearch, \"Set up cross-cluster replication\"";
    /// Exclusions are known.
    EXCLUSIONS = "exclusions", "follower.license", Stops,
        "the follower's version knows exclusions in auto-follow patterns (7.14), or the spec has none", "`GET /`",
        "name patterns under [replication] that need no exclusions, for example \"logs-*\"", "Elasticsearch, \"Create auto-follow pattern\"";
    /// Named indices exist.
    NAMED = "named_index", "link.indices", Stops,
        "every index named in `replication.indices` is on the leader", "`GET /_all/_settings` on the leader",
        "correct replication.indices in the spec", "this program";
    /// Named indices can be followed.
    FOLLOWABLE = "followable", "link.indices", Stops,
        "every index named in `replication.indices` has soft deletes on, is open, and is no searchable snapshot", "`GET /_all/_settings` on the leader",
        "reindex it on the leader into an index with soft deletes, or take it out of replication.indices", "Elasticsearch, \"Leader index requirements\"";
    /// Matched indices can be followed.
    LEFT_OUT = "left_out", "link.indices", Warns,
        "every index that the patterns match can be followed; one that cannot be is left out", "`GET /_all/_settings` on the leader",
        "reindex it on the leader into an index with soft deletes if it is to be replicated", "Elasticsearch, \"Leader index requirements\"";
    /// Names are free.
    NAME_TAKEN = "name_taken", "link.indices", Stops,
        "no ordinary index of the follower has the name of an index that is to be replicated", "`GET /_all/_settings` on the follower, `GET /_cluster/settings`",
        "delete or rename it, or set follow_index_pattern in the spec", "Elasticsearch, \"Create follower\": the follower index must not exist";
    /// Kept copies are out of the way.
    OWN_COPY = "own_copy", "link.indices", Stops,
        "no copy that an earlier rollback kept has the name of an index that is to be replicated", "`GET /_all/_settings` on the follower, and what this home's journal says of earlier rollbacks",
        "delete them on the follower if their data is not needed (DELETE /<index>), or keep them beside new ones: set follow_index_pattern = \"{{leader_index}}-copy\" in the spec", "Elasticsearch, \"Create follower\": the follower index must not exist";
    /// Analysers are there.
    ANALYSIS = "analysis", "link.indices", Stops,
        "every analyser and field type of a plugin that the replicated indices use is on the follower too", "`GET /_all/_settings`, `GET /<index>/_mapping` on the leader, `GET /_nodes/plugins` on the follower",
        "install the plugin on the follower: \"Manage plugins\" of the instance", "Elasticsearch: a follower index is made with the leader's settings and mappings";
    /// Plugins are there.
    PLUGINS = "plugins", "link.indices", Warns,
        "the follower has the plugins that the leader has", "`GET /_nodes/plugins` on both sides",
        "install them on the follower before an index that needs them is replicated", "Elasticsearch: a follower index is made with the leader's settings and mappings";
    /// Lifecycle policies are not replicated.
    LIFECYCLE = "lifecycle", "link.indices", Warns,
        "no replicated index is under a lifecycle policy", "`GET /_all/_settings` on the leader",
        "policies are not replicated, but the name of an index's policy is: make a policy of this name on the follower if it is to act there", "Elasticsearch, \"ILM unfollow action\"";
    /// Indices under rollover.
    ROLLOVER = "rollover", "link.indices", Warns,
        "no replicated index is one that a lifecycle policy still rolls over", "`GET /_all/_settings` on the leader",
        "the policy of this name on the follower must not roll over: a follower has no write alias; it unfollows the index once the leader has rolled it over (`index.lifecycle.indexing_complete`)", "Elasticsearch, \"ILM unfollow action\"";
    /// Data streams keep their names.
    STREAMS = "data_streams", "link.indices", Stops,
        "indices behind data streams keep their names before 8.1: no `follow_index_pattern`", "`GET /_all/_settings` on the leader, `GET /` on the follower",
        "leave follow_index_pattern out of the spec, or leave the data streams out of the patterns", "Elasticsearch, \"Create auto-follow pattern\"";
    /// The cluster's own indices.
    SYSTEM = "system_indices", "link.indices", Warns,
        "before 7.14, no pattern means the cluster's own indices", "`GET /` on the follower, the patterns in the spec",
        "name patterns that begin with letters, for example \"logs-*\"", "Elasticsearch issue 67686";
}
