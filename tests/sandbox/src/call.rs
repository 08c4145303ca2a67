//! One OpenAPI request after the wire, and its answer.

use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A product of the OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// Cloud Enterprise Network, 2017-09-12.
    Cbn,
    /// Virtual private clouds, 2016-04-28.
    Vpc,
    /// Elastic Compute Service, 2014-05-26.
    Ecs,
    /// Network Load Balancer, 2022-04-30.
    Nlb,
    /// PrivateLink, 2020-04-15.
    PrivateLink,
    /// Elasticsearch, 2017-06-13 (ROA).
    Elasticsearch,
    /// Security Token Service, 2015-04-01.
    Sts,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Cbn,
        Self::Vpc,
        Self::Ecs,
        Self::Nlb,
        Self::PrivateLink,
        Self::Elasticsearch,
        Self::Sts,
    ];

    /// The name in the log and in faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cbn => "Cbn",
            Self::Vpc => "Vpc",
            Self::Ecs => "Ecs",
            Self::Nlb => "Nlb",
            Self::PrivateLink => "PrivateLink",
            Self::Elasticsearch => "Elasticsearch",
            Self::Sts => "Sts",
        }
    }

    /// The version that requests name it by: one address serves all products.
    pub fn version(self) -> &'static str {
        match self {
            Self::Cbn => "2017-09-12",
            Self::Vpc => "2016-04-28",
            Self::Ecs => "2014-05-26",
            Self::Nlb => "2022-04-30",
            Self::PrivateLink => "2020-04-15",
            Self::Elasticsearch => "2017-06-13",
            Self::Sts => "2015-04-01",
        }
    }

    /// The product of a version.
    pub fn of_version(version: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.version() == version)
    }

    /// The product of a name, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name().eq_ignore_ascii_case(name))
    }
}

/// One request, its parameters merged from query and form.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which product is asked.
    pub product: Product,
    /// The action, for example `CreateCen`; ROA calls are named by their path.
    pub action: String,
    /// Action parameters, flattened as on the wire (`ZoneMappings.1.ZoneId`).
    /// For ROA calls: the query.
    pub params: BTreeMap<String, String>,
    /// ROA: path parameters by name, for example `InstanceId`.
    pub path: BTreeMap<String, String>,
    /// ROA: the JSON body; `Null` otherwise.
    pub body: Value,
}

/// What a handler answers: the JSON object without `RequestId`, or a refusal.
pub type Answer = Result<Value, Refusal>;

/// An error answer of the OpenAPI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Vendor code, for example `Operation.Blocking`.
    pub code: String,
    /// Text for people.
    pub message: String,
}

impl Refusal {
    /// A refusal with any status.
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }
    /// The usual one: HTTP 400.
    pub fn bad(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }
    /// HTTP 404.
    pub fn missing(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(404, code, message)
    }
}

impl Call {
    /// A parameter, absent when missing or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A parameter that must be there, else `MissingParameter`.
    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            Refusal::bad(
                format!("MissingParameter.{name}"),
                format!("The input parameter \"{name}\" that is mandatory for processing this request is not supplied."),
            )
        })
    }

    /// Sets `text` to a parameter, if it is there.
    pub(crate) fn replace(&self, name: &str, text: &mut String) {
        if let Some(new) = self.get(name) {
            new.clone_into(text);
        }
    }

    /// A number, else `InvalidParameter`.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                Refusal::bad(
                    format!("InvalidParameter.{name}"),
                    format!("The specified parameter {name} is not valid."),
                )
            }),
        }
    }

    /// A boolean in any case (`true`, `True`); absent means `default`.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |v| v.eq_ignore_ascii_case("true"))
    }

    /// `Name.1`, `Name.2`, … in order.
    pub fn list(&self, name: &str) -> Vec<String> {
        (1..).map_while(|i| self.params.get(&format!("{name}.{i}")).cloned()).collect()
    }

    /// `Name.1.Member`, `Name.2.Member`, …: one map of members an entry.
    pub fn objects(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let mut found: BTreeMap<u32, BTreeMap<String, String>> = BTreeMap::new();
        for (key, value) in &self.params {
            let Some(rest) = key.strip_prefix(name).and_then(|r| r.strip_prefix('.')) else {
                continue;
            };
            if let Some((index, member)) = rest.split_once('.')
                && let Ok(index) = index.parse()
            {
                found.entry(index).or_default().insert(member.to_owned(), value.clone());
            }
        }
        found.into_values().collect()
    }

    /// The tags of a create or a list call: `Tag.N.Key`, `Tag.N.Value`.
    pub fn tags(&self) -> BTreeMap<String, String> {
        self.objects("Tag")
            .into_iter()
            .filter_map(|t| {
                Some((t.get("Key")?.clone(), t.get("Value").cloned().unwrap_or_default()))
            })
            .collect()
    }
}
