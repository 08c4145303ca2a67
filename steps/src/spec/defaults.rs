//! What holds where the spec is silent, and the sandbox's own spec.

use super::{
    AccessSpec, BandwidthType, LoadBalancerSpec, NetworkSpec, OnRollback, ReplicationSpec, Spec,
    SpecErrors, VerifySpec,
};

/// The user that every cluster has.
pub const USERNAME: &str = "elastic";
/// The credential that the OpenAPI takes by itself.
pub const OPENAPI_CREDENTIAL: &str = "default";
/// Bandwidth between the regions, in Mbit/s: enough for a first copy, little enough to be granted.
pub const BANDWIDTH_MBPS: u32 = 100;
/// The document's listener range: the REST port and the transport port lie in it.
pub const PORTS: (u16, u16) = (9200, 9300);
/// The document's health check port, which is also the port the follower connects to.
pub const TRANSPORT_PORT: u16 = 9300;
/// Elasticsearch's own default of `proxy_socket_connections`.
pub const PROXY_SOCKET_CONNECTIONS: u32 = 18;
/// The most calls to one product in a second. The vendor does not say where its limits are; a
/// run needs less than this.
pub const CALLS_PER_SECOND: u32 = 10;
/// Documents of each index that are compared one by one.
pub const SAMPLE_DOCUMENTS: u32 = 20;
/// The longest a follower may lag behind, in seconds.
pub const MAX_LAG_SECONDS: u64 = 60;

/// The spec for the world that the sandbox makes by default, as a text.
pub const SANDBOX: &str = r#"# The sandbox's own link: the document's example, Shanghai to Hangzhou.
link = "shanghai-hangzhou"

[leader]
region = "cn-shanghai"
instance = "es-cn-leader000001"

[follower]
region = "cn-hangzhou"
instance = "es-cn-follower0001"

[replication]
patterns = ["logs-*"]
"#;

/// The spec for the world that the sandbox makes by default.
///
/// # Errors
/// None: a test holds the text to it.
pub fn sandbox() -> Result<Spec, SpecErrors> {
    Spec::parse(SANDBOX, "the sandbox's own spec")
}

/// The document's example: every index.
pub(super) fn patterns() -> Vec<String> {
    vec!["*".to_owned()]
}

/// System indices belong to their cluster and are not replicated unasked.
pub(super) fn exclusions() -> Vec<String> {
    vec![".*".to_owned()]
}

impl Default for AccessSpec {
    fn default() -> Self {
        Self {
            way: None,
            url: None,
            kibana_url: None,
            openapi_credential: OPENAPI_CREDENTIAL.to_owned(),
            username: USERNAME.to_owned(),
            password: None,
            api_key: None,
            ca_file: None,
            allow_plain_http: false,
        }
    }
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self {
            cen_id: None,
            leader_transit_router_id: None,
            follower_transit_router_id: None,
            bandwidth_mbps: BANDWIDTH_MBPS,
            bandwidth_type: BandwidthType::DataTransfer,
            bandwidth_package_id: None,
            link_type: None,
            create_vswitches: true,
        }
    }
}

impl Default for LoadBalancerSpec {
    fn default() -> Self {
        Self {
            load_balancer_id: None,
            server_group_id: None,
            name: None,
            start_port: PORTS.0,
            end_port: PORTS.1,
            health_check_port: TRANSPORT_PORT,
        }
    }
}

impl Default for ReplicationSpec {
    fn default() -> Self {
        Self {
            remote_alias: None,
            auto_follow_name: None,
            patterns: None,
            exclusions: None,
            indices: Vec::new(),
            follow_existing: true,
            follow_index_pattern: None,
            on_rollback: OnRollback::Keep,
            skip_unavailable: true,
            proxy_socket_connections: PROXY_SOCKET_CONNECTIONS,
        }
    }
}

impl Default for VerifySpec {
    fn default() -> Self {
        Self {
            sample_documents: SAMPLE_DOCUMENTS,
            probe: true,
            max_lag_seconds: MAX_LAG_SECONDS,
            max_lag_operations: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandboxs_own_spec_is_whole() {
        let spec = sandbox().unwrap();
        assert_eq!(spec.link, "shanghai-hangzhou");
        assert_eq!(spec.remote_alias(), "es-cn-leader000001");
        assert_eq!(spec.auto_follow_name(), "escrr-shanghai-hangzhou");
        assert_eq!(spec.patterns(), ["logs-*"]);
        assert!(spec.exclusions().is_empty());
    }
}
