//! Which host answers for a product in a region.

use super::transport::guard;
use escrr_engine::{Fault, Report};
use reqwest::Url;
use std::collections::BTreeMap;
use std::fmt;

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
    /// Elasticsearch, 2017-06-13.
    Elasticsearch,
    /// Security Token Service, 2015-04-01.
    Sts,
}

impl Product {
    /// Every product, in the order of the documented job.
    pub const ALL: [Self; 7] = [
        Self::Sts,
        Self::Elasticsearch,
        Self::Vpc,
        Self::Cbn,
        Self::Ecs,
        Self::Nlb,
        Self::PrivateLink,
    ];

    /// The product's name as people write it.
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

    /// The product's name in host names, and its key in [`Endpoints::product`].
    pub fn key(self) -> &'static str {
        match self {
            Self::Cbn => "cbn",
            Self::Vpc => "vpc",
            Self::Ecs => "ecs",
            Self::Nlb => "nlb",
            Self::PrivateLink => "privatelink",
            Self::Elasticsearch => "elasticsearch",
            Self::Sts => "sts",
        }
    }

    /// The API version that the typed calls were written against.
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
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Addresses that win over the vendor's rules.
///
/// An address is a host (`nlb-vpc.cn-hangzhou.aliyuncs.com`), or a URL without a path.
/// Without a scheme it is HTTPS; plain HTTP is for loopback addresses only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// One address for every product.
    pub all: Option<String>,
    /// One address for one product, by [`Product::key`]; wins over `all`.
    pub product: BTreeMap<String, String>,
}

impl Endpoints {
    /// Reads and judges every override, so that a bad one is found before the first call.
    pub(super) fn check(&self) -> Result<(), Fault> {
        for key in self.product.keys() {
            if !Product::ALL.iter().any(|product| product.key() == key) {
                let known = Product::ALL.map(Product::key).join(", ");
                return Err(Fault::prerequisite(
                    Report::new("read the endpoint settings", format!("no product `{key}`"))
                        .help(format!("Use one of: {known}.")),
                ));
            }
        }
        self.all.iter().chain(self.product.values()).try_for_each(|text| parse(text).map(drop))
    }

    /// Gives the root URL of a product in a region.
    pub(super) fn root(&self, product: Product, region: &str) -> Result<Url, Fault> {
        match self.product.get(product.key()).or(self.all.as_ref()) {
            Some(text) => parse(text),
            None => parse(&host(product, region)),
        }
    }
}

fn parse(text: &str) -> Result<Url, Fault> {
    let trimmed = text.trim();
    let full =
        if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
    let unusable = |said: String| {
        Fault::prerequisite(
            Report::new(format!("use the endpoint `{text}`"), said)
                .help("An endpoint is a host name or a URL without a path."),
        )
    };
    let url = Url::parse(&full).map_err(|error| unusable(error.to_string()))?;
    if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
        return Err(unusable("it has more than a scheme, a host and a port".to_owned()));
    }
    guard(&url)?;
    Ok(url)
}

/// Hosts that do not follow the regional rule; later builds of a region may, these still work.
/// Product, region, host.
const EXCEPTIONS: &[(Product, &str, &str)] = &[
    (Product::Ecs, "cn-hangzhou", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-shanghai-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-shenzhen-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
    (Product::Ecs, "cn-north-2-gov-1", "ecs.aliyuncs.com"),
    (Product::Ecs, "cn-hangzhou-finance", "ecs.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-shanghai-finance-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-shenzhen-finance-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-north-2-gov-1", "vpc.aliyuncs.com"),
    (Product::Vpc, "cn-hangzhou-finance", "vpc.aliyuncs.com"),
];

/// The vendor's own address: central, an exception, or by the regional rule.
fn host(product: Product, region: &str) -> String {
    if matches!(product, Product::Cbn | Product::Sts) {
        return format!("{}.aliyuncs.com", product.key());
    }
    EXCEPTIONS
        .iter()
        .find(|(of, at, _)| *of == product && *at == region)
        .map_or_else(|| format!("{}.{region}.aliyuncs.com", product.key()), |e| e.2.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Endpoints, Product, host};
    use std::collections::BTreeMap;

    #[test]
    fn follows_the_vendors_rules() {
        assert_eq!(host(Product::Cbn, "cn-shanghai"), "cbn.aliyuncs.com");
        assert_eq!(host(Product::Sts, "cn-shanghai"), "sts.aliyuncs.com");
        assert_eq!(host(Product::Ecs, "cn-hangzhou"), "ecs-cn-hangzhou.aliyuncs.com");
        assert_eq!(host(Product::Ecs, "cn-shanghai"), "ecs.cn-shanghai.aliyuncs.com");
        assert_eq!(host(Product::Vpc, "cn-hangzhou"), "vpc.aliyuncs.com");
        assert_eq!(host(Product::Nlb, "cn-hangzhou"), "nlb.cn-hangzhou.aliyuncs.com");
        assert_eq!(host(Product::PrivateLink, "us-east-1"), "privatelink.us-east-1.aliyuncs.com");
    }

    #[test]
    fn the_products_override_wins_over_the_common_one_over_the_rule() {
        let product = BTreeMap::from([("nlb".to_owned(), "nlb-vpc.cn-x.aliyuncs.com".to_owned())]);
        let both = Endpoints { all: Some("http://127.0.0.1:81/".to_owned()), product };
        assert!(both.check().is_ok());
        let root = |product| both.root(product, "cn-x").unwrap().to_string();
        assert_eq!(root(Product::Nlb), "https://nlb-vpc.cn-x.aliyuncs.com/");
        assert_eq!(root(Product::Ecs), "http://127.0.0.1:81/");
        let none = Endpoints::default();
        let root = none.root(Product::Ecs, "cn-x").unwrap().to_string();
        assert_eq!(root, "https://ecs.cn-x.aliyuncs.com/");
    }

    #[test]
    fn refuses_what_is_no_endpoint() {
        for bad in ["http://example.com", "https://x/y", "https://u@x", "ftp://x", "", "http://"] {
            let endpoints = Endpoints { all: Some(bad.to_owned()), product: BTreeMap::new() };
            assert!(endpoints.check().is_err(), "{bad}");
        }
        let product = BTreeMap::from([("slb".to_owned(), "x".to_owned())]);
        let fault = Endpoints { all: None, product }.check().unwrap_err();
        assert!(fault.report().help.as_deref().unwrap().contains("privatelink"));
    }
}
