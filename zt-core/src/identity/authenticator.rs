//! The door: a token in, a caller or a reason out. Synchronous and without I/O, but for a key that is not known yet.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::Guard;

use crate::clock::{Clock, Timestamp};

use super::caller::{Caller, CallerKind, Facts, TokenInfo};
use super::claims::Claims;
use super::entra;
use super::error::{AuthError, quote};
use super::jws::{self, Presented};
use super::keys::{Key, KeyCache, KeyHealth, KeySet, KeyState, KnownKeys, Moment, Sought};
use super::profile::{EntraProfile, ProfileError};
use super::verified::{KEEP, VerifiedTokens};

/// Verifies tokens of one profile. Shared by reference across threads.
#[derive(Debug)]
pub struct Authenticator {
    profile: EntraProfile,
    keys: Keys,
    verified: Option<VerifiedTokens>,
    clock: Arc<dyn Clock>,
    /// Tells authenticators apart.
    number: u32,
}

/// Where keys come from.
#[derive(Debug)]
enum Keys {
    Pinned { set: KeySet, known: Arc<KnownKeys> },
    Published(Arc<KeyCache>),
}

impl Authenticator {
    /// An authenticator for a profile, its pinned keys and a clock. Callers are remembered for up to five minutes.
    ///
    /// # Errors
    /// [`ProfileError::ForeignKeys`] if the key set was read for another cloud or tenant.
    pub fn new(
        profile: EntraProfile,
        keys: KeySet,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProfileError> {
        if !keys.is_for(&profile) {
            return Err(ProfileError::ForeignKeys);
        }
        let known = Arc::new(KnownKeys::of(&keys));
        Ok(Self::with(
            profile,
            Keys::Pinned { set: keys, known },
            clock,
        ))
    }

    /// An authenticator that verifies with what Entra publishes.
    pub(crate) fn with_published(
        profile: EntraProfile,
        keys: Arc<KeyCache>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::with(profile, Keys::Published(keys), clock)
    }

    fn with(profile: EntraProfile, keys: Keys, clock: Arc<dyn Clock>) -> Self {
        Self {
            profile,
            keys,
            verified: VerifiedTokens::new(KEEP),
            clock,
            number: super::standing::next_number(),
        }
    }

    /// Verifies every token anew, also one that was verified a moment ago.
    #[must_use]
    pub fn without_memory(mut self) -> Self {
        self.verified = None;
        self
    }

    /// Whose tokens it accepts.
    #[must_use]
    pub fn profile(&self) -> &EntraProfile {
        &self.profile
    }

    /// How the keys are that it verifies with: one entry for each tenant and format, or one for a pinned set.
    #[must_use]
    pub fn key_health(&self) -> Vec<KeyHealth> {
        match &self.keys {
            Keys::Pinned { set, .. } => vec![KeyHealth {
                tenant: self.profile.tenant(),
                version: super::TokenVersion::V2,
                state: match set.not_after() {
                    Some(end) if self.clock.now() >= end => KeyState::Expired,
                    Some(_) | None => KeyState::Pinned,
                },
                keys: set.key_ids().count(),
                age: None,
                next_refresh: Duration::MAX,
                failures: 0,
                error: None,
            }],
            Keys::Published(cache) => cache.health(),
        }
    }

    /// Verifies an access token, with or without the prefix `Bearer ` of an `Authorization` header.
    ///
    /// Costs one RSA verification, or a hash if the same token was verified a moment ago. What is cheap to refuse (length,
    /// form, header, unknown key) is refused before it. It never waits: a token of a key that Entra has published since the
    /// last fetch is refused here and accepted by [`Runtime::authenticate`](crate::Runtime::authenticate).
    ///
    /// # Errors
    /// [`AuthError`] with the exact reason, for our log; the remote caller gets the folded error's `public_message()`.
    pub fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        self.look(token).map(|(caller, _)| caller)
    }

