//! Every rule, with a token that breaks it and nothing else; signed with the trusted key unless the signature is the point.

mod anything;
mod claims;
mod entry;
mod form;
mod issuer;
mod keys;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{Guid, PrincipalId};
use crate::testing::{DevIssuer, ManualClock, TokenRequest};

const NOW_S: i64 = 1_790_000_000;
const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const APP: &str = "d0000000-0000-4000-8000-000000000001";
const MAYA: &str = "b0000000-0000-4000-8000-000000000002";
const WORKLOAD: &str = "c0000000-0000-4000-8000-000000000002";
const SCIENCE: &str = "a0000000-0000-4000-8000-000000000002";
const SECURITY: &str = "a0000000-0000-4000-8000-000000000004";
const DEV: &str = "https://zt-development-issuer.invalid";

static ISSUER: LazyLock<(DevIssuer, tempfile::TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    (DevIssuer::open(folder.path()).unwrap(), folder)
});

fn issuer() -> &'static DevIssuer {
    &ISSUER.0
}

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

fn profile(cloud: Cloud) -> EntraProfile {
    EntraProfile::new(cloud, guid(TENANT), guid(APP)).unwrap()
}

fn dev() -> EntraProfile {
    profile(Cloud::Development)
}

/// The trusted public key, changed.
fn jwk(change: impl FnOnce(&mut Value)) -> Value {
    let set: Value = serde_json::from_str(issuer().jwks()).unwrap();
    let mut key = set["keys"][0].clone();
    change(&mut key);
    key
}

fn key_set(keys: &[Value], profile: &EntraProfile) -> Result<KeySet, KeyError> {
    KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes(), profile)
}

/// An authenticator of any profile, whose cloud is made to trust the development key.
fn door(profile: EntraProfile) -> Authenticator {
    let key = jwk(|key| {
        key["issuer"] = json!(profile.cloud().key_issuer_template());
        key["cloud_instance_name"] = json!(profile.cloud().instance_name());
    });
    let keys = key_set(&[key], &profile).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    Authenticator::new(profile, keys, clock).unwrap()
}

fn enter(token: &str) -> Result<Caller, AuthError> {
    door(dev()).authenticate(token)
}

fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": issuer().kid() })
}

/// What Entra sends for a person.
fn user() -> Value {
    json!({
        "aud": APP, "iss": format!("{DEV}/{TENANT}/v2.0"), "tid": TENANT, "oid": MAYA,
        "sub": "pairwise-subject", "ver": "2.0", "azp": OTHER, "azpacr": "1", "scp": "zt.access",
        "iat": NOW_S - 300, "nbf": NOW_S - 300, "exp": NOW_S + 3600, "uti": "token-1",
        "groups": [SECURITY, SCIENCE], "name": "Maya", "preferred_username": "maya@brindlewick.example",
    })
}

/// What Entra sends for an application.
fn app() -> Value {
    let mut claims = user();
    let set = claims.as_object_mut().unwrap();
    set.remove("scp");
    set.insert("oid".into(), json!(WORKLOAD));
    set.insert("sub".into(), json!(WORKLOAD));
    set.insert("idtyp".into(), json!("app"));
    set.insert("roles".into(), json!(["zt.workload"]));
    claims
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims.as_object_mut().unwrap().insert(name.into(), value);
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

fn sign(header: &Value, claims: &Value) -> String {
    issuer()
        .sign(&header.to_string(), &claims.to_string())
        .unwrap()
}

fn admit(claims: &Value) -> Result<Caller, AuthError> {
    enter(&sign(&header(), claims))
}

fn refused(claims: &Value) -> AuthError {
    admit(claims).expect_err(&claims.to_string())
}

fn refused_claim(claims: &Value) -> &'static str {
    let AuthError::Claim { name, .. } = refused(claims) else {
        panic!("not refused for one claim: {claims}")
    };
    name
}

/// Every value of a table of lists, with its name.
fn each(table: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let rows = table.as_object().unwrap().iter();
    rows.flat_map(|(name, values)| {
        let values = values.as_array().unwrap().iter();
        values.map(move |value| (name.as_str(), value))
    })
}

/// Principals of the sample tables.
struct Rows(BTreeMap<Guid, PrincipalId>);

impl Rows {
    fn new(rows: &[(&str, &str)]) -> Self {
        let row = |(object, id): &(&str, &str)| (guid(object), id.parse().unwrap());
        Self(rows.iter().map(row).collect())
    }
}

impl Directory for Rows {
    fn principal(&self, _: Home, object: Guid) -> Option<PrincipalId> {
        self.0.get(&object).cloned()
    }
}
