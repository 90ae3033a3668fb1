//! The end of a log that no checkpoint covers: how much of it a writer leaves that is killed.
//!
//! A writer signs what is new every ten seconds, and every 10,000 records as fast as its disk takes notes.

/// Over how long a time records may stand behind the last checkpoint of a log whose writer was killed: six times what a
/// healthy one leaves, in milliseconds.
const LONGEST_MS: i64 = 60_000;
/// And how many of them: what the fastest writer brings to the disk while a slow one takes a note.
const MOST: u64 = 1_000_000;

/// Over how long a time records were written, from the last one that is signed, in milliseconds of their own clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tail {
    last: Option<i64>,
    sum: i64,
    longest: i64,
}

impl Tail {
    pub(super) fn add(&mut self, at: i64) {
        let gap = self.last.map_or(0, |last| at.saturating_sub(last)).max(0);
        self.sum = self.sum.saturating_add(gap);
        self.longest = self.longest.max(gap);
        self.last = Some(at);
    }

    /// Without the longest gap: a machine that slept, and a clock that was set, are no sign of anything.
    const fn span(self) -> i64 {
        self.sum.saturating_sub(self.longest)
    }

    /// Whether so many records over that time are more than a killed writer leaves.
    pub(super) const fn is_too_long(self, records: u64) -> bool {
        self.span() > LONGEST_MS || records > MOST
    }
}
