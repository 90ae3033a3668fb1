//! What the simulator issues, read by zt's own verifier.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zt_azure_simulator::{Group, Simulator, TokenOptions};
use zt_core::clock::SystemClock;
use zt_core::identity::{Authenticator, Caller, CallerKind, Cloud, EntraProfile, Groups, KeySet};

use crate::client::{API, LOGIN, SCORING, TENANT, get, start};

/// The claims, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

fn profile() -> EntraProfile {
    let (tenant, api) = (TENANT.parse().unwrap(), API.parse().unwrap());
    EntraProfile::new(Cloud::Public, tenant, api).unwrap()
}

/// As a service would: keys from the network, then the token.
async fn authenticate(
    sim: &Simulator,
    keys: &str,
    profile: EntraProfile,
    token: &str,
) -> Result<Caller, String> {
    let set = get(sim, LOGIN, keys).await;
    let keys = KeySet::from_jwks(&set.body, &profile).unwrap();
    let clock = Arc::new(SystemClock::new());
    Authenticator::new(profile, keys, clock)
        .unwrap()
        .authenticate(token)
        .map_err(|why| why.to_string())
}

const KEYS: &str = "/organizations/discovery/v2.0/keys";

#[tokio::test]
async fn a_person_is_who_the_directory_says() {
    let sim = start();
    let options = TokenOptions::new()
        .with_contexts(&["c1"])
        .with_capable_client();
    let token = sim.token_for("maya", &options).unwrap();
    let caller = authenticate(&sim, KEYS, profile(), &token).await.unwrap();
    let maya = "b0000000-0000-4000-8000-000000000002";
    assert_eq!(caller.object().to_string(), maya);
    assert_eq!(caller.kind(), CallerKind::User);
    let all = claims(&token);
    assert_eq!(
        all["groups"],
        json!(["a0000000-0000-4000-8000-000000000002"])
    );
    assert_eq!(all["scp"], "zt.access");
    assert_eq!(all["acrs"], json!(["c1"]));
    assert_eq!(all["xms_cc"], json!(["cp1"]));
    assert_eq!(header(&token).get("x5t"), None);
    let lifetime = all["exp"].as_i64().unwrap() - all["iat"].as_i64().unwrap();
    assert!((3900..5700).contains(&lifetime), "{lifetime}");
}

#[tokio::test]
async fn a_workload_is_an_application_with_its_roles() {
    let sim = start();
    let token = sim.token_for("sp-score-201", &TokenOptions::new()).unwrap();
    let caller = authenticate(&sim, KEYS, profile(), &token).await.unwrap();
    assert_eq!(caller.kind(), CallerKind::ServicePrincipal);
    let all = claims(&token);
    assert_eq!(all["roles"], json!(["zt.workload"]));
    assert_eq!(all["azp"], SCORING);
    assert_eq!(all["idtyp"], "app");
    assert_eq!(all["sub"], all["oid"]);
    assert_eq!(all.get("scp"), None);
}

#[tokio::test]
async fn v1_tokens_have_their_own_form_and_keys() {
    let sim = start();
    let token = sim
        .token_for("maya", &TokenOptions::new().in_v1_form(true))
        .unwrap();
    let uri = format!("api://{API}");
    let profile = profile().accepting_v1(&[&uri]).unwrap();
    let v1_keys = "/organizations/discovery/keys";
    let caller = authenticate(&sim, v1_keys, profile, &token).await;
    assert_eq!(caller.unwrap().kind(), CallerKind::User);
    let all = claims(&token);
    assert_eq!(all["iss"], format!("https://sts.windows.net/{TENANT}/"));
    assert_eq!(all["aud"], uri);
    assert_eq!(all["ver"], "1.0");
    assert_eq!(all["amr"], json!(["pwd", "mfa"]));
    assert_eq!(all["appidacr"], "0");
    assert_eq!(header(&token)["x5t"], header(&token)["kid"]);
}

#[tokio::test]
async fn more_groups_than_fit_are_an_overage() {
    let sim = start();
    let maya = "b0000000-0000-4000-8000-000000000002";
    sim.change(|directory| {
        let tenant = &mut directory.tenants[0];
        for number in 0..199 {
            let id = format!("a1000000-0000-4000-8000-{number:012x}");
            let group = Group::new(&format!("more-{number}"), &id).with_member(maya);
            tenant.groups.push(group);
        }
    });
    let token = || sim.token_for("maya", &TokenOptions::new()).unwrap();
    assert_eq!(claims(&token())["groups"].as_array().unwrap().len(), 200);
    sim.change(|directory| {
        let group = directory.group_mut("grp-security").unwrap();
        group.members.insert(maya.to_owned());
    });
    let token = token();
    assert_eq!(claims(&token).get("groups"), None);
    let caller = authenticate(&sim, KEYS, profile(), &token).await.unwrap();
    assert!(matches!(caller.groups(), Groups::Overage));
}

#[tokio::test]
async fn keys_of_another_cloud_and_old_keys_sign_nothing_for_us() {
    let sim = start();
    let foreign = sim.foreign_keys().unwrap();
    let forged = sim
        .token_for("maya", &TokenOptions::new().signed_with(&foreign))
        .unwrap();
    let refused = authenticate(&sim, KEYS, profile(), &forged).await;
    assert!(refused.is_err(), "a key of another cloud");
    let old = sim.current_key();
    let token = sim.token_for("maya", &TokenOptions::new()).unwrap();
    sim.rotate().unwrap();
    sim.retire(&old).unwrap();
    let refused = authenticate(&sim, KEYS, profile(), &token).await;
    assert!(refused.is_err(), "a key that is not published any more");
    let token = sim.token_for("maya", &TokenOptions::new()).unwrap();
    assert!(authenticate(&sim, KEYS, profile(), &token).await.is_ok());
}

#[tokio::test]
async fn tests_bend_any_claim_and_any_time() {
    let sim = start();
    let options = TokenOptions::new()
        .with_claim("department", json!("risk"))
        .with_claim("scp", Value::Null)
        .issued_at(1_000_000)
        .with_lifetime(Duration::from_secs(60));
    let all = claims(&sim.token_for("maya", &options).unwrap());
    assert_eq!(all["department"], "risk");
    assert_eq!(all.get("scp"), None);
    assert_eq!(all["exp"], 1_000_060);
    assert!(sim.token_for("nobody", &TokenOptions::new()).is_err());
}
