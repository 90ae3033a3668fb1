//! How the issuer's keys are, for probes and for the engineer on call.

use std::fmt;
use std::time::Duration;

use crate::id::Guid;

use super::super::caller::TokenVersion;

/// How the keys of one tenant and token format are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The tenant.
    pub tenant: Guid,
    /// The format that they sign.
    pub version: TokenVersion,
    /// Whether they can be used.
    pub state: KeyState,
    /// How many there are.
    pub keys: usize,
    /// The time since the last good fetch; `None` before the first, and for pinned keys.
    pub age: Option<Duration>,
    /// When the next fetch starts.
    pub next_refresh: Duration,
    /// Failed fetches since the last good one.
    pub failures: u32,
    /// Why the last fetch failed.
    pub error: Option<String>,
}

/// Whether keys can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// Nothing was fetched yet: tokens cannot be verified.
    Empty,
    /// Fetched within the hour.
    Fresh,
    /// Older, since fetches fail; used for 24 hours.
    Stale,
    /// Too old: tokens cannot be verified.
    Expired,
    /// From a file that the operator keeps.
    Pinned,
}

impl KeyState {
    /// Whether tokens can be verified.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        match self {
            Self::Fresh | Self::Stale | Self::Pinned => true,
            Self::Empty | Self::Expired => false,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Pinned => "pinned",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
