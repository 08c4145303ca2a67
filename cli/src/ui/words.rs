//! Times, spans, ids and glyphs: the small words that all screens share.

pub use super::printable::one_line;
use serde_json::Value;

/// How the ids of what the job makes and finds begin.
const PREFIXES: [&str; 16] = [
    "cen-",
    "tr-",
    "tr-attach-",
    "vtb-",
    "vsw-",
    "vpc-",
    "sgp-",
    "nlb-",
    "lsn-",
    "epsrv-",
    "ep-",
    "es-",
    "i-",
    "rg-",
    "eps-",
    "rte-",
];
/// More ids than this are only counted.
const MOST_IDS: usize = 3;

/// Milliseconds since the Unix epoch as RFC 3339, or as they are when beyond its years.
pub fn time(at_ms: u64) -> String {
    moment(at_ms).map_or_else(|| at_ms.to_string(), |time| format!("{time:.3}"))
}

/// The same to the second.
pub fn time_s(at_ms: u64) -> String {
    moment(at_ms).map_or_else(|| at_ms.to_string(), |time| format!("{time:.0}"))
}

fn moment(at_ms: u64) -> Option<jiff::Timestamp> {
    i64::try_from(at_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
}

/// How long something took: `812ms`, `42s`, `3m12s`, `1h05m`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms}ms"),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// The same without seconds or minutes that are none: `3m`, `24h`.
pub fn brief_span(ms: u64) -> String {
    let text = span(ms);
    let whole = text.strip_suffix("00s").filter(|rest| rest.ends_with('m'));
    whole.or_else(|| text.strip_suffix("00m")).map_or(text.clone(), str::to_owned)
}

/// A count and its noun: `1 node`, `2 nodes`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The cloud ids and addresses in a node's output, in a few words.
pub fn ids(output: &Value) -> String {
    let mut found = Vec::new();
    collect(output, &mut found);
    let more = found.len().saturating_sub(MOST_IDS);
    found.truncate(MOST_IDS);
    let text = found.join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            // With a dot it is a domain.
            let is_id = PREFIXES.iter().any(|p| text.starts_with(p)) && !text.contains('.');
            let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
            if (is_id || is_address) && !found.contains(text) {
                found.push(text.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_and_spans_are_readable() {
        assert_eq!(time(1_790_000_000_123), "2026-09-21T14:13:20.123Z");
        assert_eq!(time_s(1_790_000_000_123), "2026-09-21T14:13:20Z");
        assert_eq!(time(u64::MAX), u64::MAX.to_string());
        let spans = [0, 812, 59_999, 60_000, 192_000, 3_900_000].map(span);
        assert_eq!(spans, ["0ms", "812ms", "59s", "1m00s", "3m12s", "1h05m"]);
        let brief = [5_000, 60_000, 192_000, 600_000, 3_600_000, 3_900_000].map(brief_span);
        assert_eq!(brief, ["5s", "1m", "3m12s", "10m", "1h", "1h05m"]);
        assert_eq!(count(1, "node") + &count(2, "node"), "1 node2 nodes");
    }

    #[test]
    fn ids_are_told_from_regions_and_texts() {
        let output = json!({"zone": "cn-shanghai-f", "vswitch": "vsw-1", "again": "vsw-1",
                           "domain": "ep-1.epsrv-1.example.com"});
        assert_eq!(ids(&output), "vsw-1");
        assert_eq!(ids(&json!(["i-1", "i-2", "i-3", "i-4"])), "i-1, i-2, i-3 and 1 more");
        assert_eq!(ids(&json!(null)), "");
    }
}
