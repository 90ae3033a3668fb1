//! Signatures by a key that never leaves its vault: ES256 (RFC 7518 section 3.4) of a digest that is made here.

use azure_security_keyvault_keys::models::{
    KeyClientSignOptions, SignParameters, SignatureAlgorithm,
};

use super::{KeyVaultKeys, answer};
use crate::adapters::azure::key_vault::options;
use crate::envelope::KeyError;
use crate::secrets::{Attempt, SecretId, SecretVersion, Validity, VaultError};

/// A signature, and which version of the key made it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySignature {
    /// Which version signed.
    pub version: SecretVersion,
    /// `r` and `s`, 32 bytes each, big-endian.
    pub bytes: [u8; 64],
}

/// The public part of a key that signs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningKey {
    /// Which version it is of.
    pub version: SecretVersion,
    /// When the vault lets it sign.
    pub validity: Validity,
    /// The point on P-256, uncompressed: 4, then both coordinates (SEC 1 section 2.3.3).
    pub point: [u8; 65],
}

impl KeyVaultKeys {
    /// Signs a SHA-256 digest with a version of an EC key on P-256: the pinned one, else the newest. One attempt. Needs
    /// `keys/sign`.
    ///
    /// ```no_run
    /// # async fn example(keys: zt_core::adapters::azure::KeyVaultKeys) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use zt_core::secrets::{Attempt, AttemptId, SecretId};
    ///
    /// let key = SecretId::new("https://kv-audit.vault.azure.net".parse()?, "checkpoints".parse()?);
    /// let attempt = Attempt::new(AttemptId::from_u128(7), Duration::from_secs(2));
    /// let signature = keys.sign(&key, &[0; 32], &attempt).await?;
    /// assert_eq!(signature.bytes.len(), 64);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if there is no such key or version; [`KeyError::Vault`] with [`VaultError::Invalid`] if the
    /// key does not sign ES256; else as unwrapping.
    pub async fn sign(
        &self,
        key: &SecretId,
        digest: &[u8; 32],
        attempt: &Attempt,
    ) -> Result<KeySignature, KeyError> {
        let call = self.vaults.call(key);
        let options = KeyClientSignOptions {
            method_options: options(attempt, &call),
            key_version: key.version().map(|version| version.to_string()),
        };
        let parameters = SignParameters {
            algorithm: Some(SignatureAlgorithm::Es256),
            value: Some(digest.to_vec()),
        };
        let parameters = parameters
            .try_into()
            .map_err(|_| VaultError::invalid("the Azure SDK does not take the digest"))?;
        let name = key.name().clone();
        let signing = async {
            let asked = self.vaults.ask(key, &call, |sdk| {
                Box::pin(async move {
                    let sent = sdk.sign(name.as_str(), parameters, Some(options));
                    sent.await.map(drop)
                })
            });
            let outcome = answer::operation(key, &asked.await?)?;
            let bytes = outcome.value.as_slice().try_into().map_err(|_| {
                let reason = "the signature has not 64 bytes";
                VaultError::integrity(key.vault().as_str(), reason)
            })?;
            Ok(KeySignature {
                version: outcome.version,
                bytes,
            })
        };
        Ok(self.vaults.within(key.vault(), attempt, signing).await?)
    }

    /// The public part of a version of an EC key on P-256 that signs: the pinned one, else the newest. One attempt. Needs
    /// `keys/get`.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub async fn signing_key(
        &self,
        key: &SecretId,
        attempt: &Attempt,
    ) -> Result<SigningKey, KeyError> {
        let asking = async {
            let answer = self.get(key, attempt).await?;
            let found = answer::key(key, &answer)?;
            Ok(SigningKey {
                version: found.version,
                validity: found.validity,
                point: found.jwk.signing(key)?,
            })
        };
        Ok(self.vaults.within(key.vault(), attempt, asking).await?)
    }
}
