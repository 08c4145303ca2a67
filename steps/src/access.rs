//! From the settings of one side to the ways into its cluster.

use crate::aliyun::Cloud;
use crate::aliyun::elasticsearch::{EsCredential, EsRequest};
use crate::elastic::{Access, Carried, Entrance, Gate, Login, Relay};
use crate::nodes::prerequisites::InstanceFacts;
use crate::side::Which;
use crate::tls::is_loopback;
use crate::way::Way;
use escrr_engine::Fault;
use escrr_engine::erased::BoxFuture;
use reqwest::Url;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// How one cluster is spoken to.
#[derive(Clone, Debug, Default)]
pub struct ClusterAccess {
    /// The way in; absent: the first that answers.
    pub way: Option<Way>,
    /// The cluster's address; absent: the instance's own domain.
    pub url: Option<String>,
    /// Kibana's address; absent: the instance's own, private before public.
    pub kibana_url: Option<String>,
    /// With whose rights the OpenAPI asks the cluster.
    pub openapi_credential: EsCredential,
    /// Who asks by the other two ways.
    pub login: Option<Login>,
    /// PEM file with the authority that signed the certificates of both addresses.
    pub ca_file: Option<PathBuf>,
    /// May the password travel over plain HTTP to an address that is not loopback?
    pub allow_plain_http: bool,
}

/// Would a password travel unencrypted, and beyond this machine?
pub fn is_plain_http(url: &str) -> bool {
    let url = Url::parse(url).ok();
    url.is_some_and(|url| url.scheme() == "http" && !is_loopback(&url))
}

/// Which addresses may be derived from names that the control plane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// They lead where they say.
    Real,
    /// They are a pretend cloud's and may lead to somebody's real cluster: only what was
    /// given is spoken to.
    Pretend,
}

/// The ways into the cluster of one side, in the order in which they are tried.
pub(crate) fn access(
    which: Which,
    settings: &ClusterAccess,
    facts: &InstanceFacts,
    (cloud, names): (&Cloud, Names),
) -> Access {
    let all = [Way::Direct, Way::Kibana, Way::OpenApi];
    let wanted = all.into_iter().filter(|way| settings.way.is_none_or(|only| only == *way));
    let gates = wanted.flat_map(|way| match way {
        Way::Direct => vec![direct(which, settings, facts, names)],
        Way::Kibana => kibanas(which, settings, facts, names),
        Way::OpenApi => vec![openapi(settings, facts, cloud)],
    });
    Access { name: which.to_string(), gates: gates.collect() }
}

fn nameless(which: Which) -> String {
    format!("the spec names neither a password nor an API key under [{which}.access]")
}

fn direct(which: Which, settings: &ClusterAccess, facts: &InstanceFacts, names: Names) -> Gate {
    let Some(login) = &settings.login else { return Gate::Shut(Way::Direct, nameless(which)) };
    let own = || format!("{}://{}:{}", facts.protocol.to_lowercase(), facts.domain, facts.port);
    let url = settings.url.clone().or_else(|| (names == Names::Real).then(own));
    match url {
        None => Gate::Shut(Way::Direct, "no address is known".to_owned()),
        Some(url) if is_unsafe(&url, settings) => Gate::Shut(Way::Direct, unencrypted(which, &url)),
        Some(url) => Gate::Direct(entrance(url, login, settings)),
    }
}

fn kibanas(
    which: Which,
    settings: &ClusterAccess,
    facts: &InstanceFacts,
    names: Names,
) -> Vec<Gate> {
    let Some(login) = &settings.login else {
        return vec![Gate::Shut(Way::Kibana, nameless(which))];
    };
    let urls = match (&settings.kibana_url, names) {
        (Some(url), _) => vec![url.clone()],
        (None, Names::Real) => facts.kibanas.clone(),
        (None, Names::Pretend) => Vec::new(),
    };
    if urls.is_empty() {
        let why = "the network access of its Kibana is off, and the spec names no kibana_url";
        return vec![Gate::Shut(Way::Kibana, why.to_owned())];
    }
    let gate = |url: String| {
        if is_unsafe(&url, settings) {
            Gate::Shut(Way::Kibana, unencrypted(which, &url))
        } else {
            Gate::Kibana(entrance(url, login, settings))
        }
    };
    urls.into_iter().map(gate).collect()
}

fn is_unsafe(url: &str, settings: &ClusterAccess) -> bool {
    !settings.allow_plain_http && is_plain_http(url)
}

fn unencrypted(which: Which, url: &str) -> String {
    format!(
        "the password would travel unencrypted to {url}; use HTTPS, or allow it with \
         allow_plain_http = true under [{which}.access]"
    )
}

fn entrance(url: String, login: &Login, settings: &ClusterAccess) -> Entrance {
    Entrance { url, login: login.clone(), ca_file: settings.ca_file.clone() }
}

fn openapi(settings: &ClusterAccess, facts: &InstanceFacts, cloud: &Cloud) -> Gate {
    Gate::OpenApi(Arc::new(Invocation {
        cloud: cloud.clone(),
        region: facts.region.clone(),
        instance: facts.instance.clone(),
        credential: settings.openapi_credential.clone(),
    }))
}

/// `InvokeEsRequest` on one instance.
#[derive(Debug)]
struct Invocation {
    cloud: Cloud,
    region: String,
    instance: String,
    credential: EsCredential,
}

impl Relay for Invocation {
    fn place(&self) -> String {
        format!("InvokeEsRequest, {}, {}", self.instance, self.region)
    }

