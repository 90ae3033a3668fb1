//! Whether what proved a caller still stands: sessions live as long as their token, and keys may go before.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::Timestamp;

use super::authenticator::Authenticator;
use super::caller::Caller;
use super::error::{AuthError, quote};
use super::keys::Moment;

impl Authenticator {
    /// Changes when keys are gone or pinned anew: while it is the same, what a session has looked up still holds.
    pub(crate) fn stamp(&self) -> u64 {
        u64::from(self.number()) << 32 | (self.known().generation() & 0xffff_ffff)
    }

    /// Whether the key that proved a caller is too old by now: one comparison, for every decision.
    pub(crate) fn refuse_aged(&self, caller: &Caller) -> Result<(), AuthError> {
        match caller.signer() {
            // Keys that are pinned without an end do not age: no clock is asked.
            Some(signer) if self.keys_age() => self.refuse_old(Some(signer), self.now()),
            Some(_) | None => Ok(()),
        }
    }

    /// The same for clocks that were read a moment ago: too old at `latest` or at `tick` is too old.
    pub(crate) fn is_aged_at(&self, caller: &Caller, latest: Timestamp, tick: Duration) -> bool {
        self.keys_age()
            && caller.signer().is_some_and(|signer| {
                let by_then = Moment::at(tick, latest);
                self.refuse_old(Some(signer), by_then).is_err()
            })
    }

    /// Whether the key that proved a caller is still one of the issuer's, and may still sign for them.
    pub(crate) fn refuse_withdrawn(&self, caller: &Caller) -> Result<(), AuthError> {
        let (Some(signer), Some(token)) = (caller.signer(), caller.token()) else {
            return Ok(());
        };
        let known = self.known();
        let mut named = known.find(&token.kid).iter();
        let stands = |key: &&std::sync::Arc<super::keys::Key>| {
            key.is_same(signer) && key.may_sign(caller.tenant(), token.ver)
        };
        match named.any(|key| stands(&key)) {
            true => Ok(()),
            false => Err(AuthError::UnknownKey {
                kid: quote(&token.kid),
            }),
        }
    }
}

/// A number that no other authenticator of this process has.
pub(super) fn next_number() -> u32 {
    static NUMBERS: AtomicU32 = AtomicU32::new(1);
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}
