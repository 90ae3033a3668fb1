//! A verified payload becomes typed claims. Every claim that a rule reads has exactly the type that Entra sends, or the token
//! is refused: a lenient reader and a strict one would see two tokens. What no rule reads may be anything.
//!
//! Source: Microsoft Learn, "Access token claims reference" and "Optional claims reference". Never: `name`, `email`, `upn`,
//! `preferred_username`, `unique_name`; they change, and their owner can choose them.

use crate::id::Guid;

use super::caller::{AuthStrength, ClientApp, ClientAuth, Groups, Mfa, TokenVersion};
use super::claim::OtherClaims;
use super::error::{AuthError, quote};
use super::json::{Json, Members};

/// The claims that rules read, borrowed from the payload.
#[derive(Debug)]
pub(super) struct Claims<'p> {
    pub(super) aud: &'p str,
    pub(super) iss: &'p str,
    pub(super) ver: TokenVersion,
    pub(super) tid: Guid,
    pub(super) oid: Guid,
    pub(super) sub: Option<&'p str>,
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) uti: Option<&'p str>,
    pub(super) idtyp: Option<&'p str>,
    pub(super) scopes: Option<Vec<&'p str>>,
    pub(super) app_roles: Option<Vec<&'p str>>,
    pub(super) groups: Groups,
    pub(super) client: Option<ClientApp>,
    pub(super) strength: AuthStrength,
    /// Whether the token is bound to a key (RFC 7800).
    pub(super) bound: bool,
    /// What attributes may ask for.
    pub(super) others: OtherClaims,
}

impl<'p> Claims<'p> {
    /// Reads and types all of them.
    pub(super) fn read(payload: &'p Members<'_>) -> Result<Self, AuthError> {
        let ver = version(required(text(payload, "ver"), "ver")?)?;
        Ok(Self {
            aud: required(text(payload, "aud"), "aud")?,
            iss: required(text(payload, "iss"), "iss")?,
            ver,
            tid: required(guid(payload, "tid"), "tid")?,
            oid: required(guid(payload, "oid"), "oid")?,
            sub: text(payload, "sub")?,
            exp: required(date(payload, "exp"), "exp")?,
            nbf: required(date(payload, "nbf"), "nbf")?,
            iat: required(date(payload, "iat"), "iat")?,
            uti: text(payload, "uti")?,
            idtyp: text(payload, "idtyp")?,
            scopes: scopes(payload)?,
            app_roles: texts(payload, "roles")?,
            groups: groups(payload)?,
            client: client(payload, ver)?,
            strength: strength(payload)?,
            bound: payload.contains_key("cnf"),
            others: OtherClaims::read(payload),
        })
    }
}

fn version(ver: &str) -> Result<TokenVersion, AuthError> {
    match ver {
        "1.0" => Ok(TokenVersion::V1),
        "2.0" => Ok(TokenVersion::V2),
        _ => Err(AuthError::Version { ver: quote(ver) }),
    }
}

/// The space-separated list `scp`; present means at least one.
fn scopes<'p>(payload: &'p Members<'_>) -> Result<Option<Vec<&'p str>>, AuthError> {
    let Some(scp) = text(payload, "scp")? else {
        return Ok(None);
    };
    let scopes: Vec<&str> = scp.split(' ').filter(|scope| !scope.is_empty()).collect();
    if scopes.is_empty() {
        return Err(wrong("scp", "names no scope"));
    }
    Ok(Some(scopes))
}

fn groups(payload: &Members<'_>) -> Result<Groups, AuthError> {
    let overage = names_distributed_groups(payload)? || has_groups(payload)?;
    let Some(listed) = texts(payload, "groups")? else {
        return Ok(if overage {
            Groups::Overage
        } else {
            Groups::NotInToken
        });
    };
    if overage {
        return Err(wrong(
            "groups",
            "is there although the token says it is left out",
        ));
    }
    let ids: Result<Vec<Guid>, _> = listed.iter().map(|id| id.parse()).collect();
    ids.map(Groups::complete)
        .map_err(|_| wrong("groups", "is not a list of object ids"))
}

