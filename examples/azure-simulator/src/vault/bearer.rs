//! Who asks a vault: the token that it challenges for.
//!
//! Source: Microsoft Learn, "Authentication, requests and responses" (Key Vault). A request without a token is told where to
//! get one; so is a request whose token is not for vaults, not of the vault's tenant, not this simulator's, or expired.

use serde_json::Value;

use super::refusal::Refusal;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::directory::VAULT;
use crate::state::State;

/// Whom a token names.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) object_id: String,
    pub(crate) client_id: String,
    pub(crate) issuer: String,
}

pub(super) fn caller(
    state: &State,
    asked: &Asked,
    cloud: Cloud,
    tenant: &str,
) -> Result<Caller, Refusal> {
    let challenge = challenge(cloud, tenant);
    let Some(token) = asked.bearer() else {
        let message = "AKV10000: Request is missing a Bearer or PoP token.";
        return Err(Refusal::unauthorized(challenge, message));
    };
    let invalid = |message: &str| invalid(&challenge, message);
    let claims = state.verified(token).ok_or_else(|| invalid(UNVERIFIED))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let audience = text("aud").trim_end_matches('/');
    let expected = format!("https://{}", cloud.vault_suffix());
    if audience != expected && audience != VAULT {
        let message = format!("AKV10022: Invalid audience. Expected {expected}.");
        return Err(invalid(&message));
    }
    if text("tid") != tenant {
        return Err(invalid("AKV10032: Invalid issuer."));
    }
    let client_id = match text("appid") {
        "" => text("azp"),
        id => id,
    };
    Ok(Caller {
        object_id: text("oid").to_owned(),
        client_id: client_id.to_owned(),
        issuer: text("iss").to_owned(),
    })
}

fn challenge(cloud: Cloud, tenant: &str) -> String {
    format!(
        "Bearer authorization=\"https://{}/{tenant}\", resource=\"https://{}\"",
        cloud.login_host(),
        cloud.vault_suffix()
    )
}

fn invalid(challenge: &str, message: &str) -> Refusal {
    let challenge =
        format!("{challenge}, error=\"invalid_token\", error_description=\"{message}\"");
    Refusal::unauthorized(challenge, message)
}

/// What a vault answers to a token that it does not take.
pub(super) fn refused(cloud: Cloud, tenant: &str) -> Refusal {
    invalid(&challenge(cloud, tenant), UNVERIFIED)
}

impl Caller {
    /// Nobody that a token names.
    pub(super) fn unknown() -> Self {
        let nobody = || "(unknown)".to_owned();
        Self {
            object_id: nobody(),
            client_id: nobody(),
            issuer: nobody(),
        }
    }
}

const UNVERIFIED: &str =
    "AKV10046: Unable to resolve the key used for signature validation, or the token is expired.";
