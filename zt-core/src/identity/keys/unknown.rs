//! Tokens that name a key nobody knows: who sends them must not decide how often we ask the issuer.

use std::collections::VecDeque;
use std::time::Duration;

/// The ids that a good fetch did not have, and the fetches that unknown ids have cost.
#[derive(Debug, Default)]
pub(super) struct UnknownKids {
    /// Ids and until when they count as unknown, oldest first.
    known_unknown: VecDeque<(Box<str>, Duration)>,
    fetches: VecDeque<Duration>,
}

impl UnknownKids {
    /// Whether a good fetch lately did not have this id.
    pub(super) fn contains(&self, kid: &str, now: Duration) -> bool {
        let found = self.known_unknown.iter().find(|(own, _)| **own == *kid);
        found.is_some_and(|(_, until)| now < *until)
    }

    /// A good fetch did not have this id.
    pub(super) fn remember(&mut self, kid: &str, now: Duration) {
        self.known_unknown
            .retain(|(own, until)| now < *until && **own != *kid);
        if self.known_unknown.len() >= MOST_KIDS {
            self.known_unknown.pop_front();
        }
        let until = now.saturating_add(REMEMBERED);
        self.known_unknown.push_back((Box::from(kid), until));
    }

    /// When the next fetch for an unknown id may start; `last` is when the last fetch of any kind did.
    pub(super) fn next_fetch(&mut self, last: Option<Duration>, now: Duration) -> Duration {
        let hour_ago = now.checked_sub(HOUR);
        while let (Some(oldest), Some(hour_ago)) = (self.fetches.front(), hour_ago)
            && *oldest <= hour_ago
        {
            self.fetches.pop_front();
        }
        let gap = match self.fetches.len() {
            0..QUICK => GAP,
            _ => LONG_GAP,
        };
        let by_gap = last.map_or(now, |last| last.saturating_add(gap));
        let by_hour = match self.fetches.front() {
            Some(oldest) if self.fetches.len() >= MOST_AN_HOUR => oldest.saturating_add(HOUR),
            Some(_) | None => now,
        };
        by_gap.max(by_hour)
    }

    /// A fetch for an unknown id starts.
    pub(super) fn start(&mut self, now: Duration) {
        self.fetches.push_back(now);
    }
}

/// The shortest time between a fetch and one for an unknown id.
pub(super) const GAP: Duration = Duration::from_secs(30);
/// So many an hour may be that close; then strangers are at work, and something is left for a key that is really new.
const QUICK: usize = 4;
const LONG_GAP: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);
const MOST_AN_HOUR: usize = 12;
const MOST_KIDS: usize = 256;
const REMEMBERED: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn fetches_are_thirty_seconds_apart_and_twelve_an_hour() {
        let mut kids = UnknownKids::default();
        let (mut now, mut last, mut starts) = (s(0), None, Vec::new());
        while now < s(7200) {
            if kids.next_fetch(last, now) <= now {
                kids.start(now);
                last = Some(now);
                starts.push(now);
            }
            now += s(1);
        }
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= GAP));
        for at in &starts {
            let within = starts
                .iter()
                .filter(|start| **start >= *at && **start < *at + HOUR);
            assert!(within.count() <= MOST_AN_HOUR);
        }
        assert_eq!(starts.len(), 2 * MOST_AN_HOUR);
        // Not all at once: at no time is there none for longer than five minutes, but for the last ones of an hour.
        let long = starts
            .windows(2)
            .filter(|pair| pair[1] - pair[0] > LONG_GAP);
        assert!(long.count() <= 2);
    }

    #[test]
    fn ids_are_forgotten_after_five_minutes_and_when_there_are_too_many() {
        let mut kids = UnknownKids::default();
        kids.remember("a", s(0));
        assert!(kids.contains("a", s(299)) && !kids.contains("a", s(300)));
        for n in 0..1000 {
            kids.remember(&n.to_string(), s(1));
        }
        assert!(kids.known_unknown.len() <= MOST_KIDS);
        assert!(kids.contains("999", s(2)) && !kids.contains("a", s(2)));
    }
}
