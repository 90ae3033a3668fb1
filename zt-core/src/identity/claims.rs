//! A verified payload becomes typed claims. Every claim that a rule reads has exactly the type that Entra sends, or the token
//! is refused: a lenient reader and a strict one would see two tokens. What no rule reads may be anything.
//!
//! Source: Microsoft Learn, "Access token claims reference" and "Optional claims reference". Never: `name`, `email`, `upn`,
//! `preferred_username`, `unique_name`; they change, and their owner can choose them.

use std::borrow::Cow;

use crate::id::Guid;

use super::caller::{AuthStrength, ClientApp, ClientAuth, Groups, Mfa, TokenVersion};
use super::claim::{Gathered, OtherClaims};
use super::error::{AuthError, TokenPart, quote};
use super::json::{self, Json};

/// The claims that rules read, borrowed from the payload.
#[derive(Debug)]
pub(super) struct Claims<'p> {
    pub(super) aud: Cow<'p, str>,
    pub(super) iss: Cow<'p, str>,
    pub(super) ver: TokenVersion,
    pub(super) tid: Guid,
    pub(super) oid: Guid,
    pub(super) sub: Option<Cow<'p, str>>,
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) uti: Option<Cow<'p, str>>,
    pub(super) idtyp: Option<Cow<'p, str>>,
    pub(super) scopes: Option<Vec<Box<str>>>,
    pub(super) app_roles: Option<Vec<Box<str>>>,
    pub(super) groups: Groups,
    pub(super) client: Option<ClientApp>,
    pub(super) strength: AuthStrength,
    /// Whether the client says that it understands claims challenges (`xms_cc` with `cp1`).
    pub(super) takes_challenges: bool,
    /// Whether the token is bound to a key (RFC 7800).
    pub(super) bound: bool,
    /// What attributes may ask for.
    pub(super) others: OtherClaims,
}

/// The members that rules read, as the payload has them.
#[derive(Default)]
struct Payload<'p> {
    aud: Member<'p>,
    iss: Member<'p>,
    ver: Member<'p>,
    tid: Member<'p>,
    oid: Member<'p>,
    sub: Member<'p>,
    exp: Member<'p>,
    nbf: Member<'p>,
    iat: Member<'p>,
    uti: Member<'p>,
    idtyp: Member<'p>,
    scp: Member<'p>,
    roles: Member<'p>,
    groups: Member<'p>,
    claim_names: Member<'p>,
    hasgroups: Member<'p>,
    appid: Member<'p>,
    appidacr: Member<'p>,
    azp: Member<'p>,
    azpacr: Member<'p>,
    amr: Member<'p>,
    xms_cc: Member<'p>,
    cnf: Member<'p>,
}

type Member<'p> = Option<Json<'p>>;

impl<'p> Payload<'p> {
    /// Where a member belongs; none for those that no rule reads.
    fn place(&mut self, name: &str) -> Option<&mut Member<'p>> {
        Some(match name {
            "aud" => &mut self.aud,
            "iss" => &mut self.iss,
            "ver" => &mut self.ver,
            "tid" => &mut self.tid,
            "oid" => &mut self.oid,
            "sub" => &mut self.sub,
            "exp" => &mut self.exp,
            "nbf" => &mut self.nbf,
            "iat" => &mut self.iat,
            "uti" => &mut self.uti,
            "idtyp" => &mut self.idtyp,
            "scp" => &mut self.scp,
            "roles" => &mut self.roles,
            "groups" => &mut self.groups,
            "_claim_names" => &mut self.claim_names,
            "hasgroups" => &mut self.hasgroups,
            "appid" => &mut self.appid,
            "appidacr" => &mut self.appidacr,
            "azp" => &mut self.azp,
            "azpacr" => &mut self.azpacr,
            "amr" => &mut self.amr,
            "xms_cc" => &mut self.xms_cc,
            "cnf" => &mut self.cnf,
            _ => return None,
        })
    }
}

impl<'p> Claims<'p> {
    /// Reads and types all of them.
    pub(super) fn read(bytes: &'p [u8]) -> Result<Self, AuthError> {
        let mut payload = Payload::default();
        let mut others = Gathered::new(bytes.len());
        let read = json::each_member_with_guids(bytes, "groups", |name, value| {
            // Groups have a method of their own, and are most of a large token.
            if name != "groups" {
                others.add(&name, &value);
            }
            if let Some(place) = payload.place(&name) {
                *place = Some(value);
            }
        });
        read.map_err(|error| error.of(TokenPart::Payload))?;
        Self::of(payload, others.finish())
    }

