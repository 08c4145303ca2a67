//! What the documentation's action tables say of each action: does it change
//! anything, does it take a client token, does it know a dry run.

use crate::{Call, Product};
use std::collections::BTreeMap;

/// Writes that take no client token, by product.
const WITHOUT_TOKEN: &[(Product, &[&str])] = &[
    (
        Product::Cbn,
        &[
            "ModifyCenAttribute",
            "DeleteCen",
            "AssociateCenBandwidthPackage",
            "UnassociateCenBandwidthPackage",
            "DeleteCenBandwidthPackage",
            "ModifyCenBandwidthPackageSpec",
            "ModifyCenBandwidthPackageAttribute",
            "PublishRouteEntries",
            "GrantInstanceToTransitRouter",
            "RevokeInstanceFromTransitRouter",
            "TagResources",
            "UntagResources",
        ],
    ),
    (
        Product::Vpc,
        &[
            "ModifyVSwitchAttribute",
            "DeleteVSwitch",
            "CreateRouteEntries",
            "DeleteRouteEntry",
            "DeleteRouteEntries",
            "TagResources",
            "UnTagResources",
        ],
    ),
    (Product::Ecs, &["StopInvocation", "DeleteSecurityGroup", "TagResources", "UntagResources"]),
    (Product::PrivateLink, &["OpenPrivateLinkService"]),
    (
        Product::Elasticsearch,
        &["TagResources", "UntagResources", "InvokeEsRequest", "DisableKibanaPvlNetwork"],
    ),
];

/// Elasticsearch spells the token in two ways; these actions write it with a capital.
const CAPITAL_TOKEN: &[&str] =
    &["CreateVpcEndpoint", "DeleteVpcEndpoint", "UpdateDynamicSettings", "UpdateReadWritePolicy"];

/// Cbn writes with a token but without a dry run.
const CBN_NO_DRY_RUN: &[&str] =
    &["CreateCen", "CreateCenBandwidthPackage", "OpenTransitRouterService"];

/// Other actions that know a dry run, reads among them.
const DRY_RUN: &[(Product, &[&str])] = &[
    (
        Product::Vpc,
        &[
            "DescribeVpcs",
            "DescribeVpcAttribute",
            "DescribeVSwitches",
            "DescribeVSwitchAttributes",
            "DeleteVSwitch",
            "CreateRouteEntry",
            "CreateRouteEntries",
            "DeleteRouteEntry",
            "DeleteRouteEntries",
        ],
    ),
    (Product::Ecs, &["DescribeInstances", "DescribeSecurityGroups"]),
    (Product::Nlb, &["GetLoadBalancerAttribute", "GetListenerAttribute"]),
];

