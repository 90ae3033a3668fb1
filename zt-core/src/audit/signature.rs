//! ES256 for checkpoints: whose key signs, and what an auditor verifies with.
//!
//! In: a message. Out: an ECDSA signature over P-256 with SHA-256, in the encoding of X9.62 (DER), as signed notes have it.
//! Two keys share the work. The **audit key** lives long, in a file or a vault, behind [`CheckpointSigner`]; it may be slow or
//! away. The **process key** is made in memory by each log and signs its checkpoints; the audit key endorses it, once. So
//! signing never waits for a vault, and what a stolen disk holds can sign nothing for a log that has ended.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chain::sha256;

/// What stands before the point in a `SubjectPublicKeyInfo` of P-256 (RFC 5480), whose DER has one form.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point of P-256.
const POINT: usize = 65;

/// The audit key: signs that the key of a process may sign checkpoints.
///
/// Called on a thread of its own that no record waits for, so it may block; a call that fails is made again later. A log that
/// opens waits two seconds at most for the public part, where retention finds something old; if it comes later, that log removes
/// nothing.
pub trait CheckpointSigner: fmt::Debug + Send + Sync {
    /// The public part, for auditors.
    ///
    /// # Errors
    /// [`SignError`] if it is not known and cannot be asked for now.
    fn public_key(&self) -> Result<PublicKey, SignError>;

    /// The ES256 signature of a message (RFC 7518 §3.4): `r`, then `s`, 32 bytes each.
    ///
    /// # Errors
    /// [`SignError`] if the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// Why the audit key did not sign.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the audit key cannot sign: {reason}")]
pub struct SignError {
    reason: String,
}

impl SignError {
    /// With a reason for the operator; never with anything secret in it.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// A public key of P-256.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; POINT]);

impl PublicKey {
    /// From a point as SEC 1 encodes it, uncompressed: `04`, `x`, `y`. `None` if it is not on the curve.
    #[must_use]
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let key = Self(point.try_into().ok()?);
        let is_uncompressed = key.0.first() == Some(&4);
        let on_curve = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).parse();
        (is_uncompressed && on_curve.is_ok()).then_some(key)
    }

    /// From the DER of its `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        Self::from_point(der.strip_prefix(&SPKI)?)
    }

    /// From PEM, `-----BEGIN PUBLIC KEY-----`, with anything before and behind it.
    ///
    /// ```
    /// # use zt_core::audit::PublicKey;
    /// let pem = "-----BEGIN PUBLIC KEY-----
    /// MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
    /// 6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
    /// -----END PUBLIC KEY-----
    /// ";
    /// assert_eq!(PublicKey::from_pem(pem).unwrap().to_pem(), pem);
    /// ```
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN PUBLIC KEY-----")?;
        let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
        let text: String = body.split_whitespace().collect();
        Self::from_der(&STANDARD.decode(text).ok()?)
    }

    /// The keys of a file that holds one or more of them, each as [`from_pem`](Self::from_pem) reads it. `None` if it holds none,
    /// or one that cannot be read.
    #[must_use]
    pub fn all_from_pem(pem: &str) -> Option<Vec<Self>> {
        const END: &str = "-----END PUBLIC KEY-----";
        let mut keys = Vec::new();
        let mut rest = pem;
        while let Some((one, behind)) = rest.split_once(END) {
            keys.push(Self::from_pem(&format!("{one}{END}"))?);
            rest = behind;
        }
        let is_whole = !keys.is_empty() && !rest.contains("-----BEGIN");
        is_whole.then_some(keys)
    }

    /// The DER of its `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        [SPKI.as_slice(), self.0.as_slice()].concat()
    }

    /// PEM for a file, such as `openssl` and Python read.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let text = STANDARD.encode(self.to_der());
        let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        for (at, letter) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// Its id in signed notes: the first four bytes of the SHA-256 of its DER (C2SP signed-note, type `0x02`).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256(&self.to_der());
        [a, b, c, d]
    }

    /// Whether it verifies this ES256 signature (RFC 7518 §3.4): `r`, then `s`.
    #[cfg(feature = "testing")]
    pub(crate) fn verifies_es256(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.verifies(message, &to_der(signature))
    }

    /// Whether it verifies this DER signature.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.0.as_slice())
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", super::chain::hex(&self.id()))
    }
}

/// The key of one log, in memory alone.
pub(super) struct ProcessKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl ProcessKey {
    pub(super) fn generate() -> Result<Self, SignError> {
        let refused = || SignError::new("the cryptographic library makes no key");
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(|_| refused())?;
        let public = PublicKey::from_point(pair.public_key().as_ref()).ok_or_else(refused)?;
        Ok(Self { pair, public })
    }

    pub(super) const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signed = self.pair.sign(&SystemRandom::new(), message);
        let signed = signed.map_err(|_| SignError::new("the cryptographic library refused"))?;
        Ok(signed.as_ref().to_vec())
    }
}

impl fmt::Debug for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessKey({:?})", self.public)
    }
}

/// `r` and `s` as X9.62 writes them: a DER sequence of two integers.
pub(super) fn to_der(signature: &[u8; 64]) -> Vec<u8> {
    let (r, s) = signature.split_at(32);
    let body = [integer(r), integer(s)].concat();
    // Two integers of at most 33 bytes: each length is one byte.
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    [&[0x30, length], body.as_slice()].concat()
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0);
    let digits = bytes.get(first.unwrap_or(31)..).unwrap_or_default();
    let is_negative = digits.first().is_some_and(|byte| byte & 0x80 != 0);
    let length = u8::try_from(digits.len() + usize::from(is_negative)).unwrap_or(u8::MAX);
    let mut integer = vec![2, length];
    if is_negative {
        integer.push(0);
    }
    integer.extend_from_slice(digits);
    integer
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;

    use super::*;

    #[test]
    fn a_public_key_reads_back_from_each_of_its_forms() {
        let key = ProcessKey::generate().unwrap().public().clone();
        let pem = format!("# made today\n{}trailer", key.to_pem());
        assert_eq!(PublicKey::from_pem(&pem), Some(key.clone()));
        assert_eq!(PublicKey::from_der(&key.to_der()), Some(key.clone()));
        assert!(key.to_pem().lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn what_is_no_point_of_the_curve_is_no_key() {
        let key = ProcessKey::generate().unwrap().public().clone();
        let mut off = key.0;
        off[64] ^= 1;
        assert_eq!(PublicKey::from_point(&off), None);
        assert_eq!(PublicKey::from_point(&key.0[..64]), None);
        assert_eq!(PublicKey::from_der(&key.0), None);
        assert_eq!(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\n"), None);
    }

    #[test]
    fn a_signature_of_two_numbers_verifies_in_der() {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = PublicKey::from_point(pair.public_key().as_ref()).unwrap();
        // Enough for numbers that start with zeros and with a high bit.
        for message in 0..600_u32 {
            let message = message.to_be_bytes();
            let signed = pair.sign(&SystemRandom::new(), &message).unwrap();
            let der = to_der(signed.as_ref().try_into().unwrap());
            assert!(public.verifies(&message, &der));
            assert!(!public.verifies(b"another", &der));
        }
        let mut short = [0; 64];
        short[31] = 1;
        short[32] = 0x80;
        let expected = [&[0x30, 38, 2, 1, 1, 2, 33, 0, 0x80][..], &[0; 31]].concat();
        assert_eq!(to_der(&short), expected);
    }
}
