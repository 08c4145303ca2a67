//! The spec: one TOML file says which two clusters are linked, and how.
//!
//! - `secret_ref`: secrets stand in the spec by reference only;
//! - `read`: text to [`Spec`], every error with line and column;
//! - `check`, by `rules`: what the types cannot say (legal names, limits, settings that exclude each other);
//! - `schema`: the same for editors, as a JSON schema;
//! - `defaults`: what holds where the spec is silent, and the sandbox's own spec.

mod check;
mod cloud;
pub mod defaults;
mod excerpt;
mod near;
mod prices;
mod read;
mod rules;
mod schema;
mod secret_ref;

pub use cloud::{CloudNetwork, CloudSpec, EndpointsSpec, SignatureScheme};
pub use excerpt::{Problem, SpecErrors};
pub use near::distance;
pub use prices::{Price, PricesSpec};
pub use schema::schema;
pub use secret_ref::{KeyId, NotAReference, SecretRef};

use crate::side::Which;
use crate::way::Way;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The commented spec that `escrr init` writes.
pub const EXAMPLE: &str = include_str!("example.toml");

/// A link between two clusters as a person wants it; made by [`Spec::parse`] alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "A link between two Alibaba Cloud Elasticsearch clusters.")]
pub struct Spec {
    /// The link's name: `[a-z][a-z0-9-]{1,39}`; it marks everything that is made.
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{1,39}$"))]
    pub link: String,
    /// The cluster that is written to.
    pub leader: SideSpec,
    /// The cluster that the data is replicated to.
    pub follower: SideSpec,
    /// Who calls the cloud; absent: whom the usual sources name.
    #[serde(default)]
    pub credentials: CredentialsSpec,
    /// How the cloud is called.
    #[serde(default)]
    pub cloud: CloudSpec,
    /// Step 1: the connection of the two VPCs.
    #[serde(default)]
    pub network: NetworkSpec,
    /// Step 3: the load balancer in the follower's VPC.
    #[serde(default)]
    pub load_balancer: LoadBalancerSpec,
    /// Step 4: the endpoint service and the private connection.
    #[serde(default)]
    pub private_link: PrivateLinkSpec,
    /// Step 2: how the leader's private addresses are found.
    #[serde(default)]
    pub leader_address: LeaderAddressSpec,
    /// Step 5: what is replicated.
    #[serde(default)]
    pub replication: ReplicationSpec,
    /// Step 6: how the result is proved.
    #[serde(default)]
    pub verify: VerifySpec,
    /// What may be done to fulfil the prerequisites.
    #[serde(default)]
    pub prerequisites: PrerequisitesSpec,
    /// What plans count with.
    #[serde(default)]
    pub prices: PricesSpec,
    /// Tags put on everything that is made, besides our own.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    name: String,
}

/// One side of the link: `[leader]` or `[follower]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SideSpec {
    /// Region id, for example `cn-shanghai`.
    pub region: String,
    /// Id of the Elasticsearch instance, `es-…`.
    pub instance: String,
    /// Zones to use; chosen by the solver if empty.
    #[serde(default)]
    pub zones: Vec<String>,
    /// Ids of vSwitches that have to be used, at most one in a zone.
    #[serde(default)]
    pub vswitches: Vec<String>,
    /// How the cluster is spoken to.
    #[serde(default)]
    pub access: AccessSpec,
}

/// How a cluster is spoken to: `[leader.access]` or `[follower.access]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccessSpec {
    /// The way in; absent: the first that answers of the three.
    pub way: Option<Way>,
    /// `http(s)://host[:port]`; absent: the instance's own domain and port over its protocol.
    pub url: Option<String>,
    /// `http(s)://host[:port][/base path]` of its Kibana; absent: the instance's own.
    pub kibana_url: Option<String>,
    /// With whose rights the OpenAPI asks: `default`, `system`, or the id of a stored credential.
    pub openapi_credential: String,
    /// The user.
    pub username: String,
    /// The user's password.
    pub password: Option<SecretRef>,
    /// An API key instead of user and password: `id:key`, or both in Base64.
    pub api_key: Option<SecretRef>,
    /// PEM file with the authority that signed the cluster's and its Kibana's certificates.
    pub ca_file: Option<PathBuf>,
    /// May the password travel over plain HTTP to an address that is not loopback?
    pub allow_plain_http: bool,
}

