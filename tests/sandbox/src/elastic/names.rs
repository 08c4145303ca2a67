//! Names of indices and expressions over them.

use super::failure::{Failure, Outcome};
use super::model::Cluster;
use std::collections::BTreeSet;

/// How an expression treats what it does not find.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// A concrete name that does not exist is left out.
    pub(crate) ignore_unavailable: bool,
    /// Wildcards match hidden indices too.
    pub(crate) hidden: bool,
    /// Wildcards match closed indices too.
    pub(crate) closed: bool,
}

/// Does a pattern of plain characters and `*` match?
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = left.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    true
}

/// The indices that an expression names: comma lists, wildcards, exclusions, `_all`.
pub(crate) fn resolve(cluster: &Cluster, expression: &str, how: Options) -> Outcome<Vec<String>> {
    let mut found = BTreeSet::new();
    for (n, part) in expression.split(',').enumerate() {
        let part = if part.is_empty() || part == "_all" { "*" } else { part };
        if let Some(out) = part.strip_prefix('-').filter(|_| n > 0) {
            found.retain(|name: &String| !matches(out, name));
        } else if part.contains('*') {
            found.extend(wildcard(cluster, part, how));
        } else if cluster.indices.contains_key(part) {
            found.insert(part.to_owned());
        } else {
            let behind: Vec<String> = cluster
                .indices
                .iter()
                .filter(|(_, i)| i.aliases.contains_key(part))
                .map(|(name, _)| name.clone())
                .collect();
            if behind.is_empty() && !how.ignore_unavailable {
                return Err(Failure::no_index(part));
            }
            found.extend(behind);
        }
    }
    Ok(found.into_iter().collect())
}

fn wildcard(cluster: &Cluster, pattern: &str, how: Options) -> Vec<String> {
    cluster
        .indices
        .iter()
        .filter(|(name, index)| {
            let seen = !index.hidden()
                || how.hidden
                || (pattern.starts_with('.') && name.starts_with('.'));
            seen && (how.closed || !index.closed)
                && (matches(pattern, name) || index.aliases.keys().any(|a| matches(pattern, a)))
        })
        .map(|(name, _)| name.clone())
        .collect()
}

/// Refuses what cannot be the name of an index.
pub(crate) fn check_index_name(name: &str) -> Outcome<()> {
    let complaint = if name.is_empty() {
        "must not be empty"
    } else if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',']) {
        "must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]"
    } else if name.contains('#') {
        "must not contain '#'"
    } else if name.contains(':') {
        "must not contain ':'"
    } else if name.starts_with(['_', '-', '+']) {
        "must not start with '_', '-', or '+'"
    } else if name.len() > 255 {
        "index name is too long, greater than 255 bytes"
    } else if name == "." || name == ".." {
        "must not be '.' or '..'"
    } else if name.chars().any(char::is_uppercase) {
        "must be lowercase"
    } else {
        return Ok(());
    };
    Err(Failure::new(
        400,
        "invalid_index_name_exception",
        format!("Invalid index name [{name}], {complaint}"),
    )
    .with("index", name)
    .with("index_uuid", "_na_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_in_any_place() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("logs-*", "logs-1", true),
            ("logs-*", "log", false),
            ("*-1", "logs-1", true),
            ("l*s-*1", "logs-2-1", true),
            ("a*a", "a", false),
            ("logs", "logs-1", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn bad_names_are_refused() {
        for bad in ["", "Logs", "a b", "_x", "-x", "a*", "a#", "a:b", ".."] {
            assert!(check_index_name(bad).is_err(), "{bad}");
        }
        assert!(check_index_name(".ds-logs-2026.10.01-000001").is_ok());
    }
}
