//! Settings that count seconds: whole numbers, in the file bare or as text, in the environment as text.

use std::time::Duration;

use toml::de::DeValue;

use super::{Config, ConfigKey, Mode, invalid};
use crate::error::Result;

/// A year: longer means never, and never is written by leaving the setting out.
const MOST_S: u64 = 31_536_000;

/// What is wrong with any other value.
pub(super) const EXPECTED: &str = "expected whole seconds from 1 to 31536000";

/// The one text of a count of seconds, so that `60`, `"60"` and the environment's `60` are the same value.
pub(super) fn read(text: &str) -> Option<String> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    let seconds: u64 = text.parse().ok().filter(|_| is_number)?;
    (1..=MOST_S).contains(&seconds).then(|| seconds.to_string())
}

/// The text of a value that may be a count of seconds.
pub(super) fn of_file(value: &DeValue<'_>) -> Option<String> {
    if let Some(text) = value.as_str() {
        return read(text);
    }
    let number = value.as_integer()?;
    let seconds = u64::from_str_radix(number.as_str(), number.radix()).ok()?;
    read(&seconds.to_string())
}

impl Config {
    /// After how long without a successful look at the tables every decision is refused; `None` means never.
    #[must_use]
    pub fn max_staleness(&self) -> Option<Duration> {
        self.seconds(ConfigKey::MetadataMaxStaleness)
    }

    /// How often the tables are looked at for a change: as set, else a third of [`max_staleness`](Self::max_staleness) but at
    /// least a second; `None` means only when told to reload.
    #[must_use]
    pub fn watch_every(&self) -> Option<Duration> {
        self.seconds(ConfigKey::MetadataWatch).or_else(|| {
            let third = self.max_staleness()?.as_secs() / 3;
            Some(Duration::from_secs(third.max(1)))
        })
    }

    /// Looking less often than the limit would refuse every decision between two looks.
    pub(super) fn check_watch(&self) -> Result<()> {
        let limit = self.max_staleness();
        match (self.seconds(ConfigKey::MetadataWatch), limit) {
            (Some(watch), Some(limit)) if watch >= limit => {
                let reason = format!("must be less than `{}`", ConfigKey::MetadataMaxStaleness);
                Err(invalid(ConfigKey::MetadataWatch, &reason))
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    /// Whether a watch added from outside would look less often than a production file means.
    pub(super) fn is_slower_than_file(&self, watch: &str) -> bool {
        let added = watch.parse().map(Duration::from_secs).ok();
        self.mode() == Mode::Production && self.watch_of_file.is_some_and(|file| added > Some(file))
    }

    pub(in crate::runtime) fn seconds(&self, key: ConfigKey) -> Option<Duration> {
        let seconds = self.value(key)?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_seconds_of_at_most_a_year_are_a_count() {
        assert_eq!(read("060").as_deref(), Some("60"));
        assert_eq!(read("31536000").as_deref(), Some("31536000"));
        for wrong in [
            "",
            "0",
            "-1",
            "+1",
            "1.5",
            "60s",
            " 60",
            "31536001",
            "99999999999999999999",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
