//! What carries a link's tags although no journal of this home accounts for it.

use crate::Context;
use crate::codes;
use crate::error::CommandError;
use crate::ui::table::Table;
use escrr_engine::{About, SagaId};
use escrr_steps::World;
use escrr_steps::inventory::{Tagged, inventory};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What an inventory found that is not accounted for.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Of the run itself.
    pub(super) own: Vec<Tagged>,
    /// Of other runs of this link: a link has one live run, and a run that was rolled back leaves
    /// nothing.
    pub(super) foreign: Vec<Tagged>,
}

impl Leftovers {
    /// Looks for everything that carries the link's tags; what is accounted for is left out.
    ///
    /// # Errors
    /// The lists cannot be read: nothing is known then.
    pub(super) async fn find(
        world: &World,
        saga: SagaId,
        accounted: &BTreeSet<String>,
    ) -> Result<Self, CommandError> {
        let all = inventory(world).await.map_err(|fault| CommandError::from(&fault))?;
        let id = saga.to_string();
        let mut left = Self::default();
        for tagged in all {
            if tagged.saga == id && !accounted.contains(&tagged.id) {
                left.own.push(tagged);
            } else if tagged.saga != id {
                left.foreign.push(tagged);
            }
        }
        Ok(left)
    }

    /// Is everything accounted for?
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.foreign.is_empty()
    }

    /// The same for programs.
    pub(super) fn document(&self, about: &[About]) -> Value {
        let row = |tagged: &Tagged| {
            json!({
                "kind": tagged.kind.name(), "id": tagged.id, "region": tagged.region,
                "saga": tagged.saga, "node": tagged.node, "cost": cost(tagged, about),
            })
        };
        self.own.iter().chain(&self.foreign).map(row).collect()
    }

    /// The same for people.
    pub(super) fn table(&self, about: &[About], columns: Option<usize>) -> String {
        let mut table = Table::new(&["RESOURCE", "ID", "REGION", "RUN", "COSTS"]);
        for tagged in self.own.iter().chain(&self.foreign) {
            table.row(vec![
                tagged.kind.name().to_owned(),
                tagged.id.clone(),
                tagged.region.clone(),
                tagged.saga.clone(),
                cost(tagged, about).unwrap_or_default().to_owned(),
            ]);
        }
        table.render(columns)
    }

    /// What is said of it, and what helps.
    pub(super) fn problem(
        &self,
        link: &str,
        context: Context<'_>,
        about: &[About],
    ) -> CommandError {
        let count = self.own.len() + self.foreign.len();
        let (verb, noun) =
            if count == 1 { ("carries", "resource") } else { ("carry", "resources") };
        let table = self.table(about, context.ui.columns_stderr());
        let said = format!(
            "{count} {noun} {verb} the tags of {link} and no run of this home accounts for them:\n{table}"
        );
        let error = CommandError::new(codes::LEFT_BEHIND, said);
        if self.foreign.is_empty() {
            return error
                .hint("delete them in the console by their ids, after a look at who uses them");
        }
        error
            .meaning("another home or another person runs this link, or a home was lost")
            .hint("use the home of that run; where it is lost, `escrr adopt` takes the run over, and `escrr rollback` then deletes what it created")
    }
}

fn cost<'a>(tagged: &Tagged, about: &'a [About]) -> Option<&'a str> {
    about.iter().find(|about| about.id.to_string() == tagged.node)?.cost
}
