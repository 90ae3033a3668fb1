//! Keys: what they are, what they do, and that results hold outside the vault.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zt_azure_simulator::{KeyKind, Right, Simulator};

use super::{HOST, ask, ask_as, get, open, refusal, vault};

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

async fn post(sim: &Simulator, path: &str, body: &Value) -> (u16, Value) {
    let answer = ask(sim, "POST", path, &body.to_string()).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn keys_are_made_read_and_listed() {
    let sim = open();
    for (asked, kty, modulus) in [
        (json!({ "kty": "RSA" }), "RSA", 256),
        (json!({ "kty": "RSA", "key_size": 3072 }), "RSA", 384),
        (
            json!({ "kty": "EC", "crv": "P-256", "tags": { "a": "b" } }),
            "EC",
            0,
        ),
    ] {
        let (status, made) = post(&sim, "/keys/kek/create", &asked).await;
        assert_eq!((status, &made["key"]["kty"]), (200, &json!(kty)));
        if modulus > 0 {
            assert_eq!(bytes(&made["key"]["n"]).len(), modulus);
            assert_eq!(made["key"]["e"], "AQAB");
        } else {
            assert_eq!(bytes(&made["key"]["x"]).len(), 32);
            assert_eq!(made["tags"]["a"], "b");
        }
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(made["key"].get(private), None);
        }
        assert_eq!(get(&sim, "/keys/KEK").await.json(), made);
        let kid = made["key"]["kid"].as_str().unwrap().to_owned();
        let path = kid.strip_prefix(&format!("https://{HOST}")).unwrap();
        assert_eq!(get(&sim, path).await.json(), made);
    }
    let versions = get(&sim, "/keys/kek/versions").await.json();
    assert_eq!(versions["value"].as_array().unwrap().len(), 3);
    assert_eq!(vault(&sim).key_versions("kek").unwrap().len(), 3);
    let listed = get(&sim, "/keys").await.json();
    assert_eq!(
        listed["value"][0]["kid"],
        format!("https://{HOST}/keys/kek")
    );
    for wrong in [
        json!({}),
        json!({ "kty": "RSA", "key_size": 1024 }),
        json!({ "kty": "oct" }),
    ] {
        assert_eq!(post(&sim, "/keys/kek/create", &wrong).await.0, 400);
    }
    assert_eq!(refusal(&get(&sim, "/keys/none").await).1, "KeyNotFound");
}

#[tokio::test]
async fn what_is_wrapped_is_unwrapped_by_the_same_version_alone() {
    let sim = open();
    vault(&sim).make_key("kek", KeyKind::Rsa2048).unwrap();
    for (there, back) in [("wrapkey", "unwrapkey"), ("encrypt", "decrypt")] {
        for alg in ["RSA-OAEP-256", "RSA-OAEP"] {
            let plain = json!({ "alg": alg, "value": text(b"zt-needle-32-bytes-of-a-data-key") });
            // Without a version, as the SDK writes it.
            let (status, wrapped) = post(&sim, &format!("/keys/kek//{there}"), &plain).await;
            assert_eq!(status, 200);
            let sealed = json!({ "alg": alg, "value": wrapped["value"] });
            let kid = wrapped["kid"].as_str().unwrap();
            let path = kid.strip_prefix(&format!("https://{HOST}")).unwrap();
            let (_, opened) = post(&sim, &format!("{path}/{back}"), &sealed).await;
            assert!(opened["value"] == plain["value"]);
            vault(&sim).make_key("kek", KeyKind::Rsa2048).unwrap();
            let other = post(&sim, &format!("/keys/kek/{back}"), &sealed).await;
            assert_eq!(other.0, 400);
        }
    }
    for wrong in [
        json!({ "alg": "RSA1_5", "value": "AA" }),
        json!({ "alg": "RSA-OAEP-256", "value": "=" }),
        json!({ "alg": "RSA-OAEP-256" }),
        json!({ "alg": "RSA-OAEP-256", "value": text(&[7; 300]) }),
    ] {
        assert_eq!(post(&sim, "/keys/kek/wrapkey", &wrong).await.0, 400);
    }
}

#[tokio::test]
async fn signatures_hold_with_the_public_part() {
    let sim = open();
    vault(&sim).make_key("rsa", KeyKind::Rsa2048).unwrap();
    vault(&sim).make_key("ec", KeyKind::P256).unwrap();
    let message = b"what was decided";
    let hash = text(digest(&SHA256, message).as_ref());
    for (name, alg) in [("rsa", "RS256"), ("rsa", "PS256"), ("ec", "ES256")] {
        let asked = json!({ "alg": alg, "value": hash });
        let (status, signed) = post(&sim, &format!("/keys/{name}/sign"), &asked).await;
        assert_eq!(status, 200, "{alg}");
        let signature = bytes(&signed["value"]);
        let key = get(&sim, &format!("/keys/{name}")).await.json()["key"].clone();
        if name == "ec" {
            let point = [vec![4], bytes(&key["x"]), bytes(&key["y"])].concat();
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            public.verify(message, &signature).unwrap();
        } else {
            let how: &RsaParameters = if alg == "RS256" {
                &RSA_PKCS1_2048_8192_SHA256
            } else {
                &RSA_PSS_2048_8192_SHA256
            };
            let public = RsaPublicKeyComponents {
                n: bytes(&key["n"]),
                e: bytes(&key["e"]),
            };
            public.verify(how, message, &signature).unwrap();
        }
        let path = format!("/keys/{name}/verify");
        let check =
            |digest: &str| json!({ "alg": alg, "digest": digest, "value": signed["value"] });
        assert_eq!(post(&sim, &path, &check(&hash)).await.1["value"], true);
        let other = text(digest(&SHA256, b"something else").as_ref());
        assert_eq!(post(&sim, &path, &check(&other)).await.1["value"], false);
    }
    for (name, alg, value) in [
        ("rsa", "ES256", hash.as_str()),
        ("ec", "RS256", hash.as_str()),
        ("rsa", "RS256", "AAAA"),
    ] {
        let asked = json!({ "alg": alg, "value": value });
        let (status, _) = post(&sim, &format!("/keys/{name}/sign"), &asked).await;
        assert_eq!(status, 400, "{name} {alg}");
    }
    let asked = json!({ "alg": "RSA-OAEP-256", "value": "AA" });
    assert_eq!(post(&sim, "/keys/ec/wrapkey", &asked).await.0, 400);
}

