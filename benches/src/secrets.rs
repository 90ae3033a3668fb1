//! Secrets: a hit beside other caches, a miss over loopback, the first secret of a process, and how soon a revocation counts.

mod contest;
mod hit;
mod miss;
mod peers;
mod shelf;
mod start;

use std::fmt::Write as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::Outcome;
use crate::harness::Effort;
use crate::report::time;

/// All tables of this section.
pub fn markdown(effort: Effort) -> Outcome<String> {
    let mut text = hit::markdown(effort)?;
    text.push_str(&miss::markdown(effort)?);
    text.push_str(&start::markdown(effort)?);
    Ok(text)
}

/// The answer of a future that waits for nothing, polled once: no executor is measured. None if it would wait.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// One line of a table of single runs.
fn line(text: &mut String, what: &str, mut times: Vec<Duration>) {
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let least = times.first().copied().unwrap_or_default();
    let _ = writeln!(text, "| {what} | {} | {} |", time(median), time(least));
}
