//! Why a token was refused, exactly, for our own log.
//!
//! A reason never holds the token, a part of it, a name or mail. Text that a stranger chose (`kid`, `alg`, `aud`) is cut to
//! 64 characters and escaped, so that it can neither flood nor forge a log line.

use std::fmt;
use std::time::Duration;

use crate::error::{Code, Error};
use crate::id::{Guid, PrincipalId};

use super::json::JsonError;

/// Why a token does not prove who is calling.
///
/// Folds into [`Error`] with one code for all but three of these, because the difference would help an attacker more than a
/// caller: [`Code::TokenExpired`], [`Code::TokenNotYetValid`], [`Code::MissingCredentials`], else [`Code::InvalidToken`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No token at all.
    #[error("no token was presented")]
    MissingCredentials,
    /// Longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES), or a header longer than any of Entra's; refused unread.
    #[error("the {part} has {bytes} bytes, at most {limit} are read")]
    TooLong {
        /// What is too long.
        part: TokenPart,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not three non-empty parts with two dots (RFC 7515 §7.1).
    #[error("the token does not have three parts")]
    NotThreeParts,
    /// Not canonical base64url without padding (RFC 7515 §2, RFC 4648 §3.5): one token must have one spelling.
    #[error("the {part} is not canonical base64url without padding")]
    Base64 {
        /// Which part.
        part: TokenPart,
    },
    /// Not JSON, nested too deep, or not an object.
    #[error("the {part} is not a JSON object: {reason}")]
    Json {
        /// Which part.
        part: TokenPart,
        /// What the parser said; it quotes nothing of the text.
        reason: String,
    },
    /// A member name twice in one object, so that two readers could see two tokens (RFC 7519 §4, RFC 8725 §2.4).
    #[error("the {part} has a {reason}")]
    DuplicateMember {
        /// Which part.
        part: TokenPart,
        /// Which name, and where.
        reason: String,
    },
    /// A header member that would change how the token is read, or brings its own key (RFC 7515 §4.1, RFC 8725 §3.10).
    #[error("header member `{name}` is refused")]
    HeaderMember {
        /// Its name.
        name: &'static str,
    },
    /// Any `alg` but RS256: the list is ours, never the header's (RFC 8725 §3.1).
    #[error("header `alg` is {alg}, only `RS256` is accepted")]
    Algorithm {
        /// What the header said.
        alg: String,
    },
    /// Any `typ` but JWT (RFC 8725 §3.11).
    #[error("header `typ` is {typ}, only `JWT` is accepted")]
    Type {
        /// What the header said.
        typ: String,
    },
    /// No `kid`, or an empty one.
    #[error("header `kid` is missing or empty")]
    NoKeyId,
    /// No key of the issuer has this `kid`.
    #[error("no key of the issuer has `kid` {kid}")]
    UnknownKey {
        /// What the header said.
        kid: String,
    },
    /// The issuer's keys cannot be had now: the token may be good, and is not refused for ever.
    #[error("the issuer's keys cannot be had now")]
    KeysUnavailable {
        /// When to try again.
        retry_in: Duration,
    },
    /// The tables revoke it (Revocations).
    #[error("the token is revoked by row `{row}` of Revocations")]
    Revoked {
        /// The row.
        row: String,
    },
    /// The key did not sign these bytes.
    #[error("the signature of key {kid} does not match")]
    Signature {
        /// The key.
        kid: String,
    },
    /// A claim is missing, or not of the type that Entra sends.
    #[error("claim `{name}` {problem}")]
    Claim {
        /// Which claim.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// `exp` has passed.
    #[error("the token expired {ago_s} s ago")]
    Expired {
        /// Seconds since `exp`, skew not counted.
        ago_s: i64,
    },
    /// `nbf` is ahead.
    #[error("the token is valid in {in_s} s")]
    NotYetValid {
        /// Seconds until `nbf`, skew not counted.
        in_s: i64,
    },
    /// `iat` is ahead: made by a clock that is wrong, or made up.
    #[error("the token was issued {in_s} s in the future")]
    IssuedInFuture {
        /// Seconds until `iat`, skew not counted.
        in_s: i64,
    },
    /// A lifetime that Entra never issues.
    #[error("the token lives {lifetime_s} s, which Entra never issues")]
    Lifetime {
        /// `exp` minus the earlier of `iat` and `nbf`; minus the later, if it ends before that.
        lifetime_s: i64,
    },
    /// A token for somebody else: accepting it would make zt a confused deputy.
    #[error("the audience is {aud}, not this application")]
    Audience {
        /// What the token said.
        aud: String,
    },
    /// A `ver` that the profile does not accept.
    #[error("token version {ver} is not accepted")]
    Version {
        /// What the token said.
        ver: String,
    },
    /// Not the issuer of this cloud and tenant.
    #[error("the issuer is {iss}, not that of the configured cloud and tenant")]
    Issuer {
        /// What the token said.
        iss: String,
    },
    /// Another tenant.
    #[error("the tenant is `{tid}`, not the configured one")]
    Tenant {
        /// What the token said.
        tid: Guid,
    },
    /// The key's own `issuer` does not cover this token.
    #[error("key {kid} may not sign for this issuer")]
    KeyIssuer {
        /// The key.
        kid: String,
    },
    /// `cnf`: the token is bound to a key that we cannot ask to be proven; as a bearer token it is stolen goods.
    #[error("the token is bound to a proof of possession (`cnf`), which is not supported")]
    Confirmation,
    /// Whether a person or an application calls cannot be told, or is told twice.
    #[error("user or application: {problem}")]
    Ambiguous {
        /// Why.
        problem: &'static str,
    },
    /// Neither a scope (a person) nor an app role (an application) was granted.
    #[error("the token carries no `{missing}`: nobody granted this client anything here")]
    NoPermission {
        /// The claim that should name it.
        missing: &'static str,
    },
    /// The Principals row of this object id names another kind of principal than the token does.
    #[error("object `{object}` is a {kind} in the token, but `{id}` in Principals")]
    PrincipalKind {
        /// The object id.
        object: Guid,
        /// What the token says.
        kind: &'static str,
        /// What the row says.
        id: PrincipalId,
    },
}

/// A part of a token, as [`AuthError`] names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenPart {
    /// The whole.
    Token,
    /// Before the first dot.
    Header,
    /// Between the dots.
    Payload,
    /// After the second dot.
    Signature,
}

