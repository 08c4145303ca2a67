//! Which names, ids and values the clouds take: pure questions.

use crate::marks::RESERVED;
use std::net::Ipv4Addr;

/// The longest link name: it stands in names the cloud limits to 64 and more characters.
const LINK_NAME: std::ops::RangeInclusive<usize> = 2..=40;
/// Tags a resource may carry, less our own three (`escrr-link`, `escrr-saga`, `escrr-node`).
pub(super) const MOST_TAGS: usize = 17;
/// Longest tag key that every product takes.
const TAG_KEY: usize = 64;
/// Longest tag value.
const TAG_VALUE: usize = 128;
/// Elasticsearch's limit on the name of an auto-follow pattern and of an index, in bytes.
pub(super) const NAME_BYTES: usize = 255;

/// `[a-z][a-z0-9-]{1,39}`
pub(super) fn is_link_name(name: &str) -> bool {
    LINK_NAME.contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_id_char)
}

/// `cn-shanghai`, `ap-southeast-1`, …
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.split('-');
    parts.next().is_some_and(|p| p.len() == 2 && p.chars().all(|c| c.is_ascii_lowercase()))
        && text.len() <= 40
        && text.contains('-')
        && parts.all(|p| {
            !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

/// A zone of a region: `cn-shanghai-f`, `ap-southeast-1a`.
pub(super) fn is_zone_of(zone: &str, region: &str) -> bool {
    zone.strip_prefix(region).is_some_and(|rest| {
        let letter = rest.strip_prefix('-').unwrap_or(rest);
        !letter.is_empty() && letter.len() <= 3 && letter.chars().all(is_id_char)
    })
}

/// An id of the cloud: its prefix, a hyphen, then lower-case letters, digits and hyphens.
pub(super) fn is_id(text: &str, prefix: &str) -> bool {
    text.len() <= 64
        && text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphanumeric()) && rest.chars().all(is_id_char)
        })
}

fn is_id_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// `[-\w]+`, as Elasticsearch wants the alias of a remote cluster.
pub(super) fn is_alias(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// What is wrong with an index pattern, or with the name of an index when `wild` is false.
pub(super) fn pattern_problem(pattern: &str, wild: bool) -> Option<&'static str> {
    const NEVER: [char; 8] = ['\\', '/', '?', '"', '<', '>', '|', '#'];
    match pattern {
        "" => Some("it is empty"),
        "." | ".." => Some("it is not a name"),
        _ if pattern.contains(',') => {
            Some("it contains a comma: every pattern is an entry of its own")
        }
        _ if pattern.starts_with('-') => {
            Some("it starts with `-`: what is left out belongs into `exclusions`")
        }
        _ if pattern.starts_with(['_', '+']) => Some("no index name starts with `_` or `+`"),
        _ if pattern.contains(':') => Some("it contains `:`"),
        _ if pattern.contains(NEVER) || pattern.chars().any(char::is_whitespace) => {
            Some("it contains a character that no index name has")
        }
        _ if pattern.chars().any(char::is_uppercase) => Some("index names are lower case"),
        _ if pattern.len() > NAME_BYTES => Some("it is longer than 255 bytes"),
        _ if !wild && pattern.contains('*') => Some("it is a pattern, not the name of an index"),
        _ => None,
    }
}

/// What is wrong with a tag's key: what one product refuses stops a run in its middle.
pub(super) fn tag_key_problem(key: &str) -> Option<&'static str> {
    let lower = key.to_lowercase();
    match () {
        () if key.is_empty() => Some("it is empty"),
        () if key.chars().count() > TAG_KEY => Some("it is longer than 64 characters"),
        () if RESERVED.iter().any(|ours| lower.starts_with(ours)) => {
            Some("keys that begin with `escrr-` mark what belongs to a link")
        }
        () if lower.starts_with("aliyun") => Some("`aliyun` belongs to the cloud"),
        () if !key.starts_with(char::is_alphabetic) => Some("it does not begin with a letter"),
        () if !key.chars().all(is_tag_char) => {
            Some("it has a character that is no letter, digit, `.`, `_` or `-`")
        }
        () => None,
    }
}

/// What is wrong with a tag's value, which may be empty.
pub(super) fn tag_value_problem(value: &str) -> Option<&'static str> {
    match () {
        () if value.chars().count() > TAG_VALUE => Some("it is longer than 128 characters"),
        () if value.to_lowercase().starts_with("aliyun") => Some("`aliyun` belongs to the cloud"),
        () if !value.chars().all(is_tag_char) => {
            Some("it has a character that is no letter, digit, `.`, `_` or `-`")
        }
        () => None,
    }
}

