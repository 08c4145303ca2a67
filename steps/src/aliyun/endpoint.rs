//! Which host answers for a product in a region.

mod exceptions;

use super::transport::guard;
use escrr_engine::{Fault, Report};
use exceptions::{ANY, PUBLIC, VPC};
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
    pub(super) fn root(
        &self,
        product: Product,
        network: Network,
        region: &str,
    ) -> Result<Url, Fault> {
        match self.product.get(product.key()).or(self.all.as_ref()) {
            Some(text) => parse(text),
            None => parse(&host(product, network, region)),
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

/// Which of the vendor's networks is called in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// The internet.
    #[default]
    Public,
    /// The vendor's own, reachable only from a VPC of the region.
    Vpc,
}

/// The vendor's own address: by region, of all regions, or an exception.
fn host(product: Product, network: Network, region: &str) -> String {
    let exceptions = match network {
        Network::Public => PUBLIC,
        Network::Vpc => VPC,
    };
    let exception =
        exceptions.iter().find(|row| row.0 == product && [region, ANY].contains(&row.1));
    if let Some((_, _, host)) = exception {
        return (*host).to_owned();
    }
    if product == Product::Sts && region.is_empty() {
        // Where no region is known, the token service has one host for all.
        return "sts.aliyuncs.com".to_owned();
    }
    match network {
        Network::Public => format!("{}.{region}.aliyuncs.com", product.key()),
        Network::Vpc => format!("{}-vpc.{region}.aliyuncs.com", product.key()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ANY, Endpoints, Network, PUBLIC, Product, VPC, host};
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// The vendor's map: `cli_metadata` of its command line's hosts, by product and region.
    fn map() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/endpoints.json")).unwrap()
    }

    #[test]
    fn every_row_of_the_vendors_map_is_followed() {
        let (mut rows, mut wrong) = (0, Vec::new());
        for product in Product::ALL {
            let of_product = &map()["products"][product.key()];
            assert_eq!(of_product["version"], product.version(), "{product}");
            for (region, hosts) in of_product["cli_metadata"].as_object().unwrap() {
                let networks = [("public", Network::Public), ("vpc", Network::Vpc)];
                for (key, network) in networks {
                    let Some(wanted) = hosts[key].as_str() else { continue };
                    let given = host(product, network, region);
                    rows += 1;
                    // Both hosts of such a row are the vendor's: its map names the regional
                    // one, its clients still use an older one, which serves the region too.
                    let older = &of_product["sdk_map_non_regional_hosts"][region];
                    let either = network == Network::Public && *older == *given;
                    if given != wanted && !either {
                        wrong.push(format!("{product} {region} {key}: {given}, not {wanted}"));
                    }
                }
            }
            for (region, wanted) in
                of_product["sdk_map_non_regional_hosts"].as_object().into_iter().flatten()
            {
                rows += 1;
                let given = host(product, Network::Public, region);
                let metadata = &of_product["cli_metadata"][region]["public"];
                if *wanted != *given && *metadata != *given {
                    wrong.push(format!("{product} {region}: {given}, not {wanted}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(rows > 480, "{rows}");
    }

    #[test]
    fn every_exception_is_one_and_of_the_map() {
        for (table, key, network) in
            [(PUBLIC, "public", Network::Public), (VPC, "vpc", Network::Vpc)]
        {
            for (product, region, given) in table {
                let at = &map()["products"][product.key()];
                let rows = at["cli_metadata"].as_object().unwrap();
                let known = match *region {
                    ANY => rows.values().any(|hosts| hosts[key] == *given),
                    region => {
                        at["cli_metadata"][region][key] == *given
                            || at["sdk_map_non_regional_hosts"][region] == *given
                    }
                };
                assert!(known, "{product} {region} {given}");
                let by_rule = match network {
                    Network::Public => format!("{}.{region}.aliyuncs.com", product.key()),
                    Network::Vpc => format!("{}-vpc.{region}.aliyuncs.com", product.key()),
                };
                assert_ne!(by_rule, *given, "no exception");
            }
        }
    }

    #[test]
    fn follows_the_vendors_rules_where_the_map_is_silent() {
        let public = |product| host(product, Network::Public, "xx-new-1");
        let vpc = |product| host(product, Network::Vpc, "xx-new-1");
        assert_eq!(public(Product::Cbn), "cbn.aliyuncs.com");
        assert_eq!(public(Product::Sts), "sts.xx-new-1.aliyuncs.com");
        assert_eq!(public(Product::Nlb), "nlb.xx-new-1.aliyuncs.com");
        assert_eq!(vpc(Product::Cbn), "cen.vpc-proxy.aliyuncs.com");
        assert_eq!(vpc(Product::PrivateLink), "privatelink-vpc.xx-new-1.aliyuncs.com");
    }

    #[test]
    fn the_products_override_wins_over_the_common_one_over_the_rule() {
        let product = BTreeMap::from([("nlb".to_owned(), "nlb-vpc.cn-x.aliyuncs.com".to_owned())]);
        let both = Endpoints { all: Some("http://127.0.0.1:81/".to_owned()), product };
        assert!(both.check().is_ok());
        let root = |product| both.root(product, Network::Vpc, "cn-x").unwrap().to_string();
        assert_eq!(root(Product::Nlb), "https://nlb-vpc.cn-x.aliyuncs.com/");
        assert_eq!(root(Product::Ecs), "http://127.0.0.1:81/");
        let none = Endpoints::default();
        let root = none.root(Product::Ecs, Network::Public, "cn-x").unwrap().to_string();
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
