//! When a sink is tried again: 1, 2, 4 … 60 s after failures in a row, of which between a half and all is waited, so that many
//! processes do not come back at once; 300 s where somebody has to change something; never before the sink asked for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::super::sink::SinkError;
use super::trouble::Trouble;

/// The longest pause after failures that pass by themselves.
const LONGEST: Duration = Duration::from_secs(60);
/// The pause after a refusal.
const SELDOM: Duration = Duration::from_secs(300);
/// The longest pause that a sink may ask for.
const LONGEST_TOLD: Duration = Duration::from_secs(3600);

/// How often a sink failed in a row.
#[derive(Debug)]
pub(super) struct Pause {
    salt: u64,
    failures: u32,
}

impl Pause {
    pub(super) fn of(writer: &str, sink: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (writer, sink).hash(&mut hasher);
        Self {
            salt: hasher.finish(),
            failures: 0,
        }
    }

    /// It works again.
    pub(super) const fn over(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after this.
    pub(super) fn after(&mut self, trouble: &Trouble) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let doubled = 1_u64
            .checked_shl(self.failures.saturating_sub(1))
            .map_or(LONGEST, Duration::from_secs)
            .min(LONGEST);
        let (own, told) = match trouble {
            Trouble::Sink(SinkError::Unavailable { retry_in, .. }) => (doubled, *retry_in),
            Trouble::Sink(SinkError::Refused { .. } | SinkError::Conflict { .. }) => (SELDOM, None),
            Trouble::Log(_) | Trouble::Place(_) => (doubled, None),
        };
        let told = told.unwrap_or_default().min(LONGEST_TOLD);
        let half = own / 2;
        // What the sink asked for is waited whole, and the spread comes on top.
        told.max(half).saturating_add(self.share(half))
    }

    fn share(&self, whole: Duration) -> Duration {
        let mut hasher = DefaultHasher::new();
        (self.salt, self.failures).hash(&mut hasher);
        let share = u32::try_from(hasher.finish() & 0x3ff).unwrap_or(0);
        whole.saturating_mul(share) / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(retry_in: Option<u64>) -> Trouble {
        SinkError::unavailable_for("down", retry_in.map(Duration::from_secs)).into()
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_start_anew() {
        let mut pause = Pause::of("writer", "sink");
        for most in [1, 2, 4, 8, 16, 32, 60, 60] {
            let (most, wait) = (Duration::from_secs(most), pause.after(&down(None)));
            assert!(wait >= most / 2 && wait <= most, "{wait:?} of {most:?}");
        }
        for _ in 0..100 {
            assert!(pause.after(&down(None)) <= LONGEST);
        }
        pause.over();
        assert!(pause.after(&down(None)) <= Duration::from_secs(1));
    }

    #[test]
    fn what_the_sink_asks_for_is_waited_whole_and_at_most_an_hour() {
        let mut pause = Pause::of("writer", "sink");
        assert!(pause.after(&down(Some(90))) >= Duration::from_secs(90));
        let hour = Duration::from_secs(3600);
        assert!(pause.after(&down(Some(u64::MAX))) <= hour + LONGEST);
    }

    #[test]
    fn a_refusal_is_tried_again_seldom() {
        let mut pause = Pause::of("writer", "sink");
        let wait = pause.after(&SinkError::refused("no right").into());
        assert!(wait >= SELDOM / 2 && wait <= SELDOM);
    }
}
