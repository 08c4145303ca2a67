//! The reference: what a journal means and what may stand in it, told a second time.
//!
//! It shares nothing with the engine's own fold but the events.

use crate::plan::{Kind, Plan, position};
use crate::things::Key;
use crate::trouble::At;
use escrr_engine::store::chain;
use escrr_engine::{Class, Entry, Event, Origin, Outcome, Phase, SagaId, Verb, id::token};
use std::collections::BTreeSet;

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Idle,
    Intended,
    Made,
    /// Found, checked or not needed.
    Found,
    Failed,
    Parked,
    Skipped,
    Undoing,
    Undone,
    Stuck,
}

/// What is known of one node.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) word: Word,
    pub(crate) announced: BTreeSet<String>,
    generation: u32,
    refused: bool,
    /// How often it failed because the other side said no.
    pub(crate) refusals: usize,
    /// A person took it over, or it stays by design: what is left of it is not the engine's.
    pub(crate) released: bool,
}

/// What is known of a saga.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    plan: Plan,
    saga: SagaId,
    pub(crate) pages: Vec<Page>,
    pub(crate) backward: bool,
    pub(crate) outcome: Option<Outcome>,
}

impl Page {
    /// Could something of ours exist because of it?
    pub(crate) fn holds(&self) -> bool {
        match self.word {
            Word::Intended | Word::Made | Word::Undoing | Word::Stuck => true,
            Word::Idle | Word::Found | Word::Failed | Word::Parked => !self.announced.is_empty(),
            Word::Skipped | Word::Undone => false,
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        matches!(self.word, Word::Failed | Word::Parked | Word::Stuck)
    }

    fn satisfied(&self) -> bool {
        matches!(self.word, Word::Made | Word::Found | Word::Skipped)
    }

    fn open(&self) -> bool {
        matches!(self.word, Word::Idle | Word::Intended)
    }

    /// A person said: again.
    fn again(&mut self) {
        self.word = match self.word {
            Word::Failed if self.refused => Word::Idle,
            Word::Failed | Word::Parked if self.announced.is_empty() => Word::Idle,
            Word::Failed | Word::Parked => Word::Intended,
            Word::Stuck => Word::Undoing,
            other => other,
        };
    }
}

fn must(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

impl Ledger {
    /// Reads a journal, and says what is wrong with it.
    pub(crate) fn of(plan: &Plan, saga: SagaId, entries: &[Entry]) -> Result<Self, String> {
        let page = Page {
            word: Word::Idle,
            announced: BTreeSet::new(),
            generation: 0,
            refused: false,
            refusals: 0,
            released: false,
        };
        let pages = vec![page; plan.len()];
        let mut ledger = Self { plan: plan.clone(), saga, pages, backward: false, outcome: None };
        let mut previous = String::new();
        for (version, entry) in (1..).zip(entries) {
            let wrong = |why: String| format!("entry {version}, {:?}: {why}", entry.event);
            must(entry.version == version, "the versions have a gap").map_err(wrong)?;
            must(entry.previous == previous, "the chain is broken").map_err(wrong)?;
            ledger.add(version, &entry.event).map_err(wrong)?;
            previous = chain(entry);
        }
        Ok(ledger)
    }

    /// What the saga is at.
    pub(crate) fn phase(&self) -> Phase {
        let any = |word| self.pages.iter().any(|page| page.word == word);
        match (self.outcome, self.backward) {
            (Some(Outcome::Succeeded), _) => Phase::Succeeded,
            (Some(Outcome::RolledBack), _) => Phase::RolledBack,
            (None, true) if any(Word::Stuck) => Phase::RollbackStuck,
            (None, true) => Phase::RollingBack,
            (None, false) if any(Word::Failed) => Phase::Failed,
            (None, false) if any(Word::Parked) => Phase::Parked,
            (None, false) => Phase::Running,
        }
    }

    pub(crate) fn stopped(&self) -> bool {
        self.pages.iter().any(Page::stopped)
    }

    /// May this call be made now?
    pub(crate) fn may_call(&self, key: &Key, at: At, given: Option<&str>) -> Result<(), String> {
        let page = &self.pages[key.0];
        if at == At::Unmake {
            must(page.word == Word::Undoing, "no journaled undo stands")?;
            must(self.plan[key.0].kind == Kind::Undo, "it is to stay")?;
            return must(self.free(key.0), "what needs it is not taken back");
        }
        must(page.word == Word::Intended, "no journaled intent stands")?;
        must(page.announced.contains(&key.1), "it was not announced")?;
        must(self.needs_satisfied(key.0), "what it needs is not there")?;
        let token = self.token(key.0, page.generation, &key.1);
        must(given == Some(&token), "its token is not that of its generation")
    }

    fn token(&self, at: usize, generation: u32, item: &str) -> String {
        token(self.saga, &crate::plan::name(at), generation, item)
    }

    fn needs_satisfied(&self, at: usize) -> bool {
        self.plan[at].needs.iter().all(|need| self.pages[*need].satisfied())
    }

    /// Is everything that needs it, directly or through others, taken back?
    fn free(&self, at: usize) -> bool {
        (at + 1..self.plan.len()).all(|later| !self.leads(later, at) || !self.pages[later].holds())
    }

    fn leads(&self, from: usize, to: usize) -> bool {
        from == to || self.plan[from].needs.iter().any(|need| self.leads(*need, to))
    }

    fn add(&mut self, version: u64, event: &Event) -> Result<(), String> {
        let created = matches!(event, Event::Created { .. });
        must(created == (version == 1), "a journal begins once")?;
        let again = matches!(event, Event::RollbackBegun { .. });
        let ended = self.outcome.is_some();
        must(!ended || (again && !self.backward), "it follows the end")?;
        match event {
            Event::Created { .. } | Event::Interrupted { .. } => Ok(()),
            Event::RollbackBegun { .. } => {
                must(!self.backward, "it goes back already")?;
                (self.backward, self.outcome) = (true, None);
                Ok(())
            }
            Event::Resumed { .. } => {
                self.pages.iter_mut().for_each(Page::again);
                Ok(())
            }
            Event::Finished { outcome } => self.finish(*outcome),
            _ => {
                let at = event.node().and_then(position).ok_or("there is no such node")?;
                must(at < self.plan.len(), "there is no such node")?;
                self.add_to_node(at, event)
            }
        }
    }

    fn finish(&mut self, outcome: Outcome) -> Result<(), String> {
        match outcome {
            Outcome::Succeeded => {
                must(!self.backward, "a rollback is no success")?;
                must(self.pages.iter().all(Page::satisfied), "not all is there")?;
            }
            Outcome::RolledBack => {
                must(self.backward, "nobody asked for a rollback")?;
                must(!self.pages.iter().any(Page::holds), "something may be left")?;
            }
        }
        self.outcome = Some(outcome);
        Ok(())
    }

    fn add_to_node(&mut self, at: usize, event: &Event) -> Result<(), String> {
        match event {
            Event::Intended { generation, token, items, .. } => {
                self.intend(at, *generation, token, items)
            }
            Event::Completed { origin, .. } => self.complete(at, *origin),
            Event::Failed { class, .. } => {
                self.stop(at, Word::Failed)?;
                let definite = matches!(class, Class::Refused | Class::Prerequisite);
                let page = &mut self.pages[at];
                page.refusals += usize::from(definite);
                page.refused = definite && !page.announced.is_empty();
                Ok(())
            }
            Event::Parked { .. } => self.stop(at, Word::Parked),
            Event::UndoIntended { .. } => {
                must(self.backward, "it goes forward")?;
                must(self.pages[at].holds(), "nothing of ours can be there")?;
                must(self.free(at), "what needs it is not taken back")?;
                self.turn(at, |word| !matches!(word, Word::Undoing | Word::Stuck), Word::Undoing)
            }
            Event::Undone { kept, .. } => {
                let keeps = self.plan[at].kind == Kind::Keep;
                must(kept.is_some() == keeps, "it says wrongly what stays")?;
                self.pages[at].released |= keeps;
                self.turn(at, |word| word == Word::Undoing, Word::Undone)
            }
            Event::Stuck { .. } => self.turn(at, |word| word == Word::Undoing, Word::Stuck),
            Event::Decided { verb, .. } => self.decide(at, *verb),
            _ => Ok(()),
        }
    }

    fn turn(&mut self, at: usize, from: fn(Word) -> bool, to: Word) -> Result<(), String> {
        must(from(self.pages[at].word), "it cannot follow")?;
        self.pages[at].word = to;
        Ok(())
    }

    fn intend(
        &mut self,
        at: usize,
        generation: u32,
        token: &str,
        items: &[String],
    ) -> Result<(), String> {
        must(!self.backward, "it goes back")?;
        must(!self.stopped(), "nothing new is begun after a stop")?;
        must(self.plan[at].kind != Kind::Gate, "it only looks")?;
        must(self.needs_satisfied(at), "what it needs is not there")?;
        must(self.pages[at].open(), "it cannot follow")?;
        let known = self.plan[at].items();
        must(!items.is_empty() && items.iter().all(|i| known.contains(i)), "unknown items")?;
        must(self.token(at, generation, &items[0]) == token, "the token is another one")?;
        let page = &mut self.pages[at];
        let new = page.generation == 0 || (page.word == Word::Idle && page.refused);
        must(generation == page.generation + u32::from(new), "the generation is another one")?;
        (page.generation, page.refused, page.word) = (generation, false, Word::Intended);
        page.announced.extend(items.iter().cloned());
        Ok(())
    }

    fn complete(&mut self, at: usize, origin: Origin) -> Result<(), String> {
        must(!self.backward, "it goes back")?;
        must(self.needs_satisfied(at), "what it needs is not there")?;
        let (node, page) = (&self.plan[at], &mut self.pages[at]);
        must(page.open(), "it cannot follow")?;
        let announced = !page.announced.is_empty();
        let right = match origin {
            Origin::Checked => node.kind == Kind::Gate,
            Origin::Made => node.kind != Kind::Gate && (announced || node.marked),
            Origin::Found => node.kind != Kind::Gate && (!announced || node.marked),
            Origin::Unneeded => false,
        };
        must(right, "the origin is another one")?;
        page.word = if origin == Origin::Made { Word::Made } else { Word::Found };
        Ok(())
    }

    fn stop(&mut self, at: usize, word: Word) -> Result<(), String> {
        must(!self.backward, "it goes back")?;
        must(self.needs_satisfied(at), "what it needs is not there")?;
        self.turn(at, |word| matches!(word, Word::Idle | Word::Intended), word)
    }

    fn decide(&mut self, at: usize, verb: Verb) -> Result<(), String> {
        let page = &mut self.pages[at];
        must(page.stopped(), "there is nothing to decide")?;
        if verb == Verb::Retry {
            page.again();
            return Ok(());
        }
        page.released = true;
        page.word = if page.word == Word::Stuck { Word::Undone } else { Word::Skipped };
        Ok(())
    }
}
