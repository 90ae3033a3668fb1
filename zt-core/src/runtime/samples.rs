//! Which of many refused tokens are recorded in full: anybody can send those, so they must not fill the disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zt_memory::fork::Local;

/// So many a second in full; the others are counted by their code.
const MOST: u32 = 8;

/// Counts within the current second.
#[derive(Debug, Default)]
pub(crate) struct Samples(Local<Mutex<(u64, u32)>>);

impl Samples {
    /// Whether this one is among the first of its second.
    pub(super) fn takes(&self, now: Duration) -> bool {
        let mut current = self
            .0
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if current.0 != now.as_secs() {
            *current = (now.as_secs(), 0);
        }
        current.1 = current.1.saturating_add(1);
        current.1 <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_a_second_are_taken() {
        let samples = Samples::default();
        let taken = |now| {
            (0..100)
                .filter(|_| samples.takes(Duration::from_secs(now)))
                .count()
        };
        assert_eq!((taken(1), taken(2)), (8, 8));
    }
}
