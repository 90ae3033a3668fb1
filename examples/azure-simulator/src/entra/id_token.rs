//! What a client that asks for `openid` gets besides: an ID token, and MSAL's `client_info`.
//!
//! Source: Microsoft Learn, "ID token claims reference". MSAL keys its cache with `client_info` and refuses answers without.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::request::TokenRequest;
use crate::issue::{Issue, Who, pairwise};
use crate::token;

/// The members to add to a person's answer.
pub(super) fn members(request: &TokenRequest<'_>, issue: &Issue, scope: &str) -> Value {
    let is_asked = scope.split(' ').any(|one| one == "openid");
    let Who::Person {
        upn, display_name, ..
    } = &issue.who
    else {
        return json!({});
    };
    if !is_asked {
        return json!({});
    }
    let claims = json!({
        "aud": request.client.client_id,
        "iss": request.cloud.v2_issuer(&issue.tenant),
        "iat": issue.now - 300,
        "nbf": issue.now - 300,
        "exp": issue.now + 3600,
        "name": display_name,
        "oid": issue.object_id,
        "preferred_username": upn,
        "sub": pairwise(&issue.object_id, &request.client.client_id),
        "tid": issue.tenant,
        "ver": "2.0",
    });
    let client_info = json!({ "uid": issue.object_id, "utid": issue.tenant });
    json!({
        "id_token": token::sign(request.state, None, false, &claims).ok(),
        "client_info": URL_SAFE_NO_PAD.encode(client_info.to_string()),
    })
}
