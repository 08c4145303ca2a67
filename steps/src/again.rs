//! Asking again: a read that met something passing is repeated before anybody hears of it.
//!
//! One look takes up to twenty requests, to the cloud or to a cluster, and starts from the
//! beginning when one of them fails: a side that turns four requests in ten away would never be
//! seen as a whole. A write is never repeated here: whether it happened is for the next look to
//! tell.

use escrr_engine::{Clock, Fault, Report, clock::SystemClock};
use std::fmt;
use std::sync::Arc;

/// The code of a fault that says: nobody answers there at all.
pub(crate) const UNREACHABLE: &str = "Unreachable";
/// The code of an answer that cannot be read.
const UNREADABLE: &str = "Unreadable";

/// The pauses before the second, third, … time that a read is tried, in milliseconds.
const PAUSES_MS: [u64; 4] = [100, 300, 900, 1_800];

/// How often a part of a large look waits for a hint.
const PARTS: usize = 12;
/// The longest hint that is waited for within a look, in milliseconds.
const LONGEST_HINT_MS: u64 = 5_000;

/// How often a read is repeated, and by which clock it waits meanwhile.
#[derive(Clone)]
pub struct Again {
    pauses_ms: [u64; PAUSES_MS.len()],
    clock: Arc<dyn Clock>,
}

impl Again {
    /// Four times more, with pauses that grow.
    ///
    /// The clock has to be one that goes on while somebody works: the wall clock or a scaled one.
    pub fn by(clock: Arc<dyn Clock>) -> Self {
        Self { pauses_ms: PAUSES_MS, clock }
    }

    /// Four times more without a pause: for a clock that jumps, which would stand still.
    pub fn at_once() -> Self {
        Self { pauses_ms: [0; PAUSES_MS.len()], clock: Arc::new(SystemClock) }
    }

    /// Reads until that succeeds, or is not to be tried again; gives the last outcome.
    pub(crate) async fn read<T, F>(&self, once: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut attempt = 0;
        loop {
            match once().await {
                Err(fault) if self.after(&fault, attempt).await => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    /// The same for one part of a look of very many requests: a hint when to come back is waited
    /// for here, since the whole would hardly ever come through.
    pub(crate) async fn part<T, F>(&self, once: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        for _ in 0..PARTS {
            match self.read(&once).await {
                Err(Fault::Transient { retry_after_ms: Some(ms), .. }) if ms <= LONGEST_HINT_MS => {
                    if self.pauses_ms.iter().any(|pause| *pause > 0) {
                        drop(self.clock.wait_until(self.clock.now_ms() + ms).await);
                    }
                }
                outcome => return outcome,
            }
        }
        self.read(once).await
    }

    /// Waits before the next attempt; false if there is to be none.
    ///
    /// A fault that will last, or says itself when to come back, is passed on at once; so is a
    /// host that cannot be reached, for that alone takes long to find out.
    async fn after(&self, fault: &Fault, attempt: usize) -> bool {
        let Fault::Transient { retry_after_ms: None, report } = fault else { return false };
        if report.code.as_deref() == Some(UNREACHABLE) {
            return false;
        }
        let Some(pause_ms) = self.pauses_ms.get(attempt) else { return false };
        if *pause_ms > 0 {
            drop(self.clock.wait_until(self.clock.now_ms() + pause_ms).await);
        }
        true
    }
}

impl Default for Again {
    fn default() -> Self {
        Self::by(Arc::new(SystemClock))
    }
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").field("pauses_ms", &self.pauses_ms).finish_non_exhaustive()
    }
}

/// An answer that is none of the service's, or none that is known.
pub(crate) fn odd(report: Report, writes: bool) -> Fault {
    let report = report
        .code(UNREADABLE)
        .meaning("what answers is not the service, such as a proxy or a page to sign in, or it has changed")
        .help(
            "See what answers at this address, then resume; if it is the service itself, report it \
             with the request id and the version of escrr.",
        );
    if writes { Fault::Unknown(report) } else { Fault::refused(report) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// How often a read is repeated that meets this every time.
    async fn attempts(fault: Fault) -> usize {
        let asked = Cell::new(0);
        let outcome: Result<(), Fault> = Again::at_once()
            .read(|| {
                asked.set(asked.get() + 1);
                std::future::ready(Err(fault.clone()))
            })
            .await;
        assert_eq!(outcome, Err(fault));
        asked.get() - 1
    }

    #[tokio::test]
    async fn only_what_passes_by_itself_and_soon_is_asked_again() {
        let report = || Report::new("GET /", "no");
        assert_eq!(attempts(Fault::transient(report())).await, PAUSES_MS.len());
        assert_eq!(attempts(Fault::transient(report().code("Unreachable"))).await, 0);
        let told = Fault::Transient { retry_after_ms: Some(1), report: report() };
        assert_eq!(attempts(told).await, 0);
        assert_eq!(attempts(Fault::refused(report())).await, 0);
        assert_eq!(attempts(Fault::Unknown(report())).await, 0);
    }

    #[tokio::test]
    async fn what_came_is_not_asked_for_again() {
        let asked = Cell::new(0);
        let read = || {
            asked.set(asked.get() + 1);
            let passing = Fault::transient(Report::new("GET /", "no"));
            std::future::ready(if asked.get() < 3 { Err(passing) } else { Ok(7) })
        };
        assert_eq!(Again::at_once().read(read).await, Ok(7));
        assert_eq!(asked.get(), 3);
    }
}
