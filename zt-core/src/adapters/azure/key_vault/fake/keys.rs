//! `/keys` of the played Key Vault: RSA keys that unwrap, EC keys that sign, in versions.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{json_answer, refused};
use crate::clock::Timestamp;
use crate::network::{HttpRequest, HttpResponse};
use crate::secrets::{SecretId, SecretVersion, Validity};

/// Versions take turns with these: making one takes longer than a test should.
static RSA: LazyLock<[PrivateDecryptingKey; 3]> =
    LazyLock::new(|| [(); 3].map(|()| PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap()));
static P256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());

/// The keys of all vaults.
#[derive(Debug, Default)]
pub(in crate::adapters::azure) struct Keys(Mutex<BTreeMap<(String, String), Vec<Key>>>);

#[derive(Debug)]
struct Key {
    kid: String,
    version: String,
    /// Which of [`RSA`]; none for an EC key.
    rsa: Option<usize>,
    validity: Validity,
}

impl Keys {
    pub(in crate::adapters::azure) fn make_rsa(
        &self,
        id: &SecretId,
        validity: Validity,
    ) -> SecretVersion {
        self.make(id, true, validity)
    }

    pub(in crate::adapters::azure) fn make_ec(&self, id: &SecretId) -> SecretVersion {
        self.make(id, false, Validity::ALWAYS)
    }

    fn make(&self, id: &SecretId, is_rsa: bool, validity: Validity) -> SecretVersion {
        let mut keys = self.0.lock().unwrap();
        let made: usize = keys.values().map(Vec::len).sum();
        let version = SecretVersion::from_u128(0xfe0_0000 + made as u128);
        let name = id.name().as_str();
        let place = (id.vault().host().to_owned(), name.to_ascii_lowercase());
        keys.entry(place).or_default().push(Key {
            kid: format!("{}/keys/{name}/{version}", id.vault()),
            version: version.to_string(),
            rsa: is_rsa.then_some(made % RSA.len()),
            validity,
        });
        version
    }

    /// Changes when the newest version may be used.
    pub(in crate::adapters::azure) fn set(&self, id: &SecretId, validity: Validity) {
        let place = (
            id.vault().host().to_owned(),
            id.name().as_str().to_ascii_lowercase(),
        );
        let mut keys = self.0.lock().unwrap();
        keys.get_mut(&place).unwrap().last_mut().unwrap().validity = validity;
    }

    pub(super) fn play(&self, request: &HttpRequest) -> HttpResponse {
        let url = url::Url::parse(&request.url).unwrap();
        let segments: Vec<&str> = url.path_segments().unwrap().collect();
        let (name, version, operation) = match (request.method.as_str(), &segments[..]) {
            ("GET", ["keys", name, version]) => (name, version, None),
            ("POST", ["keys", name, version, operation]) => (name, version, Some(*operation)),
            other => panic!("{other:?} is not an operation on a key"),
        };
        let keys = self.0.lock().unwrap();
        let place = (
            url.host_str().unwrap().to_owned(),
            name.to_ascii_lowercase(),
        );
        let versions = keys.get(&place).map_or(&[][..], Vec::as_slice);
        let found = match *version {
            "" => versions.last(),
            pinned => versions.iter().find(|one| one.version == pinned),
        };
        let Some(key) = found else {
            return refused(404, "KeyNotFound", None);
        };
        let Some(operation) = operation else {
            return json_answer(200, &key.bundle().to_string());
        };
        if !key.validity.enabled {
            return refused(403, "Forbidden", Some("KeyDisabled"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let given = URL_SAFE_NO_PAD
            .decode(body["value"].as_str().unwrap())
            .unwrap();
        let result = match (operation, body["alg"].as_str().unwrap()) {
            ("unwrapkey", "RSA-OAEP-256") => key.unwrap(&given),
            ("sign", "ES256") => key.sign(&given),
            _ => None,
        };
        let Some(result) = result else {
            return refused(400, "BadParameter", None);
        };
        let result = URL_SAFE_NO_PAD.encode(result);
        json_answer(200, &json!({ "kid": key.kid, "value": result }).to_string())
    }
}

impl Key {
    fn bundle(&self) -> Value {
        let mut key = match self.rsa {
            Some(at) => rsa_jwk(&RSA[at]),
            None => {
                let (x, y) = P256.public_key().as_ref()[1..].split_at(32);
                let text = |bytes| URL_SAFE_NO_PAD.encode(bytes);
                json!({
                    "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y),
                    "key_ops": ["sign", "verify"],
                })
            }
        };
        key["kid"] = self.kid.clone().into();
        let mut attributes = json!({
            "enabled": self.validity.enabled, "created": 1_700_000_000, "recoveryLevel": "Recoverable",
        });
        for (name, at) in [
            ("nbf", self.validity.not_before),
            ("exp", self.validity.expires),
        ] {
            if let Some(seconds) = at.map(Timestamp::as_secs) {
                attributes[name] = seconds.into();
            }
        }
        json!({ "key": key, "attributes": attributes, "tags": {} })
    }

    fn unwrap(&self, wrapped: &[u8]) -> Option<Vec<u8>> {
        let key = OaepPrivateDecryptingKey::new(RSA[self.rsa?].clone()).unwrap();
        let mut plain = vec![0; key.min_output_size()];
        let plain = key.decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut plain, None);
        plain.ok().map(|plain| plain.to_vec())
    }

    fn sign(&self, digest: &[u8]) -> Option<Vec<u8>> {
        if self.rsa.is_some() {
            return None;
        }
        let digest = Digest::import_less_safe(digest, &SHA256).ok()?;
        Some(P256.sign_digest(&digest).ok()?.as_ref().to_vec())
    }
}

/// The public part of the first key, as Key Vault writes it.
pub(in crate::adapters::azure) fn some_rsa_jwk() -> Value {
    rsa_jwk(&RSA[0])
}

/// What the version of the first key wrapped of these bytes, however many.
pub(in crate::adapters::azure) fn wrapped_by_the_first(plain: &[u8]) -> Vec<u8> {
    use aws_lc_rs::rsa::OaepPublicEncryptingKey;
    let key = OaepPublicEncryptingKey::new(RSA[0].public_key()).unwrap();
    let mut wrapped = vec![0; key.ciphertext_size()];
    let whole = key.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut wrapped, None);
    whole.unwrap().to_vec()
}

fn rsa_jwk(key: &PrivateDecryptingKey) -> Value {
    let der = key.public_key().as_der().unwrap();
    let der = der.as_ref();
    let der = der.strip_suffix(&[0x02, 0x03, 0x01, 0x00, 0x01]).unwrap();
    let modulus = &der[der.len() - key.key_size_bytes()..];
    json!({
        "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB",
        "key_ops": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
    })
}
