//! What becomes, or became, of every index of the follower when a link is rolled back.

use super::table::Table;
use super::words::one_line;
use escrr_engine::{About, NodeState, Saga};
use escrr_steps::nodes::step5_replication::{Fate, IndexFate};
use serde::Deserialize as _;
use serde_json::Value;

/// The node that releases what the auto-follow pattern made, and what somebody else did.
pub const REMOTE: &str = "follower.remote_cluster";
/// The nodes that give an account of indices.
pub const NODES: [&str; 2] = ["follower.existing_indices", REMOTE];

/// What became of the indices, as the journal says; rows come by name.
pub fn of_saga(saga: &Saga, about: &[About]) -> Vec<IndexFate> {
    let mut all = Vec::new();
    for (at, about) in about.iter().enumerate() {
        if !NODES.contains(&about.id.to_string().as_str()) {
            continue;
        }
        if let NodeState::Undone { account, .. } = saga.node(at) {
            // A node without an account has null there.
            all.extend(Vec::<IndexFate>::deserialize(account).unwrap_or_default());
        }
    }
    all.sort();
    all
}

/// A node's account in one line.
pub fn told(account: &Value) -> String {
    let fates = Vec::<IndexFate>::deserialize(account).unwrap_or_default();
    let rows = fates.iter().map(|fate| format!("{}: {}", fate.index, fate.why));
    rows.collect::<Vec<_>>().join("; ")
}

/// The rows as a table; empty where there are none.
pub fn table(fates: &[IndexFate], columns: Option<usize>) -> String {
    let mut table = Table::new(&["INDEX ON THE FOLLOWER", "BECOMES", "WHY"]);
    for fate in fates {
        table.row(vec![one_line(&fate.index), fate.fate.name().to_owned(), one_line(&fate.why)]);
    }
    if table.is_empty() { String::new() } else { table.render(columns) }
}

/// What has to be done with the copies that were kept before the link is set up again.
pub fn before_setting_up_again(link: &str, fates: &[IndexFate]) -> Option<String> {
    let there = |fate: &&IndexFate| matches!(fate.fate, Fate::Released | Fate::Left);
    let names: Vec<String> = fates.iter().filter(there).map(|fate| one_line(&fate.index)).collect();
    if names.is_empty() {
        return None;
    }
    let noun = if names.len() == 1 { "index" } else { "indices" };
    Some(format!(
        "{} {noun} kept on the follower: {}. Before {link} is set up again, delete what is not \
         needed there (DELETE /{}), or set follow_index_pattern in the spec, for example \
         \"{{{{leader_index}}}}-copy\"",
        names.len(),
        names.join(", "),
        names.join(",")
    ))
}
