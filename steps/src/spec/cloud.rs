//! `[cloud]`: how the cloud's OpenAPI is called.

use super::defaults;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the cloud's OpenAPI is called: `[cloud]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloudSpec {
    /// How requests are signed.
    pub signature: SignatureScheme,
    /// Which of the vendor's networks is called in.
    pub network: CloudNetwork,
    /// PEM file with an authority that is trusted besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// The most calls to one product in a second; twice as many after a pause.
    pub calls_per_second: u32,
    /// Addresses that win over the vendor's.
    pub endpoints: EndpointsSpec,
}

impl Default for CloudSpec {
    fn default() -> Self {
        Self {
            signature: SignatureScheme::default(),
            network: CloudNetwork::default(),
            ca_file: None,
            calls_per_second: defaults::CALLS_PER_SECOND,
            endpoints: EndpointsSpec::default(),
        }
    }
}

/// How requests are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureScheme {
    /// HMAC-SHA1.
    #[default]
    V1,
    /// ACS3-HMAC-SHA256.
    V3,
}

/// Which of the vendor's networks is called in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CloudNetwork {
    /// The internet.
    #[default]
    Public,
    /// The vendor's own, from a VPC of the region.
    Vpc,
}

/// Addresses that win over the vendor's: `[cloud.endpoints]`, each a host or an `https://` URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointsSpec {
    /// Security Token Service.
    pub sts: Option<String>,
    /// The control plane of Elasticsearch.
    pub elasticsearch: Option<String>,
    /// Virtual private clouds.
    pub vpc: Option<String>,
    /// Cloud Enterprise Network.
    pub cbn: Option<String>,
    /// Elastic Compute Service.
    pub ecs: Option<String>,
    /// Network Load Balancer.
    pub nlb: Option<String>,
    /// `PrivateLink`.
    pub privatelink: Option<String>,
}

impl EndpointsSpec {
    /// The addresses that are named, by the product's key.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("sts", &self.sts),
            ("elasticsearch", &self.elasticsearch),
            ("vpc", &self.vpc),
            ("cbn", &self.cbn),
            ("ecs", &self.ecs),
            ("nlb", &self.nlb),
            ("privatelink", &self.privatelink),
        ]
        .into_iter()
        .filter_map(|(key, address)| Some((key, address.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Spec;
    use super::{CloudNetwork, SignatureScheme};

    const LEAST: &str = "link = \"a-b\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \
                         \"es-cn-1\"\n[follower]\nregion = \"cn-hangzhou\"\ninstance = \
                         \"es-cn-2\"\n";

    #[test]
    fn it_says_how_the_cloud_is_called_and_may_be_silent() {
        let silent = Spec::parse(LEAST, "t").unwrap().cloud;
        assert_eq!((silent.signature, silent.network), (SignatureScheme::V1, CloudNetwork::Public));
        assert_eq!((silent.calls_per_second, silent.endpoints.named().count()), (10, 0));
        let text = format!(
            "{LEAST}[cloud]\nsignature = \"v3\"\nnetwork = \"vpc\"\n\
             [cloud.endpoints]\nnlb = \"nlb.example\"\ncbn = \"https://cbn.example\"\n"
        );
        let told = Spec::parse(&text, "t").unwrap().cloud;
        assert_eq!((told.signature, told.network), (SignatureScheme::V3, CloudNetwork::Vpc));
        let named: Vec<_> = told.endpoints.named().collect();
        assert_eq!(named, [("cbn", "https://cbn.example"), ("nlb", "nlb.example")]);
    }

    #[test]
    fn what_is_wrong_in_it_is_pointed_at() {
        let problem = |more: &str| {
            Spec::parse(&format!("{LEAST}[cloud]\n{more}\n"), "t").unwrap_err().problems.remove(0)
        };
        assert!(problem("signature = \"v2\"").help.unwrap().contains("`v1` or `v3`"));
        assert_eq!(problem("calls_per_second = 0").message, "no call would ever be made");
        let plain = problem("[cloud.endpoints]\nnlb = \"http://nlb.example\"");
        assert!(plain.message.contains("not encrypted"), "{plain}");
        assert_eq!(plain.line, 10);
        assert!(problem("[cloud.endpoints]\nnlb = \"a/b\"").message.contains("host"));
        assert!(problem("[cloud.endpoints]\nslb = \"a\"").help.unwrap().contains("nlb"));
    }
}
