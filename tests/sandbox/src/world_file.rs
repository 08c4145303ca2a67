//! The small TOML file that a world is made from.

use crate::elastic::Grants;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A world as a person writes it; [`WorldFile::default`] is the document's own example.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldFile {
    /// The account and its key.
    #[serde(default)]
    pub account: AccountFile,
    /// Zones of each region: `[regions.cn-shanghai]`.
    #[serde(default)]
    pub regions: BTreeMap<String, RegionFile>,
    /// VPCs by id.
    #[serde(default)]
    pub vpcs: BTreeMap<String, VpcFile>,
    /// Elasticsearch instances by id.
    pub instances: BTreeMap<String, InstanceFile>,
    /// ECS instances by id.
    #[serde(default)]
    pub servers: BTreeMap<String, ServerFile>,
    /// The instance that `leader` in the sandbox's addresses points to.
    pub leader: String,
    /// The instance that `follower` in the sandbox's addresses points to.
    pub follower: String,
    /// How long operations take, in seconds of the world's time; see `durations.rs` for the names.
    #[serde(default)]
    pub durations: BTreeMap<String, f64>,
}

/// The account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountFile {
    /// Account id.
    pub id: String,
    /// Access key id.
    pub access_key_id: String,
    /// Access key secret.
    pub access_key_secret: String,
    /// Is the transit router service activated?
    pub transit_router_service: bool,
    /// Is PrivateLink activated?
    pub private_link_service: bool,
    /// Roles that may be assumed, by name.
    pub roles: BTreeMap<String, RoleFile>,
    /// The role that the metadata of the ECS instances hand out keys for.
    pub instance_role: Option<String>,
    /// How long these keys hold, in seconds.
    pub instance_seconds: u64,
}

/// One role; everybody in the account may assume it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleFile {
    /// The longest session, in seconds.
    pub max_seconds: u64,
    /// What has to be said besides, as the role's trust policy asks.
    pub external_id: Option<String>,
}

impl Default for RoleFile {
    fn default() -> Self {
        Self { max_seconds: 43_200, external_id: None }
    }
}

/// One region: which zones each product has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegionFile {
    /// Zones with transit routers.
    pub transit_router_zones: Vec<String>,
    /// Zones with NLB.
    pub nlb_zones: Vec<String>,
    /// Zones where an NLB can be a resource of an endpoint service.
    pub private_link_zones: Vec<String>,
}

/// One VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcFile {
    /// Region id.
    pub region: String,
    /// Primary block.
    pub cidr: Ipv4Net,
    /// The account that it belongs to, where it is another one's.
    #[serde(default)]
    pub owner: Option<u64>,
    /// Secondary blocks.
    #[serde(default)]
    pub secondary: Vec<Ipv4Net>,
    /// User blocks.
    #[serde(default)]
    pub user: Vec<Ipv4Net>,
    /// vSwitches by id.
    #[serde(default)]
    pub vswitches: BTreeMap<String, VSwitchFile>,
}

/// One vSwitch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VSwitchFile {
    /// Zone id.
    pub zone: String,
    /// Its block.
    pub cidr: Ipv4Net,
    /// Uses a custom route table instead of the system one.
    #[serde(default)]
    pub custom_route_table: bool,
    /// The network ACL that guards it.
    #[serde(default)]
    pub network_acl: Option<String>,
    /// How many addresses are free before instances take theirs; left out, other people have two.
    #[serde(default)]
    pub free: Option<usize>,
}

