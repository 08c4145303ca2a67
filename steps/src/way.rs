//! The three ways into a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One way into a cluster.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// By the cluster's own HTTP address.
    Direct,
    /// By the console of the cluster's Kibana.
    Kibana,
    /// By the OpenAPI's `InvokeEsRequest`.
    OpenApi,
}

impl Way {
    /// As the spec writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Kibana => "kibana",
            Self::OpenApi => "openapi",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
