//! Turns that are under way, and what those brought back that never had to wait.

use crate::task::Seeing;
use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use tokio::task::JoinSet;

/// The turns of one saga.
#[derive(Default)]
pub(crate) struct Flights {
    under_way: JoinSet<Seeing>,
    landed: VecDeque<Seeing>,
    nodes: BTreeSet<usize>,
}

impl Flights {
    /// Begins a node's turn: it runs here until it first waits, and then as a task of its own.
    ///
    /// A turn that panics brings nothing back, here as there.
    pub(crate) async fn begin(
        &mut self,
        node: usize,
        turn: impl Future<Output = Seeing> + Send + 'static,
    ) {
        self.nodes.insert(node);
        let mut turn = Box::pin(turn);
        let first = poll_fn(|cx| {
            Poll::Ready(catch_unwind(AssertUnwindSafe(|| turn.as_mut().poll(cx))).ok())
        });
        match first.await {
            Some(Poll::Ready(seeing)) => self.landed.push_back(seeing),
            Some(Poll::Pending) => drop(self.under_way.spawn(turn)),
            None => {}
        }
    }

    /// Is a turn of this node under way, or its result not yet dealt with?
    pub(crate) fn has(&self, node: usize) -> bool {
        self.nodes.contains(&node)
    }

    /// Does no turn run, and is every result dealt with?
    pub(crate) fn are_over(&self) -> bool {
        self.under_way.is_empty() && self.landed.is_empty()
    }

    /// A result that is there already.
    pub(crate) fn landed(&mut self) -> Option<Seeing> {
        let seeing = self.landed.pop_front()?;
        self.nodes.remove(&seeing.node);
        Some(seeing)
    }

    /// Waits for the next turn to end; for ever if none is under way.
    pub(crate) async fn next(&mut self) -> Option<Seeing> {
        if self.under_way.is_empty() {
            return std::future::pending().await;
        }
        let seeing = self.under_way.join_next().await.and_then(Result::ok)?;
        self.nodes.remove(&seeing.node);
        Some(seeing)
    }
}