/// Who calls the cloud: `[credentials]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialsSpec {
    /// Access key id.
    pub access_key_id: Option<KeyId>,
    /// Access key secret.
    pub access_key_secret: Option<SecretRef>,
    /// Security token of temporary credentials.
    pub security_token: Option<SecretRef>,
    /// Which source is asked; absent: the first of the usual ones that answers.
    pub source: Option<CredentialSource>,
    /// Profile of the vendor's command line, or section of the credentials file.
    pub profile: Option<String>,
    /// A role to assume with what the source gives.
    pub role_arn: Option<String>,
    /// Name of the role's session.
    pub role_session_name: Option<String>,
    /// Length of the role's session, in seconds.
    pub role_seconds: Option<u32>,
    /// What the role's trust policy asks for besides.
    pub external_id: Option<SecretRef>,
}

/// A source of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialSource {
    /// The first of the others that answers, in this order; in a sandbox too.
    Default,
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID` and its companions.
    Environment,
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE` and its companions.
    Oidc,
    /// A profile of the vendor's command line, `~/.aliyun/config.json`.
    Profile,
    /// The file of the vendor's libraries, `~/.alibabacloud/credentials`.
    CredentialsFile,
    /// The role of the ECS instance that this runs on.
    InstanceRole,
    /// The address in `ALIBABA_CLOUD_CREDENTIALS_URI`.
    CredentialsUri,
}

impl CredentialSource {
    /// The name as it stands in the spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::Oidc => "oidc",
            Self::Profile => "profile",
            Self::CredentialsFile => "credentials-file",
            Self::InstanceRole => "instance-role",
            Self::CredentialsUri => "credentials-uri",
        }
    }
}

/// The connection of the two VPCs: `[network]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSpec {
    /// An existing CEN to use.
    pub cen_id: Option<String>,
    /// An existing transit router to use in the leader's region.
    pub leader_transit_router_id: Option<String>,
    /// An existing transit router to use in the follower's region.
    pub follower_transit_router_id: Option<String>,
    /// Bandwidth between the regions, in Mbit/s.
    pub bandwidth_mbps: u32,
    /// How the bandwidth is paid for.
    pub bandwidth_type: BandwidthType,
    /// The bandwidth package to take it from; only with [`BandwidthType::BandwidthPackage`].
    #[schemars(
        description = "The bandwidth package to take it from; only with `bandwidth-package`."
    )]
    pub bandwidth_package_id: Option<String>,
    /// Quality of the inter-region line; absent: the cloud's own choice.
    pub link_type: Option<LinkType>,
    /// May missing vSwitches be made?
    pub create_vswitches: bool,
}

/// How bandwidth between regions is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BandwidthType {
    /// By the data that flows (`DataTransfer`).
    #[default]
    DataTransfer,
    /// From a bandwidth package (`BandwidthPackage`).
    BandwidthPackage,
}

/// Quality of an inter-region line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LinkType {
    /// `Gold`.
    Gold,
    /// `Platinum`; only when paid by data transfer.
    Platinum,
}

/// The load balancer in the follower's VPC: `[load_balancer]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadBalancerSpec {
    /// An existing network load balancer to use.
    pub load_balancer_id: Option<String>,
    /// An existing server group to use.
    pub server_group_id: Option<String>,
    /// Name of what is made; see [`Spec::load_balancer_name`].
    #[schemars(description = "Name of what is made; absent: `escrr-` and the link.")]
    pub name: Option<String>,
    /// First port of the listener.
    pub start_port: u16,
    /// Last port of the listener.
    pub end_port: u16,
    /// Port the leader's health is checked on.
    pub health_check_port: u16,
}

/// The endpoint service and the private connection: `[private_link]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrivateLinkSpec {
    /// An existing endpoint service to use.
    pub service_id: Option<String>,
    /// Who pays.
    pub payer: Payer,
    /// Does the domain resolve to the asking zone first?
    pub zone_affinity: bool,
}

/// Who pays for a private connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Payer {
    /// The endpoint's owner (`Endpoint`).
    #[default]
    Endpoint,
    /// The endpoint service's owner (`EndpointService`).
    EndpointService,
}

/// How the leader's private addresses are found: `[leader_address]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeaderAddressSpec {
    /// The addresses themselves; nothing is asked then.
    pub addresses: Vec<Ipv4Addr>,
    /// A DNS server that knows the leader's domain; absent: the system's.
    pub dns_server: Option<SocketAddr>,
    /// An ECS instance in the leader's VPC that can be asked through Cloud Assistant.
    pub ecs_instance: Option<String>,
}