impl fmt::Display for TokenPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "token",
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

impl JsonError {
    /// The error about a part of a token.
    pub(super) fn of(self, part: TokenPart) -> AuthError {
        match self {
            Self::Syntax(reason) => AuthError::Json { part, reason },
            Self::Duplicate(reason) => AuthError::DuplicateMember { part, reason },
        }
    }
}

impl AuthError {
    fn code(&self) -> Code {
        match self {
            Self::MissingCredentials => Code::MissingCredentials,
            Self::Expired { .. } => Code::TokenExpired,
            Self::NotYetValid { .. } => Code::TokenNotYetValid,
            Self::KeysUnavailable { .. } => Code::KeysUnavailable,
            Self::TooLong { .. }
            | Self::NotThreeParts
            | Self::Base64 { .. }
            | Self::Json { .. }
            | Self::DuplicateMember { .. }
            | Self::HeaderMember { .. }
            | Self::Algorithm { .. }
            | Self::Type { .. }
            | Self::NoKeyId
            | Self::UnknownKey { .. }
            | Self::Revoked { .. }
            | Self::Signature { .. }
            | Self::Claim { .. }
            | Self::IssuedInFuture { .. }
            | Self::Lifetime { .. }
            | Self::Audience { .. }
            | Self::Version { .. }
            | Self::Issuer { .. }
            | Self::Tenant { .. }
            | Self::KeyIssuer { .. }
            | Self::Confirmation
            | Self::Ambiguous { .. }
            | Self::NoPermission { .. }
            | Self::PrincipalKind { .. } => Code::InvalidToken,
        }
    }

    fn help(&self) -> Option<&'static str> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "most reasons have nothing to advise"
        )]
        match self {
            Self::MissingCredentials => Some("send `Authorization: Bearer TOKEN`"),
            Self::Audience { .. } => Some(
                "ask Entra for a token with the scope `CLIENT_ID/.default` of this application",
            ),
            Self::Version { .. } => Some(
                "set `requestedAccessTokenVersion` to 2 in the application's manifest, or accept v1.0 in the profile",
            ),
            Self::UnknownKey { .. } | Self::KeyIssuer { .. } => Some(
                "where keys are pinned, pin those of this cloud and tenant anew: Entra rotates them",
            ),
            Self::KeysUnavailable { .. } => Some(
                "look at the network path to the login host, or at `not_after` of the pinned keys",
            ),
            Self::Revoked { .. } => Some("sign in again, if the row lets newer tokens in"),
            Self::NoPermission { .. } => Some(
                "grant the client a scope (people) or an app role (workloads) of this application",
            ),
            Self::PrincipalKind { .. } => Some("correct the row in Principals"),
            _ => None,
        }
    }
}

impl From<AuthError> for Error {
    fn from(reason: AuthError) -> Self {
        let error = Self::new(reason.code(), reason.to_string());
        let error = match reason.help() {
            Some(help) => error.with_help(help),
            None => error,
        };
        let error = if let AuthError::KeysUnavailable { retry_in } = &reason {
            error.with_retry_in(*retry_in)
        } else {
            error
        };
        error.with_source(reason)
    }
}

/// A stranger's text made safe for a log line: at most 64 characters, ASCII, escaped, in backticks.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("`");
    for c in text.chars().take(QUOTED_CHARS) {
        quoted.extend(c.escape_default());
    }
    quoted.push('`');
    if text.chars().nth(QUOTED_CHARS).is_some() {
        quoted.push_str(" (cut)");
    }
    quoted
}

const QUOTED_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_is_cut_and_cannot_forge_a_log_line() {
        let quoted = quote(&format!("\r\n\u{202e}{}", "x".repeat(1000)));
        assert!(quoted.starts_with(r"`\r\n\u{202e}x"));
        assert!(quoted.ends_with("x` (cut)") && quoted.len() < 100);
    }

    #[test]
    fn a_reason_becomes_its_code_and_stays_out_of_the_public_message() {
        let cases = [
            (AuthError::MissingCredentials, Code::MissingCredentials),
            (AuthError::Expired { ago_s: 61 }, Code::TokenExpired),
            (AuthError::NotYetValid { in_s: 61 }, Code::TokenNotYetValid),
            (
                AuthError::UnknownKey { kid: quote("k") },
                Code::InvalidToken,
            ),
            (AuthError::Confirmation, Code::InvalidToken),
        ];
        for (reason, code) in cases {
            let text = reason.to_string();
            let error = Error::from(reason);
            assert_eq!((error.code(), error.message()), (code, text.as_str()));
            assert_ne!(error.public_message(), text);
            assert_eq!(error.http_status(), 401);
        }
    }
}