#[tokio::test]
async fn a_deleted_key_comes_back_or_goes_for_good() {
    let sim = open();
    let vault = vault(&sim);
    let first = vault.make_key("kek", KeyKind::Rsa2048).unwrap();
    let off = json!({ "attributes": { "enabled": false } });
    let path = format!("/keys/kek/{first}");
    let changed = ask(&sim, "PATCH", &path, &off.to_string()).await;
    assert_eq!(changed.json()["attributes"]["enabled"], false);
    let deleted = ask(&sim, "DELETE", "/keys/kek", "").await;
    let recovery = deleted.json()["recoveryId"].as_str().unwrap().to_owned();
    assert!(recovery.ends_with("/deletedkeys/kek"), "{recovery}");
    assert_eq!(get(&sim, "/keys/kek").await.status, 404);
    let again = json!({ "kty": "RSA" });
    let refused = ask(&sim, "POST", "/keys/kek/create", &again.to_string()).await;
    assert_eq!(refusal(&refused).2, "ObjectIsDeletedButRecoverable");
    let back = ask(&sim, "POST", "/deletedkeys/kek/recover", "").await;
    assert_eq!(back.json()["attributes"]["enabled"], false);
    ask(&sim, "DELETE", "/keys/kek", "").await;
    assert_eq!(
        ask(&sim, "DELETE", "/deletedkeys/kek", "").await.status,
        204
    );
    assert!(vault.recover_key("kek").is_err());
    assert_eq!(post(&sim, "/keys/kek/create", &again).await.0, 200);
}

#[tokio::test]
async fn each_operation_on_keys_takes_its_own_right_and_an_enabled_key() {
    let sim = open();
    let vault = vault(&sim);
    vault.make_key("kek", KeyKind::Rsa2048).unwrap();
    let wrap = json!({ "alg": "RSA-OAEP-256", "value": text(b"k") });
    let sealed = post(&sim, "/keys/kek/wrapkey", &wrap).await.1["value"].clone();
    let unwrap = json!({ "alg": "RSA-OAEP-256", "value": sealed });
    let hash = text(&[7; 32]);
    let sign = json!({ "alg": "RS256", "value": hash });
    let verify = json!({ "alg": "RS256", "digest": hash, "value": "AAAA" });
    let none = json!({ "kty": "RSA" });
    for (right, method, path, body) in [
        (Right::KeysGet, "GET", "/keys", &none),
        (Right::KeysGet, "GET", "/keys/kek", &none),
        (Right::KeysGet, "GET", "/keys/kek/versions", &none),
        (Right::KeysWrap, "POST", "/keys/kek/wrapkey", &wrap),
        (Right::KeysUnwrap, "POST", "/keys/kek/unwrapkey", &unwrap),
        (Right::KeysEncrypt, "POST", "/keys/kek/encrypt", &wrap),
        (Right::KeysDecrypt, "POST", "/keys/kek/decrypt", &unwrap),
        (Right::KeysSign, "POST", "/keys/kek/sign", &sign),
        (Right::KeysVerify, "POST", "/keys/kek/verify", &verify),
        (Right::KeysCreate, "POST", "/keys/new/create", &none),
        (Right::KeysUpdate, "PATCH", "/keys/new", &none),
        (Right::KeysDelete, "DELETE", "/keys/new", &none),
        (Right::KeysGet, "GET", "/deletedkeys/new", &none),
        (
            Right::KeysRecover,
            "POST",
            "/deletedkeys/new/recover",
            &none,
        ),
        (Right::KeysDelete, "DELETE", "/keys/new", &none),
    ] {
        let others: Vec<Right> = Right::all().filter(|&other| other != right).collect();
        vault.grant("elin", &others).unwrap();
        let refused = ask_as(&sim, "elin", method, path, &body.to_string()).await;
        assert_eq!(refusal(&refused).2, "ForbiddenByRbac", "{path}");
        vault.revoke("elin", &others).unwrap();
        vault.grant("elin", &[right]).unwrap();
        let done = ask_as(&sim, "elin", method, path, &body.to_string()).await;
        assert_eq!(done.status, 200, "{path}");
        vault.revoke("elin", &[right]).unwrap();
    }
    vault.enable_key("kek", false).unwrap();
    for (path, body) in [
        ("wrapkey", &wrap),
        ("unwrapkey", &unwrap),
        ("verify", &verify),
    ] {
        let path = format!("/keys/kek/{path}");
        let refused = ask(&sim, "POST", &path, &body.to_string()).await;
        assert_eq!(refusal(&refused).2, "KeyDisabled", "{path}");
    }
    assert_eq!(
        get(&sim, "/keys/kek").await.json()["attributes"]["enabled"],
        false
    );
}
