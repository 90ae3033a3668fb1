//! Claims against the profile: is this token for us, from our tenant, now, and who calls?
//!
//! The signature is verified before this, so nothing here is a stranger's word; the question is what Entra said. Rules in the
//! order of Microsoft Learn, "Access tokens in the Microsoft identity platform"; every one is needed.

use std::sync::Arc;

use crate::clock::Timestamp;

use super::caller::CallerKind;
use super::claims::Claims;
use super::error::{AuthError, quote};
use super::keys::Key;
use super::profile::EntraProfile;

/// Checks all rules; `now_s` in seconds since the Unix epoch. `signers` are the keys that verify the signature. Returns who
/// calls, and the signer that may sign for them.
pub(super) fn check<'k>(
    profile: &EntraProfile,
    signers: &[&'k Arc<Key>],
    claims: &Claims<'_>,
    now_s: i64,
) -> Result<(CallerKind, &'k Arc<Key>), AuthError> {
    check_time(profile, claims, now_s)?;
    let signer = check_issuer(profile, signers, claims)?;
    // A bound token shown as a bearer token is one that left its owner's hands (RFC 7800 §3, RFC 8705).
    if claims.bound {
        return Err(AuthError::Confirmation);
    }
    let kind = kind(claims)?;
    if !profile.allows_acl() {
        check_permission(kind, claims)?;
    }
    Ok((kind, signer))
}

/// Whether a token has not ended.
pub(super) fn check_end(
    profile: &EntraProfile,
    exp: Timestamp,
    now: Timestamp,
) -> Result<(), AuthError> {
    let (exp_s, now_s) = (exp.as_secs(), now.as_secs());
    if now_s >= exp_s.saturating_add(profile.skew_s()) {
        let ago_s = now_s.saturating_sub(exp_s);
        return Err(AuthError::Expired { ago_s });
    }
    Ok(())
}

/// Whether an unverified token could be one for us, so that a fetch for its key is worth while.
pub(super) fn could_be_ours(profile: &EntraProfile, claims: &Claims<'_>, now_s: i64) -> bool {
    let issuer = profile.issuer(claims.tid, claims.ver);
    check_time(profile, claims, now_s).is_ok()
        && profile.accepts(claims.ver)
        && profile.lets_in(claims.tid)
        && profile.is_audience(claims.ver, &claims.aud)
        && issuer.is_none_or(|issuer| issuer == claims.iss)
}

fn check_time(profile: &EntraProfile, claims: &Claims<'_>, now_s: i64) -> Result<(), AuthError> {
    let skew_s = profile.skew_s();
    let (exp, now) = (
        Timestamp::from_secs(claims.exp),
        Timestamp::from_secs(now_s),
    );
    check_end(profile, exp, now)?;
    let latest = now_s.saturating_add(skew_s);
    if claims.nbf > latest {
        let in_s = claims.nbf.saturating_sub(now_s);
        return Err(AuthError::NotYetValid { in_s });
    }
    if claims.iat > latest {
        let in_s = claims.iat.saturating_sub(now_s);
        return Err(AuthError::IssuedInFuture { in_s });
    }
    // It must live from the later of both: a forgiven clock must not make a token valid that never was.
    let least_s = claims.exp.saturating_sub(claims.iat.max(claims.nbf));
    let most_s = claims.exp.saturating_sub(claims.iat.min(claims.nbf));
    if least_s < 1 || most_s > MAX_LIFETIME_S {
        let lifetime_s = if least_s < 1 { least_s } else { most_s };
        return Err(AuthError::Lifetime { lifetime_s });
    }
    Ok(())
}

/// Version, audience, issuer, tenant and the key's own issuer: a chain from the tenant to the key, in which every link is
/// compared exactly. A prefix, a host or a tenant alone would not do.
fn check_issuer<'k>(
    profile: &EntraProfile,
    signers: &[&'k Arc<Key>],
    claims: &Claims<'_>,
) -> Result<&'k Arc<Key>, AuthError> {
    if !profile.accepts(claims.ver) {
        let ver = "`1.0`".to_owned();
        return Err(AuthError::Version { ver });
    }
    if !profile.is_audience(claims.ver, &claims.aud) {
        let aud = quote(&claims.aud);
        return Err(AuthError::Audience { aud });
    }
    if !profile.lets_in(claims.tid) {
        return Err(AuthError::Tenant { tid: claims.tid });
    }
    let wrong_issuer = || {
        let iss = quote(&claims.iss);
        Err(AuthError::Issuer { iss })
    };
    let documented = profile.issuer(claims.tid, claims.ver);
    if documented.is_some_and(|issuer| issuer != claims.iss) {
        return wrong_issuer();
    }
    let may_sign = |key: &&&Arc<Key>| key.may_sign(claims.tid, claims.ver);
    let Some(&signer) = signers.iter().find(may_sign) else {
        let kid = signers
            .first()
            .map_or_else(String::new, |key| quote(key.kid()));
        return Err(AuthError::KeyIssuer { kid });
    };
    // What no documentation says, the discovery document of this very tenant and format does.
    if documented.is_none() && signer.stated_issuer() != Some(&*claims.iss) {
        return wrong_issuer();
    }
    Ok(signer)
}

/// Person or application. `idtyp` is "the most accurate way" ("Optional claims reference") but optional; without it a scope
/// means a person, and `oid` equal to `sub` an application ("Protected web API: Verify scopes and app roles").
fn kind(claims: &Claims<'_>) -> Result<CallerKind, AuthError> {
    let ambiguous = |problem| Err(AuthError::Ambiguous { problem });
    match (claims.idtyp.as_deref(), &claims.scopes) {
        (Some("app"), None) => Ok(CallerKind::ServicePrincipal),
        (Some("app"), Some(_)) => ambiguous("`idtyp` says application, `scp` says user"),
        (Some("user"), _) | (None, Some(_)) => Ok(CallerKind::User),
        (Some(_), _) => ambiguous("`idtyp` is neither `app` nor `user`"),
        (None, None) if is_own_subject(claims) => Ok(CallerKind::ServicePrincipal),
        (None, None) => ambiguous("there is no `idtyp`, no `scp`, and `sub` is not `oid`"),
    }
}

fn is_own_subject(claims: &Claims<'_>) -> bool {
    claims.sub.as_deref().and_then(|sub| sub.parse().ok()) == Some(claims.oid)
}

/// Entra issues tokens for our audience to every client of the tenant that asks; only a granted scope (for people) or an
/// assigned role (for applications) says that somebody wanted this one here.
fn check_permission(kind: CallerKind, claims: &Claims<'_>) -> Result<(), AuthError> {
    let (granted, missing) = match kind {
        CallerKind::User => (&claims.scopes, "scp"),
        CallerKind::ServicePrincipal => (&claims.app_roles, "roles"),
    };
    match granted {
        Some(names) if !names.is_empty() => Ok(()),
        _ => Err(AuthError::NoPermission { missing }),
    }
}

/// Entra's longest access tokens, those of continuous access evaluation, live up to 28 hours ("Continuous access evaluation").
const MAX_LIFETIME_S: i64 = 29 * 3600;