/// Method, path and action of the Elasticsearch OpenAPI.
const ELASTICSEARCH: &[(&str, &str, &str)] = &[
    ("GET", "instances/{InstanceId}", "DescribeInstance"),
    ("GET", "instances", "ListInstance"),
    ("PUT", "instances/{InstanceId}", "UpdateInstance"),
    ("POST", "instances/{InstanceId}/description", "UpdateDescription"),
    ("DELETE", "instances/{InstanceId}", "DeleteInstance"),
    ("POST", "instances/{InstanceId}/actions/cancel-deletion", "CancelDeletion"),
    ("POST", "instances/{InstanceId}/actions/modify-white-ips", "ModifyWhiteIps"),
    ("POST", "instances/{InstanceId}/white-ips", "UpdateWhiteIps"),
    ("POST", "instances/{InstanceId}/private-network-white-ips", "UpdatePrivateNetworkWhiteIps"),
    ("POST", "instances/{InstanceId}/public-white-ips", "UpdatePublicWhiteIps"),
    ("POST", "instances/{InstanceId}/kibana-white-ips", "UpdateKibanaWhiteIps"),
    ("POST", "instances/{InstanceId}/actions/network-trigger", "TriggerNetwork"),
    ("POST", "instances/{InstanceId}/public-network", "UpdatePublicNetwork"),
    ("POST", "instances/{InstanceId}/vpc-endpoints", "CreateVpcEndpoint"),
    ("GET", "instances/{InstanceId}/vpc-endpoints", "ListVpcEndpoints"),
    ("DELETE", "instances/{InstanceId}/vpc-endpoints/{EndpointId}", "DeleteVpcEndpoint"),
    ("POST", "instances/{InstanceId}/connected-clusters", "AddConnectableCluster"),
    ("GET", "instances/{InstanceId}/connectable-clusters", "DescribeConnectableClusters"),
    ("GET", "instances/{InstanceId}/connected-clusters", "ListConnectedClusters"),
    ("DELETE", "instances/{InstanceId}/connected-clusters", "DeleteConnectedCluster"),
    ("GET", "tags", "ListTagResources"),
    ("POST", "tags", "TagResources"),
    ("DELETE", "tags", "UntagResources"),
    ("GET", "tags/all-tags", "ListTags"),
    ("GET", "regions", "DescribeRegions"),
    ("GET", "region", "GetRegionConfiguration"),
    ("GET", "instances/{InstanceId}/nodes", "ListAllNode"),
    ("GET", "instances/{InstanceId}/elasticsearch-health", "DescribeElasticsearchHealth"),
    ("POST", "instances/{InstanceId}/instance-settings", "UpdateInstanceSettings"),
    ("GET", "instances/{InstanceId}/dynamic-settings", "DescribeDynamicSettings"),
    ("PUT", "instances/{InstanceId}/dynamic-settings", "UpdateDynamicSettings"),
    ("POST", "instances/{InstanceId}/actions/restart", "RestartInstance"),
    ("POST", "instances/{InstanceId}/admin-pwd", "UpdateAdminPassword"),
    ("POST", "instances/{InstanceId}/actions/open-https", "OpenHttps"),
    ("POST", "instances/{InstanceId}/actions/close-https", "CloseHttps"),
    ("GET", "instances/{InstanceId}/indices", "ListInstanceIndices"),
    ("POST", "instances/{InstanceId}/es-request", "InvokeEsRequest"),
    ("GET", "instances/{InstanceId}/action-records", "ListActionRecords"),
    ("POST", "instances/{InstanceId}/actions/interrupt", "InterruptElasticsearchTask"),
    ("POST", "instances/{InstanceId}/actions/resume", "ResumeElasticsearchTask"),
    ("POST", "instances/{InstanceId}/actions/enable-kibana-private", "EnableKibanaPvlNetwork"),
    ("GET", "instances/{InstanceId}/actions/get-kibana-private", "ListKibanaPvlNetwork"),
    ("POST", "instances/{InstanceId}/actions/disable-kibana-private", "DisableKibanaPvlNetwork"),
    ("POST", "instances/{InstanceId}/actions/update-read-write-policy", "UpdateReadWritePolicy"),
];

fn listed(table: &[(Product, &[&str])], product: Product, action: &str) -> bool {
    table.iter().any(|(p, actions)| *p == product && actions.contains(&action))
}

/// Does the call change the world? A dry run does not.
pub fn mutating(call: &Call) -> bool {
    let dry = dry_run_parameter(call.product, &call.action);
    if dry.is_some_and(|name| call.flag(name, false)) {
        return false;
    }
    if call.product == Product::Elasticsearch && call.action == "InvokeEsRequest" {
        let path = call.get("path").unwrap_or("/");
        let path = path.split('?').next().unwrap_or(path);
        return crate::ledger::es_mutating(call.get("method").unwrap_or("GET"), path);
    }
    call.product != Product::Sts && writes(&call.action)
}

fn writes(action: &str) -> bool {
    !["Describe", "List", "Get", "Check"].iter().any(|read| action.starts_with(read))
}

/// The name of the client token's parameter, for actions that take one.
pub fn token_parameter(product: Product, action: &str) -> Option<&'static str> {
    if product == Product::Sts || !writes(action) || listed(WITHOUT_TOKEN, product, action) {
        return None;
    }
    if product == Product::Elasticsearch && !CAPITAL_TOKEN.contains(&action) {
        return Some("clientToken");
    }
    Some("ClientToken")
}

