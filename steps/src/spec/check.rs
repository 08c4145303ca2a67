//! What the types cannot say: legal names, limits, settings that exclude each other.

use super::rules;
use super::{
    AccessSpec, BandwidthType, CredentialSource, CredentialsSpec, LinkType, Problem, SideSpec,
    Spec, defaults,
};
use crate::side::Which;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// More than this nobody mends at once.
const MOST_PROBLEMS: usize = 20;

/// Lists what is wrong with a spec, in the order of its text, and counts the rest.
pub(super) fn check(spec: &Spec, text: &str, root: &DeTable<'_>) -> (Vec<Problem>, usize) {
    let mut check = Check { text, root, found: Vec::new(), more: 0 };
    check.link(spec);
    check.side(&spec.leader, Which::Leader);
    check.side(&spec.follower, Which::Follower);
    check.existing(spec);
    check.credentials(spec);
    check.cloud(spec);
    check.network(spec);
    check.load_balancer(spec);
    check.leader_address(spec);
    check.replication(spec);
    check.patterns(spec);
    check.verify(spec);
    if let Some((key, wrong, help)) = spec.prices.problem() {
        check.refuse(&["prices", key], wrong, help);
    }
    check.tags(spec);
    let mut found = check.found;
    found.sort_by_key(|problem| (problem.line, problem.column));
    (found, check.more)
}

struct Check<'a> {
    text: &'a str,
    root: &'a DeTable<'a>,
    found: Vec<Problem>,
    more: usize,
}

