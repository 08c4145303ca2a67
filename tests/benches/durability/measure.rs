//! Time, medians, and the two streams.

use std::time::{Duration, Instant};

/// Now. The bench measures real time; nothing else in the project does.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time, in this one place")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long something takes.
pub(crate) fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let done = what();
    (done, begun.elapsed())
}

/// The value in the middle; nothing of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Microseconds.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// How many in a second.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// The result.
#[expect(clippy::print_stdout, reason = "the table is what the bench is for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// How far it is, and what went wrong.
#[expect(clippy::print_stderr, reason = "who waits wants to know for what")]
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}
