//! `[prices]`: what the vendor's units cost, as the spec's author read it.
//!
//! The program knows which units are billed ([`crate::billing`]) and never what they cost: prices
//! differ by region and account and change. What is not named here is shown as unknown.

use schemars::JsonSchema;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Unit prices, each of which may be left out: `[prices]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PricesSpec {
    /// The day on which they were read, `2026-11-01`; it is shown beside them.
    pub date: Option<String>,
    /// The currency of all of them, for example `CNY`.
    pub currency: Option<String>,
    /// An hour of one connection to a transit router.
    pub transit_router_connection_hour: Option<Price>,
    /// A GB that enters a transit router from a VPC.
    pub transit_router_data_gb: Option<Price>,
    /// A GB between the regions, paid by data transfer.
    pub inter_region_data_gb: Option<Price>,
    /// An hour of a network load balancer.
    pub load_balancer_hour: Option<Price>,
    /// A capacity unit of it (LCU) for an hour.
    pub load_balancer_lcu_hour: Option<Price>,
    /// An hour of an endpoint in one zone.
    pub endpoint_zone_hour: Option<Price>,
    /// A GB through an endpoint, in either direction.
    pub endpoint_data_gb: Option<Price>,
}

impl PricesSpec {
    /// What is wrong: the key, why, and what helps.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str, &'static str)> {
        let is_date = |text: &String| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
        let is_code =
            |text: &String| text.len() == 3 && text.chars().all(|c| c.is_ascii_uppercase());
        if !self.date.as_ref().is_none_or(is_date) {
            return Some(("date", "this is not a day", "a day looks like 2026-11-01"));
        }
        if !self.currency.as_ref().is_none_or(is_code) {
            let help = "a currency has three capital letters, like CNY or USD";
            return Some(("currency", "this is not a currency", help));
        }
        None
    }
}

/// Digits behind the point that a price may have.
const DIGITS: usize = 6;
/// A price of one, in [`Price`]'s millionths.
const ONE: u64 = 1_000_000;

/// An amount of money that is not negative, exact to a millionth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u64);

impl Price {
    /// Reads `0.07` or `12`: at most six digits behind the point.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(rest) || rest.len() > DIGITS {
            return None;
        }
        let millionths: u64 = format!("{rest:0<DIGITS$}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(ONE)?.checked_add(millionths).map(Self)
    }

    /// So many times as much.
    #[must_use]
    pub const fn times(self, many: u64) -> Self {
        Self(self.0.saturating_mul(many))
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// With two digits behind the point, or as many as it needs.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = format!("{:0DIGITS$}", self.0 % ONE);
        let kept = rest.trim_end_matches('0');
        f.pad(&format!("{}.{kept:0<2}", self.0 / ONE))
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Price;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a price, for example 0.07")
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Price, E> {
                // The shortest text that reads as this number is the one that was written.
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Price, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Price, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Price, E> {
                let refused = "a price is not negative and has six digits behind the point at most";
                Price::parse(text).ok_or_else(|| E::custom(refused))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Spec, defaults};

    fn prices(more: &str) -> Result<PricesSpec, String> {
        let text = format!("{}[prices]\n{more}\n", defaults::SANDBOX);
        Spec::parse(&text, "t").map(|spec| spec.prices).map_err(|errors| errors.to_string())
    }

    #[test]
    fn prices_are_exact_and_shown_as_money() {
        let shown = |text: &str| Price::parse(text).map(|price| price.to_string());
        assert_eq!(shown("0.07").as_deref(), Some("0.07"));
        assert_eq!(shown("12").as_deref(), Some("12.00"));
        assert_eq!(shown("0.0155").as_deref(), Some("0.0155"));
        assert_eq!(shown("0.5").as_deref(), Some("0.50"));
        for wrong in ["", ".", "1.", ".5", "-1", "1e3", "0.1234567", "99999999999999999999"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
        // In floating point ten of them are 0.7000000000000001.
        let month = Price::parse("0.07").unwrap().times(720);
        assert_eq!(month.plus(Price::parse("0.01").unwrap()).to_string(), "50.41");
    }

    #[test]
    fn all_of_them_may_be_left_out_and_any_form_of_number_is_taken() {
        assert_eq!(prices("").unwrap(), PricesSpec::default());
        let told = prices("endpoint_zone_hour = 0.07\nload_balancer_hour = 1").unwrap();
        assert_eq!(told.endpoint_zone_hour, Price::parse("0.07"));
        assert_eq!(told.load_balancer_hour, Price::parse("1"));
        assert_eq!(
            prices("load_balancer_hour = \"0.14\"").unwrap().load_balancer_hour,
            Price::parse("0.14")
        );
    }

    #[test]
    fn what_is_no_price_no_day_and_no_currency_is_pointed_at() {
        let said = |more: &str| prices(more).unwrap_err();
        assert!(said("load_balancer_hour = -0.5").contains("not negative"));
        assert!(said("load_balancer_hour = true").contains("a price, for example 0.07"));
        assert!(said("date = \"soon\"").contains("2026-11-01"));
        assert!(
            said("date = \"2026-13-01\"").contains(":15:8"),
            "{}",
            said("date = \"2026-13-01\"")
        );
        assert!(said("currency = \"yuan\"").contains("CNY"));
        assert!(said("endpoint_zone_hours = 1").contains("did you mean `endpoint_zone_hour`"));
    }
}
