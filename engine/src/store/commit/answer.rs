//! What those who appended are told, and how many of a batch are told at the price of few.
//!
//! To wake a task from a thread outside its runtime costs far more than from inside. So some of a
//! batch are told from outside, and the others hear of it from them.

use crate::store::StoreError;
use tokio::sync::oneshot;

/// So many hear of it through one.
const GROUP: usize = 8;

/// Who is to be told what came of an append.
pub(super) type Asker = oneshot::Sender<Answer>;

/// What came of an append, and of others in the same batch.
#[derive(Debug)]
pub(super) struct Answer {
    done: Result<(), StoreError>,
    others: Others,
}

#[derive(Debug, Default)]
struct Others(Vec<(Asker, Result<(), StoreError>)>);

impl Answer {
    /// Tells the others, and gives what came of one's own.
    pub(super) fn pass_on(self) -> Result<(), StoreError> {
        drop(self.others);
        self.done
    }
}

/// The others get their answers also when nobody waits for the one that holds them.
impl Drop for Others {
    fn drop(&mut self) {
        for (asker, done) in self.0.drain(..) {
            // Nobody waits for it any more: the entry is durable all the same.
            drop(asker.send(Answer { done, others: Self::default() }));
        }
    }
}

/// Tells all of a batch.
pub(super) fn answer_all(askers: Vec<Asker>, done: Vec<Result<(), StoreError>>) {
    let mut answers = askers.into_iter().zip(done);
    while let Some((first, done)) = answers.next() {
        let others = Others(answers.by_ref().take(GROUP - 1).collect());
        drop(first.send(Answer { done, others }));
    }
}
