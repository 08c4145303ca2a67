//! What exists in the pretend world, and since when whoever asks is told so.

use crate::plan::NodePlan;
use std::collections::{BTreeMap, BTreeSet};

/// A node's position and one of its items.
pub(crate) type Key = (usize, String);

/// Something that exists.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) id: u64,
    pub(crate) ours: bool,
    /// Somebody changed it.
    pub(crate) changed: bool,
    shown_ms: u64,
    ready_ms: u64,
    gone: Option<Gone>,
}

/// A delete: when looks show it, and when the thing is no more.
#[derive(Clone, Copy, Debug)]
struct Gone {
    told_ms: u64,
    at_ms: u64,
}

/// How a thing looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Making,
    Ready,
    Changed,
    Deleting,
}

impl Thing {
    fn lives(&self, now_ms: u64) -> bool {
        self.gone.is_none_or(|gone| gone.at_ms > now_ms)
    }

    /// How a look at `now_ms` shows it; not at all while a read is stale, and once it is gone.
    fn sight(&self, now_ms: u64) -> Option<Sight> {
        match self.gone {
            _ if self.shown_ms > now_ms => None,
            Some(gone) if gone.told_ms <= now_ms => {
                (gone.at_ms > now_ms).then_some(Sight::Deleting)
            }
            _ if self.ready_ms > now_ms => Some(Sight::Making),
            _ if self.changed => Some(Sight::Changed),
            _ => Some(Sight::Ready),
        }
    }
}

/// What a token came to at the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Made(u64),
    Refused,
}

/// A call that takes effect after whoever made it has stopped listening.
#[derive(Clone, Debug)]
pub(crate) enum Late {
    Make(Key, String),
    Unmake(Key, u64),
}

/// Everything that exists.
#[derive(Debug, Default)]
pub(crate) struct Things {
    all: BTreeMap<Key, Vec<Thing>>,
    pub(crate) tokens: BTreeMap<String, Came>,
    /// Tokens of what others removed.
    spent: Vec<String>,
    late: BTreeMap<(u64, u64), Late>,
    next: u64,
    /// Where somebody else removed something.
    pub(crate) removed: BTreeSet<Key>,
    /// What must never be, but was.
    pub(crate) breaches: Vec<String>,
}

impl Things {
    pub(crate) fn living(&self, key: &Key, now_ms: u64) -> impl Iterator<Item = &Thing> {
        self.all.get(key).into_iter().flatten().filter(move |thing| thing.lives(now_ms))
    }

    /// The keys under which something of ours lives.
    pub(crate) fn ours(&self, now_ms: u64) -> Vec<Key> {
        let keys = self.all.keys();
        keys.filter(|key| self.living(key, now_ms).any(|thing| thing.ours)).cloned().collect()
    }

    /// What a look at one key shows: ours before theirs.
    pub(crate) fn sight(&self, key: &Key, now_ms: u64) -> Option<(&Thing, Sight)> {
        let shown = self.all.get(key).into_iter().flatten();
        let shown = shown.filter_map(|thing| Some((thing, thing.sight(now_ms)?)));
        shown.max_by_key(|(thing, _)| thing.ours)
    }

    /// A call to make something arrives, in time or late.
    pub(crate) fn make(&mut self, key: &Key, token: &str, node: &NodePlan, now_ms: u64) {
        let known = if node.token {
            self.tokens.contains_key(token)
        } else {
            self.living(key, now_ms).next().is_some()
        };
        if known {
            return;
        }
        let id = self.add(key, true, now_ms + node.hidden_ms, now_ms + node.takes_ms);
        self.tokens.insert(token.to_owned(), Came::Made(id));
        let ours = self.living(key, now_ms).filter(|thing| thing.ours).count();
        if ours > 1 {
            self.breaches.push(format!("{ours} of {key:?} live at the same time"));
        }
    }

    /// Somebody else makes it.
    pub(crate) fn make_theirs(&mut self, key: &Key, now_ms: u64) {
        self.add(key, false, now_ms, now_ms);
    }

    fn add(&mut self, key: &Key, ours: bool, shown_ms: u64, ready_ms: u64) -> u64 {
        self.next += 1;
        let thing = Thing { id: self.next, ours, changed: false, shown_ms, ready_ms, gone: None };
        self.all.entry(key.clone()).or_default().push(thing);
        self.next
    }

    /// A call to take something back arrives, in time or late.
    pub(crate) fn unmake(&mut self, key: &Key, id: u64, node: &NodePlan, now_ms: u64) {
        let all = self.all.get_mut(key).into_iter().flatten();
        for thing in all.filter(|thing| thing.id == id && thing.gone.is_none()) {
            thing.gone =
                Some(Gone { told_ms: now_ms + node.hidden_ms, at_ms: now_ms + node.goes_ms });
        }
    }

    /// Somebody else removes it, at once; the other side may know for a while yet that its
    /// token made something, and takes a second call for the first.
    pub(crate) fn remove(&mut self, key: &Key, id: u64, remembers: bool) {
        self.removed.insert(key.clone());
        if let Some(all) = self.all.get_mut(key) {
            all.retain(|thing| thing.id != id);
        }
        self.spent
            .extend(self.tokens.iter().filter(|t| *t.1 == Came::Made(id)).map(|t| t.0.clone()));
        if !remembers {
            self.forget();
        }
    }

    /// The other side forgets the tokens of what others removed.
    pub(crate) fn forget(&mut self) {
        for token in std::mem::take(&mut self.spent) {
            self.tokens.remove(&token);
        }
    }

    /// Somebody else changes it, or changes it back.
    pub(crate) fn change(&mut self, key: &Key, changed: bool, now_ms: u64) {
        let all = self.all.get_mut(key).into_iter().flatten();
        all.filter(|thing| thing.lives(now_ms)).for_each(|thing| thing.changed = changed);
    }

    /// Nothing stays changed.
    pub(crate) fn restore(&mut self) {
        self.all.values_mut().flatten().for_each(|thing| thing.changed = false);
    }

    pub(crate) fn put_late(&mut self, due_ms: u64, late: Late) {
        self.next += 1;
        self.late.insert((due_ms, self.next), late);
    }

    /// The late calls that are due by now, with the moments at which they arrive.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<(u64, Late)> {
        let later = self.late.split_off(&(now_ms + 1, 0));
        let due = std::mem::replace(&mut self.late, later);
        due.into_iter().map(|((at_ms, _), late)| (at_ms, late)).collect()
    }
}
