//! The port for time: wall clock for what dates say, a monotonic tick for what a TTL says.
//!
//! Nothing in zt asks the operating system for the time anywhere else, so that tests own the clock.

pub(crate) mod civil;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z. Prints as RFC 3339 with milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch (the `NumericDate` of RFC 7519); saturates.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment later by `duration`; saturates.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = civil::text(self.0);
        if let Some(text) = text
            .as_ref()
            .and_then(|text| std::str::from_utf8(text).ok())
        {
            return f.write_str(text);
        }
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a moment as RFC 3339 writes it, to the millisecond, such as `2026-10-01T08:00:00Z`"
)]
#[non_exhaustive]
pub struct NotATimestamp;

/// Reads RFC 3339: date, `T`, time, and `Z` or an offset. Finer than milliseconds is refused, not cut.
///
/// ```
/// use zt_core::clock::Timestamp;
///
/// let noon: Timestamp = "2026-10-01T14:00:00+02:00".parse()?;
/// assert_eq!(noon.to_string(), "2026-10-01T12:00:00.000Z");
/// # Ok::<(), zt_core::clock::NotATimestamp>(())
/// ```
impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        // RFC 3339 section 5.6: `full-date "T" full-time`. The calendar itself is read by jiff, which also takes more.
        let shape = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            0..=18 => byte.is_ascii_digit(),
            _ => byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'+' | b'-' | b'Z'),
        };
        let offset = text
            .get(19..)
            .and_then(|rest| rest.get(rest.find(['Z', '+', '-'])?..));
        if !text.bytes().enumerate().all(shape) || !offset.is_some_and(|o| o == "Z" || o.len() == 6)
        {
            return Err(NotATimestamp);
        }
        let at: jiff::Timestamp = text.parse().map_err(|_| NotATimestamp)?;
        if at.subsec_nanosecond() % 1_000_000 != 0 {
            return Err(NotATimestamp);
        }
        Ok(Self(at.as_millisecond()))
    }
}

/// Where time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock: for `exp`, `nbf` and the audit log. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since this clock was made; never runs backwards. For every TTL.
    fn elapsed(&self) -> Duration;

    /// The same, at most a few milliseconds behind, for hot paths: never ahead of [`elapsed`](Self::elapsed).
    fn tick(&self) -> Duration {
        self.elapsed()
    }

    /// The wall clock of a moment ago, for hot paths: never ahead of [`now`](Self::now), and behind it by [`LAG`] at most.
    fn lately(&self) -> Timestamp {
        self.now()
    }
}

/// How far [`Clock::lately`] may be behind: some timer interrupts.
pub const LAG: Duration = Duration::from_millis(50);

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    #[cfg(target_os = "linux")]
    coarse: coarse::Start,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            #[cfg(target_os = "linux")]
            coarse: coarse::Start::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
        let now = SystemTime::now();
        let millis = match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp(millis)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn tick(&self) -> Duration {
        self.coarse.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn lately(&self) -> Timestamp {
        coarse::now()
    }
}

/// `CLOCK_MONOTONIC_COARSE` and `CLOCK_REALTIME_COARSE` (clock_gettime(2)): the time of the last timer interrupt, a third of
/// the price. No thread of ours keeps it, so it goes on in a forked child too.
#[cfg(target_os = "linux")]
mod coarse {
    use std::time::Duration;

    use rustix::time::{ClockId, Timespec, clock_gettime};

    use super::Timestamp;

    pub(super) fn now() -> Timestamp {
        let at = clock_gettime(ClockId::RealtimeCoarse);
        // Nanoseconds count upwards from the second, also before 1970.
        let millis = at.tv_sec.saturating_mul(1000);
        Timestamp::from_millis(millis.saturating_add(at.tv_nsec / 1_000_000))
    }

    #[derive(Debug)]
    pub(super) struct Start(Duration);

    impl Start {
        /// The exact time, which the coarse one is behind: so what passed is never told as more than it is.
        pub(super) fn now() -> Self {
            Self(since_boot(clock_gettime(ClockId::Monotonic)))
        }

        pub(super) fn elapsed(&self) -> Duration {
            since_boot(clock_gettime(ClockId::MonotonicCoarse)).saturating_sub(self.0)
        }
    }

    fn since_boot(at: Timespec) -> Duration {
        let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(at.tv_nsec).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_rfc_3339() {
        assert_eq!(
            Timestamp::from_secs(1_790_000_000).to_string(),
            "2026-09-21T14:13:20.000Z"
        );
        assert_eq!(
            Timestamp::from_millis(-1).to_string(),
            "1969-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn reads_what_it_prints_and_nothing_looser() {
        for millis in [0, -1, 1_790_000_000_123, -62_000_000_000_000] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(at.to_string().parse(), Ok(at));
        }
        for wrong in [
            "",
            "2026-10-01",
            "2026-10-01T08:00:00",
            "2026-10-01 08:00:00Z",
            "2026-10-01T08:00Z",
            "2026-13-01T08:00:00Z",
            "2026-10-01T08:00:00.0001Z",
            "2026-10-01T08:00:00+02",
            "2026-10-01T08:00:00Z[UTC]",
            "2026-10-01T08:00:00Zé",
        ] {
            assert_eq!(wrong.parse::<Timestamp>(), Err(NotATimestamp), "{wrong}");
        }
    }

    #[test]
    fn the_cheap_clock_is_never_ahead_and_never_far_behind() {
        let clock = SystemClock::new();
        for _ in 0..1000 {
            let tick = clock.tick();
            assert!(tick <= clock.elapsed());
        }
        let before = clock.elapsed();
        while clock.tick() < before {
            std::thread::yield_now();
        }
        for _ in 0..1000 {
            let lately = clock.lately();
            assert!(lately <= clock.now());
        }
        let before = clock.now();
        while clock.lately() < before {
            std::thread::yield_now();
        }
    }

    #[test]
    fn prints_what_no_calendar_holds() {
        assert_eq!(
            Timestamp::from_millis(i64::MAX).to_string(),
            format!("{} ms", i64::MAX)
        );
    }
}