impl Check<'_> {
    /// Notes a problem with the value at a path, or with the nearest table there is.
    fn refuse(&mut self, path: &[&str], message: impl Into<String>, help: impl Into<String>) {
        if self.found.len() == MOST_PROBLEMS {
            self.more += 1;
            return;
        }
        let span = place(self.root, path);
        self.found.push(Problem::at(self.text, span, &message.into(), Some(help.into())));
    }

    /// Notes a problem unless something holds.
    fn hold(&mut self, holds: bool, path: &[&str], message: &str, help: &str) {
        if !holds {
            self.refuse(path, message, help);
        }
    }

    fn link(&mut self, spec: &Spec) {
        self.hold(
            rules::is_link_name(&spec.link),
            &["link"],
            "the link's name is not legal",
            "2 to 40 lower-case letters, digits and hyphens, a letter first: shanghai-hangzhou",
        );
        self.hold(
            spec.leader.instance != spec.follower.instance,
            &["follower", "instance"],
            "leader and follower are the same instance",
            "a link joins two instances; `escrr init` lists those of your account",
        );
    }

    fn side(&mut self, side: &SideSpec, which: Which) {
        let table = which.name();
        self.hold(
            rules::is_region(&side.region),
            &[table, "region"],
            "this is not a region id",
            "a region id looks like cn-shanghai or ap-southeast-1",
        );
        self.id(Some(&side.instance), "es", &[table, "instance"]);
        for (at, zone) in side.zones.iter().enumerate() {
            let help = format!("a zone id looks like {}-b", side.region);
            self.hold(
                rules::is_zone_of(zone, &side.region),
                &[table, "zones", &at.to_string()],
                "this is not a zone of the region",
                &help,
            );
        }
        self.once(&side.zones, &[table, "zones"]);
        for (at, vswitch) in side.vswitches.iter().enumerate() {
            self.id(Some(vswitch), "vsw", &[table, "vswitches", &at.to_string()]);
        }
        self.once(&side.vswitches, &[table, "vswitches"]);
        self.access(&side.access, table);
    }

    fn access(&mut self, access: &AccessSpec, table: &str) {
        if let Some(wrong) = access.url.as_deref().and_then(rules::url_problem) {
            let message = format!("this is not a cluster's address: {wrong}");
            self.refuse(&[table, "access", "url"], message, "it looks like https://host:9200");
        }
        if let Some(wrong) = access.kibana_url.as_deref().and_then(rules::kibana_url_problem) {
            let message = format!("this is not Kibana's address: {wrong}");
            let help = "it looks like https://host:5601, with its base path if it has one";
            self.refuse(&[table, "access", "kibana_url"], message, help);
        }
        self.hold(
            !access.username.trim().is_empty() && !access.username.contains(':'),
            &[table, "access", "username"],
            "this is not a user's name",
            "leave the key out for the user elastic",
        );
        self.hold(
            access.api_key.is_none() || access.password.is_none(),
            &[table, "access", "api_key"],
            "an API key stands beside a password",
            "leave one of them out",
        );
        self.hold(
            !access.openapi_credential.is_empty()
                && access.openapi_credential.chars().all(|c| c.is_ascii_graphic()),
            &[table, "access", "openapi_credential"],
            "this is not a credential's id",
            "default, system, or an id as the console shows it",
        );
    }

    /// An id of the cloud has its kind's prefix.
    fn id(&mut self, id: Option<&str>, prefix: &str, path: &[&str]) {
        if let Some(id) = id
            && !rules::is_id(id, prefix)
        {
            let key = path.iter().rfind(|p| p.parse::<usize>().is_err()).unwrap_or(&"id");
            let help = format!("it starts with `{prefix}-`, as the console shows it");
            self.refuse(path, format!("this is not an id for `{key}`"), help);
        }
    }

    /// No entry stands twice in a list.
    fn once(&mut self, list: &[String], path: &[&str]) {
        let mut seen = BTreeSet::new();
        for (at, entry) in list.iter().enumerate() {
            if !seen.insert(entry) {
                let index = at.to_string();
                let path: Vec<&str> = path.iter().copied().chain([index.as_str()]).collect();
                self.refuse(&path, "this stands in the list twice", "leave one of them out");
            }
        }
    }

    fn existing(&mut self, spec: &Spec) {
        let (net, lb) = (&spec.network, &spec.load_balancer);
        let ids = [
            (&net.cen_id, "cen", ["network", "cen_id"]),
            (&net.leader_transit_router_id, "tr", ["network", "leader_transit_router_id"]),
            (&net.follower_transit_router_id, "tr", ["network", "follower_transit_router_id"]),
            (&net.bandwidth_package_id, "cenbwp", ["network", "bandwidth_package_id"]),
            (&lb.load_balancer_id, "nlb", ["load_balancer", "load_balancer_id"]),
            (&lb.server_group_id, "sgp", ["load_balancer", "server_group_id"]),
            (&spec.private_link.service_id, "epsrv", ["private_link", "service_id"]),
            (&spec.leader_address.ecs_instance, "i", ["leader_address", "ecs_instance"]),
        ];
        for (id, prefix, path) in ids {
            self.id(id.as_deref(), prefix, &path);
        }
    }

    fn credentials(&mut self, spec: &Spec) {
        let keys = &spec.credentials;
        self.hold(
            keys.access_key_id.is_some() == keys.access_key_secret.is_some(),
            &["credentials"],
            "access key id and access key secret belong together",
            "name both here, or none to take both from the environment",
        );
        self.hold(
            keys.security_token.is_none() || keys.access_key_id.is_some(),
            &["credentials", "security_token"],
            "a security token belongs to an access key",
            "name access_key_id and access_key_secret too",
        );
        self.hold(
            keys.access_key_id.is_none() || (keys.source.is_none() && keys.profile.is_none()),
            &["credentials"],
            "an access key and a source are two ways to say who calls",
            "name access_key_id and access_key_secret, or source and profile",
        );
        let in_profiles = [CredentialSource::Profile, CredentialSource::CredentialsFile];
        self.hold(
            keys.profile.is_none() || keys.source.is_none_or(|s| in_profiles.contains(&s)),
            &["credentials", "profile"],
            "this source has no profiles",
            "profiles are for source = \"profile\" and source = \"credentials-file\"",
        );
        self.role(keys);
    }

    fn role(&mut self, keys: &CredentialsSpec) {
        let more = keys.role_session_name.is_some()
            || keys.role_seconds.is_some()
            || keys.external_id.is_some();
        self.hold(
            keys.role_arn.is_some() || !more,
            &["credentials"],
            "a role's settings without a role",
            "add role_arn = \"acs:ram::ACCOUNT:role/NAME\"",
        );
        let is_role = |arn: &str| arn.starts_with("acs:ram::") && arn.contains(":role/");
        self.hold(
            keys.role_arn.as_deref().is_none_or(is_role),
            &["credentials", "role_arn"],
            "this is no role",
            "a role is acs:ram::ACCOUNT:role/NAME",
        );
        let legal = |name: &str| {
            let fine = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
            (2..=64).contains(&name.len()) && name.chars().all(fine)
        };
        self.hold(
            keys.role_session_name.as_deref().is_none_or(legal),
            &["credentials", "role_session_name"],
            "the cloud does not take this name of a session",
            "it is 2 to 64 letters, digits, dots, @, - or _",
        );
        self.hold(
            keys.role_seconds.is_none_or(|seconds| (900..=43_200).contains(&seconds)),
            &["credentials", "role_seconds"],
            "a role's session is 900 to 43200 seconds long",
            "a role has a maximum of its own, usually 3600",
        );
    }

    fn cloud(&mut self, spec: &Spec) {
        self.hold(
            spec.cloud.calls_per_second > 0,
            &["cloud", "calls_per_second"],
            "no call would ever be made",
            "the default is 10",
        );
        for (key, address) in spec.cloud.endpoints.named() {
            if let Some(wrong) = rules::endpoint_problem(address) {
                let message = format!("this is not an address of the cloud: {wrong}");
                let help = "give a host, for example cbn.aliyuncs.com";
                self.refuse(&["cloud", "endpoints", key], message, help);
            }
        }
    }

    fn network(&mut self, spec: &Spec) {
        let net = &spec.network;
        self.hold(
            net.bandwidth_mbps > 0,
            &["network", "bandwidth_mbps"],
            "the bandwidth is 0",
            "without bandwidth only 1 kbit/s flows between regions; give Mbit/s, for example 100",
        );
        let package = net.bandwidth_type == BandwidthType::BandwidthPackage;
        self.hold(
            !package || net.bandwidth_package_id.is_some(),
            &["network", "bandwidth_type"],
            "no bandwidth package is named",
            "add bandwidth_package_id = \"cenbwp-…\", or use \"data-transfer\"",
        );
        self.hold(
            package || net.bandwidth_package_id.is_none(),
            &["network", "bandwidth_package_id"],
            "the bandwidth package would not be used",
            "add bandwidth_type = \"bandwidth-package\"",
        );
        self.hold(
            !package || net.link_type != Some(LinkType::Platinum),
            &["network", "link_type"],
            "platinum lines are paid by data transfer only",
            "use link_type = \"gold\" with a bandwidth package",
        );
        let routers = [
            (&net.leader_transit_router_id, "leader_transit_router_id"),
            (&net.follower_transit_router_id, "follower_transit_router_id"),
        ];
        for (id, key) in routers {
            self.hold(
                id.is_none() || net.cen_id.is_some(),
                &["network", key],
                "a transit router belongs to a CEN",
                "name its cen_id too",
            );
        }
    }

    fn load_balancer(&mut self, spec: &Spec) {
        let lb = &spec.load_balancer;
        let legal = lb.start_port > 0 && lb.start_port < lb.end_port;
        self.hold(
            legal,
            &["load_balancer", "start_port"],
            "the first port is not below the last one",
            "the documented range is 9200 to 9300",
        );
        self.hold(
            !legal || (lb.start_port..=lb.end_port).contains(&defaults::TRANSPORT_PORT),
            &["load_balancer", "end_port"],
            "port 9300 is not in the range, but the follower connects to it",
            "the documented range is 9200 to 9300",
        );
        self.hold(
            lb.health_check_port > 0,
            &["load_balancer", "health_check_port"],
            "0 is not a port",
            "the documented health check port is 9300",
        );
        if let Some(name) = &lb.name {
            let legal = (2..=64).contains(&name.chars().count())
                && name.starts_with(char::is_alphabetic)
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
            self.hold(
                legal,
                &["load_balancer", "name"],
                "this is not a legal name",
                "2 to 64 letters, digits, `.`, `_` and `-`, a letter first",
            );
        }
    }

    fn leader_address(&mut self, spec: &Spec) {
        let mut seen = BTreeSet::new();
        for (at, address) in spec.leader_address.addresses.iter().enumerate() {
            let path = ["leader_address", "addresses", &at.to_string()];
            self.hold(
                rules::is_private(*address),
                &path,
                "this is not a private address",
                "the leader's address lies in its VPC: 10.…, 172.16.… to 172.31.…, or 192.168.…",
            );
            self.hold(
                seen.insert(address),
                &path,
                "this stands in the list twice",
                "leave one of them out",
            );
        }
        if let Some(server) = spec.leader_address.dns_server {
            self.hold(
                server.port() > 0 && !server.ip().is_unspecified() && !server.ip().is_multicast(),
                &["leader_address", "dns_server"],
                "this is not a server's address",
                "write address and port, like 10.1.1.2:53",
            );
        }
    }

    fn replication(&mut self, spec: &Spec) {
        let it = &spec.replication;
        self.hold(
            rules::is_alias(spec.remote_alias()),
            &["replication", "remote_alias"],
            "this is not a legal alias of a remote cluster",
            "letters, digits, `-` and `_`; leave the key out for the leader's instance id",
        );
        if let Some(name) = &it.auto_follow_name {
            let legal = !name.is_empty()
                && name.len() <= rules::NAME_BYTES
                && !name.starts_with('_')
                && !name.contains([',', '/', '#', '?', '*'])
                && !name.chars().any(|c| c.is_whitespace() || c.is_uppercase());
            self.hold(
                legal,
                &["replication", "auto_follow_name"],
                "this is not a legal name of an auto-follow pattern",
                "lower case, no comma, no space, not starting with `_`",
            );
        }
        if let Some(pattern) = &it.follow_index_pattern {
            let plain = pattern.replace("{{leader_index}}", "x");
            self.hold(
                plain != *pattern && rules::pattern_problem(&plain, false).is_none(),
                &["replication", "follow_index_pattern"],
                "this does not name a follower index for every leader index",
                "put {{leader_index}} into it, for example {{leader_index}}-copy",
            );
        }
        self.hold(
            it.proxy_socket_connections > 0,
            &["replication", "proxy_socket_connections"],
            "without connections nothing is replicated",
            "the default is 18",
        );
    }

    fn patterns(&mut self, spec: &Spec) {
        let it = &spec.replication;
        self.hold(
            it.patterns.as_ref().is_none_or(|patterns| !patterns.is_empty()),
            &["replication", "patterns"],
            "no pattern is given",
            "give at least one, for example [\"logs-*\"]; [\"*\"] is every index",
        );
        let lists = [
            ("patterns", it.patterns.as_deref().unwrap_or_default(), true),
            ("exclusions", it.exclusions.as_deref().unwrap_or_default(), true),
            ("indices", it.indices.as_slice(), false),
        ];
        for (key, list, wild) in lists {
            for (at, entry) in list.iter().enumerate() {
                if let Some(wrong) = rules::pattern_problem(entry, wild) {
                    let what = if wild { "an index pattern" } else { "the name of an index" };
                    self.refuse(
                        &["replication", key, &at.to_string()],
                        format!("this is not {what}: {wrong}"),
                        "lower-case names, with `*` for any characters in a pattern",
                    );
                }
            }
            self.once(list, &["replication", key]);
        }
    }

    fn verify(&mut self, spec: &Spec) {
        // A search returns at most 10000 documents (`index.max_result_window`).
        self.hold(
            spec.verify.sample_documents <= 10_000,
            &["verify", "sample_documents"],
            "a sample has at most 10000 documents",
            "20 is the default; every document is counted in any case",
        );
        self.hold(
            spec.verify.max_lag_seconds > 0,
            &["verify", "max_lag_seconds"],
            "replication always lags a little",
            "the default is 60",
        );
    }

    fn tags(&mut self, spec: &Spec) {
        self.hold(
            spec.tags.len() <= rules::MOST_TAGS,
            &["tags"],
            "more than 17 tags",
            "the cloud takes 20 on a resource, and three of them are ours",
        );
        for (key, value) in &spec.tags {
            if let Some(wrong) = rules::tag_key_problem(key) {
                self.refuse(
                    &["tags", key],
                    format!("this is not a legal tag key: {wrong}"),
                    "at most 64 letters, digits, `.`, `_` and `-`, a letter first: every product takes those",
                );
            }
            if let Some(wrong) = rules::tag_value_problem(value) {
                self.refuse(
                    &["tags", key],
                    format!("this is not a legal tag value: {wrong}"),
                    "at most 128 letters, digits, `.`, `_` and `-`: every product takes those",
                );
            }
        }
    }
}

/// The bytes of the value at a path, or of the last key on the way that is there.
fn place(root: &DeTable<'_>, path: &[&str]) -> Range<usize> {
    let mut here = 0..0;
    let mut table = Some(root);
    let mut list: Option<&[Spanned<DeValue<'_>>]> = None;
    for name in path {
        let (span, value) = if let Some(table) = table {
            match table.iter().find(|(key, _)| key.get_ref() == name) {
                Some((key, value)) if value.get_ref().is_table() => (key.span(), value),
                Some((_, value)) => (value.span(), value),
                None => return here,
            }
        } else {
            let entry = name.parse().ok().and_then(|at: usize| list.and_then(|list| list.get(at)));
            match entry {
                Some(value) => (value.span(), value),
                None => return here,
            }
        };
        here = span;
        table = value.get_ref().as_table();
        list = value.get_ref().as_array().map(|array| &**array);
    }
    here
}

#[cfg(test)]
mod tests;