    /// The caller, and whether the token was verified a moment ago.
    fn look(&self, token: &str) -> Result<(Caller, bool), AuthError> {
        let token = without_scheme(token);
        if token.is_empty() {
            return Err(AuthError::MissingCredentials);
        }
        // Before every byte of it is hashed: the memory must not cost more than what it spares.
        jws::check_length(token)?;
        let now = Moment::now(&*self.clock);
        let keys = self.known();
        let remembered = self.verified.as_ref();
        if let Some(caller) = remembered.and_then(|all| all.get(token, keys.generation(), now))
            && let Some(token) = caller.token()
        {
            // The tick bounds how long it is kept; the wall clock may have been set forward since.
            entra::check_end(&self.profile, token.exp, now.wall())?;
            self.refuse_old(caller.signer(), now)?;
            return Ok((caller, true));
        }
        let caller = self.verify(token, &keys, now)?;
        if let (Some(all), Some(token_end)) = (remembered, caller.expires_at()) {
            let left_ms = token_end.as_millis().saturating_sub(now.wall().as_millis());
            let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
            all.put(token, &caller, keys.generation(), now, left);
        }
        Ok((caller, false))
    }

    /// The same, but a token of a key that is not known waits up to two seconds for one fetch.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); [`AuthError::KeysUnavailable`] if the issuer gave no answer.
    pub(crate) async fn authenticate_or_fetch(
        &self,
        token: &str,
    ) -> Result<(Caller, bool), AuthError> {
        let refused = match self.look(token) {
            // The key may be new, new for this tenant, or only too old here.
            Err(
                refused @ (AuthError::UnknownKey { .. }
                | AuthError::KeyIssuer { .. }
                | AuthError::KeysUnavailable { .. }),
            ) => refused,
            outcome => return outcome,
        };
        let Keys::Published(cache) = &self.keys else {
            return Err(refused);
        };
        let token = without_scheme(token);
        match self.seek(cache, token).await? {
            Sought::Maybe => self.look(token),
            Sought::Unknown => Err(refused),
            Sought::Later(retry_in) => Err(AuthError::KeysUnavailable { retry_in }),
        }
    }

    async fn seek(&self, cache: &KeyCache, token: &str) -> Result<Sought, AuthError> {
        let presented = Presented::read(token, self.profile.header_rules())?;
        let now_s = self.clock.now().as_secs();
        // Read only where it decides something: most floods end before.
        let peek = || -> Option<(crate::id::Guid, super::TokenVersion)> {
            let payload = presented.payload().ok()?;
            let claims = Claims::read(&payload).ok()?;
            let ours = entra::could_be_ours(&self.profile, &claims, now_s);
            ours.then_some((claims.tid, claims.ver))
        };
        if cache.is_single() {
            return Ok(cache.seek(presented.kid(), None, || peek().is_some()).await);
        }
        match peek() {
            None => Ok(Sought::Unknown),
            whose => Ok(cache.seek(presented.kid(), whose, || true).await),
        }
    }

