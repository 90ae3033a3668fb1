//! The adapter against a Key Vault that remembers what it was asked.

use std::error::Error as _;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use super::*;
use crate::adapters::azure::key_vault::fake::keys::{some_rsa_jwk, wrapped_by_the_first};
use crate::adapters::azure::key_vault::fake::{Next, World, header, json_answer, refused};
use crate::clock::Timestamp;
use crate::network::HttpError;
use crate::secrets::{SecretVersion, Validity};
use crate::testing::key_contract::{self, SeedKey};

const ATTEMPT: Attempt = Attempt::new(
    AttemptId::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
    Duration::from_secs(2),
);
const VAULT: &str = "https://kv-loans.vault.azure.net";

fn id(name: &str) -> SecretId {
    SecretId::new(VAULT.parse().unwrap(), name.parse().unwrap())
}

fn needle() -> DataKey {
    DataKey::copy_of(b"zt-needle-dek-of-32-bytes-in-all").unwrap()
}

impl SeedKey for World {
    fn create(&self, id: &SecretId) -> SecretVersion {
        self.azure.keys.make_rsa(id, Validity::ALWAYS)
    }

    /// The suite switches the newest off.
    fn disable(&self, id: &SecretId, _version: SecretVersion) -> bool {
        let off = Validity {
            enabled: false,
            ..Validity::ALWAYS
        };
        self.azure.keys.set(id, off);
        true
    }
}

impl KeyWrapper for World {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        self.wrapper.wrap(key, dek)
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        self.wrapper.unwrap(key, wrapped)
    }
}

fn is_clean(error: &VaultError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("needle"), "{error:?}");
    assert!(error.source().is_none(), "{error:?}");
}

/// What comes of unwrapping after this answer to a call with a token.
async fn unwrapping(next: Next) -> Result<Option<Fetched>, VaultError> {
    let world = World::new();
    let version = world.create(&id("kek"));
    let wrapped = WrappedKey::new(WrapAlgorithm::RsaOaep256, version, vec![7; 256]);
    world.azure.then(next);
    let opened = world
        .wrapper
        .unwrap_key(&id("kek"), &wrapped, &ATTEMPT)
        .await;
    assert_eq!(world.azure.counts(), [1, 1], "one attempt");
    opened.inspect_err(is_clean)
}

/// What comes of asking for the public part after this answer to a call with a token.
async fn publishing(next: Next) -> Result<Fetched, VaultError> {
    let world = World::new();
    world.azure.then(next);
    let published = world.wrapper.public_key(&id("kek"), &ATTEMPT).await;
    assert_eq!(world.azure.counts(), [1, 1], "one attempt");
    published.inspect_err(is_clean)
}

#[tokio::test]
async fn key_vault_keeps_the_contract_of_keys() {
    key_contract::run(&World::new()).await;
}

#[tokio::test]
async fn wrapping_shows_the_vault_nothing_and_unwrapping_only_the_wrapped_key() {
    let world = World::new();
    let version = world.create(&id("scores-kek"));
    let wrapped = world.wrap(&id("scores-kek"), &needle()).await.unwrap();
    assert_eq!(wrapped.algorithm.as_str(), "RSA-OAEP-256");
    assert_eq!((wrapped.version, wrapped.bytes.len()), (version, 256));
    {
        let asked = world.azure.asked.lock().unwrap();
        let expected = format!("{VAULT}/keys/scores-kek/?api-version=2025-07-01");
        assert!(
            asked
                .iter()
                .all(|one| one.url == expected && one.body.is_empty())
        );
        assert_eq!(asked.len(), 2, "a challenge and the key");
    }
    let kek = id("scores-kek");
    let opened = world.wrapper.unwrap_key(&kek, &wrapped, &ATTEMPT);
    let opened = opened.await.unwrap().unwrap();
    assert!(opened.value.reveal() == needle().reveal());
    assert_eq!(
        (opened.version, &*opened.path_proof),
        (version, "private_link")
    );
    let details: Vec<_> = opened
        .details
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_eq!(
        details[0],
        ("client_request_id", "01234567-89ab-cdef-0123-456789abcdef")
    );
    assert_eq!(details[1], ("request_id", "request-17"));
    let asked = world.azure.asked.lock().unwrap();
    let last = asked.last().unwrap();
    let expected = format!("{VAULT}/keys/scores-kek/{version}/unwrapkey?api-version=2025-07-01");
    assert_eq!(last.url, expected);
    assert_eq!(
        header(last, "x-ms-client-request-id"),
        Some(ATTEMPT.id.to_string())
    );
    let body: Value = serde_json::from_slice(&last.body).unwrap();
    let sent = base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        &wrapped.bytes,
    );
    assert_eq!(body, json!({ "alg": "RSA-OAEP-256", "value": sent }));
    assert_eq!(
        *world.tokens.scopes.lock().unwrap(),
        ["https://vault.azure.net/.default"]
    );
    assert!(!format!("{opened:?} {:?} {wrapped:?}", world.wrapper).contains("needle"));
}

