//! How many refusals of one caller may wait for the disk: a flood of different questions is not a flood of syncs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zt_memory::fork::Local;

use crate::error::{Code, Error, Result};
use crate::id::Guid;

/// The span that is counted.
const SPAN: Duration = Duration::from_secs(10);
/// So many different refusals of one caller are recorded durably in a span; the next ones get no answer but "later".
const MOST: u32 = 1000;
/// So many callers are counted at once; beyond, counting starts anew.
const CALLERS: usize = 4096;

/// Counts by the caller's tenant and object id, so that signing in again gains nothing.
#[derive(Debug, Default)]
pub(crate) struct Budget(Local<Mutex<Callers>>);

/// When the span of a caller began, and what was spent in it.
type Callers = HashMap<(Guid, Guid), (Duration, u32)>;

impl Budget {
    /// Takes one refusal out of the caller's budget.
    pub(crate) fn spend(&self, caller: (Guid, Guid), now: Duration) -> Result<()> {
        let mut callers = self
            .0
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= CALLERS && !callers.contains_key(&caller) {
            callers.clear();
        }
        let (began, spent) = callers.entry(caller).or_insert((now, 0));
        if now.saturating_sub(*began) >= SPAN {
            (*began, *spent) = (now, 0);
        }
        if *spent >= MOST {
            let left = SPAN.saturating_sub(now.saturating_sub(*began));
            let message = format!(
                "more than {MOST} different refusals in {} s",
                SPAN.as_secs()
            );
            return Err(Error::new(Code::AuditUnavailable, message)
                .with_help("ask less often, and only what a policy may allow")
                .with_retry_in(left));
        }
        *spent += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_different_refusals_ends_in_later_and_spares_other_callers() {
        let budget = Budget::default();
        let home = Guid::from_u128(9);
        let (one, other) = ((home, Guid::from_u128(1)), (home, Guid::from_u128(2)));
        let now = Duration::from_secs(5);
        for _ in 0..MOST {
            budget.spend(one, now).unwrap();
        }
        assert!(budget.spend(one, now).unwrap_err().is_transient());
        budget.spend(other, now).unwrap();
        budget.spend(one, now + SPAN).unwrap();
    }
}
