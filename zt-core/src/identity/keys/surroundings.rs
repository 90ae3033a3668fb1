//! What the cache of keys needs of the world, and what it tells.

use std::fmt;
use std::sync::Arc;

use super::super::caller::TokenVersion;
use super::saved::KeyStore;
use crate::clock::Clock;
use crate::id::Guid;
use crate::network::HttpClient;
use crate::port::Spawn;

/// What the cache needs of the world.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) spawn: Arc<dyn Spawn>,
    pub(crate) store: Option<Arc<dyn KeyStore>>,
    pub(crate) observer: Arc<dyn KeyObserver>,
}

/// Is told what happens to the keys, for log and alarm.
pub(crate) trait KeyObserver: Send + Sync + fmt::Debug {
    /// Something happened.
    fn observe(&self, event: &KeyEvent);
}

/// What happens to the keys of one tenant and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyEvent {
    pub(crate) tenant: Guid,
    pub(crate) version: TokenVersion,
    pub(crate) what: KeyNews,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyNews {
    /// Keys came or went, by their `kid`.
    Changed {
        added: Vec<Arc<str>>,
        dropped: Vec<Arc<str>>,
    },
    /// The first failure after a success; the known keys serve on.
    Failing { error: String },
    /// The first success after failures.
    Recovered,
}
