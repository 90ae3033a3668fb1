//! What the settings that count seconds mean together.

use std::time::Duration;

use super::{Config, ConfigKey, Mode, invalid};
use crate::error::Result;

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