    pub(super) fn known(&self) -> Known<'_> {
        match &self.keys {
            Keys::Pinned { known, .. } => Known::Pinned(known),
            Keys::Published(cache) => Known::Published(cache.known()),
        }
    }

    /// Whether keys that verified a token a while ago may be too old by now.
    pub(super) const fn keys_age(&self) -> bool {
        match &self.keys {
            Keys::Pinned { set, .. } => set.not_after().is_some(),
            Keys::Published(_) => true,
        }
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn now(&self) -> Moment {
        Moment::now(&*self.clock)
    }

    fn verify(&self, token: &str, keys: &KnownKeys, now: Moment) -> Result<Caller, AuthError> {
        let presented = Presented::read(token, self.profile.header_rules())?;
        let named = keys.find(presented.kid());
        if named.is_empty() {
            let kid = quote(presented.kid());
            return Err(AuthError::UnknownKey { kid });
        }
        let signers = signers(&presented, named)?;
        let payload = presented.payload()?;
        let claims = Claims::read(&payload)?;
        let (kind, key) = entra::check(&self.profile, &signers, &claims, now.wall().as_secs())?;
        // Of the very set that may sign it: another tenant's set with the same key may be younger.
        self.refuse_old(Some(key), now)?;
        let is_foreign = claims.tid != self.profile.tenant();
        Ok(caller(kind, claims, key, is_foreign))
    }

    /// Keys that were fetched too long ago, or whose file says that its time is over, prove nothing.
    pub(super) fn refuse_old(
        &self,
        signer: Option<&Arc<Key>>,
        now: Moment,
    ) -> Result<(), AuthError> {
        let retry_in = match &self.keys {
            Keys::Pinned { set, .. } => {
                let over = set.not_after().is_some_and(|end| now.wall() >= end);
                over.then_some(Duration::from_secs(60))
            }
            Keys::Published(cache) => {
                let over = signer.is_none_or(|key| key.is_over(now));
                over.then(|| cache.retry_in())
            }
        };
        match retry_in {
            Some(retry_in) => Err(AuthError::KeysUnavailable { retry_in }),
            None => Ok(()),
        }
    }
}

/// The keys in force, held for one token.
pub(super) enum Known<'a> {
    Pinned(&'a Arc<KnownKeys>),
    Published(Guard<Arc<KnownKeys>>),
}

impl std::ops::Deref for Known<'_> {
    type Target = KnownKeys;

    fn deref(&self) -> &KnownKeys {
        match self {
            Self::Pinned(known) => known,
            Self::Published(known) => known,
        }
    }
}

/// Those of the keys with the token's `kid` that verify its signature: mostly one key that stands in several sets.
fn signers<'k>(
    presented: &Presented<'_>,
    named: &'k [Arc<Key>],
) -> Result<Vec<&'k Arc<Key>>, AuthError> {
    let signature = presented.signature()?;
    let mut signers: Vec<&Arc<Key>> = Vec::with_capacity(named.len());
    let mut others: Vec<&Arc<Key>> = Vec::new();
    for key in named {
        let is_same = |other: &&Arc<Key>| other.public().is_same(key.public());
        if signers.iter().any(is_same) {
            signers.push(key);
        } else if !others.iter().any(is_same) {
            match presented.is_signed_by(key.public(), &signature) {
                true => signers.push(key),
                false => others.push(key),
            }
        }
    }
    if signers.is_empty() {
        let kid = quote(presented.kid());
        return Err(AuthError::Signature { kid });
    }
    Ok(signers)
}

/// The scheme's name is case-insensitive (RFC 9110 §11.1); one space follows (RFC 6750 §2.1).
pub(crate) fn without_scheme(token: &str) -> &str {
    match token.split_at_checked("bearer ".len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer ") => token,
        Some(_) | None => token,
    }
}

fn caller(kind: CallerKind, claims: Claims<'_>, key: &Arc<Key>, is_foreign: bool) -> Caller {
    Caller::new(Facts {
        tenant: claims.tid,
        is_foreign,
        object: claims.oid,
        kind,
        groups: claims.groups,
        app_roles: claims.app_roles.unwrap_or_default().into_boxed_slice(),
        scopes: claims.scopes.unwrap_or_default().into_boxed_slice(),
        client: claims.client,
        strength: claims.strength,
        takes_challenges: claims.takes_challenges,
        claims: claims.others,
        signer: Some(Arc::clone(key)),
        token: Some(TokenInfo {
            uti: claims.uti.as_deref().map(Box::from),
            iat: Timestamp::from_secs(claims.iat),
            nbf: Timestamp::from_secs(claims.nbf),
            exp: Timestamp::from_secs(claims.exp),
            ver: claims.ver,
            kid: Arc::clone(key.kid()),
        }),
    })
}
