//! When a slot refreshes and when it tries again, so that a thousand slots in a thousand processes do not do so at once.
//!
//! Deterministic: made of the slot's key and the process's salt, drawn once. Refresh at 75 to 90 % of the lifetime; after a
//! failure 1, 2, 4, 8, 16, 32, 60 s, of which between a half and all is waited (Microsoft Learn, "Azure Key Vault throttling
//! guidance", names the schedule up to 16 s).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::SlotKey;

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(60);

/// The longest pause that a vault may ask for before one slot tries again.
pub(super) const LONGEST_TOLD: Duration = Duration::from_secs(300);

/// The place of one slot among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread(u64);

impl Spread {
    pub(super) fn of(key: &SlotKey, salt: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (salt, key).hash(&mut hasher);
        Self(hasher.finish())
    }

    /// At which age a value of this lifetime is fetched anew.
    pub(super) fn refresh_after(self, lifetime: Duration) -> Duration {
        let (three_quarters, spread) = (
            lifetime.saturating_mul(3) / 4,
            lifetime.saturating_mul(3) / 20,
        );
        three_quarters.saturating_add(part(spread, self.0))
    }

    /// How long to wait after so many failures in a row.
    pub(super) fn pause(self, failures: u32) -> Duration {
        let doubled = 1u64
            .checked_shl(failures.saturating_sub(1))
            .map_or(LONGEST, Duration::from_secs);
        let half = doubled.min(LONGEST) / 2;
        let mut hasher = DefaultHasher::new();
        (self.0, failures).hash(&mut hasher);
        half.saturating_add(part(half, hasher.finish()))
    }
}

/// A share of `whole` that the bits choose, to the 1/1024.
fn part(whole: Duration, bits: u64) -> Duration {
    let share = u32::try_from(bits & 0x3ff).unwrap_or(0);
    whole.saturating_mul(share) / 1024
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_refresh_comes_in_the_last_quarter_and_before_the_last_tenth(bits: u64, secs in 1u64..90_000) {
            let lifetime = Duration::from_secs(secs);
            let at = Spread(bits).refresh_after(lifetime);
            prop_assert!(at >= lifetime * 3 / 4 && at <= lifetime * 9 / 10);
        }

        #[test]
        fn a_pause_doubles_up_to_a_minute_and_is_never_less_than_half(bits: u64, failures in 1u32..100) {
            let pause = Spread(bits).pause(failures);
            let most = Duration::from_secs(1 << (failures - 1).min(6)).min(LONGEST);
            prop_assert!(pause >= most / 2 && pause <= most);
        }
    }
}