/// What every product takes in a tag.
fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// What is wrong with a cluster's address.
pub(super) fn url_problem(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Some("it starts with neither http:// nor https://");
    };
    let host = rest.strip_suffix('/').unwrap_or(rest);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    match () {
        () if rest.contains('@') => Some("user and password do not belong into it"),
        () if host.contains(['/', '?', '#']) => Some("it goes on after the port"),
        () if name.is_empty() || !name.chars().all(is_host_char) => Some("it has no legal host"),
        () if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) => {
            Some("its port is no number from 1 to 65535")
        }
        () => None,
    }
}

/// What is wrong with Kibana's address, which may go on with a base path.
pub(super) fn kibana_url_problem(url: &str) -> Option<&'static str> {
    let start = url.find("://").map_or(0, |at| at + 3);
    let slash = url.get(start..).and_then(|rest| rest.find('/'));
    let (host, path) = url.split_at(slash.map_or(url.len(), |at| start + at));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '/');
    match url_problem(host) {
        None if !path.chars().all(plain) => Some("its base path has a character that none has"),
        problem => problem,
    }
}

/// What is wrong with an address of the cloud: a host, or an `https://` URL of one.
///
/// Plain HTTP is for loopback alone, where a stand-in of the cloud may listen.
pub(super) fn endpoint_problem(address: &str) -> Option<&'static str> {
    let full = match address.split_once("://") {
        None => format!("https://{address}"),
        Some(("http", rest)) if !is_loopback(rest) => return Some("it is not encrypted"),
        Some(_) => address.to_owned(),
    };
    url_problem(&full).map(|_| "it is not a host, or a URL without a path")
}

fn is_loopback(rest: &str) -> bool {
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn is_host_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// Can a VPC hold the address?
pub(super) fn is_private(address: Ipv4Addr) -> bool {
    address.is_private()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids() {
        assert!(is_link_name("shanghai-hangzhou") && is_link_name("a1"));
        assert!(!is_link_name("a") && !is_link_name("1a") && !is_link_name("A-b"));
        assert!(!is_link_name(&"a".repeat(41)) && is_link_name(&"a".repeat(40)));
        assert!(is_region("cn-shanghai") && is_region("ap-southeast-1"));
        assert!(is_region("cn-shanghai-finance-1"));
        assert!(!is_region("shanghai") && !is_region("cn-") && !is_region("CN-shanghai"));
        assert!(is_zone_of("cn-shanghai-f", "cn-shanghai"));
        assert!(is_zone_of("ap-southeast-1a", "ap-southeast-1"));
        assert!(!is_zone_of("cn-hangzhou-h", "cn-shanghai"));
        assert!(!is_zone_of("cn-shanghai", "cn-shanghai"));
        assert!(is_id("es-cn-leader000001", "es") && is_id("vsw-leader-f", "vsw"));
        assert!(!is_id("es-", "es") && !is_id("ess-1", "es") && !is_id("es-cn_1", "es"));
        assert!(is_alias("es-cn-1") && is_alias("A_b") && !is_alias("a.b") && !is_alias(""));
    }

    #[test]
    fn patterns() {
        for good in ["*", "logs-*", ".ds-*", "a.b_c", "日志-*"] {
            assert_eq!(pattern_problem(good, true), None, "{good}");
        }
        for bad in ["", ".", "a,b", "-a", "_a", "a b", "A", "a:b", "a/b", "a?"] {
            assert!(pattern_problem(bad, true).is_some(), "{bad}");
        }
        assert!(pattern_problem("logs-*", false).is_some());
        assert!(pattern_problem(&"a".repeat(256), true).is_some());
    }

    #[test]
    fn tags() {
        for good in ["team", "cost-center", "a.b_c-1", &"ä".repeat(64)] {
            assert_eq!(tag_key_problem(good), None, "{good}");
        }
        for bad in ["", "escrr-link", "Escrr-x", "Aliyun-x", "acs:x", "a:b", "1a", "_a", "a b"] {
            assert!(tag_key_problem(bad).is_some(), "{bad}");
        }
        assert!(tag_key_problem(&"ä".repeat(65)).is_some());
        for good in ["", "1", "search", "2026.10", &"ä".repeat(128)] {
            assert_eq!(tag_value_problem(good), None, "{good}");
        }
        for bad in ["a b", "a@b", "https://x", "acs:x", "aliyun", &"ä".repeat(129)] {
            assert!(tag_value_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn urls() {
        for good in ["http://a:9200", "https://es-cn-1.elasticsearch.aliyuncs.com", "http://a/"] {
            assert_eq!(url_problem(good), None, "{good}");
        }
        for bad in ["a:9200", "http://", "http://a:0", "http://u:p@a", "http://a/b", "http://a:x"] {
            assert!(url_problem(bad).is_some(), "{bad}");
        }
        for good in ["https://k:5601", "https://k:5601/", "https://k/kibana/", "http://k/s/space"] {
            assert_eq!(kibana_url_problem(good), None, "{good}");
        }
        for bad in ["k:5601", "https://", "https:///kibana", "https://k/a?b", "https://u:p@k/a"] {
            assert!(kibana_url_problem(bad).is_some(), "{bad}");
        }
    }
}
