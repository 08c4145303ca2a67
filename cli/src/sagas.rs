//! Which saga a command means, and what it ends with.

use crate::codes;
use crate::error::CommandError;
use crate::exit::{Exit, Halt};
use crate::place::flag_of;
use crate::shell::word;
use escrr_engine::engine::rest_class;
use escrr_engine::store::{Head, Reading};
use escrr_engine::{Catalog, EngineError, Outcome, Phase, Saga, SagaId};
use escrr_steps::World;
use std::collections::BTreeMap;

/// The newest saga of each link in each kind of world, oldest first.
pub fn newest(heads: &[Head]) -> Vec<Head> {
    let mut found: BTreeMap<(&str, &str), &Head> = BTreeMap::new();
    for head in heads {
        // Ids sort by the time of their making.
        let slot = found.entry((&head.link, &head.world)).or_insert(head);
        if slot.saga < head.saga {
            *slot = head;
        }
    }
    let mut newest: Vec<Head> = found.into_values().cloned().collect();
    newest.sort_by_key(|head| head.saga);
    newest
}

/// The newest saga of a link in one kind of world.
pub fn of_link(heads: &[Head], link: &str, world: &str) -> Option<Head> {
    newest(heads).into_iter().find(|head| head.link == link && head.world == world)
}

/// The saga that a command means: the named link's, else the only live one, else the only one.
///
/// `world` is the kind that was asked for, where the command asks for one: it decides
/// between two sagas of one link, and alone it refuses nothing.
///
/// # Errors
/// None, or more than one, could be meant.
pub fn choose(
    heads: &[Head],
    link: Option<&str>,
    world: Option<&str>,
) -> Result<Head, CommandError> {
    let (all, meant) = candidates(heads, link, world);
    match (meant.as_slice(), link) {
        ([one], _) => Ok(one.clone()),
        ([], None) => Err(CommandError::new(codes::NO_SAGA, "no saga has been begun here")
            .hint("`escrr run` begins one; `escrr run --sandbox` needs no account")),
        ([], Some(link)) => {
            let error = CommandError::new(codes::NO_SAGA, format!("there is no saga of {link}"));
            Err(match names(&all).as_str() {
                "" => error.hint("`escrr run` begins one"),
                known => error.hint(format!("known links: {known}")),
            })
        }
        // The same link in both kinds of world: the younger saga is meant.
        ([.., last], Some(_)) => Ok(last.clone()),
        (several, None) => {
            Err(CommandError::new(codes::NO_SAGA, "more than one saga could be meant")
                .hint(format!("name the link: {}", names(several))))
        }
    }
}

/// Every saga that a command could mean: all that are live, else all that are set up, else all.
///
/// # Errors
/// None could be meant.
pub fn choose_all(
    heads: &[Head],
    link: Option<&str>,
    world: Option<&str>,
) -> Result<Vec<Head>, CommandError> {
    let (_, meant) = candidates(heads, link, world);
    if link.is_none() && meant.len() > 1 {
        return Ok(meant);
    }
    choose(heads, link, world).map(|one| vec![one])
}

/// All newest sagas, and those of them that could be meant.
fn candidates(heads: &[Head], link: Option<&str>, world: Option<&str>) -> (Vec<Head>, Vec<Head>) {
    let all = newest(heads);
    let named = |head: &&Head| link.is_none_or(|link| head.link == link);
    let mut meant: Vec<Head> = all.iter().filter(named).cloned().collect();
    let narrow = |meant: &mut Vec<Head>, keep: &dyn Fn(&Head) -> bool| {
        if meant.iter().any(keep) {
            meant.retain(keep);
        }
    };
    narrow(&mut meant, &|head| world.is_none_or(|world| head.world == world));
    // A link that is set up is live too, but one that has not ended is what people ask for.
    narrow(&mut meant, &|head| head.outcome.is_none());
    narrow(&mut meant, &|head| head.outcome != Some(Outcome::RolledBack));
    (all, meant)
}

