//! The door: a token in, a caller or a reason out. Synchronous, no I/O, no lock.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};

use super::caller::{Caller, CallerKind, Facts, TokenInfo};
use super::claims::Claims;
use super::entra;
use super::error::{AuthError, TokenPart};
use super::jws;
use super::keys::{Key, KeySet};
use super::profile::{EntraProfile, ProfileError};

/// Verifies tokens of one profile with pinned keys. Shared by reference across threads.
#[derive(Debug)]
pub struct Authenticator {
    profile: EntraProfile,
    keys: KeySet,
    clock: Arc<dyn Clock>,
}

impl Authenticator {
    /// An authenticator for a profile, its keys and a clock.
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
        Ok(Self {
            profile,
            keys,
            clock,
        })
    }

    /// Whose tokens it accepts.
    #[must_use]
    pub fn profile(&self) -> &EntraProfile {
        &self.profile
    }

    /// The keys it verifies with.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Verifies an access token, with or without the prefix `Bearer ` of an `Authorization` header.
    ///
    /// Costs one RSA verification. What is cheap to refuse (length, form, header, unknown key) is refused before it.
    ///
    /// # Errors
    /// [`AuthError`] with the exact reason, for our log; the remote caller gets the folded error's `public_message()`.
    pub fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        let token = without_scheme(token);
        if token.is_empty() {
            return Err(AuthError::MissingCredentials);
        }
        let verified = jws::verify(token, &self.keys)?;
        let payload = jws::object(TokenPart::Payload, &verified.payload)?;
        let claims = Claims::read(&payload)?;
        let now_s = self.clock.now().as_secs();
        let kind = entra::check(&self.profile, verified.key, &claims, now_s)?;
        Ok(caller(kind, claims, verified.key))
    }
}

/// The scheme's name is case-insensitive (RFC 9110 §11.1); one space follows (RFC 6750 §2.1).
fn without_scheme(token: &str) -> &str {
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => token,
    }
}

fn caller(kind: CallerKind, claims: Claims<'_>, key: &Key) -> Caller {
    Caller::new(Facts {
        tenant: claims.tid,
        object: claims.oid,
        kind,
        groups: claims.groups,
        app_roles: owned(claims.app_roles),
        scopes: owned(claims.scopes),
        client: claims.client,
        strength: claims.strength,
        claims: claims.others,
        token: Some(TokenInfo {
            uti: claims.uti.map(Box::from),
            iat: Timestamp::from_secs(claims.iat),
            nbf: Timestamp::from_secs(claims.nbf),
            exp: Timestamp::from_secs(claims.exp),
            ver: claims.ver,
            kid: Arc::clone(key.kid()),
        }),
    })
}

fn owned(texts: Option<Vec<&str>>) -> Box<[Box<str>]> {
    texts.into_iter().flatten().map(Box::from).collect()
}
