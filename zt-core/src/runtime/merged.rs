//! Which statements of executors are in the log already.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use zt_memory::fork::Local;

/// So many are remembered; then the oldest is forgotten.
const MOST: usize = 65_536;

/// The chains that were merged. A forked child begins with none, as its log does.
#[derive(Debug, Default)]
pub(crate) struct Merges(Local<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Merges {
    /// Whether this chain was not seen before; now it is.
    pub(crate) fn is_new(&self, chain: &str) -> bool {
        let seen = self.0.get_or_init(Mutex::default);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.known.insert(chain.to_owned()) {
            return false;
        }
        seen.order.push_back(chain.to_owned());
        if seen.order.len() > MOST
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.known.remove(&oldest);
        }
        true
    }
}
