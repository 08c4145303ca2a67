//! What starts to cost, and how much of that is known.

use super::Plan;
use crate::ui::table::{Table, wrap};
use escrr_engine::NodeId;
use escrr_steps::billing::{Charge, HOURS_A_MONTH, Unit, charges, remark};
use escrr_steps::spec::{Price, PricesSpec, Spec};
use serde_json::{Value, json};

/// The charges of everything that would be made.
#[derive(Debug)]
pub(super) struct Costs<'a> {
    rows: Vec<(Charge, Option<Price>)>,
    remarks: Vec<(NodeId, String)>,
    prices: &'a PricesSpec,
}

impl<'a> Costs<'a> {
    /// The charges of the nodes that a run would make, with the spec's prices.
    pub(super) fn of(spec: &'a Spec, will_be_made: impl Fn(NodeId) -> bool) -> Self {
        let prices = &spec.prices;
        let with_price = |charge: Charge| (charge, charge.tariff.price(prices));
        let rows: Vec<_> = charges(spec)
            .into_iter()
            .filter(|charge| will_be_made(charge.node))
            .map(with_price)
            .collect();
        let mut nodes: Vec<NodeId> = rows.iter().map(|(charge, _)| charge.node).collect();
        nodes.dedup();
        let remarks =
            nodes.into_iter().filter_map(|node| Some((node, remark(node, spec)?))).collect();
        Self { rows, remarks, prices }
    }

    fn hourly(&self) -> impl Iterator<Item = &(Charge, Option<Price>)> {
        self.rows.iter().filter(|(charge, _)| charge.tariff.unit() == Unit::Hour)
    }

    /// What an hour costs whatever flows, of what is known; none if nothing is.
    fn fixed_an_hour(&self) -> Option<Price> {
        self.hourly().filter_map(|(_, price)| *price).reduce(Price::plus)
    }

    /// How many things are billed by the hour at an unknown price.
    fn unknown(&self) -> usize {
        self.hourly().filter(|(_, price)| price.is_none()).count()
    }

    fn currency(&self) -> String {
        self.prices.currency.as_ref().map(|code| format!(" {code}")).unwrap_or_default()
    }

    /// A table and what it comes to; nothing if nothing starts to cost.
    pub(super) fn screen(&self, columns: Option<usize>) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let mut table = Table::new(&["  NODE", "UNIT", "PRICE", "WHAT IS BILLED"]);
        for (charge, price) in &self.rows {
            table.row(vec![
                format!("  {}", charge.node),
                charge.tariff.unit().name().to_owned(),
                price.map_or("unknown".to_owned(), |price| price.to_string()),
                charge.tariff.title().to_owned(),
            ]);
        }
        let mut lines = vec![format!("Starts to cost{}:", self.source()), table.wrapped(columns)];
        lines.extend(self.sums().iter().flat_map(|text| wrap(text, columns)));
        lines
    }

    /// Where the prices are from.
    fn source(&self) -> String {
        if self.rows.iter().all(|(_, price)| price.is_none()) {
            return " (prices unknown: the spec names none under [prices])".to_owned();
        }
        let date = self.prices.date.as_deref().unwrap_or("an unknown day");
        format!(
            " (prices of {date}, from the spec{})",
            match &self.prices.currency {
                Some(code) => format!(", in {code}"),
                None => ", currency unknown".to_owned(),
            }
        )
    }

    /// The sums, and what is not in them.
    pub(super) fn sums(&self) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let currency = self.currency();
        let unknown = match self.unknown() {
            0 => String::new(),
            1 => "; 1 price by the hour is unknown and not in it".to_owned(),
            many => format!("; {many} prices by the hour are unknown and not in it"),
        };
        let mut lines = vec![match self.fixed_an_hour() {
            Some(hour) => format!(
                "Fixed: {hour}{currency} an hour, {}{currency} a month of 30 days{unknown}.",
                hour.times(HOURS_A_MONTH)
            ),
            None => "Fixed: unknown.".to_owned(),
        }];
        lines.push(
            "What is billed by GB and LCU depends on what flows, and is not in it.".to_owned(),
        );
        lines.extend(self.remarks.iter().map(|(node, remark)| format!("{node}: {remark}.")));
        lines
    }

    /// The same for programs; money as texts, so that it stays exact.
    pub(super) fn document(&self) -> Value {
        let row = |(charge, price): &(Charge, Option<Price>)| {
            json!({
                "node": charge.node.to_string(),
                "key": charge.tariff.key(),
                "title": charge.tariff.title(),
                "unit": charge.tariff.unit().name(),
                "price": price,
                "remark": self.remarks.iter().find(|(node, _)| *node == charge.node).map(|r| &r.1),
            })
        };
        let fixed = self.fixed_an_hour();
        json!({
            "date": self.prices.date,
            "currency": self.prices.currency,
            "charges": self.rows.iter().map(row).collect::<Vec<_>>(),
            "fixed_hour": fixed,
            "fixed_month": fixed.map(|hour| hour.times(HOURS_A_MONTH)),
            "unknown_fixed": self.unknown(),
        })
    }
}

impl Plan {
    /// What a run would start to cost.
    pub(super) fn costs(&self) -> Costs<'_> {
        let made: Vec<NodeId> =
            self.rows().filter(super::verdicts::Row::will_make).map(|row| row.about.id).collect();
        Costs::of(&self.spec, |node| made.contains(&node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_steps::spec::defaults;

    fn spec(prices: &str) -> Spec {
        Spec::parse(&format!("{}[prices]\n{prices}", defaults::SANDBOX), "t").unwrap()
    }

    #[test]
    fn only_what_is_known_is_summed_and_the_rest_is_said() {
        let some = spec(
            "date = \"2026-11-01\"\ncurrency = \"CNY\"\n\
             transit_router_connection_hour = 0.35\nload_balancer_hour = 0.147\n\
             endpoint_data_gb = 0.07\n",
        );
        let costs = Costs::of(&some, |_| true);
        // Two connections and a load balancer; the endpoint's hour has no price.
        let sums = costs.sums().join("\n");
        assert!(sums.contains("0.847 CNY an hour, 609.84 CNY a month of 30 days;"), "{sums}");
        assert!(sums.contains("1 price by the hour is unknown"), "{sums}");
        let screen = costs.screen(Some(80)).join("\n");
        assert!(screen.starts_with("Starts to cost (prices of 2026-11-01, from the spec, in CNY)"));
        assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
        let document = costs.document();
        assert_eq!(document["fixed_hour"], "0.847");
        assert_eq!(document["unknown_fixed"], 1);
        assert_eq!(document["charges"][0]["price"], "0.35");
        assert_eq!(document["charges"][1]["price"], Value::Null);
    }

    #[test]
    fn without_prices_nothing_is_invented() {
        let none = spec("");
        let costs = Costs::of(&none, |_| true);
        let screen = costs.screen(None).join("\n");
        assert!(screen.contains("prices unknown") && screen.contains("Fixed: unknown."));
        assert!(!screen.contains("0."), "{screen}");
        assert_eq!(costs.document()["fixed_month"], Value::Null);
    }

    #[test]
    fn what_is_there_already_does_not_start_to_cost() {
        let spec = spec("load_balancer_hour = 0.10\nendpoint_zone_hour = 0.07\n");
        let costs = Costs::of(&spec, |node| node.to_string() == "follower.load_balancer");
        assert_eq!(costs.document()["fixed_hour"], "0.10");
        assert_eq!(costs.document()["charges"].as_array().unwrap().len(), 2);
        assert!(Costs::of(&spec, |_| false).screen(None).is_empty());
    }
}
