//! The client credentials grant: a workload asks for itself.
//!
//! Source: Microsoft Learn, "Microsoft identity platform and the OAuth 2.0 client credentials flow".

use super::error::Refusal;
use super::request::TokenRequest;
use crate::answer::Answer;
use crate::token;

pub(crate) fn answer(request: &TokenRequest<'_>) -> Result<Answer, Refusal> {
    let auth = request.authenticate()?;
    let text = request.required("scope")?;
    if !text.ends_with("/.default") {
        let message = format!(
            "The provided value for scope {text} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(Refusal::new("invalid_scope", 1_002_012, message));
    }
    let scope = request.scope(text)?;
    let claims = request.asked_claims()?;
    let principal = request
        .tenant
        .principal_of(&request.client.client_id)
        .and_then(|sp| token::workload(request.tenant, &sp.object_id, scope.resource));
    let mut issue = principal.ok_or_else(|| {
        let message = "The client application is missing service principal in the tenant.";
        Refusal::new("unauthorized_client", 7_000_229, message)
    })?;
    issue.client_auth = auth;
    issue.is_capable = claims.is_capable;
    request.issue(issue, text)
}
