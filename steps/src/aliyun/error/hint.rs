//! When to try again, as the other side says it: four headers, two of them older.

use crate::aliyun::transport::Incoming;
use jiff::Timestamp;

/// The vendor's clients wait no longer than this, whatever they are told.
const LONGEST_MS: u64 = 120_000;

/// The wait that an answer asks for, in milliseconds; the plainest header wins.
pub(super) fn retry_after_ms(incoming: &Incoming) -> Option<u64> {
    let header = |name| incoming.header(name).map(str::trim);
    let asked = header("x-acs-retry-after")
        .and_then(|text| text.parse().ok())
        .or_else(|| header("retry-after").and_then(|text| standard(text, header("date"))))
        .or_else(|| header("x-ratelimit-user-api").and_then(time_left))
        .or_else(|| header("x-ratelimit-user").and_then(time_left))?;
    Some(asked.min(LONGEST_MS))
}

/// `Retry-After` of RFC 9110: seconds, or a date, which is held against the answer's own.
fn standard(text: &str, date: Option<&str>) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let moment = |text: &str| -> Option<Timestamp> {
        jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
    };
    let wait = moment(text)?.as_millisecond() - moment(date?)?.as_millisecond();
    Some(u64::try_from(wait).unwrap_or_default())
}

/// `Limit:100,Remain:0,Reset:1,TimeLeft:850`, as older gateways write it.
fn time_left(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("TimeLeft:")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::retry_after_ms;
    use crate::aliyun::transport::Incoming;
    use reqwest::header::HeaderMap;

    fn asked(pairs: &[(&'static str, &'static str)]) -> Option<u64> {
        let pairs =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers = pairs.collect::<HeaderMap>();
        retry_after_ms(&Incoming { status: 400, headers, body: Vec::new() })
    }

    #[test]
    fn every_way_to_say_it_is_understood() {
        assert_eq!(asked(&[("x-acs-retry-after", " 1500 ")]), Some(1_500));
        assert_eq!(asked(&[("retry-after", "3")]), Some(3_000));
        let date = ("date", "Mon, 06 May 2024 07:08:09 GMT");
        assert_eq!(asked(&[date, ("retry-after", "Mon, 06 May 2024 07:08:19 GMT")]), Some(10_000));
        assert_eq!(asked(&[date, ("retry-after", "Mon, 06 May 2024 07:08:01 GMT")]), Some(0));
        let older = "Limit:100,Remain:0,Reset:1,TimeLeft:850";
        assert_eq!(asked(&[("x-ratelimit-user-api", older)]), Some(850));
        assert_eq!(asked(&[("x-ratelimit-user", "TimeLeft:7")]), Some(7));
    }

    #[test]
    fn the_plainest_wins_and_none_is_longer_than_the_vendors_clients_wait() {
        let both = [("retry-after", "9"), ("x-acs-retry-after", "20")];
        assert_eq!(asked(&both), Some(20));
        assert_eq!(asked(&[("x-acs-retry-after", "99999999999")]), Some(120_000));
        assert_eq!(asked(&[("retry-after", "18446744073709551615")]), Some(120_000));
    }

    #[test]
    fn nonsense_is_no_hint() {
        for text in ["", "soon", "-1", "1.5", "TimeLeft:", "Mon, 06 May 2024 07:08:19 GMT"] {
            assert_eq!(
                asked(&[("x-acs-retry-after", text), ("retry-after", text)]),
                None,
                "{text}"
            );
            assert_eq!(asked(&[("x-ratelimit-user", text)]), None, "{text}");
        }
    }
}
