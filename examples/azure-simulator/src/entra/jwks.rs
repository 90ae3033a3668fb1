//! The key sets: v2.0 keys carry their `issuer`, v1.0 keys do not; none carries `alg`.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::metadata::{TEMPLATE, no_such_tenant, tenant_in_documents};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::keys::SigningKey;
use crate::state::State;

pub(crate) fn answer(
    state: &State,
    asked: &Asked,
    cloud: Cloud,
    tenant: &str,
    is_v1: bool,
) -> Answer {
    if tenant_in_documents(state, tenant).is_none() {
        return no_such_tenant(tenant).answer(state.clock.now());
    }
    let body = Answer::json(200, &key_set(state, cloud, is_v1));
    let tag = URL_SAFE_NO_PAD.encode(digest(&SHA256, &body.body));
    let tag = format!("\"{}\"", tag.get(..22).unwrap_or_default());
    let is_known = asked
        .header("if-none-match")
        .is_some_and(|known| known == tag);
    let answer = if is_known { Answer::empty(304) } else { body };
    answer
        .with_header("etag", tag)
        .with_header("cache-control", "max-age=86400, private")
}

/// The set of a cloud. The public one lists keys of other clouds too, under the public issuer: only `cloud_instance_name` tells
/// them apart.
pub(crate) fn key_set(state: &State, cloud: Cloud, is_v1: bool) -> Value {
    let keys = state.keys();
    let issuer = cloud.v2_issuer(TEMPLATE);
    let own = keys.published().iter().map(|key| (key, cloud));
    let foreign = keys.foreign().iter().map(|key| (key, Cloud::UsGov));
    let listed = own
        .chain(foreign)
        .map(|(key, of)| jwk(key, of, is_v1, &issuer));
    json!({ "keys": listed.collect::<Vec<_>>() })
}

fn jwk(key: &SigningKey, cloud: Cloud, is_v1: bool, issuer: &str) -> Value {
    let mut jwk = json!({
        "kty": "RSA",
        "use": "sig",
        "kid": key.kid(),
        "x5t": key.kid(),
        "n": key.modulus(),
        "e": "AQAB",
        "x5c": [key.x5c()],
        "cloud_instance_name": cloud.instance_name(),
    });
    if !is_v1 && let Value::Object(members) = &mut jwk {
        members.insert("issuer".to_owned(), issuer.into());
    }
    jwk
}
