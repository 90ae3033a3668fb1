//! The OpenID metadata documents of a tenant, v1.0 and v2.0, and of `organizations` and `common`.

use serde_json::json;

use super::error::Refusal;
use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::state::State;

/// What stands in place of the tenant where a document is for all of them.
pub(crate) const TEMPLATE: &str = "{tenantid}";

/// The tenant's id as documents write it: its own, or the template.
pub(crate) fn tenant_in_documents(state: &State, name: &str) -> Option<String> {
    match name {
        "organizations" | "common" | "consumers" => Some(TEMPLATE.to_owned()),
        name => state
            .directory()
            .tenant(name)
            .map(|tenant| tenant.id.clone()),
    }
}

pub(crate) fn no_such_tenant(name: &str) -> Refusal {
    let message = format!(
        "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
    );
    Refusal::new("invalid_tenant", 90002, message)
}

pub(crate) fn answer(
    state: &State,
    asked: &Asked,
    cloud: Cloud,
    tenant: &str,
    is_v1: bool,
) -> Answer {
    let Some(id) = tenant_in_documents(state, tenant) else {
        return no_such_tenant(tenant).answer(state.clock.now());
    };
    let base = base(state, asked, cloud);
    // With `{tenantid}` the URLs name what was asked for; only the issuer is a template.
    let path = if id == TEMPLATE { tenant } else { &id };
    let (issuer, version, keys) = if is_v1 {
        (cloud.v1_issuer(&id), "", "discovery/keys")
    } else {
        (cloud.v2_issuer(&id), "/v2.0", "discovery/v2.0/keys")
    };
    // A client with signing keys of its own asks with `?appid=` and finds the same in the keys' URL.
    let application = match asked.query.get("appid") {
        Some(appid) => format!("?appid={}", url_text(appid)),
        None => String::new(),
    };
    let region = if id == TEMPLATE { None } else { Some("EU") };
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{base}/{path}/{keys}{application}"),
        "authorization_endpoint": format!("{base}/{path}/oauth2{version}/authorize"),
        "token_endpoint": format!("{base}/{path}/oauth2{version}/token"),
        "device_authorization_endpoint": format!("{base}/{path}/oauth2{version}/devicecode"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": ["sub", "iss", "cloud_instance_name", "aud", "exp", "iat", "acr", "nonce", "tid", "ver"],
        "tenant_region_scope": region,
        "cloud_instance_name": cloud.instance_name(),
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": cloud.graph_host(),
    });
    Answer::json(200, &document).with_header("cache-control", "max-age=86400, private")
}

/// Where this document's URLs lead: to the cloud's host, and for a client that was given this machine as its authority, here.
fn base(state: &State, asked: &Asked, cloud: Cloud) -> String {
    match asked.host.as_str() {
        "localhost" | "127.0.0.1" => format!("https://{}:{}", asked.host, state.https.port()),
        _ => format!("https://{}", cloud.login_host()),
    }
}

/// What MSAL asks before it believes an authority: `GET /common/discovery/instance`.
pub(crate) fn instance(cloud: Cloud) -> Answer {
    let host = cloud.login_host();
    let aliases: &[&str] = match cloud {
        Cloud::Public => &[
            "login.microsoftonline.com",
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
        Cloud::UsGov => &["login.microsoftonline.us"],
        Cloud::China => &["login.partner.microsoftonline.cn"],
    };
    let endpoint = format!("https://{host}/common/v2.0/.well-known/openid-configuration");
    let document = json!({
        "tenant_discovery_endpoint": endpoint,
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": aliases,
        }],
    });
    Answer::json(200, &document)
}

fn url_text(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