/// Overage of a token from any flow but the implicit one: `_claim_names` says that `groups` is elsewhere. Where
/// (`_claim_sources`) is never read: it would let a token choose whom we call.
fn names_distributed_groups(payload: &Members<'_>) -> Result<bool, AuthError> {
    match payload.get("_claim_names") {
        None => Ok(false),
        Some(Json::Object(names)) => Ok(names.contains_key("groups")),
        Some(_) => Err(wrong("_claim_names", "is not an object")),
    }
}

/// Overage of a token from the implicit flow.
fn has_groups(payload: &Members<'_>) -> Result<bool, AuthError> {
    match payload.get("hasgroups") {
        None => Ok(false),
        Some(Json::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong("hasgroups", "is not a boolean")),
    }
}

fn client(payload: &Members<'_>, ver: TokenVersion) -> Result<Option<ClientApp>, AuthError> {
    let (id, auth) = match ver {
        TokenVersion::V1 => (guid(payload, "appid")?, text(payload, "appidacr")?),
        TokenVersion::V2 => (guid(payload, "azp")?, text(payload, "azpacr")?),
    };
    let auth = match auth {
        Some("0") => ClientAuth::Public,
        Some("1") => ClientAuth::Secret,
        Some("2") => ClientAuth::Certificate,
        _ => ClientAuth::Unknown,
    };
    Ok(id.map(|id| ClientApp { id, auth }))
}

fn strength(payload: &Members<'_>) -> Result<AuthStrength, AuthError> {
    let methods = texts(payload, "amr")?;
    let used = |method| methods.iter().flatten().any(|used| *used == method);
    let mfa = if used("mfa") || used("ngcmfa") {
        Mfa::Yes
    } else if methods.is_none() || used("wiaormfa") {
        // `wiaormfa` is "Windows sign-in or MFA": it does not say which.
        Mfa::Unknown
    } else {
        Mfa::No
    };
    Ok(AuthStrength { mfa })
}

fn required<T>(claim: Result<Option<T>, AuthError>, name: &'static str) -> Result<T, AuthError> {
    claim?.ok_or_else(|| wrong(name, "is missing"))
}

fn text<'p>(payload: &'p Members<'_>, name: &'static str) -> Result<Option<&'p str>, AuthError> {
    match payload.get(name) {
        None => Ok(None),
        Some(value) => match value.as_text() {
            Some(text) => Ok(Some(text)),
            None => Err(wrong(name, "is not a string")),
        },
    }
}

fn guid(payload: &Members<'_>, name: &'static str) -> Result<Option<Guid>, AuthError> {
    match text(payload, name)? {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(guid) => Ok(Some(guid)),
            Err(_) => Err(wrong(name, "is not a GUID")),
        },
    }
}

/// A `NumericDate` (RFC 7519 §2) as Entra writes it: whole seconds, digits only.
fn date(payload: &Members<'_>, name: &'static str) -> Result<Option<i64>, AuthError> {
    match payload.get(name) {
        None => Ok(None),
        Some(Json::Integer(seconds @ 0..=LATEST_S)) => Ok(Some(*seconds)),
        Some(_) => Err(wrong(name, "is not a date in whole seconds")),
    }
}

fn texts<'p>(
    payload: &'p Members<'_>,
    name: &'static str,
) -> Result<Option<Vec<&'p str>>, AuthError> {
    let Some(value) = payload.get(name) else {
        return Ok(None);
    };
    let texts: Option<Vec<&str>> = value
        .as_list()
        .and_then(|list| list.iter().map(Json::as_text).collect());
    match texts {
        Some(texts) => Ok(Some(texts)),
        None => Err(wrong(name, "is not a list of strings")),
    }
}

fn wrong(name: &'static str, problem: &'static str) -> AuthError {
    AuthError::Claim { name, problem }
}

/// The last second of the year 9999: every calendar we hand a date to can hold it.
const LATEST_S: i64 = 253_402_300_799;
