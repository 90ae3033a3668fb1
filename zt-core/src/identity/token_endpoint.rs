//! What Entra's token endpoint is asked and what it answers: a form out, a token or one exact reason in (RFC 6749 §4, §5).
//!
//! In: an [`HttpResponse`]. Out: an [`AccessToken`], or a [`CredentialError`] with the AADSTS code and our own words for it.
//! Never: a text of the answer in an error. Entra's descriptions hold names, addresses and correlation ids.
//! Source: Microsoft Learn, "Microsoft Entra authentication and authorization error codes", "Handle errors and exceptions in
//! MSAL" (`interaction_required`, `claims`), "How to use managed identities for App Service" (`expires_on` as text).

use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{AccessToken, Cloud, CredentialError};
use crate::clock::Timestamp;
use crate::id::Guid;
use crate::network::{HttpError, HttpResponse};

/// Where a tenant's tokens are asked for.
pub(crate) fn token_url(cloud: Cloud, tenant: Guid) -> String {
    let host = cloud.login_host();
    format!("https://{host}/{tenant}/oauth2/v2.0/token")
}

/// The token of an answer, or why there is none.
pub(crate) fn read_token(
    credential: &str,
    answer: &HttpResponse,
    now: Timestamp,
) -> Result<AccessToken, CredentialError> {
    if answer.status != 200 {
        return Err(refusal(credential, answer));
    }
    let no_token = || CredentialError::Unavailable {
        credential: credential.to_owned(),
        reason: "it answered 200 with something else than a bearer token".to_owned(),
        retry_in: None,
    };
    let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| no_token())?;
    let token = Zeroizing::new(granted.access_token);
    let sound = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let bearer = granted.token_type.as_deref().unwrap_or("Bearer");
    let relative = granted.expires_in.and_then(Seconds::read);
    let absolute = granted.expires_on.and_then(Seconds::read);
    let expires_at = match (relative, absolute) {
        (Some(seconds), _) => u64::try_from(seconds)
            .ok()
            .map(|seconds| now.after(Duration::from_secs(seconds).min(LONGEST_LIFE))),
        (None, Some(seconds)) => Some(Timestamp::from_secs(seconds).min(now.after(LONGEST_LIFE))),
        (None, None) => None,
    };
    match expires_at {
        Some(at) if sound && bearer.eq_ignore_ascii_case("bearer") => {
            Ok(AccessToken::new(token, at))
        }
        Some(_) | None => Err(no_token()),
    }
}

/// Why an answer that is not 200 gives no token.
pub(crate) fn refusal(credential: &str, answer: &HttpResponse) -> CredentialError {
    let told: Told = serde_json::from_slice(&answer.body).unwrap_or_default();
    let credential = credential.to_owned();
    let error = told.error.filter(|error| is_word(error));
    let reason = reason(
        answer.status,
        error.as_deref(),
        told.error_codes.first().copied(),
    );
    let busy = matches!(answer.status, 408 | 429 | 500..)
        || error.as_deref() == Some("temporarily_unavailable");
    if busy {
        return CredentialError::Unavailable {
            credential,
            reason,
            retry_in: answer.retry_after(),
        };
    }
    let claims = told
        .claims
        .filter(|claims| claims.len() <= MOST_CLAIMS_BYTES);
    if claims.is_some() || error.as_deref() == Some("interaction_required") {
        return CredentialError::ClaimsRequired {
            credential,
            reason,
            claims: claims.unwrap_or_default(),
        };
    }
    CredentialError::Refused { credential, reason }
}

/// No answer at all.
pub(crate) fn unreachable(credential: &str, error: &HttpError) -> CredentialError {
    CredentialError::Unavailable {
        credential: credential.to_owned(),
        reason: error.to_string(),
        retry_in: None,
    }
}

/// A granted token (RFC 6749 §5.1). The managed identity endpoints write numbers as text.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
    expires_on: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