#[tokio::test]
async fn the_first_call_of_a_client_may_be_the_one_with_a_body() {
    let world = World::new();
    let version = world.create(&id("kek"));
    let wrapped = world.wrap(&id("kek"), &needle()).await.unwrap();
    let fresh = KeyVaultKeys::new(
        Arc::clone(&world.wrapper.vaults.setup.http),
        Arc::clone(&world.wrapper.vaults.setup.credential),
        Cloud::Public,
        Arc::clone(&world.wrapper.clock),
    );
    let opened = fresh
        .unwrap_key(&id("kek"), &wrapped, &ATTEMPT)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(opened.version, version);
    let asked = world.azure.asked.lock().unwrap();
    let [.., unasked, asked] = &asked[..] else {
        panic!("too few requests");
    };
    assert!(unasked.body.is_empty() && !asked.body.is_empty());
}

#[tokio::test]
async fn every_status_has_its_error_for_both_operations() {
    let pinned = id("kek").at(SecretVersion::from_u128(0xfe0_0000));
    for (status, inner, expected) in [
        (
            403,
            Some("ForbiddenByRbac"),
            VaultError::denied(&pinned, "ForbiddenByRbac"),
        ),
        (
            403,
            Some("AccessDenied"),
            VaultError::denied(&pinned, "AccessDenied"),
        ),
        (403, None, VaultError::denied(&pinned, "Forbidden")),
        (403, Some("KeyDisabled"), VaultError::disabled(&pinned)),
        (
            403,
            Some("ForbiddenByFirewall"),
            VaultError::firewall(VAULT, "ForbiddenByFirewall"),
        ),
        (404, None, VaultError::not_found(&pinned)),
        (
            429,
            None,
            VaultError::throttled(Some(Duration::from_secs(7))),
        ),
    ] {
        let code = if status == 403 {
            "Forbidden"
        } else {
            "KeyNotFound"
        };
        let answer = refused(status, code, inner).with_header("retry-after", "7");
        let error = unwrapping(Next::Answer(answer.clone())).await.unwrap_err();
        assert_eq!(format!("{error:?}"), format!("{expected:?}"));
        let error = publishing(Next::Answer(answer)).await.unwrap_err();
        let unpinned = format!("{expected:?}").replace("/00000000000000000000000000fe00000", "");
        assert_eq!(
            std::mem::discriminant(&error),
            std::mem::discriminant(&expected),
            "{unpinned}"
        );
    }
}

#[tokio::test]
async fn every_other_status_has_its_error() {
    for status in [408, 500, 502, 503, 504] {
        let error = unwrapping(Next::Answer(json_answer(status, "needle")))
            .await
            .unwrap_err();
        assert!(
            matches!(error, VaultError::Unavailable { retry_in: None, .. }),
            "{error:?}"
        );
    }
    for status in [199, 201, 204, 301, 307, 600] {
        let error = unwrapping(Next::Answer(json_answer(status, "needle")))
            .await
            .unwrap_err();
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{status}: {error:?}"
        );
    }
    for status in [400, 405, 409, 413] {
        let answer = refused(status, "SomethingElse", None);
        let error = unwrapping(Next::Answer(answer)).await.unwrap_err();
        assert!(
            matches!(error, VaultError::Invalid { .. }),
            "{status}: {error:?}"
        );
    }
    let opened = unwrapping(Next::Answer(refused(400, "BadParameter", None))).await;
    assert!(
        opened.unwrap().is_none(),
        "bytes that the version did not wrap"
    );
    let error = publishing(Next::Answer(refused(400, "BadParameter", None))).await;
    assert!(matches!(error, Err(VaultError::Invalid { .. })));
}

