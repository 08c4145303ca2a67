//! A list of parts as one item of an intent, and judging not-found answers.

use crate::aliyun::is_gone;
use escrr_engine::Fault;
use std::collections::BTreeSet;

/// Several parts that one call makes, as one item.
pub(crate) fn join(parts: &[String]) -> String {
    parts.join(",")
}

/// All parts of all items that were announced.
pub(crate) fn split(items: &BTreeSet<String>) -> BTreeSet<String> {
    items
        .iter()
        .flat_map(|item| item.split(','))
        .filter(|p| !p.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Nothing instead of a fault that says there is nothing.
pub(crate) fn if_there<T>(answer: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(thing) => Ok(Some(thing)),
        Err(fault) if is_gone(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// A call to take something back that was gone already did its work.
pub(crate) fn gone_is_fine(answer: Result<(), Fault>) -> Result<(), Fault> {
    if_there(answer).map(|_| ())
}