fn names(heads: &[Head]) -> String {
    let mut names: Vec<&str> = heads.iter().map(|head| head.link.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

/// A saga as its journal says.
///
/// # Errors
/// The journal cannot be read or folded.
pub fn fold(id: SagaId, catalog: &Catalog<World>, reading: &Reading) -> Result<Saga, CommandError> {
    let entries = reading.entries(id, 1)?;
    let folded = Saga::fold(id, catalog, &entries);
    folded.map_err(|source| EngineError::Fold { saga: id, source }.into())
}

/// Refuses a saga of which entries were lost: what it made since is not in its journal, so going on
/// would make things twice, and going back would leave them and say that nothing is left.
///
/// # Errors
/// Entries were lost.
pub fn whole(saga: &Saga, flag: &str) -> Result<(), CommandError> {
    let Some((kept, known)) = saga.lost else { return Ok(()) };
    let link = word(&saga.link);
    let lost = match (kept, known) {
        (kept, known) if known > kept => {
            format!("entries {} to {known} at least are lost", kept + 1)
        }
        (kept, _) => format!("entries behind {kept} may be lost"),
    };
    let said = format!("the history of {link} is incomplete: {lost}");
    Err(CommandError::new(codes::HISTORY, said)
        .meaning(
            "what was created since is not known here, so neither `resume` nor `rollback` can be \
             trusted; nothing was done",
        )
        .hint(format!(
            "`escrr audit {link}{flag}` shows what of it exists; what else it created carries the tag \
             escrr-saga = {} in the console",
            saga.id
        ))
        .hint("a copy of the store from before the damage has the whole history: put it back")
        .hint(format!(
            "without one, `escrr adopt{flag}` with the link's spec takes the run over by its tags"
        ))
        .next_command(format!("escrr audit {link}{flag}")))
}

/// What a saga at rest is ended with.
pub fn exit_of(saga: &Saga) -> Exit {
    match saga.phase() {
        Phase::Succeeded | Phase::RolledBack => Exit::Done,
        Phase::RollbackStuck => stopped(saga, Halt::GoingBack),
        Phase::HistoryIncomplete => Exit::StoreDamaged,
        Phase::Running | Phase::RollingBack => match saga.interrupted.as_deref() {
            Some("SIGTERM" | "SIGHUP") => Exit::Terminated,
            // Who died without a word was interrupted as well.
            Some(_) | None => Exit::Interrupted,
        },
        Phase::Failed => stopped(saga, Halt::Failed),
        Phase::Parked => stopped(saga, Halt::Parked),
    }
}

fn stopped(saga: &Saga, halt: Halt) -> Exit {
    rest_class(saga).map_or(Exit::Failed, |class| Exit::of(class, halt))
}

/// The state as it is shown: what could go on is running only while a process is at it, and
/// else interrupted.
pub fn state_name(saga: &Saga, at_work: bool) -> &'static str {
    let phase = saga.phase();
    let could_go_on = matches!(phase, Phase::Running | Phase::RollingBack);
    if could_go_on && (!at_work || saga.interrupted.is_some()) {
        return "interrupted";
    }
    phase_name(phase)
}

/// Why this version does not carry a saga on, if it does not.
pub fn unfit(saga: &Saga, catalog: &Catalog<World>) -> Option<CommandError> {
    if let Err(error) = whole(saga, &flag_of(saga)) {
        return Some(error);
    }
    let known = catalog.edition();
    if saga.outcome.is_some() || saga.edition == known {
        return None;
    }
    let found = saga.edition.clone();
    Some(EngineError::Edition { saga: saga.id, found, known }.into())
}

/// The phase as it is shown.
pub const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Running => "running",
        Phase::Succeeded => "succeeded",
        Phase::Failed => "failed",
        Phase::Parked => "parked",
        Phase::RollingBack => "rolling_back",
        Phase::RolledBack => "rolled_back",
        Phase::RollbackStuck => "rollback_stuck",
        Phase::HistoryIncomplete => "history_incomplete",
    }
}

/// The command that comes next for a saga, if one does.
pub fn next_command(saga: &Saga, flag: &str) -> Option<String> {
    match saga.phase() {
        Phase::Succeeded | Phase::RolledBack => None,
        Phase::HistoryIncomplete => Some(format!("escrr audit {}{flag}", word(&saga.link))),
        Phase::Running
        | Phase::Failed
        | Phase::Parked
        | Phase::RollingBack
        | Phase::RollbackStuck => Some(format!("escrr resume {}{flag}", word(&saga.link))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(at: u64, link: &str, world: &str, outcome: Option<Outcome>) -> Head {
        Head {
            saga: SagaId::new(at, [0; 10]),
            link: link.into(),
            version: 1,
            last: String::new(),
            created_ms: at,
            updated_ms: at,
            outcome,
            world: world.into(),
        }
    }

    #[test]
    fn the_only_live_saga_is_meant() {
        let heads = [
            head(1, "a", "cloud", Some(Outcome::Succeeded)),
            head(2, "b", "cloud", None),
            head(3, "c", "cloud", Some(Outcome::RolledBack)),
        ];
        assert_eq!(choose(&heads, None, None).unwrap().link, "b");
        assert_eq!(choose(&heads[..1], None, None).unwrap().link, "a");
        let error = choose(&[], None, None).unwrap_err();
        assert!(error.hints[0].contains("escrr run"));
        let two = [head(1, "a", "cloud", None), head(2, "b", "cloud", None)];
        assert!(choose(&two, None, None).unwrap_err().hints[0].contains("a, b"));
        assert!(choose(&two, Some("x"), None).unwrap_err().hints[0].contains("a, b"));
    }

    #[test]
    fn a_links_newest_saga_counts_and_each_world_has_its_own() {
        let heads = [
            head(1, "a", "cloud", Some(Outcome::RolledBack)),
            head(5, "a", "cloud", Some(Outcome::Succeeded)),
            head(9, "a", "sandbox", Some(Outcome::Succeeded)),
        ];
        assert_eq!(of_link(&heads, "a", "cloud").unwrap().created_ms, 5);
        assert_eq!(choose(&heads, Some("a"), Some("cloud")).unwrap().created_ms, 5);
        assert_eq!(choose(&heads, Some("a"), None).unwrap().created_ms, 9);
        assert_eq!(choose(&heads[..2], Some("a"), Some("sandbox")).unwrap().world, "cloud");
    }
}
