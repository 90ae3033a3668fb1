//! Claims against the profile: is this token for us, from our tenant, now, and who calls?
//!
//! The signature is verified before this, so nothing here is a stranger's word; the question is what Entra said. Rules in the
//! order of Microsoft Learn, "Access tokens in the Microsoft identity platform"; every one is needed.

use super::caller::CallerKind;
use super::claims::Claims;
use super::error::{AuthError, quote};
use super::keys::Key;
use super::profile::EntraProfile;

/// Checks all rules; `now_s` in seconds since the Unix epoch. Returns who calls.
pub(super) fn check(
    profile: &EntraProfile,
    key: &Key,
    claims: &Claims<'_>,
    now_s: i64,
) -> Result<CallerKind, AuthError> {
    check_time(profile, claims, now_s)?;
    check_issuer(profile, key, claims)?;
    // A bound token shown as a bearer token is one that left its owner's hands (RFC 7800 §3, RFC 8705).
    if claims.bound {
        return Err(AuthError::Confirmation);
    }
    let kind = kind(claims)?;
    if !profile.allows_acl() {
        check_permission(kind, claims)?;
    }
    Ok(kind)
}

fn check_time(profile: &EntraProfile, claims: &Claims<'_>, now_s: i64) -> Result<(), AuthError> {
    let skew_s = profile.skew_s();
    if now_s >= claims.exp.saturating_add(skew_s) {
        let ago_s = now_s.saturating_sub(claims.exp);
        return Err(AuthError::Expired { ago_s });
    }
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
fn check_issuer(profile: &EntraProfile, key: &Key, claims: &Claims<'_>) -> Result<(), AuthError> {
    let Some(issuer) = profile.issuer(claims.ver) else {
        let ver = "`1.0`".to_owned();
        return Err(AuthError::Version { ver });
    };
    if !profile.is_audience(claims.ver, claims.aud) {
        let aud = quote(claims.aud);
        return Err(AuthError::Audience { aud });
    }
    if claims.tid != profile.tenant() {
        return Err(AuthError::Tenant { tid: claims.tid });
    }
    if claims.iss != issuer {
        let iss = quote(claims.iss);
        return Err(AuthError::Issuer { iss });
    }
    if !key.may_sign(claims.ver) {
        let kid = quote(key.kid());
        return Err(AuthError::KeyIssuer { kid });
    }
    Ok(())
}

/// Person or application. `idtyp` is "the most accurate way" ("Optional claims reference") but optional; without it a scope
/// means a person, and `oid` equal to `sub` an application ("Protected web API: Verify scopes and app roles").
fn kind(claims: &Claims<'_>) -> Result<CallerKind, AuthError> {
    let ambiguous = |problem| Err(AuthError::Ambiguous { problem });
    match (claims.idtyp, &claims.scopes) {
        (Some("app"), None) => Ok(CallerKind::ServicePrincipal),
        (Some("app"), Some(_)) => ambiguous("`idtyp` says application, `scp` says user"),
        (Some("user"), _) | (None, Some(_)) => Ok(CallerKind::User),
        (Some(_), _) => ambiguous("`idtyp` is neither `app` nor `user`"),
        (None, None) if is_own_subject(claims) => Ok(CallerKind::ServicePrincipal),
        (None, None) => ambiguous("there is no `idtyp`, no `scp`, and `sub` is not `oid`"),
    }
}

fn is_own_subject(claims: &Claims<'_>) -> bool {
    claims.sub.and_then(|sub| sub.parse().ok()) == Some(claims.oid)
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
