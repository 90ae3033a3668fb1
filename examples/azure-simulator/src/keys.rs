//! The signing keys: what is published, which one signs, and how that changes.
//!
//! Entra publishes several keys at once, may sign with any of them and rolls them without notice ("Signing key rollover in the
//! Microsoft identity platform", Microsoft Learn). A retired key leaves the set; what it signed stays signed.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, PKCS_RSA_SHA256, RsaKeySize};

use crate::error::Error;

/// An RSA-2048 key with the self-signed certificate that names it.
pub(crate) struct SigningKey {
    pair: rsa::KeyPair,
    kid: String,
    modulus: String,
    x5c: String,
}

impl SigningKey {
    fn generate() -> Result<Self, Error> {
        let made = rcgen::KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
            .and_then(|pair| {
                let mut params = CertificateParams::default();
                let name = "accounts.accesscontrol.windows.net";
                params.distinguished_name.push(DnType::CommonName, name);
                let certificate = params.self_signed(&pair)?;
                Ok((pair.serialize_der(), certificate.der().clone()))
            })
            .map_err(|why| why.to_string());
        let (pkcs8, certificate) = made.map_err(Error::of("no signing key"))?;
        let pair = rsa::KeyPair::from_pkcs8(&pkcs8)
            .map_err(|why| Error::new(format!("no signing key: {why}")))?;
        let modulus = modulus(pair.public_key().as_ref())
            .ok_or_else(|| Error::new("the signing key is not RSA-2048"))?;
        Ok(Self {
            modulus: URL_SAFE_NO_PAD.encode(modulus),
            kid: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate)),
            x5c: STANDARD.encode(&certificate),
            pair,
        })
    }

    /// The thumbprint of its certificate, which is also `x5t`.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn modulus(&self) -> &str {
        &self.modulus
    }

    pub(crate) fn x5c(&self) -> &str {
        &self.x5c
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                bytes,
                &mut signature,
            )
            .map_err(|_| Error::new("the signing key cannot sign"))?;
        Ok(signature)
    }

    fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key())
            .verify(bytes, signature)
            .is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.kid).finish()
    }
}

/// Where the modulus is in the DER of an RSA-2048 public key with exponent 65537 (RFC 8017 A.1.1).
fn modulus(der: &[u8]) -> Option<&[u8]> {
    der.strip_prefix(&[0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00])?
        .strip_suffix(&[0x02, 0x03, 0x01, 0x00, 0x01])
}

/// The keys of one simulator.
#[derive(Debug)]
pub(crate) struct KeyRing {
    /// In the order of their making; the one that signs is `current`.
    published: Vec<Arc<SigningKey>>,
    current: Arc<SigningKey>,
    retired: Vec<Arc<SigningKey>>,
    /// Keys of another cloud, listed in the public set as they are in reality.
    foreign: Vec<Arc<SigningKey>>,
}

impl KeyRing {
    /// With a key of yesterday and the key of today.
    pub(crate) fn new() -> Result<Self, Error> {
        let (old, new) = std::thread::scope(|scope| {
            let old = scope.spawn(SigningKey::generate);
            let new = SigningKey::generate();
            (old.join(), new)
        });
        let old = old.map_err(|_| Error::new("no signing key: a thread ended"))??;
        let current = Arc::new(new?);
        Ok(Self {
            published: vec![Arc::new(old), Arc::clone(&current)],
            current,
            retired: Vec::new(),
            foreign: Vec::new(),
        })
    }

    pub(crate) fn published(&self) -> &[Arc<SigningKey>] {
        &self.published
    }

    pub(crate) fn foreign(&self) -> &[Arc<SigningKey>] {
        &self.foreign
    }

    /// The key that signs now.
    pub(crate) fn current(&self) -> &Arc<SigningKey> {
        &self.current
    }

    /// Any key that this simulator has or had.
    pub(crate) fn find(&self, kid: &str) -> Option<&Arc<SigningKey>> {
        self.published
            .iter()
            .chain(&self.retired)
            .chain(&self.foreign)
            .find(|key| key.kid == kid)
    }

    /// Publishes a new key that does not sign yet.
    pub(crate) fn publish_ahead(&mut self) -> Result<Arc<SigningKey>, Error> {
        let key = Arc::new(SigningKey::generate()?);
        self.published.push(Arc::clone(&key));
        Ok(key)
    }

    /// Signs from now on with the newest published key; with a new one where that signs already.
    pub(crate) fn rotate(&mut self) -> Result<Arc<SigningKey>, Error> {
        let ahead = self
            .published
            .last()
            .filter(|key| key.kid != self.current.kid);
        let next = match ahead {
            Some(key) => Arc::clone(key),
            None => self.publish_ahead()?,
        };
        self.current = Arc::clone(&next);
        Ok(next)
    }

    /// Takes a key out of the set. The last one stays, because there would be none to sign with.
    pub(crate) fn retire(&mut self, kid: &str) -> Result<(), Error> {
        let at = self.published.iter().position(|key| key.kid == kid);
        let at = at.ok_or_else(|| Error::new("no published key has this kid"))?;
        if self.published.len() == 1 {
            return Err(Error::new("the last published key cannot be retired"));
        }
        let key = self.published.remove(at);
        if key.kid == self.current.kid {
            let newest = self.published.last().map(Arc::clone);
            self.current = newest.unwrap_or_else(|| Arc::clone(&key));
        }
        self.retired.push(key);
        Ok(())
    }

    /// Lists keys of another cloud in the public set.
    pub(crate) fn add_foreign(&mut self) -> Result<Arc<SigningKey>, Error> {
        let key = Arc::new(SigningKey::generate()?);
        self.foreign.push(Arc::clone(&key));
        Ok(key)
    }

    /// Whether a key of this simulator made this signature. Foreign keys are nobody here.
    pub(crate) fn has_signed(&self, kid: &str, bytes: &[u8], signature: &[u8]) -> bool {
        let is_foreign = self.foreign.iter().any(|key| key.kid == kid);
        !is_foreign
            && self
                .find(kid)
                .is_some_and(|key| key.verifies(bytes, signature))
    }
}
