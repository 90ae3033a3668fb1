//! The issuer's signing keys: one key, a set of them, what is known of all sets, and the cache that keeps that fresh.
//!
//! In: JWK sets, pinned by a file or fetched from Entra. Out: the keys that have a `kid`. Who verifies a token never waits for
//! a key that is known, and a set that cannot be used never replaces one that can.

mod cache;
mod ending;
mod fetch;
mod health;
mod key;
mod known;
mod life;
mod metadata;
mod ring;
mod saved;
mod set;
mod surroundings;
mod unknown;

pub(crate) use cache::KeyCache;
pub(super) use cache::Sought;
pub use health::{KeyHealth, KeyState};
pub(super) use key::{Key, RsaKey};
pub(super) use known::KnownKeys;
pub(super) use life::Moment;
pub use saved::KeyStore;
pub use set::{KeyError, KeySet, SkippedKey};
pub(crate) use surroundings::{KeyEvent, KeyNews, KeyObserver, Surroundings};