#[tokio::test]
async fn what_fails_below_http_has_its_error() {
    let host = || "kv-loans.vault.azure.net".to_owned();
    for (failed, is_way) in [
        (HttpError::Connect { host: host() }, true),
        (HttpError::Broken { host: host() }, true),
        (
            HttpError::Timeout {
                host: host(),
                deadline: Duration::from_secs(1),
            },
            true,
        ),
        (
            HttpError::Refused {
                host: host(),
                reason: "no row".to_owned(),
            },
            false,
        ),
    ] {
        let error = unwrapping(Next::Fail(failed.clone())).await.unwrap_err();
        let fits = if is_way {
            matches!(error, VaultError::Unavailable { .. })
        } else {
            matches!(error, VaultError::NetworkRefused { .. })
        };
        assert!(fits, "{failed:?} gave {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_does_not_answer_ends_within_the_deadline() {
    let error = unwrapping(Next::Hang).await.unwrap_err();
    assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
    let error = publishing(Next::Hang).await.unwrap_err();
    assert!(matches!(error, VaultError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refused_token_is_forgotten_once_a_minute_and_the_next_call_shows_a_new_one() {
    let world = World::new();
    let version = world.create(&id("kek"));
    let wrapped = world.wrap(&id("kek"), &needle()).await.unwrap();
    world
        .azure
        .revoked
        .lock()
        .unwrap()
        .push("zt-needle-token-0".to_owned());
    let kek = id("kek");
    let unwrap = || world.wrapper.unwrap_key(&kek, &wrapped, &ATTEMPT);
    let error = unwrap().await.unwrap_err();
    assert!(
        matches!(error, VaultError::Unauthenticated { .. }),
        "{error:?}"
    );
    is_clean(&error);
    assert_eq!(unwrap().await.unwrap().unwrap().version, version);
    world
        .azure
        .revoked
        .lock()
        .unwrap()
        .push("zt-needle-token-1".to_owned());
    for _ in 0..5 {
        assert!(unwrap().await.is_err());
    }
    assert_eq!(world.forgotten(), 1, "not again within a minute");
    world.later(61);
    assert!(unwrap().await.is_err());
    assert!(unwrap().await.is_ok());
    assert_eq!(world.forgotten(), 2);
}

const OWN: &str = "https://kv-loans.vault.azure.net/keys/kek/00000000000000000000000000000abc";

fn key_with(change: impl FnOnce(&mut Value)) -> Next {
    let mut key = some_rsa_jwk();
    key["kid"] = OWN.into();
    let mut bundle = json!({ "key": key, "attributes": { "enabled": true } });
    change(&mut bundle);
    Next::Answer(json_answer(200, &bundle.to_string()))
}

#[tokio::test]
async fn a_key_of_another_kind_or_strength_never_wraps() {
    let text = |bytes: &[u8]| {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes)
    };
    let published = publishing(key_with(|_| ())).await.unwrap();
    assert_eq!(published.version, SecretVersion::from_u128(0xabc));
    assert!(oaep::wrap(published.value.reveal(), published.version, &needle()).is_some());
    let mut even = vec![0xff; 256];
    even[255] = 0xfe;
    for (at, value, reason) in [
        ("kty", json!("EC"), "not of type RSA"),
        ("kty", json!("oct-HSM"), "not of type RSA"),
        ("key_ops", json!(["encrypt", "unwrapKey"]), "lack `wrapKey`"),
        ("key_ops", json!(["wrapKey"]), "lack `unwrapKey`"),
        ("key_ops", json!([]), "lack `wrapKey`"),
        ("e", json!("Aw"), "exponent"),
        ("e", json!("AAEAAQ"), "exponent"),
        ("e", Value::Null, "exponent"),
        ("n", Value::Null, "cannot be read"),
        ("n", json!("not base64!"), "cannot be read"),
        ("n", json!(text(&[0xff; 128])), "2048"),
        ("n", json!(text(&[0xff; 255])), "2048"),
        ("n", json!(text(&[0xff; 1024])), "2048"),
        ("n", json!(text(&[0x7f; 256])), "2048"),
        ("n", json!(text(&even)), "even"),
    ] {
        let error = publishing(key_with(|bundle| bundle["key"][at] = value.clone())).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, VaultError::Invalid { .. }),
            "{at} {value}: {error:?}"
        );
        assert!(error.to_string().contains(reason), "{at} {value}: {error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_to_what_was_asked_is_refused() {
    for kid in [
        "",
        "https://kv-loans.vault.azure.net/keys/kek",
        "https://kv-loans.vault.azure.net/keys/kek/abc",
        "https://kv-loans.vault.azure.net/keys/kek-other/00000000000000000000000000000abc",
        "https://kv-loans.vault.azure.net/secrets/kek/00000000000000000000000000000abc",
        "https://kv-other.vault.azure.net/keys/kek/00000000000000000000000000000abc",
        "http://kv-loans.vault.azure.net/keys/kek/00000000000000000000000000000abc",
    ] {
        let error = publishing(key_with(|bundle| bundle["key"]["kid"] = kid.into())).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{kid}: {error:?}"
        );
        let answer = json!({ "kid": kid, "value": "AAAA" }).to_string();
        let error = unwrapping(Next::Answer(json_answer(200, &answer)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{kid}: {error:?}"
        );
    }
    // Another version than the one that is named in the data.
    let answer = json!({ "kid": OWN, "value": "AAAA" }).to_string();
    let error = unwrapping(Next::Answer(json_answer(200, &answer)))
        .await
        .unwrap_err();
    assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");
    let world = World::new();
    world.azure.then(key_with(|_| ()));
    let pinned = id("kek").at(SecretVersion::from_u128(7));
    let error = world
        .wrapper
        .public_key(&pinned, &ATTEMPT)
        .await
        .unwrap_err();
    assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_cut_or_no_key_is_refused_and_not_repeated() {
    let kid = format!("{VAULT}/keys/kek/{}", SecretVersion::from_u128(0xfe0_0000));
    let long = "A".repeat(3000);
    let with = |value: &str| format!(r#"{{"kid":"{kid}","value":{value}}}"#);
    for body in [
        String::new(),
        "<html>needle</html>".to_owned(),
        "{}".to_owned(),
        format!(r#"{{"kid":"{kid}"}}"#),
        with("null"),
        with("17"),
        with("\"zt needle\""),
        with("\"AA\\u0041A\""),
        with("\"AAAA=\""),
        with(&format!("\"{long}\"")),
        with("\"AAAA\"").replace('}', ""),
    ] {
        let error = unwrapping(Next::Answer(json_answer(200, &body)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, VaultError::Integrity { .. }),
            "{body}: {error:?}"
        );
    }
    let html = HttpResponse::new(200, with("\"AAAA\"")).with_header("content-type", "text/html");
    let error = unwrapping(Next::Answer(html)).await.unwrap_err();
    assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");
    for value in ["\"\"", "\"AAAA\"", &format!("\"{}\"", "A".repeat(44))] {
        let opened = unwrapping(Next::Answer(json_answer(200, &with(value)))).await;
        assert!(opened.unwrap().is_none(), "a data key has 32 bytes");
    }
    for change in [
        (|bundle| bundle["attributes"] = Value::Null) as fn(&mut Value),
        |bundle| bundle["attributes"] = json!({ "enabled": true, "exp": -1 }),
        |bundle| bundle["attributes"] = json!({ "enabled": "needle" }),
        |bundle| bundle["key"] = json!("needle"),
        |bundle| bundle["key"]["kty"] = json!(7),
    ] {
        let error = publishing(key_with(change)).await.unwrap_err();
        assert!(matches!(error, VaultError::Integrity { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn other_bytes_than_a_wrapped_key_are_not_sent() {
    let world = World::new();
    let version = world.create(&id("kek"));
    for (algorithm, length) in [
        (WrapAlgorithm::Aes256Kw, 40),
        (WrapAlgorithm::Aes256Kw, 256),
        (WrapAlgorithm::RsaOaep256, 0),
        (WrapAlgorithm::RsaOaep256, 255),
        (WrapAlgorithm::RsaOaep256, 1024),
    ] {
        let wrapped = WrappedKey::new(algorithm, version, vec![7; length]);
        let opened = world
            .wrapper
            .unwrap_key(&id("kek"), &wrapped, &ATTEMPT)
            .await;
        assert!(opened.unwrap().is_none());
    }
    assert_eq!(world.azure.counts(), [0, 0]);
}

#[tokio::test]
async fn a_key_wraps_in_its_time_only_and_unwraps_after_it() {
    let world = World::new();
    let id = id("kek");
    let day = |day: i64| Timestamp::from_secs(1_790_000_000 + day * 86_400);
    world.create(&id);
    let wrapped = world.wrap(&id, &needle()).await.unwrap();
    let set = |validity| world.azure.keys.set(&id, validity);
    set(Validity::ALWAYS.ending(day(-1)));
    let error = world.wrap(&id, &needle()).await.unwrap_err();
    assert!(matches!(error, KeyError::Expired { .. }), "{error:?}");
    let opened = world.unwrap(&id, &wrapped).await.unwrap();
    assert!(opened.reveal() == needle().reveal(), "old data opens");
    set(Validity::ALWAYS.starting(day(1)));
    let error = world.wrap(&id, &needle()).await.unwrap_err();
    assert!(matches!(error, KeyError::NotYetValid { .. }), "{error:?}");
    set(Validity::ALWAYS.disabled());
    let error = world.wrap(&id, &needle()).await.unwrap_err();
    assert!(matches!(error, KeyError::Disabled { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("key `https://kv-loans.vault.azure.net/keys/kek/")
    );
    let error = world.unwrap(&id, &wrapped).await.unwrap_err();
    assert!(matches!(error, KeyError::Disabled { .. }), "{error:?}");
    set(Validity::ALWAYS);
    assert!(world.unwrap(&id, &wrapped).await.is_ok());
}

#[tokio::test]
async fn what_wraps_another_length_is_no_data_key() {
    let world = World::new();
    let version = world.create(&id("kek"));
    for plain in [&b"zt-needle-short"[..], &[7; 33]] {
        let bytes = wrapped_by_the_first(plain);
        let wrapped = WrappedKey::new(WrapAlgorithm::RsaOaep256, version, bytes);
        let error = world.unwrap(&id("kek"), &wrapped).await.unwrap_err();
        assert!(matches!(error, KeyError::Unwrap { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_signature_verifies_under_the_public_part() {
    let world = World::new();
    let (first, id) = (world.azure.keys.make_ec(&id("ec")), id("ec"));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"what was decided");
    let bytes: [u8; 32] = digest.as_ref().try_into().unwrap();
    let signature = world.wrapper.sign(&id, &bytes, &ATTEMPT).await.unwrap();
    let key = world.wrapper.signing_key(&id, &ATTEMPT).await.unwrap();
    assert_eq!((signature.version, key.version), (first, first));
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point);
    assert!(key.verify_digest(&digest, &signature.bytes).is_ok());
    let other = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"what was not");
    assert!(key.verify_digest(&other, &signature.bytes).is_err());

    let second = world.azure.keys.make_ec(&id);
    let pinned = id.clone().at(first);
    let by_pinned = world.wrapper.sign(&pinned, &bytes, &ATTEMPT).await.unwrap();
    let by_newest = world.wrapper.sign(&id, &bytes, &ATTEMPT).await.unwrap();
    assert_eq!((by_pinned.version, by_newest.version), (first, second));
    let asked = world.azure.asked.lock().unwrap();
    let urls: Vec<&str> = asked.iter().map(|one| one.url.as_str()).collect();
    assert!(
        urls.contains(&format!("{VAULT}/keys/ec/{first}/sign?api-version=2025-07-01").as_str())
    );
}

#[tokio::test]
async fn what_does_not_sign_says_so() {
    let world = World::new();
    world.create(&id("kek"));
    let error = world
        .wrapper
        .sign(&id("kek"), &[7; 32], &ATTEMPT)
        .await
        .unwrap_err();
    assert!(
        matches!(error, KeyError::Vault(VaultError::Invalid { .. })),
        "{error:?}"
    );
    let error = world
        .wrapper
        .signing_key(&id("kek"), &ATTEMPT)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("not on the curve P-256"),
        "{error}"
    );
    let error = world
        .wrapper
        .sign(&id("none"), &[7; 32], &ATTEMPT)
        .await
        .unwrap_err();
    assert!(matches!(error, KeyError::NotFound { .. }), "{error:?}");
    let version = world.azure.keys.make_ec(&id("ec"));
    let short = json!({ "kid": format!("{VAULT}/keys/ec/{version}"), "value": "AAAA" });
    world
        .azure
        .then(Next::Answer(json_answer(200, &short.to_string())));
    let error = world
        .wrapper
        .sign(&id("ec"), &[7; 32], &ATTEMPT)
        .await
        .unwrap_err();
    assert!(
        matches!(error, KeyError::Vault(VaultError::Integrity { .. })),
        "{error:?}"
    );
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    use std::task::{Context, Poll, Waker};
    let world = World::new();
    let kek = id("kek");
    let mut asking = world.wrapper.public_key(&kek, &ATTEMPT);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(error)) = asking.as_mut().poll(&mut context) else {
        panic!("it waits or has a key");
    };
    assert!(matches!(error, VaultError::Invalid { .. }), "{error:?}");
}