/// One Elasticsearch instance and the cluster in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceFile {
    /// Region id.
    pub region: String,
    /// vSwitch it is shown in.
    pub vswitch: String,
    /// Version, for example `7.10.0`.
    pub version: String,
    /// `public` is the cloud-native control plane (v3), `exclusive` is v1 or v2.
    #[serde(default = "public")]
    pub arch_type: String,
    /// `x-pack`, `advanced`, `IS`, `community`.
    #[serde(default = "x_pack")]
    pub category: String,
    /// `active`, `activating`, `inactive`, `invalid`.
    #[serde(default = "active")]
    pub status: String,
    /// Whom the console's own group of the private allow list admits. A new real instance admits
    /// private addresses; here nobody, so that there is something to do.
    #[serde(default = "nobody")]
    pub allow_list: Vec<String>,
    /// License of the cluster: `platinum`, `enterprise`, `trial`, `basic`.
    #[serde(default = "platinum")]
    pub license: String,
    /// Plugins that every node has.
    #[serde(default = "plugins")]
    pub plugins: Vec<String>,
    /// Users and passwords; `elastic` is a superuser, others may read, or what `grants` says.
    #[serde(default = "elastic_user")]
    pub users: BTreeMap<String, String>,
    /// What users may do, by name: `reader = { cluster = ["monitor"], indices."logs-*" = ["read"] }`.
    #[serde(default)]
    pub grants: BTreeMap<String, Grants>,
    /// Does its Kibana take `Authorization` on each request? Else one has to sign in
    /// (`xpack.security.authc.http.enabled: false`).
    #[serde(default = "yes")]
    pub kibana_http_auth: bool,
    /// Indices by name.
    #[serde(default)]
    pub indices: BTreeMap<String, IndexFile>,
}

/// One index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IndexFile {
    /// Primary shards.
    pub shards: Option<u32>,
    /// Documents made at start, `{"n": 1}`, `{"n": 2}`, …
    pub documents: u32,
    /// Soft deletes are off: the index cannot be followed.
    pub no_soft_deletes: bool,
    /// The index is a hidden or system one.
    pub hidden: bool,
    /// Settings by their full names: `"index.lifecycle.name" = "weekly"`.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Its mapping, as `PUT` takes it; documents made at start add to it.
    pub mapping: Option<serde_json::Value>,
}

/// One ECS instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFile {
    /// Region id.
    pub region: String,
    /// vSwitch it lies in.
    pub vswitch: String,
    /// Is its Cloud Assistant running?
    #[serde(default = "yes")]
    pub cloud_assistant: bool,
}

/// A placeholder that admits nobody.
fn nobody() -> Vec<String> {
    vec!["127.0.0.1".into()]
}

fn public() -> String {
    "public".into()
}
fn x_pack() -> String {
    "x-pack".into()
}
fn active() -> String {
    "active".into()
}
fn platinum() -> String {
    "platinum".into()
}
fn plugins() -> Vec<String> {
    vec!["analysis-ik".into()]
}
fn yes() -> bool {
    true
}
fn elastic_user() -> BTreeMap<String, String> {
    BTreeMap::from([("elastic".into(), "Sandbox-elastic-1".into())])
}

impl Default for AccountFile {
    fn default() -> Self {
        Self {
            id: "1000000000000001".into(),
            access_key_id: "SANDBOXKEYID000000000001".into(),
            access_key_secret: "sandbox-key-secret-that-opens-nothing".into(),
            transit_router_service: true,
            private_link_service: true,
            roles: BTreeMap::from([("escrr".into(), RoleFile::default())]),
            instance_role: Some("escrr".into()),
            instance_seconds: 21_600,
        }
    }
}

impl Default for WorldFile {
    fn default() -> Self {
        let file: Result<Self, _> = toml::from_str(include_str!("default_world.toml"));
        file.unwrap_or_else(|_| Self::empty())
    }
}

impl WorldFile {
    /// A world with an account and nothing else.
    pub fn empty() -> Self {
        Self {
            account: AccountFile::default(),
            regions: BTreeMap::new(),
            vpcs: BTreeMap::new(),
            instances: BTreeMap::new(),
            servers: BTreeMap::new(),
            leader: String::new(),
            follower: String::new(),
            durations: BTreeMap::new(),
        }
    }
}
