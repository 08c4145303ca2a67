//! Which leader indices are replicated, and what they are called on the follower.

use crate::elastic::{Index, backed_stream};
use crate::spec::Spec;

/// Why a leader index is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It is replicated.
    Wanted,
    /// The spec does not ask for it.
    NotAsked,
    /// The spec asks for it, and it cannot be replicated.
    Impossible(&'static str),
}

/// Elasticsearch's simple pattern: `*` stands for anything, everything else for itself.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(tail)
}

/// Is an index of the leader to be replicated?
pub(crate) fn choose(spec: &Spec, index: &Index) -> Choice {
    let named = spec.replication.indices.contains(&index.name);
    let matched = spec.replication.follow_existing
        && spec.patterns().iter().any(|p| matches(p, &index.name))
        && !spec.exclusions().iter().any(|p| matches(p, &index.name))
        // A pattern for everything does not mean the cluster's own indices.
        && (!index.system || spec.patterns().iter().any(|p| p.starts_with('.')));
    if !named && !matched {
        return Choice::NotAsked;
    }
    if index.searchable_snapshot {
        Choice::Impossible("it is a searchable snapshot")
    } else if !index.soft_deletes {
        Choice::Impossible("soft deletes are off")
    } else if index.closed {
        Choice::Impossible("it is closed")
    } else {
        Choice::Wanted
    }
}

/// Does the spec ask for a leader index of this name: now, or by its pattern later?
///
/// A pattern takes up a backing index by its own name or by that of its data stream.
pub(super) fn asked(spec: &Spec, leader: &str) -> bool {
    let stream = backed_stream(leader);
    let matched = |patterns: &[String], name: &str| patterns.iter().any(|p| matches(p, name));
    let by_name =
        |name: &str| matched(&spec.patterns(), name) && !matched(&spec.exclusions(), name);
    spec.replication.indices.iter().any(|name| name == leader)
        || by_name(leader)
        || stream.is_some_and(|stream| by_name(&stream))
}

/// What a leader index is called on the follower.
pub(crate) fn follower_name(spec: &Spec, leader: &str) -> String {
    let pattern = spec.replication.follow_index_pattern.as_deref();
    pattern.map_or_else(|| leader.to_owned(), |p| p.replace("{{leader_index}}", leader))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_match_as_elasticsearch_does() {
        let cases = [
            ("*", "anything", true),
            ("logs-*", "logs-1", true),
            ("logs-*", "log-1", false),
            ("*-logs", "a-logs", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("exact", "exact", true),
            ("exact", "exact1", false),
            (".*", ".kibana", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_with_any_part_starred(name in "[a-z]{1,12}", from in 0_usize..12, to in 0_usize..12) {
            let (from, to) = (from.min(name.len()), to.min(name.len()));
            let (from, to) = (from.min(to), from.max(to));
            let pattern = format!("{}*{}", &name[..from], &name[to..]);
            prop_assert!(matches(&pattern, &name));
        }
    }
}