/// The name of the dry run's parameter, for actions that know one.
pub fn dry_run_parameter(product: Product, action: &str) -> Option<&'static str> {
    let with_token = token_parameter(product, action).is_some();
    match product {
        Product::Elasticsearch if action == "CreateVpcEndpoint" => Some("dryRun"),
        Product::Elasticsearch | Product::Sts => None,
        Product::Cbn => (with_token && !CBN_NO_DRY_RUN.contains(&action)).then_some("DryRun"),
        Product::PrivateLink => with_token.then_some("DryRun"),
        Product::Nlb if with_token => Some("DryRun"),
        Product::Nlb | Product::Vpc | Product::Ecs => {
            listed(DRY_RUN, product, action).then_some("DryRun")
        }
    }
}

/// The action of a ROA request and its path parameters; `segments` without `openapi`.
pub fn of_path(
    method: &str,
    segments: &[String],
) -> Option<(&'static str, BTreeMap<String, String>)> {
    ELASTICSEARCH.iter().find_map(|(verb, pattern, action)| {
        let parts: Vec<&str> = pattern.split('/').collect();
        if *verb != method || parts.len() != segments.len() {
            return None;
        }
        let mut path = BTreeMap::new();
        for (part, segment) in parts.iter().zip(segments) {
            match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some(name) => {
                    path.insert(name.to_owned(), segment.clone());
                }
                None if part == segment => {}
                None => return None,
            }
        }
        Some((*action, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_dry_runs_follow_the_action_tables() {
        assert_eq!(token_parameter(Product::Cbn, "CreateCen"), Some("ClientToken"));
        assert_eq!(dry_run_parameter(Product::Cbn, "CreateCen"), None);
        assert_eq!(dry_run_parameter(Product::Cbn, "CreateTransitRouter"), Some("DryRun"));
        assert_eq!(token_parameter(Product::Cbn, "DeleteCen"), None);
        assert_eq!(token_parameter(Product::Vpc, "DeleteVSwitch"), None);
        assert_eq!(dry_run_parameter(Product::Vpc, "DeleteVSwitch"), Some("DryRun"));
        assert_eq!(dry_run_parameter(Product::Vpc, "CreateVSwitch"), None);
        assert_eq!(token_parameter(Product::Nlb, "TagResources"), Some("ClientToken"));
        assert_eq!(token_parameter(Product::Elasticsearch, "ModifyWhiteIps"), Some("clientToken"));
        assert_eq!(
            token_parameter(Product::Elasticsearch, "CreateVpcEndpoint"),
            Some("ClientToken")
        );
        assert_eq!(dry_run_parameter(Product::Elasticsearch, "CreateVpcEndpoint"), Some("dryRun"));
        assert_eq!(token_parameter(Product::Sts, "AssumeRole"), None);
    }

    #[test]
    fn looks_and_dry_runs_change_nothing() {
        let call = |product: Product, action: &str, params: &[(&str, &str)]| Call {
            product,
            action: action.into(),
            params: params.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            path: BTreeMap::new(),
            body: serde_json::Value::Null,
        };
        assert!(mutating(&call(Product::Ecs, "RunCommand", &[])));
        assert!(mutating(&call(Product::Cbn, "CreateTransitRouter", &[("DryRun", "false")])));
        assert!(!mutating(&call(Product::Cbn, "CreateTransitRouter", &[("DryRun", "true")])));
        assert!(!mutating(&call(Product::Sts, "AssumeRole", &[])));
        assert!(!mutating(&call(Product::PrivateLink, "CheckProductOpen", &[])));
        let invoke = |method: &str, path: &str| {
            let params = [("method", method), ("path", path)];
            mutating(&call(Product::Elasticsearch, "InvokeEsRequest", &params))
        };
        assert!(invoke("PUT", "/logs/_ccr/follow?wait_for_active_shards=1"));
        assert!(!invoke("POST", "/logs/_search?size=0"));
    }

    #[test]
    fn the_path_names_the_action_and_its_parameters() {
        let segments: Vec<String> =
            ["instances", "es-1", "vpc-endpoints", "ep-1"].map(String::from).into();
        let (action, path) = of_path("DELETE", &segments).unwrap();
        assert_eq!(action, "DeleteVpcEndpoint");
        assert_eq!(path["InstanceId"], "es-1");
        assert_eq!(path["EndpointId"], "ep-1");
        assert!(of_path("GET", &segments).is_none());
    }
}