    fn of(payload: Payload<'p>, others: OtherClaims) -> Result<Self, AuthError> {
        let ver = version(&required(text(payload.ver, "ver"), "ver")?)?;
        let client = match ver {
            TokenVersion::V1 => client((payload.appid, "appid"), (payload.appidacr, "appidacr")),
            TokenVersion::V2 => client((payload.azp, "azp"), (payload.azpacr, "azpacr")),
        };
        let overage = names_distributed_groups(payload.claim_names)?
            || boolean(&payload.hasgroups, "hasgroups")?;
        Ok(Self {
            aud: required(text(payload.aud, "aud"), "aud")?,
            iss: required(text(payload.iss, "iss"), "iss")?,
            ver,
            tid: required(guid(payload.tid, "tid"), "tid")?,
            oid: required(guid(payload.oid, "oid"), "oid")?,
            sub: text(payload.sub, "sub")?,
            exp: required(date(&payload.exp, "exp"), "exp")?,
            nbf: required(date(&payload.nbf, "nbf"), "nbf")?,
            iat: required(date(&payload.iat, "iat"), "iat")?,
            uti: text(payload.uti, "uti")?,
            idtyp: text(payload.idtyp, "idtyp")?,
            scopes: scopes(payload.scp)?,
            app_roles: texts(&payload.roles, "roles")?,
            groups: groups(payload.groups, overage)?,
            client: client?,
            strength: strength(&payload.amr)?,
            takes_challenges: takes_challenges(&payload.xms_cc),
            bound: payload.cnf.is_some(),
            others,
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
fn scopes(member: Member<'_>) -> Result<Option<Vec<Box<str>>>, AuthError> {
    let Some(scp) = text(member, "scp")? else {
        return Ok(None);
    };
    let scopes: Vec<Box<str>> = scp
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(Box::from)
        .collect();
    if scopes.is_empty() {
        return Err(wrong("scp", "names no scope"));
    }
    Ok(Some(scopes))
}

fn groups(member: Member<'_>, overage: bool) -> Result<Groups, AuthError> {
    match member {
        None if overage => Ok(Groups::Overage),
        None => Ok(Groups::NotInToken),
        Some(Json::Guids(_)) if overage => Err(wrong(
            "groups",
            "is there although the token says it is left out",
        )),
        Some(Json::Guids(ids)) => Ok(Groups::complete(ids)),
        Some(Json::List(list)) if list.iter().all(|id| id.as_text().is_some()) => {
            Err(wrong("groups", "is not a list of object ids"))
        }
        Some(_) => Err(wrong("groups", "is not a list of strings")),
    }
}

/// Overage of a token from any flow but the implicit one: `_claim_names` says that `groups` is elsewhere. Where
/// (`_claim_sources`) is never read: it would let a token choose whom we call.
fn names_distributed_groups(member: Member<'_>) -> Result<bool, AuthError> {
    match member {
        None => Ok(false),
        Some(Json::Object(names)) => Ok(names.contains_key("groups")),
        Some(_) => Err(wrong("_claim_names", "is not an object")),
    }
}

/// Such as `hasgroups`, overage of a token from the implicit flow.
fn boolean(member: &Member<'_>, name: &'static str) -> Result<bool, AuthError> {
    match member {
        None => Ok(false),
        Some(Json::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(name, "is not a boolean")),
    }
}

fn client(
    (id, id_name): (Member<'_>, &'static str),
    (acr, acr_name): (Member<'_>, &'static str),
) -> Result<Option<ClientApp>, AuthError> {
    let id = guid(id, id_name)?;
    let auth = match text(acr, acr_name)?.as_deref() {
        Some("0") => ClientAuth::Public,
        Some("1") => ClientAuth::Secret,
        Some("2") => ClientAuth::Certificate,
        _ => ClientAuth::Unknown,
    };
    Ok(id.map(|id| ClientApp { id, auth }))
}

/// Values of `xms_cc` have no order and no case ("Claims challenges, claims requests and client capabilities"). The client
/// says it of itself, which is enough: it decides no more than how a refusal is worded.
fn takes_challenges(member: &Member<'_>) -> bool {
    let is_cp1 = |value: &Json<'_>| {
        value
            .as_text()
            .is_some_and(|text| text.eq_ignore_ascii_case("cp1"))
    };
    match member {
        Some(Json::List(values)) => values.iter().any(is_cp1),
        Some(value) => is_cp1(value),
        None => false,
    }
}

fn strength(member: &Member<'_>) -> Result<AuthStrength, AuthError> {
    let methods = texts(member, "amr")?;
    let used = |method: &str| methods.iter().flatten().any(|used| **used == *method);
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

fn text<'p>(member: Member<'p>, name: &'static str) -> Result<Option<Cow<'p, str>>, AuthError> {
    match member {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(name, "is not a string")),
    }
}

fn guid(member: Member<'_>, name: &'static str) -> Result<Option<Guid>, AuthError> {
    match text(member, name)? {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(guid) => Ok(Some(guid)),
            Err(_) => Err(wrong(name, "is not a GUID")),
        },
    }
}

/// A `NumericDate` (RFC 7519 §2) as Entra writes it: whole seconds, digits only.
fn date(member: &Member<'_>, name: &'static str) -> Result<Option<i64>, AuthError> {
    match member {
        None => Ok(None),
        Some(Json::Integer(seconds @ 0..=LATEST_S)) => Ok(Some(*seconds)),
        Some(_) => Err(wrong(name, "is not a date in whole seconds")),
    }
}

fn texts(member: &Member<'_>, name: &'static str) -> Result<Option<Vec<Box<str>>>, AuthError> {
    let texts: Option<Vec<Box<str>>> = match member {
        None => return Ok(None),
        Some(Json::List(list)) => list
            .iter()
            .map(|one| one.as_text().map(Box::from))
            .collect(),
        Some(_) => None,
    };
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
