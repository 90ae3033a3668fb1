//! Key Vault's data plane: secrets and keys of the vaults that were made, each under a host name of its own.
//!
//! In: a request for `NAME.vault.azure.net` (or another cloud's suffix). Out: what Key Vault answers: a challenge without a
//! token, 403 without a right, and on every answer the headers that tell how the client came in.
//! A vault that nobody made has no address in reality; here it answers 404 with the code `VaultNotSimulated`.
//! Source: Microsoft Learn, "Key Vault REST API reference", versions 7.2 to 7.6 and 2025-07-01.

mod attributes;
mod bearer;
mod crypto;
mod deleted;
mod deleted_keys;
mod faulty;
mod handle;
mod key;
mod keys;
mod network;
mod page;
mod refusal;
mod right;
mod sample;
mod secret;
mod secrets;
mod store;

use serde_json::Value;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::random;
use crate::state::State;

use bearer::Caller;
pub use crypto::KeyKind;
pub(crate) use faulty::{is_list, refuse, stamped};
pub use handle::KeyVault;
pub use network::NetworkInfo;
use refusal::Refusal;
pub use right::Right;
pub use secret::SecretOptions;
pub(crate) use store::{Vault, Vaults};

/// Versions of the interface that are answered.
const API_VERSIONS: &[&str] = &["7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"];

/// One request to one vault, by somebody who may do it.
struct Visit<'v> {
    vault: &'v mut Vault,
    asked: &'v Asked,
    now: i64,
}

impl Visit<'_> {
    fn body(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.asked.body)
            .map_err(|_| Refusal::bad_parameter("The request body is not JSON"))
    }
}

type Act = fn(&mut Visit<'_>, &Target<'_>) -> Result<Answer, Refusal>;

/// What a path names: an object, and its version if one is named.
#[derive(Debug, Clone, Copy, Default)]
struct Target<'a> {
    name: &'a str,
    version: Option<&'a str>,
}

/// What a request does, and which right it takes.
struct Route<'a> {
    right: Right,
    target: Target<'a>,
    act: Act,
}

impl<'a> Route<'a> {
    fn of(right: Right, act: Act) -> Self {
        let target = Target::default();
        Self { right, target, act }
    }

    fn named(mut self, name: &'a str) -> Self {
        self.target.name = name;
        self
    }

    fn at(mut self, version: &'a str) -> Self {
        self.target.version = Some(version);
        self
    }
}

pub(crate) fn answer(state: &State, asked: &Asked, cloud: Cloud) -> Answer {
    let now = state.clock.now();
    let mut vaults = state.vaults();
    let Some(vault) = vaults.find_mut(&asked.host) else {
        return Refusal::no_vault(&asked.host).answer();
    };
    let answered = bearer::caller(state, asked, cloud, &vault.tenant)
        .and_then(|caller| visit(vault, asked, &caller, now));
    let answer = answered.unwrap_or_else(Refusal::answer);
    stamp(vault, asked, answer)
}

fn visit(vault: &mut Vault, asked: &Asked, caller: &Caller, now: i64) -> Result<Answer, Refusal> {
    api_version(asked)?;
    let segments = asked.segments();
    let method = asked.method.as_str();
    let route = secrets::route(method, &segments)
        .or_else(|| deleted::route(method, &segments))
        .or_else(|| keys::route(method, &segments))
        .or_else(|| deleted_keys::route(method, &segments))
        .ok_or_else(|| Refusal::no_route(asked))?;
    store::check_name(route.target.name)?;
    let assignment = vault
        .grants
        .assignment(&caller.object_id, route.right, route.target.name);
    let Some(assignment) = assignment else {
        return Err(Refusal::no_right(vault, caller, route.right, asked));
    };
    let assignment = assignment.to_owned();
    let mut visit = Visit { vault, asked, now };
    let answer = (route.act)(&mut visit, &route.target)?;
    Ok(answer.with_header("x-ms-keyvault-rbac-assignment-id", assignment))
}

fn api_version(asked: &Asked) -> Result<(), Refusal> {
    let Some(version) = asked.query.get("api-version") else {
        return Err(Refusal::bad_parameter("api-version must be specified"));
    };
    if API_VERSIONS.contains(&version) {
        return Ok(());
    }
    let message = format!("The specified version ({version}) is not recognized");
    Err(Refusal::bad_parameter(&message))
}

/// The headers that every answer of a vault carries, refusals too.
fn stamp(vault: &Vault, asked: &Asked, answer: Answer) -> Answer {
    let mut answer = answer
        .with_header("cache-control", "no-cache")
        .with_header("x-content-type-options", "nosniff")
        .with_header("x-ms-keyvault-region", vault.region.as_str())
        .with_header("x-ms-keyvault-service-version", "1.9.3000.1")
        .with_header("x-ms-request-id", random::guid());
    if let Some(info) = vault.network.header() {
        answer = answer.with_header("x-ms-keyvault-network-info", info);
    }
    if let Some(id) = asked.header("x-ms-client-request-id") {
        answer = answer.with_header("x-ms-client-request-id", id);
    }
    answer
}
