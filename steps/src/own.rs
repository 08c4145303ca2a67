//! Whose is it? Finding what a node made by the marks that it carries.

use crate::aliyun::Tags;
use crate::inventory::Tagged;
use crate::marks::{TAG_LINK, TAG_NODE, TAG_SAGA, mark};
use escrr_engine::{NodeId, Report, SagaId, Seen};
use std::collections::BTreeSet;

/// Whose a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It carries this saga's mark.
    Us,
    /// It does not.
    Others,
}

impl Owner {
    /// Whose is a thing with these tags?
    pub(crate) fn of(tags: &Tags, saga: SagaId) -> Self {
        if mark(tags, TAG_SAGA).is_some_and(|t| t == saga.to_string()) {
            Self::Us
        } else {
            Self::Others
        }
    }

    /// There, as wanted, and whose.
    pub(crate) fn ready<T>(self, output: T) -> Seen<T> {
        match self {
            Self::Us => Seen::Ours(output),
            Self::Others => Seen::Theirs(output),
        }
    }
}

/// A resource of another saga of the same link, which this home does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Foreign {
    /// The saga, as its tag says.
    pub(crate) saga: String,
    /// The resource's id.
    pub(crate) id: String,
}

impl Foreign {
    /// Whose it is, if it carries the tags of such a saga.
    pub(crate) fn of(
        tags: &Tags,
        id: &str,
        (saga, link): (SagaId, &str),
        known: &KnownSagas,
    ) -> Option<Self> {
        let theirs = mark(tags, TAG_SAGA)?;
        let ours = mark(tags, TAG_LINK)? == link;
        let known = theirs == saga.to_string() || known.contains(theirs);
        (ours && !known).then(|| Self { saga: theirs.to_owned(), id: id.to_owned() })
    }

    /// The same of what an inventory found.
    pub(crate) fn tagged(tagged: &Tagged, saga: SagaId, known: &KnownSagas) -> Option<Self> {
        let theirs = tagged.saga.as_str();
        let known = theirs.is_empty() || theirs == saga.to_string() || known.contains(theirs);
        (!known).then(|| Self { saga: theirs.to_owned(), id: tagged.id.clone() })
    }

    /// When its saga was begun: the id says it.
    pub(crate) fn since_ms(&self) -> Option<u64> {
        SagaId::parse(&self.saga).map(SagaId::begun_ms)
    }
}

/// The sagas of this home, by id: none of them is at work, so what they left may be used.
pub type KnownSagas = BTreeSet<String>;

/// Says that another saga of this link is at work or has left this.
pub(crate) fn foreign(what: &str, of: &Foreign) -> Report {
    Report::new(
        format!("checking the {what} {}", of.id),
        format!("it belongs to the run {} of this link{}", of.saga, since(of)),
    )
    .meaning("another home or another person sets this link up, or has set it up: two runs would undo each other's work")
    .help("use that run's home; where it is lost, `escrr adopt` takes the run over; or choose another link name")
}

/// When the run was begun, as a sentence goes on.
pub(crate) fn since(of: &Foreign) -> String {
    let at = of
        .since_ms()
        .and_then(|ms| jiff::Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok());
    at.map(|at| format!(", begun {at:.0}")).unwrap_or_default()
}

/// What a search by marks found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// Nothing.
    None,
    /// Exactly one.
    One(T, Owner),
    /// More than one, so that nobody can say which is meant.
    Several(Vec<String>),
}

/// Do these tags say that this node made it, of whatever saga?
pub(crate) fn is_of(tags: &Tags, node: NodeId) -> bool {
    mark(tags, TAG_NODE).is_some_and(|n| n == node.to_string())
}

