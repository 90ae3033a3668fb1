//! Managed identities as App Service, Functions and Container Apps give them: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
//!
//! Source: Microsoft Learn, "How to use managed identities for App Service and Azure Functions", REST endpoint reference.

use serde_json::json;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::imds;
use crate::state::State;

/// `GET /msi/token?api-version=2019-08-01&resource=…`
pub(crate) fn answer(state: &State, asked: &Asked) -> Answer {
    if asked.header("x-identity-header") != Some(state.identity_header.as_str()) {
        return refused(401, "the X-IDENTITY-HEADER is not the machine's");
    }
    if asked.query.get("api-version") != Some("2019-08-01") {
        return refused(400, "the api-version is not 2019-08-01");
    }
    match imds::identity_token(state, asked) {
        Ok(mut token) => {
            if let Some(members) = token.as_object_mut() {
                members.retain(|name, _| !matches!(name.as_str(), "expires_in" | "ext_expires_in"));
            }
            Answer::json(200, &token)
        }
        Err(message) => refused(400, message),
    }
}

fn refused(status: u16, message: &str) -> Answer {
    let body = json!({ "statusCode": status, "message": message });
    Answer::json(status, &body)
}
