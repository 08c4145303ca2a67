//! The figures of all rounds, side by side.

use crate::measure::median;
use std::fmt;

/// What a figure has to reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// Nothing was asked.
    Nothing,
    /// The figure itself, at most.
    AtMost(f64),
    /// The figure itself, at least.
    AtLeast(f64),
    /// Its ratio to the floor, at most.
    RatioAtMost(f64),
    /// Its ratio to the floor, at least.
    RatioAtLeast(f64),
}

/// What is measured.
#[derive(Clone, Debug)]
struct Row {
    part: &'static str,
    name: String,
    unit: &'static str,
    values: Vec<f64>,
    ratios: Vec<f64>,
    wanted: Wanted,
}

/// Rows in the order in which they were first measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

/// One figure of one round.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) part: &'static str,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
    /// The floor's figure of the same round, in the same unit.
    pub(crate) floor: Option<f64>,
    pub(crate) wanted: Wanted,
}

impl Table {
    /// Adds a figure to its row.
    pub(crate) fn add(&mut self, figure: Figure) {
        let Figure { part, name, unit, value, floor, wanted } = figure;
        let same = |row: &&mut Row| row.part == part && row.name == name;
        let ratio = floor.map(|floor| value / floor);
        if let Some(row) = self.0.iter_mut().find(same) {
            row.values.push(value);
            row.ratios.extend(ratio);
        } else {
            let (values, ratios) = (vec![value], ratio.into_iter().collect());
            self.0.push(Row { part, name, unit, values, ratios, wanted });
        }
    }
}

/// Three figures or so that can be told apart.
fn short(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 1.0 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

fn spread(values: &[f64]) -> (String, String, String) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (short(least), short(median(values.to_vec())), short(most))
}

impl Row {
    fn verdict(&self) -> String {
        let value = median(self.values.clone());
        let ratio = median(self.ratios.clone());
        let (met, asked) = match self.wanted {
            Wanted::Nothing => return String::new(),
            Wanted::AtMost(bound) => (value <= bound, format!("≤ {}", short(bound))),
            Wanted::AtLeast(bound) => (value >= bound, format!("≥ {}", short(bound))),
            Wanted::RatioAtMost(bound) => (ratio <= bound, format!("≤ {bound} × floor")),
            Wanted::RatioAtLeast(bound) => (ratio >= bound, format!("≥ {bound} × floor")),
        };
        format!("{asked}: {}", if met { "met" } else { "NOT MET" })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part = "";
        for row in &self.0 {
            if row.part != part {
                part = row.part;
                writeln!(f, "\n### {part}\n")?;
                writeln!(f, "| what | unit | min | median | max | × floor | wanted |")?;
                writeln!(f, "|---|---|---:|---:|---:|---:|---|")?;
            }
            let (least, middle, most) = spread(&row.values);
            let ratio = if row.ratios.is_empty() {
                String::new()
            } else {
                let (least, middle, most) = spread(&row.ratios);
                format!("{middle} ({least} to {most})")
            };
            let (name, unit, verdict) = (&row.name, row.unit, row.verdict());
            writeln!(f, "| {name} | {unit} | {least} | {middle} | {most} | {ratio} | {verdict} |")?;
        }
        Ok(())
    }
}
