//! Signs JSON web tokens, and reads back those that this simulator signed.
//!
//! The reader serves Entra's and Graph's side: it believes only its own keys. Policy's side must never use it; zt has its own
//! verifier, with every rule.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::error::Error;
use crate::keys::SigningKey;

/// An access token in Entra's form: v2.0 tokens have `kid` alone, v1.0 tokens `x5t` too ("Access tokens", Microsoft Learn).
pub(crate) fn access_token(key: &SigningKey, is_v1: bool, claims: &Value) -> Result<String, Error> {
    let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": key.kid() });
    if is_v1 && let Value::Object(members) = &mut header {
        members.insert("x5t".to_owned(), Value::from(key.kid()));
    }
    let signed = unsigned(&header, claims);
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The three parts of a token, decoded but not believed.
pub(crate) struct Read<'t> {
    pub(crate) kid: String,
    pub(crate) claims: Value,
    pub(crate) signed: &'t str,
    pub(crate) signature: Vec<u8>,
}

pub(crate) fn read(token: &str) -> Option<Read<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let json = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    Some(Read {
        kid: json(header)?.get("kid")?.as_str()?.to_owned(),
        claims: json(payload)?,
        signed,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

/// An issuer outside Entra, whose tokens federated credentials trust: as a Kubernetes cluster's.
pub(crate) struct Cluster {
    key: EcdsaKeyPair,
}

impl Cluster {
    pub(crate) fn new() -> Result<Self, Error> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| Error::new("the cluster's key cannot be made"))?;
        Ok(Self { key })
    }

    pub(crate) fn token(&self, claims: &Value) -> Result<String, Error> {
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": CLUSTER_KID });
        let signed = unsigned(&header, claims);
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .map_err(|_| Error::new("the cluster cannot sign"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a token that this cluster signed.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let read = read(token).filter(|read| read.kid == CLUSTER_KID)?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key());
        public
            .verify(read.signed.as_bytes(), &read.signature)
            .ok()?;
        Some(read.claims)
    }
}

const CLUSTER_KID: &str = "cluster-1";
