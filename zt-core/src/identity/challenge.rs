//! What a service answers a caller whom it refuses: the header `WWW-Authenticate`, so that the client knows what to do.
//!
//! Sources: RFC 6750 section 3, RFC 9470; Microsoft Learn, "Claims challenges, claims requests and client capabilities" and
//! "Developer guide to Conditional Access authentication context". A challenge names what is missing and nothing else.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::clock::Timestamp;

/// The value of a `WWW-Authenticate` header of the scheme `Bearer`.
///
/// ```
/// use zt_core::identity::Challenge;
///
/// let challenge = Challenge::auth_context("c1");
/// assert_eq!(
///     challenge.to_string(),
///     "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzEifX19\""
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    error: Option<&'static str>,
    /// The JSON of a claims request (OpenID Connect Core section 5.5).
    claims: Option<String>,
}

impl Challenge {
    /// A token is asked for: none was presented.
    #[must_use]
    pub const fn token() -> Self {
        Self {
            error: None,
            claims: None,
        }
    }

    /// Another token is asked for: this one is not acceptable.
    #[must_use]
    pub const fn invalid_token() -> Self {
        Self {
            error: Some("invalid_token"),
            claims: None,
        }
    }

    /// A stronger sign-in is asked for, by words that Entra has no claims request for (RFC 9470 section 3).
    #[must_use]
    pub const fn stronger_sign_in() -> Self {
        Self {
            error: Some("insufficient_user_authentication"),
            claims: None,
        }
    }

    /// A sign-in under an authentication context of Conditional Access is asked for: `c1` to `c99`.
    #[must_use]
    pub fn auth_context(context: &str) -> Self {
        let asked = json!({ "access_token": { "acrs": { "essential": true, "value": context } } });
        Self::claims(asked.to_string())
    }

    /// A token that was issued at or after this moment is asked for.
    #[must_use]
    pub fn fresher_than(moment: Timestamp) -> Self {
        let value = moment.as_secs().to_string();
        let asked = json!({ "access_token": { "nbf": { "essential": true, "value": value } } });
        Self::claims(asked.to_string())
    }

    /// What a claims request asks for, as Entra itself sent it for a service behind this one.
    #[must_use]
    pub fn claims(claims: impl Into<String>) -> Self {
        Self {
            error: Some("insufficient_claims"),
            claims: Some(claims.into()),
        }
    }

    /// The claims request, JSON, that a client sends back with its next sign-in.
    #[must_use]
    pub fn claims_request(&self) -> Option<&str> {
        self.claims.as_deref()
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.error else {
            return f.write_str("Bearer");
        };
        write!(f, "Bearer realm=\"\", error=\"{error}\"")?;
        match &self.claims {
            Some(claims) => write!(f, ", claims=\"{}\"", STANDARD.encode(claims)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_in_a_challenge_is_the_one_that_microsofts_clients_read() {
        let at = Timestamp::from_secs(1_790_000_000);
        let challenge = Challenge::fresher_than(at);
        assert_eq!(
            challenge.claims_request(),
            Some(r#"{"access_token":{"nbf":{"essential":true,"value":"1790000000"}}}"#)
        );
        let text = challenge.to_string();
        let encoded = text
            .split("claims=\"")
            .nth(1)
            .unwrap()
            .trim_end_matches('"');
        let decoded = STANDARD.decode(encoded).unwrap();
        assert_eq!(
            String::from_utf8(decoded).unwrap(),
            challenge.claims_request().unwrap()
        );
    }

    #[test]
    fn what_a_claims_request_holds_cannot_end_the_header() {
        let challenge = Challenge::claims("{\"a\":\"\r\nSet-Cookie: x\"}");
        assert!(
            challenge
                .to_string()
                .bytes()
                .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        );
        assert_eq!(Challenge::token().to_string(), "Bearer");
    }
}
