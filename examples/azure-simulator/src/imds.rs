//! The metadata endpoint of a virtual machine: tokens of its managed identities.
//!
//! Source: Microsoft Learn, "How to use managed identities for Azure resources on an Azure VM to acquire an access token".

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::directory::{ServicePrincipal, Tenant, resource_of};
use crate::state::State;
use crate::token;

/// `GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=…`
pub(crate) fn answer(state: &State, asked: &Asked) -> Answer {
    if asked.method != "GET" {
        return refused(405, "method_not_allowed", "Only GET is supported");
    }
    // The header proves that no server was tricked into asking; a proxy in between says so itself.
    if asked.header("metadata") != Some("true") {
        let message = "Required metadata header not specified";
        return refused(400, "invalid_request", message);
    }
    if asked.header("x-forwarded-for").is_some() {
        return refused(400, "invalid_request", "X-Forwarded-For is not supported");
    }
    if asked.query.get("api-version").is_none() {
        let message = "Required query variable 'api-version' is missing";
        return refused(400, "invalid_request", message);
    }
    match identity_token(state, asked) {
        Ok(token) => Answer::json(200, &token),
        Err(message) => refused(400, "invalid_request", message),
    }
}

/// The members of the answer, all of them text. The machine also belongs to a tenant: the first with such an identity.
pub(crate) fn identity_token(state: &State, asked: &Asked) -> Result<Value, &'static str> {
    let resource = asked
        .query
        .get("resource")
        .ok_or("Required query variable 'resource' is missing")?;
    let directory = state.directory();
    let (tenant, identity) = choose(&directory.tenants, asked)?;
    let resource_name = resource.trim_end_matches("/.default");
    let found = resource_of(tenant, resource_name)
        .ok_or("AADSTS500011: The resource principal was not found in the tenant")?;
    let mut issue =
        token::workload(tenant, &identity.object_id, found).ok_or("Identity not found")?;
    let now = state.clock.now();
    let lifetime = 86_400;
    issue.now = now;
    issue.lifetime = Some(lifetime);
    let token = token::sign(state, None, issue.resource.is_v1, &issue.claims());
    let token = token.map_err(|_| "The identity's token cannot be signed")?;
    Ok(json!({
        "access_token": token,
        "client_id": identity.client_id,
        "expires_in": (lifetime - 1).to_string(),
        "expires_on": (now + lifetime).to_string(),
        "ext_expires_in": (lifetime - 1).to_string(),
        "not_before": (now - 300).to_string(),
        "resource": resource,
        "token_type": "Bearer",
    }))
}

fn choose<'d>(
    tenants: &'d [Tenant],
    asked: &Asked,
) -> Result<(&'d Tenant, &'d ServicePrincipal), &'static str> {
    let all = tenants.iter().flat_map(|tenant| {
        let managed = tenant.service_principals.iter();
        managed
            .filter(|sp| sp.managed.is_some())
            .map(move |sp| (tenant, sp))
    });
    let query = |names: &[&str]| names.iter().find_map(|name| asked.query.get(name));
    let client_id = query(&["client_id"]);
    let object_id = query(&["object_id", "principal_id"]);
    let resource_id = query(&["msi_res_id", "mi_res_id"]);
    let of = |sp: &ServicePrincipal| {
        sp.managed
            .as_ref()
            .map(|managed| managed.resource_id.clone())
    };
    let is_chosen = |sp: &ServicePrincipal| {
        client_id.is_none_or(|id| sp.client_id == id)
            && object_id.is_none_or(|id| sp.object_id == id)
            && resource_id.is_none_or(|id| of(sp).is_some_and(|own| own.eq_ignore_ascii_case(id)))
    };
    if client_id.or(object_id).or(resource_id).is_some() {
        return all
            .into_iter()
            .find(|(_, sp)| is_chosen(sp))
            .ok_or("Identity not found");
    }
    let all: Vec<_> = all.collect();
    let is_system = |sp: &ServicePrincipal| {
        let managed = sp.managed.as_ref();
        managed.is_some_and(|managed| managed.is_system_assigned)
    };
    match all.as_slice() {
        [] => Err("Identity not found"),
        [only] => Ok(*only),
        several => {
            let system = several.iter().find(|(_, sp)| is_system(sp));
            system.copied().ok_or(
                "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
            )
        }
    }
}

fn refused(status: u16, error: &str, message: &str) -> Answer {
    let body = json!({ "error": error, "error_description": message });
    Answer::json(status, &body)
}
