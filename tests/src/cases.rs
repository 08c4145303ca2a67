//! Runs the cases of a law, a few at a time, and what every case ends with.

use crate::bench::{Bench, Error};
use crate::tape::{Clean, origins, shape, stops};
use escrr_engine::{Ending, Phase};

/// How many cases run side by side.
const SIDE_BY_SIDE: usize = 4;

/// Runs a case for every job; fails with all that failed. Gives how many there were.
pub async fn all<J, C, F>(jobs: impl IntoIterator<Item = J>, case: C) -> Result<usize, Error>
where
    J: Send + 'static,
    C: Fn(J) -> F,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let (mut running, mut failed, mut count) = (tokio::task::JoinSet::new(), Vec::new(), 0);
    let mut jobs = jobs.into_iter();
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(job) = jobs.next()
        {
            count += 1;
            running.spawn(case(job));
        }
        match running.join_next().await {
            None => break,
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => failed.push(error.to_string()),
            Some(Err(error)) => failed.push(error.to_string()),
        }
    }
    if failed.is_empty() {
        return Ok(count);
    }
    Err(format!("{} of {count} cases failed:\n{}", failed.len(), failed.join("\n")).into())
}

impl Bench {
    /// Fails unless the run ended as the clean one did: the same world, made by the same nodes.
    pub async fn ended_as(&self, clean: &Clean, ending: &Ending, case: &str) -> Result<(), Error> {
        if ending.saga.phase() != Phase::Succeeded {
            return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(ending)).into());
        }
        let differs = differences(&clean.shape, &shape(&self.inventory().await?));
        if !differs.is_empty() {
            return Err(format!("{case}: another world than the clean one: {differs:?}").into());
        }
        let differs = differences(&clean.origins, &origins(ending));
        if clean.origins != origins(ending) {
            return Err(format!("{case}: made by others than in the clean run: {differs:?}").into());
        }
        Ok(())
    }

    /// Fails unless everything is as it was before, to the id.
    pub async fn as_before(&self, clean: &Clean, ending: &Ending, case: &str) -> Result<(), Error> {
        if ending.saga.phase() != Phase::RolledBack {
            return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(ending)).into());
        }
        let rows = |value: &serde_json::Value| {
            value.as_array().into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>()
        };
        let differs = differences(&rows(&clean.before), &rows(&self.inventory().await?));
        if !differs.is_empty() {
            return Err(format!("{case}: not as before: {differs:?}").into());
        }
        Ok(())
    }
}

/// What one list has and the other has not, with a sign before it.
pub fn differences(wanted: &[String], found: &[String]) -> Vec<String> {
    let mut left = found.to_vec();
    let mut differs = Vec::new();
    for row in wanted {
        match left.iter().position(|other| other == row) {
            Some(at) => drop(left.remove(at)),
            None => differs.push(format!("-{row}")),
        }
    }
    differs.extend(left.into_iter().map(|row| format!("+{row}")));
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_twice_is_told() {
        let rows = |all: &[&str]| all.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
        assert!(differences(&rows(&["a", "b"]), &rows(&["b", "a"])).is_empty());
        assert_eq!(differences(&rows(&["a", "b"]), &rows(&["a", "a"])), ["-b", "+a"]);
    }
}
