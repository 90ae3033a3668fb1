//! The device authorization grant: a program without a browser shows a code, a person types it elsewhere.
//!
//! Source: RFC 8628; Microsoft Learn, "Microsoft identity platform and the OAuth 2.0 device authorization grant flow", which
//! says `authorization_declined` where the RFC says `access_denied`.

use serde_json::json;

use super::device::Polled;
use super::error::Refusal;
use super::on_behalf_of::{step_up, unknown_user};
use super::request::TokenRequest;
use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::issue::ClientAuth;
use crate::state::State;
use crate::token;

/// `POST /{tenant}/oauth2/v2.0/devicecode`
pub(crate) fn begin(
    state: &State,
    asked: &Asked,
    cloud: Cloud,
    tenant: &str,
) -> Result<Answer, Refusal> {
    let form = asked.form();
    let directory = state.directory();
    let request = TokenRequest::read(state, &directory, cloud, tenant, &form)?;
    refuse_confidential(&request)?;
    let scope = request.required("scope")?;
    request.scope(scope)?;
    let client_id = &request.client.client_id;
    let now = state.clock.now();
    let tenant = &request.tenant.id;
    let (code, device) = state.devices().begin(tenant, client_id, scope, cloud, now);
    let page = state.device_page();
    let message = format!(
        "To sign in, use a web browser to open the page {page} and enter the code {} to authenticate.",
        device.user_code
    );
    let body = json!({
        "user_code": device.user_code,
        "device_code": code,
        "verification_uri": page,
        "expires_in": device.expires_at - now,
        "interval": device.interval_s,
        "message": message,
    });
    Ok(Answer::json(200, &body))
}

/// The client asks whether the person has signed in.
pub(crate) fn poll(request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    refuse_confidential(request)?;
    let code = request.required("device_code")?;
    let now = request.state.clock.now();
    let polled = request
        .state
        .devices()
        .poll(code, &request.client.client_id, now);
    let refuse = |error, number, message: &str| Err(Refusal::new(error, number, message));
    let (device, object_id) = match polled {
        Polled::Approved { device, object_id } => (device, object_id),
        Polled::Pending => {
            let message =
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
            return refuse("authorization_pending", 70016, message);
        }
        Polled::TooSoon => {
            let message = "OAuth 2.0 device flow error. The client polls too often.";
            return refuse("slow_down", 70016, message);
        }
        Polled::Declined => {
            let message = "The end user denied the authorization request.";
            return refuse("authorization_declined", 70018, message);
        }
        Polled::Expired => {
            let message = "The provided value for the input parameter 'device_code' is not valid. This device code has expired.";
            return refuse("expired_token", 70020, message);
        }
        Polled::Unknown => {
            let message = "The provided value for the input parameter 'device_code' is not valid.";
            return refuse("bad_verification_code", 70019, message);
        }
    };
    let scope = request.scope(&device.scope)?;
    let asked = request.asked_claims()?;
    let user = request.tenant.user(&object_id);
    let user = user
        .filter(|_| request.tenant.id == device.tenant && request.cloud == device.cloud)
        .ok_or_else(|| unknown_user(&object_id))?;
    if let Some(context) = &scope.resource.needs_context
        && !user.contexts.contains(context)
    {
        return Err(Refusal::interaction(step_up(context)));
    }
    let names = (!scope.names.is_empty()).then_some(scope.names);
    let issue = token::person(request.tenant, &object_id, scope.resource, names);
    let mut issue = issue.ok_or_else(|| unknown_user(&object_id))?;
    issue.client_auth = ClientAuth::Public;
    issue.is_capable = asked.is_capable;
    request.issue(issue, &device.scope)
}

/// Only a public client may sign people in like this without a secret.
fn refuse_confidential(request: &TokenRequest<'_>) -> Result<(), Refusal> {
    if request.client.is_public {
        return Ok(());
    }
    request.authenticate().map(|_| ())
}