/// What is replicated: `[replication]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplicationSpec {
    /// Alias of the leader on the follower; see [`Spec::remote_alias`].
    #[schemars(
        description = "Alias of the leader on the follower; absent: the leader's instance id."
    )]
    pub remote_alias: Option<String>,
    /// Name of the auto-follow pattern; see [`Spec::auto_follow_name`].
    #[schemars(description = "Name of the auto-follow pattern; absent: `escrr-` and the link.")]
    pub auto_follow_name: Option<String>,
    /// Patterns of leader indices; see [`Spec::patterns`].
    #[schemars(description = "Patterns of leader indices; absent: `*`.")]
    pub patterns: Option<Vec<String>>,
    /// Patterns of leader indices to leave out; see [`Spec::exclusions`].
    #[schemars(
        description = "Patterns of leader indices to leave out; absent: `.*` where no patterns are named either."
    )]
    pub exclusions: Option<Vec<String>>,
    /// Existing leader indices to follow besides those that match.
    pub indices: Vec<String>,
    /// Are existing indices that match followed too?
    pub follow_existing: bool,
    /// Name of a follower index, with `{{leader_index}}` in it; absent: the leader's name.
    pub follow_index_pattern: Option<String>,
    /// What a rollback does with the replicated data.
    pub on_rollback: OnRollback,
    /// Do searches over both clusters go on without the leader?
    pub skip_unavailable: bool,
    /// Connections the follower opens to the leader.
    pub proxy_socket_connections: u32,
}

/// What a rollback does with the replicated data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnRollback {
    /// Follower indices become ordinary indices and stay readable.
    #[default]
    Keep,
    /// Follower indices are deleted.
    Delete,
}

/// How the result is proved: `[verify]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VerifySpec {
    /// Documents of each index that are compared one by one.
    pub sample_documents: u32,
    /// Is a probe index written on the leader and awaited on the follower?
    pub probe: bool,
    /// The longest a follower may lag behind, in seconds.
    pub max_lag_seconds: u64,
    /// The most operations that a follower may lag behind; absent: any number.
    pub max_lag_operations: Option<u64>,
}

/// What may be done to fulfil the prerequisites: `[prerequisites]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrerequisitesSpec {
    /// May services be activated? It accepts their terms of sale.
    pub activate_services: bool,
}

impl Spec {
    /// Reads and checks a spec; `name` is what its errors call the text, best its path.
    ///
    /// # Errors
    /// Everything wrong with the text at once, each with line, column and what helps.
    pub fn parse(text: &str, name: &str) -> Result<Self, SpecErrors> {
        read::read(text, name)
    }

    /// The text that it was read from; it holds no secret.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text was called when it was read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the text, 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
            // Writing into a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// One side of the link.
    pub fn side(&self, which: Which) -> &SideSpec {
        match which {
            Which::Leader => &self.leader,
            Which::Follower => &self.follower,
        }
    }

    /// The existing transit router to use on one side, if the spec names one.
    pub fn transit_router_id(&self, which: Which) -> Option<&str> {
        match which {
            Which::Leader => self.network.leader_transit_router_id.as_deref(),
            Which::Follower => self.network.follower_transit_router_id.as_deref(),
        }
    }

    /// Alias of the leader on the follower: the spec's, or the leader's instance id.
    pub fn remote_alias(&self) -> &str {
        self.replication.remote_alias.as_deref().unwrap_or(&self.leader.instance)
    }

    /// Name of the auto-follow pattern: the spec's, or `escrr-<link>`.
    pub fn auto_follow_name(&self) -> String {
        self.replication.auto_follow_name.clone().unwrap_or_else(|| format!("escrr-{}", self.link))
    }

    /// Name of the load balancer and its server group: the spec's, or `escrr-<link>`.
    pub fn load_balancer_name(&self) -> String {
        self.load_balancer.name.clone().unwrap_or_else(|| format!("escrr-{}", self.link))
    }

    /// Patterns of leader indices: the spec's, or `*`.
    pub fn patterns(&self) -> Vec<String> {
        self.replication.patterns.clone().unwrap_or_else(defaults::patterns)
    }

    /// Patterns of leader indices to leave out: the spec's, or `.*` where it names no patterns either.
    pub fn exclusions(&self) -> Vec<String> {
        match (&self.replication.exclusions, &self.replication.patterns) {
            (Some(exclusions), _) => exclusions.clone(),
            (None, None) => defaults::exclusions(),
            (None, Some(_)) => Vec::new(),
        }
    }

    /// Are both clusters in one region? Then no inter-region line is made.
    pub fn same_region(&self) -> bool {
        self.leader.region == self.follower.region
    }
}
