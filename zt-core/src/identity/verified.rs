//! Tokens that were verified a short time ago: the second look at the same bytes costs a hash instead of a signature.
//!
//! In: all bytes of a token. Out: the caller that they proved, unless time, keys or configuration have moved on. No token is
//! kept: the key is a 256-bit tag of every byte under a key that is drawn for each cache, so who chooses tokens can neither
//! plan a collision nor learn a tag. Only accepted tokens are kept; canonical base64url gives each exactly one spelling.
//! Never: what changes without the token, such as revocation or groups; sessions look that up each time.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::rand;
use highway::{HighwayHash as _, HighwayHasher, Key as HashKey};
use moka::sync::Cache;
use zt_memory::fork::Local;

use super::caller::Caller;
use super::keys::Moment;

/// See the module.
pub(super) struct VerifiedTokens {
    key: HashKey,
    /// Of this process: a forked child verifies anew, and waits for no thread of its parent.
    cache: Local<Cache<[u64; 4], Verified>>,
    keep: Duration,
}

#[derive(Clone)]
struct Verified {
    caller: Caller,
    /// By the tick, so that a wall clock set back keeps nothing alive.
    until: Duration,
    generation: u64,
}

impl VerifiedTokens {
    /// An empty cache of at most 64 Ki callers and about 32 MiB; `None` if the system gives no random bytes, without which it
    /// would not be safe.
    pub(super) fn new(keep: Duration) -> Option<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).ok()?;
        let mut words = [0; 4];
        for (word, eight) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(eight.try_into().ok()?);
        }
        Some(Self {
            key: HashKey(words),
            cache: Local::new(),
            keep,
        })
    }

    /// The caller that these bytes proved, under this generation of keys.
    pub(super) fn get(&self, token: &str, generation: u64, now: Moment) -> Option<Caller> {
        let tag = self.tag(token);
        let kept = self.cache().get(&tag)?;
        if kept.generation == generation && now.tick() < kept.until {
            return Some(kept.caller);
        }
        self.cache().invalidate(&tag);
        None
    }

    /// Keeps a caller, no longer than its token lives.
    pub(super) fn put(
        &self,
        token: &str,
        caller: &Caller,
        generation: u64,
        now: Moment,
        left: Duration,
    ) {
        let kept = Verified {
            caller: caller.clone(),
            until: now.tick().saturating_add(left.min(self.keep)),
            generation,
        };
        self.cache().insert(self.tag(token), kept);
    }

    fn cache(&self) -> &Cache<[u64; 4], Verified> {
        self.cache.get_or_init(|| {
            let weight = |_: &[u64; 4], kept: &Verified| {
                let bytes = kept.caller.size().max(LEAST_WEIGHT);
                u32::try_from(bytes).unwrap_or(u32::MAX)
            };
            let cache = Cache::builder().max_capacity(MOST_BYTES).weigher(weight);
            cache.build()
        })
    }

    fn tag(&self, token: &str) -> [u64; 4] {
        HighwayHasher::new(self.key).hash256(token.as_bytes())
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens")
            .field("callers", &self.cache().entry_count())
            .finish_non_exhaustive()
    }
}

/// How long a caller is kept at most.
pub(super) const KEEP: Duration = Duration::from_secs(300);
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// With this the limit in bytes is one on the number too.
const LEAST_WEIGHT: usize = 512;
