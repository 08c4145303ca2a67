//! Whose is it? Finding what a node made by the marks that it carries.

use crate::aliyun::Tags;
use crate::marks::{TAG_LINK, TAG_NODE, TAG_SAGA, mark};
use escrr_engine::{NodeId, Report, SagaId, Seen};

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
        assert_eq!(find(vec![other]), Found::None);
        assert_eq!(
            find(vec![theirs.clone(), theirs]),
            Found::Several(vec!["2".into(), "2".into()])
        );
        assert_eq!(find(vec![ours.clone(), ours]), Found::Several(vec!["1".into(), "1".into()]));
    }
}
