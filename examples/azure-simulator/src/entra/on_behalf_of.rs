//! The on-behalf-of grant: an API trades its caller's token for one to the next API.
//!
//! Source: Microsoft Learn, "Microsoft identity platform and OAuth2.0 On-Behalf-Of flow": only for people's tokens, only for
//! tokens whose audience is the API that asks.

use serde_json::{Value, json};

use super::error::Refusal;
use super::request::TokenRequest;
use crate::answer::Answer;
use crate::directory::User;
use crate::token;

pub(crate) fn answer(request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let auth = request.authenticate()?;
    if request.required("requested_token_use")? != "on_behalf_of" {
        let message = "The value of the parameter 'requested_token_use' is not supported.";
        return Err(Refusal::new("invalid_request", 240_002, message));
    }
    let assertion = request.required("assertion")?;
    let claims = request.state.verified(assertion).ok_or_else(|| {
        let message =
            "Assertion failed signature validation, or is not within its valid time range.";
        Refusal::new("invalid_grant", 50013, message)
    })?;
    check_audience(request, &claims)?;
    let user = person(request, &claims)?;
    let text = request.required("scope")?;
    let scope = request.scope(text)?;
    let asked = request.asked_claims()?;
    if let Some(interaction) = &user.interaction {
        return Err(Refusal::interaction(interaction.clone()));
    }
    let mut needed = asked.contexts;
    needed.extend(scope.resource.needs_context.clone());
    if let Some(context) = needed.iter().find(|one| !user.contexts.contains(one)) {
        return Err(Refusal::interaction(step_up(context)));
    }
    let names = (!scope.names.is_empty()).then_some(scope.names);
    let issue = token::person(request.tenant, &user.object_id, scope.resource, names);
    let mut issue = issue.ok_or_else(|| unknown_user(&user.object_id))?;
    issue.client_auth = auth;
    issue.is_capable = asked.is_capable;
    request.issue(issue, text)
}

/// What a client must send back to get a session with this authentication context.
pub(crate) fn step_up(context: &str) -> Value {
    json!({ "access_token": { "acrs": { "essential": true, "value": context } } })
}

pub(crate) fn unknown_user(name: &str) -> Refusal {
    let message = format!("The user account {name} does not exist in the directory.");
    Refusal::new("invalid_grant", 50034, message)
}

fn check_audience(request: &TokenRequest<'_>, claims: &Value) -> Result<(), Refusal> {
    let aud = claims
        .get("aud")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let bare = aud.trim_end_matches('/');
    let client = request.client;
    if client.client_id == bare || client.uris.iter().any(|uri| uri == bare) {
        return Ok(());
    }
    let message = format!(
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{aud}' and the expected audience is '{}' or one of the Application Uris of this application.",
        client.client_id
    );
    Err(Refusal::new("invalid_grant", 500_131, message))
}

fn person<'r>(request: &TokenRequest<'r>, claims: &Value) -> Result<&'r User, Refusal> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("idtyp") != Some("user") || text("tid") != Some(request.tenant.id.as_str()) {
        let message = format!(
            "Application '{}' is not allowed to make application on-behalf-of calls.",
            request.client.client_id
        );
        return Err(Refusal::new("invalid_grant", 7_000_114, message));
    }
    let oid = text("oid").unwrap_or_default();
    let user = request.tenant.user(oid).ok_or_else(|| unknown_user(oid))?;
    if !user.enabled {
        return Err(Refusal::new(
            "invalid_grant",
            50057,
            "The user account is disabled.",
        ));
    }
    Ok(user)
}
