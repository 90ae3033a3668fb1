//! Key Vault: over a plain HTTPS client, and through Azure's own SDK over zt's transport.

mod access;
mod control;
mod faults;
mod keys;
mod network;
mod sdk;
mod sdk_keys;
mod secrets;

use serde_json::Value;
use zt_azure_simulator::{KeyVault, Right, Simulator, TokenOptions};

use crate::client::{Response, secure, start};

pub(crate) const HOST: &str = "kv-tests.vault.azure.net";
/// Who may do everything there.
pub(crate) const WHO: &str = "sp-train-202";

/// A vault in which [`WHO`] holds every right.
pub(crate) fn open() -> Simulator {
    let sim = start();
    let vault = sim.make_vault("kv-tests").unwrap();
    let rights: Vec<Right> = Right::all().collect();
    vault.grant(WHO, &rights).unwrap();
    sim
}

pub(crate) fn vault(sim: &Simulator) -> KeyVault<'_> {
    sim.vault("kv-tests")
}

pub(crate) fn token(sim: &Simulator, who: &str) -> String {
    let options = TokenOptions::new().for_audience("https://vault.azure.net");
    sim.token_for(who, &options).unwrap()
}

/// With a token of [`WHO`]; `api-version` is added.
pub(crate) async fn ask(sim: &Simulator, method: &str, path: &str, body: &str) -> Response {
    ask_as(sim, WHO, method, path, body).await
}

pub(crate) async fn ask_as(
    sim: &Simulator,
    who: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Response {
    let bearer = format!("Bearer {}", token(sim, who));
    let joint = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{joint}api-version=7.6");
    let headers = [("authorization", bearer.as_str())];
    let answer = secure(sim, HOST, method, &path, &headers, body).await;
    answer.unwrap()
}

pub(crate) async fn get(sim: &Simulator, path: &str) -> Response {
    ask(sim, "GET", path, "").await
}

/// Status, code and inner code of a refusal.
pub(crate) fn refusal(response: &Response) -> (u16, String, Value) {
    let error = &response.json()["error"];
    let code = error["code"].as_str().unwrap().to_owned();
    (response.status, code, error["innererror"]["code"].clone())
}
