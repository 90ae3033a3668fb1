//! Microsoft Entra ID: metadata, keys, tokens.
//!
//! In: requests to a login host, each path below a tenant. Out: answers in the shape of the real service, as far as clients look
//! at them. Not played: browsers' sign-in, refresh tokens, SAML, certificates of clients.

mod client;
mod client_credentials;
mod device;
mod device_grant;
mod device_page;
mod error;
mod id_token;
mod jwks;
mod metadata;
mod on_behalf_of;
mod request;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::dispatch::not_here;
use crate::state::State;
pub(crate) use client::{CLUSTER_ISSUER, EXCHANGE};
pub(crate) use device::Devices;
pub(crate) use device_page::{approve, decline, device_page};
use error::Refusal;
pub(crate) use jwks::key_set;
use request::TokenRequest;

pub(crate) fn answer(state: &State, asked: &Asked, cloud: Cloud) -> Answer {
    match (asked.method.as_str(), asked.segments().as_slice()) {
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            metadata::answer(state, asked, cloud, tenant, false)
        }
        ("GET", [tenant, ".well-known", "openid-configuration"]) => {
            metadata::answer(state, asked, cloud, tenant, true)
        }
        ("GET", [tenant, "discovery", "v2.0", "keys"]) => {
            jwks::answer(state, asked, cloud, tenant, false)
        }
        ("GET", [tenant, "discovery", "keys"]) => jwks::answer(state, asked, cloud, tenant, true),
        ("GET", ["common", "discovery", "instance"]) => metadata::instance(cloud),
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
            finish(state, token(state, asked, cloud, tenant))
        }
        ("POST", [tenant, "oauth2", "v2.0", "devicecode"]) => {
            finish(state, device_grant::begin(state, asked, cloud, tenant))
        }
        _ => not_here(asked),
    }
}

fn token(state: &State, asked: &Asked, cloud: Cloud, tenant: &str) -> Result<Answer, Refusal> {
    let form = asked.form();
    let directory = state.directory();
    let request = TokenRequest::read(state, &directory, cloud, tenant, &form)?;
    match request.required("grant_type")? {
        "client_credentials" => client_credentials::answer(&request),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => on_behalf_of::answer(&request),
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => {
            device_grant::poll(&request)
        }
        other => Err(Refusal::new(
            "unsupported_grant_type",
            70003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
    }
}

fn finish(state: &State, answered: Result<Answer, Refusal>) -> Answer {
    let answer = answered.unwrap_or_else(|refusal| refusal.answer(state.clock.now()));
    answer
        .with_header("cache-control", "no-store, no-cache")
        .with_header("pragma", "no-cache")
}