/// Picks the thing that `node` made: this saga's first, else an earlier saga's of the same link.
pub(crate) fn pick<T>(
    candidates: Vec<T>,
    (node, saga, link): (NodeId, SagaId, &str),
    tags: impl Fn(&T) -> &Tags,
    id: impl Fn(&T) -> &str,
) -> Found<T> {
    let marked = |thing: &T| {
        mark(tags(thing), TAG_LINK).is_some_and(|l| l == link)
            && mark(tags(thing), TAG_NODE).is_some_and(|n| n == node.to_string())
    };
    let (mut ours, others): (Vec<T>, Vec<T>) = candidates
        .into_iter()
        .filter(marked)
        .partition(|thing| Owner::of(tags(thing), saga) == Owner::Us);
    let owner = if ours.is_empty() { Owner::Others } else { Owner::Us };
    if ours.is_empty() {
        ours = others;
    }
    if ours.len() > 1 {
        return Found::Several(ours.iter().map(|t| id(t).to_owned()).collect());
    }
    ours.pop().map_or(Found::None, |thing| Found::One(thing, owner))
}

/// Says that several things carry the same mark.
pub(crate) fn several(what: &str, ids: &[String]) -> Report {
    Report::new(
        format!("finding the {what}"),
        format!("{} carry this link's mark: {}", ids.len(), ids.join(", ")),
    )
    .meaning("only one of them can be this link's; the others may cost money for nothing")
    .help("see which one is in use, delete the others, then `escrr resume`")
}

/// Says that what this saga created does not carry its tags any more.
pub(crate) fn unmarked(what: &str, ids: &[String], cost: Option<&str>) -> Report {
    let cost = cost.map(|cost| format!("; it costs: {cost}")).unwrap_or_default();
    Report::new(
        format!("checking the {what} {}", ids.join(", ")),
        format!("this run created it, and it does not carry this run's tags any more{cost}"),
    )
    .meaning("somebody removed or replaced the tags, perhaps to take it over: it is left alone")
    .help(
        "delete it yourself and mark the node as done with `escrr mark-done`, or put the tags back, then run the same command again",
    )
}

/// Says that the spec names something that is not there.
pub(crate) fn not_there(what: &str, id: &str, key: &str) -> Report {
    Report::new(format!("looking for the {what} {id}"), "there is none with this id")
        .meaning(format!("the spec names it under {key}, so it has to be there"))
        .help("correct the id in the spec, or leave it out so that one is made")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::new("network", "cen");

    fn thing(id: &str, link: &str, saga: SagaId) -> (String, Tags) {
        let tags = [
            (TAG_LINK, link.to_owned()),
            (TAG_NODE, NODE.to_string()),
            (TAG_SAGA, saga.to_string()),
        ];
        (id.to_owned(), tags.map(|(k, v)| (k.to_owned(), v)).into())
    }

    #[test]
    fn ours_comes_before_an_earlier_sagas_and_two_are_too_many() {
        let (now, before) = (SagaId::new(2, [0; 10]), SagaId::new(1, [0; 10]));
        let find = |things: Vec<(String, Tags)>| pick(things, (NODE, now, "a"), |t| &t.1, |t| &t.0);
        let (ours, theirs, other) =
            (thing("1", "a", now), thing("2", "a", before), thing("3", "b", now));
        assert_eq!(
            find(vec![theirs.clone(), ours.clone(), other.clone()]),
            Found::One(ours.clone(), Owner::Us)
        );
        assert_eq!(
            find(vec![theirs.clone(), other.clone()]),
            Found::One(theirs.clone(), Owner::Others)
        );
        let strange = |known| Foreign::of(&theirs.1, "2", (now, "a"), &known);
        let of = Foreign { saga: before.to_string(), id: "2".to_owned() };
        assert_eq!(strange(KnownSagas::new()), Some(of), "of a saga that this home does not know");
        assert_eq!(strange(KnownSagas::from([before.to_string()])), None);
        assert_eq!(find(vec![other]), Found::None);
        assert_eq!(
            find(vec![theirs.clone(), theirs]),
            Found::Several(vec!["2".into(), "2".into()])
        );
        assert_eq!(find(vec![ours.clone(), ours]), Found::Several(vec!["1".into(), "1".into()]));
    }
}
