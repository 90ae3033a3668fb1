//! What keys do: wrap, sign, and tell their public part.
//!
//! In: decoded bytes. Out: bytes, or why the vault refuses. Key material is of this run, and made when it is first needed: a
//! simulator that nobody asks for keys starts without the wait.
//! Source: RFC 7518; Microsoft Learn, "Key types, algorithms, and operations" (Key Vault). Signatures are over a digest that
//! the client made.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{
    self, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
    RsaEncoding, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::refusal::Refusal;

/// What kind of key a vault makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// Elliptic curve P-256: signs, and nothing else.
    P256,
}

/// A private key. There is no `Debug`.
pub(super) enum Material {
    Rsa {
        signing: Box<rsa::KeyPair>,
        decrypting: Box<PrivateDecryptingKey>,
    },
    Ec(Box<EcdsaKeyPair>),
}

impl KeyKind {
    /// What the body of a creation asks for.
    pub(crate) fn read(body: &Value) -> Option<Self> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let size = body.get("key_size").map(Value::as_u64);
        match (text("kty")?, size, text("crv")) {
            ("RSA", None | Some(Some(2048)), _) => Some(Self::Rsa2048),
            ("RSA", Some(Some(3072)), _) => Some(Self::Rsa3072),
            ("EC", _, None | Some("P-256")) => Some(Self::P256),
            _ => None,
        }
    }

    /// `key_ops` of such a key.
    pub(super) const fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Rsa2048 | Self::Rsa3072 => &[
                "encrypt",
                "decrypt",
                "sign",
                "verify",
                "wrapKey",
                "unwrapKey",
            ],
            Self::P256 => &["sign", "verify"],
        }
    }
}

impl Material {
    /// The public point of a key on P-256.
    pub(super) fn point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Rsa { .. } => None,
            Self::Ec(key) => Some(key.public_key().as_ref().to_vec()),
        }
    }

    pub(super) fn make(kind: KeyKind) -> Option<Self> {
        let size = match kind {
            KeyKind::Rsa2048 => KeySize::Rsa2048,
            KeyKind::Rsa3072 => KeySize::Rsa3072,
            KeyKind::P256 => {
                let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
                return Some(Self::Ec(Box::new(key)));
            }
        };
        let decrypting = PrivateDecryptingKey::generate(size).ok()?;
        let der: Pkcs8V1Der<'_> = decrypting.as_der().ok()?;
        let signing = rsa::KeyPair::from_pkcs8(der.as_ref()).ok()?;
        Some(Self::Rsa {
            signing: Box::new(signing),
            decrypting: Box::new(decrypting),
        })
    }

    /// The members of its JSON web key that say the public part.
    pub(super) fn public(&self) -> Option<Value> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { signing, .. } => {
                // The DER of a public key (RFC 8017 A.1.1) ends with the modulus and the exponent 65537.
                let der = signing.public_key().as_ref();
                let der = der.strip_suffix(&[0x02, 0x03, 0x01, 0x00, 0x01])?;
                let at = der.len().checked_sub(signing.public_modulus_len())?;
                Some(json!({ "kty": "RSA", "n": text(der.get(at..)?), "e": "AQAB" }))
            }
            Self::Ec(key) => {
                // An uncompressed point (SEC 1, 2.3.3): 4, then both coordinates.
                let point = key.public_key().as_ref().strip_prefix(&[0x04])?;
                let (x, y) = point.split_at_checked(32)?;
                Some(json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) }))
            }
        }
    }

    /// Wraps or encrypts.
    pub(super) fn encrypt(&self, algorithm: &str, plain: &[u8]) -> Result<Vec<u8>, Refusal> {
        let Self::Rsa { decrypting, .. } = self else {
            return Err(unfit(algorithm));
        };
        let padding = oaep(algorithm)?;
        let failed = |_| Refusal::bad_parameter("The parameter is too long for this key");
        let key = OaepPublicEncryptingKey::new(decrypting.public_key()).map_err(failed)?;
        let mut sealed = vec![0; key.ciphertext_size()];
        let sealed = key.encrypt(padding, plain, &mut sealed, None);
        Ok(sealed.map_err(failed)?.to_vec())
    }

    /// Unwraps or decrypts.
    pub(super) fn decrypt(&self, algorithm: &str, sealed: &[u8]) -> Result<Vec<u8>, Refusal> {
        let Self::Rsa { decrypting, .. } = self else {
            return Err(unfit(algorithm));
        };
        let padding = oaep(algorithm)?;
        let failed = |_| Refusal::bad_parameter("The parameter is incorrect.");
        let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::clone(decrypting));
        let key = key.map_err(failed)?;
        let mut plain = vec![0; key.min_output_size()];
        let plain = key.decrypt(padding, sealed, &mut plain, None);
        Ok(plain.map_err(failed)?.to_vec())
    }

    pub(super) fn sign(&self, algorithm: &str, digest: &[u8]) -> Result<Vec<u8>, Refusal> {
        let digest = sha256(digest)?;
        let failed = |_| Refusal::bad_parameter("The digest cannot be signed");
        match (self, algorithm) {
            (Self::Rsa { signing, .. }, "RS256" | "PS256") => {
                let padding: &'static dyn RsaEncoding = if algorithm == "RS256" {
                    &RSA_PKCS1_SHA256
                } else {
                    &RSA_PSS_SHA256
                };
                let mut signature = vec![0; signing.public_modulus_len()];
                signing
                    .sign_digest(padding, &digest, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            (Self::Ec(key), "ES256") => {
                let signature = key.sign_digest(&digest).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            _ => Err(unfit(algorithm)),
        }
    }

    pub(super) fn verify(
        &self,
        algorithm: &str,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<bool, Refusal> {
        let digest = sha256(digest)?;
        let verifies = |how: &'static dyn VerificationAlgorithm, key: &[u8]| {
            let key = UnparsedPublicKey::new(how, key);
            key.verify_digest(&digest, signature).is_ok()
        };
        match (self, algorithm) {
            (Self::Rsa { signing, .. }, "RS256") => Ok(verifies(
                &RSA_PKCS1_2048_8192_SHA256,
                signing.public_key().as_ref(),
            )),
            (Self::Rsa { signing, .. }, "PS256") => Ok(verifies(
                &RSA_PSS_2048_8192_SHA256,
                signing.public_key().as_ref(),
            )),
            (Self::Ec(key), "ES256") => Ok(verifies(
                &ECDSA_P256_SHA256_FIXED,
                key.public_key().as_ref(),
            )),
            _ => Err(unfit(algorithm)),
        }
    }
}

fn oaep(algorithm: &str) -> Result<&'static OaepAlgorithm, Refusal> {
    match algorithm {
        "RSA-OAEP-256" => Ok(&OAEP_SHA256_MGF1SHA256),
        "RSA-OAEP" => Ok(&OAEP_SHA1_MGF1SHA1),
        _ => Err(unfit(algorithm)),
    }
}

fn sha256(digest: &[u8]) -> Result<Digest, Refusal> {
    Digest::import_less_safe(digest, &SHA256).map_err(|_| {
        let message = "Invalid length of 'value': it must be a SHA-256 digest of 32 bytes";
        Refusal::bad_parameter(message)
    })
}

fn unfit(algorithm: &str) -> Refusal {
    let message = format!("The algorithm {algorithm} is not one of this key and operation");
    Refusal::bad_parameter(&message)
}