    fn carry<'a>(&'a self, request: Carried<'a>) -> BoxFuture<'a, Result<Value, Fault>> {
        Box::pin(async move {
            let elasticsearch = self.cloud.elasticsearch(&self.region);
            let request = EsRequest {
                method: request.method,
                target: &request.target,
                body: request.body,
                credential: &self.credential,
                writes: request.writes,
            };
            elasticsearch.invoke_es_request(&self.instance, request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusterAccess, Names, access};
    use crate::aliyun::{Cloud, Config, Credentials, Endpoints};
    use crate::elastic::{Gate, Login};
    use crate::nodes::prerequisites::InstanceFacts;
    use crate::secret::Secret;
    use crate::side::Which;
    use crate::version::Version;
    use crate::way::Way;

    fn facts(kibanas: &[&str]) -> InstanceFacts {
        InstanceFacts {
            instance: "es-cn-1".to_owned(),
            region: "cn-shanghai".to_owned(),
            version: Version::parse("7.10.0").unwrap(),
            vpc: "vpc-1".to_owned(),
            vswitch: "vsw-1".to_owned(),
            zone: "cn-shanghai-f".to_owned(),
            domain: "es-cn-1.elasticsearch.aliyuncs.com".to_owned(),
            port: 9200,
            protocol: "HTTPS".to_owned(),
            kibanas: kibanas.iter().map(|url| (*url).to_owned()).collect(),
        }
    }

    /// The ways and their addresses, in order.
    fn ways(settings: &ClusterAccess, facts: &InstanceFacts, names: Names) -> Vec<String> {
        let credentials = Credentials {
            access_key_id: "id".to_owned(),
            access_key_secret: Secret::new("secret"),
            security_token: None,
        };
        let cloud = Cloud::new(Config { credentials, endpoints: Endpoints::default() }).unwrap();
        let gates = access(Which::Leader, settings, facts, (&cloud, names)).gates;
        let text = |gate: &Gate| match gate {
            Gate::Direct(entrance) => format!("direct {}", entrance.url),
            Gate::Kibana(entrance) => format!("kibana {}", entrance.url),
            Gate::OpenApi(relay) => format!("openapi {}", relay.place()),
            Gate::Shut(way, why) => format!("no {way}: {why}"),
        };
        gates.iter().map(text).collect()
    }

    fn key() -> ClusterAccess {
        ClusterAccess {
            login: Some(Login::ApiKey(Secret::new("id:key"))),
            ..ClusterAccess::default()
        }
    }

    #[test]
    fn left_to_themselves_the_instances_own_addresses_are_tried_in_order() {
        let facts = facts(&["https://private:5601", "https://public:5601"]);
        let all = ways(&key(), &facts, Names::Real);
        assert_eq!(
            all,
            [
                "direct https://es-cn-1.elasticsearch.aliyuncs.com:9200",
                "kibana https://private:5601",
                "kibana https://public:5601",
                "openapi InvokeEsRequest, es-cn-1, cn-shanghai",
            ]
        );
    }

    #[test]
    fn the_spec_goes_first_and_one_way_alone_is_taken() {
        let named = ClusterAccess {
            url: Some("https://a:9200".to_owned()),
            kibana_url: Some("https://k:5601".to_owned()),
            ..key()
        };
        let all = ways(&named, &facts(&["https://public:5601"]), Names::Real);
        assert_eq!(all[..2], ["direct https://a:9200", "kibana https://k:5601"]);
        let only = ClusterAccess { way: Some(Way::Kibana), ..named };
        assert_eq!(ways(&only, &facts(&[]), Names::Real), ["kibana https://k:5601"]);
    }

    #[test]
    fn a_password_does_not_travel_unencrypted_unless_that_is_allowed() {
        let named = |host: &str| ClusterAccess {
            url: Some(format!("http://{host}:9200")),
            kibana_url: Some(format!("http://{host}:5601")),
            ..key()
        };
        for host in ["es.example", "10.1.1.1", "127.0.0.1.example", "[fd00::1]"] {
            let all = ways(&named(host), &facts(&[]), Names::Real);
            for (way, said) in ["direct", "kibana"].iter().zip(&all) {
                assert!(said.starts_with(&format!("no {way}: the password would")), "{said}");
                assert!(said.contains("allow_plain_http = true under [leader.access]"), "{said}");
            }
            let allowed = ClusterAccess { allow_plain_http: true, ..named(host) };
            let all = ways(&allowed, &facts(&[]), Names::Real);
            assert!(all[0].starts_with("direct") && all[1].starts_with("kibana"), "{all:?}");
        }
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let all = ways(&named(host), &facts(&[]), Names::Real);
            assert!(all[0].starts_with("direct") && all[1].starts_with("kibana"), "{all:?}");
        }
        // The instance's own address, where it speaks plain HTTP.
        let plain = InstanceFacts { protocol: "HTTP".to_owned(), ..facts(&[]) };
        assert!(ways(&key(), &plain, Names::Real)[0].starts_with("no direct: the password"));
    }

    #[test]
    fn without_a_password_the_openapi_is_left_and_the_others_say_why() {
        let all = ways(&ClusterAccess::default(), &facts(&["https://k:5601"]), Names::Real);
        assert!(all[0].starts_with("no direct: the spec names neither"), "{all:?}");
        assert!(all[1].starts_with("no kibana: the spec names neither"), "{all:?}");
        assert!(all[2].starts_with("openapi"), "{all:?}");
    }

    #[test]
    fn a_pretend_clouds_names_lead_nowhere() {
        let all = ways(&key(), &facts(&["https://es-cn-1.kibana:5601"]), Names::Pretend);
        assert!(all[0].starts_with("no direct") && all[1].starts_with("no kibana"), "{all:?}");
    }
}