impl Seconds {
    fn read(self) -> Option<i64> {
        match self {
            Self::Number(seconds) => Some(seconds),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// A refusal (RFC 6749 §5.2), with what Entra adds. The description is not read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Told {
    error: Option<String>,
    error_codes: Vec<u32>,
    claims: Option<String>,
}

/// An error code of OAuth is a word; anything else is not repeated.
fn is_word(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (1..=40).contains(&text.len()) && text.bytes().all(letter)
}

fn reason(status: u16, error: Option<&str>, code: Option<u32>) -> String {
    let error = error.unwrap_or("no error code");
    let Some(code) = code else {
        return format!("status {status}, {error}");
    };
    match meaning(code) {
        Some(meaning) => format!("AADSTS{code} ({error}): {meaning}"),
        None => format!("AADSTS{code} ({error})"),
    }
}

const fn meaning(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => "the client secret is wrong; a secret's value is needed, not its id",
        7_000_222 => "the client secret has ended",
        700_016 => "the tenant does not know this application",
        90_002 => "there is no such tenant",
        700_024 => "the client assertion is not valid now; check the clock and the token file",
        70_021 | 700_211 | 700_212 | 700_213 => {
            "no federated credential of the application matches the token file's issuer, subject and audience"
        }
        700_027 => "the client assertion is signed with a key that the application does not know",
        65_001 => "nobody has consented to this scope",
        500_011 => "the tenant does not know the scope's resource",
        50_013 | 500_131 | 500_133 => {
            "the caller's token is not for this application, or has ended"
        }
        50_074 | 50_076 | 50_079 => "the tenant asks for another factor",
        53_000..=53_003 => "Conditional Access refuses this sign-in",
        50_173 => "the sign-in was revoked",
        _ => return None,
    })
}

/// Longer than any access token of Entra lives (Microsoft Learn, "Configurable token lifetimes": a day).
const LONGEST_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// A claims challenge is a few hundred bytes.
const MOST_CLAIMS_BYTES: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

    fn read(status: u16, body: &str) -> Result<AccessToken, CredentialError> {
        read_token("test", &HttpResponse::new(status, body), NOW)
    }

    #[test]
    fn a_token_is_read_in_both_spellings_of_its_end() {
        let entra = read(
            200,
            r#"{"token_type":"Bearer","expires_in":3599,"access_token":"a.b.c"}"#,
        );
        let entra = entra.unwrap();
        assert_eq!(entra.reveal(), "a.b.c");
        assert_eq!(entra.expires_at(), NOW.after(Duration::from_secs(3599)));
        let machine = read(200, r#"{"access_token":"x","expires_on":"1790000600"}"#).unwrap();
        assert_eq!(machine.expires_at(), Timestamp::from_secs(1_790_000_600));
    }

    #[test]
    fn anything_else_is_no_token() {
        for body in [
            "",
            "<html>needle</html>",
            "[]",
            r#"{"access_token":"","expires_in":1}"#,
            r#"{"access_token":"x"}"#,
            r#"{"access_token":"x","expires_in":-1}"#,
            r#"{"access_token":"x","expires_in":"soon"}"#,
            r#"{"access_token":"x","expires_in":1,"token_type":"pop"}"#,
            r#"{"access_token":"x\r\ny","expires_in":1}"#,
        ] {
            let refused = read(200, body).unwrap_err();
            assert!(
                matches!(refused, CredentialError::Unavailable { .. }),
                "{body}"
            );
            assert!(!format!("{refused:?}").contains("needle"));
        }
    }

    #[test]
    fn the_code_is_kept_and_the_text_is_not() {
        let body = r#"{"error":"invalid_client","error_codes":[7000215],"error_description":"AADSTS7000215: needle\r\nTrace ID"}"#;
        let refused = read(401, body).unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains("AADSTS7000215 (invalid_client): the client secret is wrong"),
            "{text}"
        );
        assert!(!format!("{refused:?}").contains("needle"));
        let odd = read(400, r#"{"error":"a needle with \"text\""}"#).unwrap_err();
        assert_eq!(
            odd.to_string(),
            "test was refused: status 400, no error code"
        );
    }

    #[test]
    fn a_claims_challenge_is_handed_on() {
        let body = r#"{"error":"interaction_required","error_codes":[50076],"claims":"{\"access_token\":{}}"}"#;
        let refused = read(400, body).unwrap_err();
        let CredentialError::ClaimsRequired { claims, reason, .. } = &refused else {
            panic!("{refused:?}");
        };
        assert_eq!(claims, r#"{"access_token":{}}"#);
        assert!(reason.contains("AADSTS50076"), "{reason}");
    }

    #[test]
    fn a_busy_issuer_is_asked_again() {
        for status in [408, 429, 500, 502, 503, 504] {
            let answer = HttpResponse::new(status, "busy").with_header("retry-after", "7");
            let refused = read_token("test", &answer, NOW).unwrap_err();
            let seven = Some(Duration::from_secs(7));
            assert!(
                matches!(refused, CredentialError::Unavailable { retry_in, .. } if retry_in == seven),
                "{status}"
            );
        }
    }

    #[test]
    fn a_form_is_encoded_byte_by_byte() {
        let form =
            super::super::form::encode(&[("scope", "api://x/.default"), ("secret", "a+b &=%é")]);
        let expected = "scope=api%3A%2F%2Fx%2F.default&secret=a%2Bb%20%26%3D%25%C3%A9";
        assert_eq!(String::from_utf8(form.to_vec()).unwrap(), expected);
    }
}
