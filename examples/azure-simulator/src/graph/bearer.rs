//! Who asks Graph, and whether they may.

use serde_json::Value;

use super::Refusal;
use crate::asked::Asked;
use crate::directory::{GRAPH, is_for};
use crate::state::State;

/// The tenant of a token that is for Graph and carries one of these permissions.
pub(crate) fn tenant(
    state: &State,
    asked: &Asked,
    permissions: &[&str],
) -> Result<String, Refusal> {
    let invalid = |message: &str| Refusal::new(401, "InvalidAuthenticationToken", message);
    let token = asked
        .bearer()
        .ok_or_else(|| invalid("Access token is empty."))?;
    let claims = state.verified(token).ok_or_else(|| {
        invalid("Access token validation failure. Invalid signature or lifetime.")
    })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if !is_for(text("aud"), GRAPH) {
        return Err(invalid(
            "Access token validation failure. Invalid audience.",
        ));
    }
    let roles = claims.get("roles").and_then(Value::as_array);
    let roles = roles.into_iter().flatten().filter_map(Value::as_str);
    let mut held = text("scp").split(' ').chain(roles);
    if !held.any(|one| permissions.contains(&one)) {
        let message = "Insufficient privileges to complete the operation.";
        return Err(Refusal::new(403, "Authorization_RequestDenied", message));
    }
    Ok(text("tid").to_owned())
}
