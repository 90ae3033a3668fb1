//! Keys of Azure Key Vault, through the official SDK and our own transport: their public parts, unwrapping, signatures.
//!
//! In: a key's id and an attempt. Out: the public part of a version, the data key that a version wrapped, a signature; or
//! exactly why there is none.
//! Never: a retry, a sleep, a cache of keys, a data key on its way to the vault, a token for another service than the
//! vault's own, a text that the vault sent. Keys of Managed HSM without a public part (`oct-HSM`) are refused: they wrap in
//! the vault alone.

mod answer;
mod jwk;
mod sign;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use azure_core::http::ClientOptions;
use azure_security_keyvault_keys::models::{
    EncryptionAlgorithm, KeyClientGetKeyOptions, KeyClientUnwrapKeyOptions, KeyOperationParameters,
};
use azure_security_keyvault_keys::{KeyClient, KeyClientOptions};

use super::key_vault::{SdkClient, Setup, VaultToken, Vaults, options};
use crate::clock::Clock;
use crate::envelope::{DataKey, KeyError, KeyWrapper, RemoteKeys, WrapAlgorithm, WrappedKey, oaep};
use crate::identity::{Cloud, TokenCredential};
use crate::network::{HttpClient, HttpResponse};
use crate::port::BoxFuture;
use crate::secrets::{Attempt, AttemptId, Fetched, SecretId, VaultError, VaultUrl};
pub use sign::{KeySignature, SigningKey};
pub use writer::{KeyVaultKeyWriter, NewKey};

/// When a call of [`KeyWrapper`], which names no deadline, must be over.
const DEADLINE: Duration = Duration::from_secs(3);

/// The [`RemoteKeys`] of a process on Azure: every vault that the guard behind `http` lets through.
///
/// Wrapping asks a vault for the public part of a key alone (`keys/get`) and happens here, by RSA-OAEP-256; the data key
/// does not travel. Unwrapping is one call to the version that the wrapped key names (`keys/unwrapKey`). The answer must be
/// of the very key and version that was asked for. A key must be RSA of 2,048, 3,072 or 4,096 bits with the exponent
/// 65,537, and marked for `wrapKey` and `unwrapKey`.
///
/// Tokens, challenges and clients are handled as by [`KeyVaultSecrets`](super::KeyVaultSecrets), over clients of their own.
/// As a [`KeyWrapper`] it asks the vault at every call, within 3 s; the runtime keeps public parts and data keys instead.
/// Needs a tokio runtime with time enabled; without a runtime a call is [`VaultError::Invalid`], not a panic.
///
/// ```no_run
/// # async fn example(rows: zt_core::network::Guard) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
///
/// use zt_core::adapters::azure::{CredentialChain, GuardedHttp, KeyVaultKeys};
/// use zt_core::clock::{Clock, SystemClock};
/// use zt_core::envelope::{DataKey, KeyWrapper as _};
/// use zt_core::identity::{Cloud, OwnIdentity};
/// use zt_core::network::HttpClient;
/// use zt_core::secrets::SecretId;
///
/// let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
/// let http: Arc<dyn HttpClient> = Arc::new(GuardedHttp::new(rows)?);
/// let chain = CredentialChain::without_people(Cloud::Public, &http, &clock, &|_| None)?;
/// let identity = OwnIdentity::new(Arc::new(chain), Arc::clone(&clock));
/// let keys = KeyVaultKeys::new(http, Arc::new(identity), Cloud::Public, clock);
///
/// let kek = SecretId::new("https://kv-loans.vault.azure.net".parse()?, "scores-kek".parse()?);
/// let wrapped = keys.wrap(&kek, &DataKey::generate()?).await?;
/// assert_eq!(wrapped.algorithm.as_str(), "RSA-OAEP-256");
/// # Ok(())
/// # }
/// ```
pub struct KeyVaultKeys {
    vaults: Vaults<KeyClient>,
    clock: Arc<dyn Clock>,
}

impl KeyVaultKeys {
    /// Nothing is sent yet. `credential` should be an [`OwnIdentity`](crate::identity::OwnIdentity), as for secrets.
    #[must_use]
    pub fn new(
        http: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            vaults: Vaults::new(http, credential, cloud, Arc::clone(&clock)),
            clock,
        }
    }

    /// Speaks this version of the REST API instead of the SDK's own, for emulators that know older ones.
    #[must_use]
    pub fn with_api_version(mut self, version: impl Into<String>) -> Self {
        self.vaults.setup.api_version = Some(version.into());
        self
    }

    /// Gives a token for whatever resource the challenge names: for an emulator that says another one than its host is in. An
    /// answer that comes from anywhere but loopback is then [`VaultError::Integrity`], before any token is asked for.
    #[must_use]
    pub const fn without_challenge_check(mut self) -> Self {
        self.vaults.setup.checks_challenge = false;
        self
    }

    /// Makes keys in one vault, with the same identity, over the same client.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if the SDK does not take the URL.
    pub fn writer(&self, vault: &VaultUrl) -> Result<KeyVaultKeyWriter, VaultError> {
        KeyVaultKeyWriter::new(&self.vaults.setup, vault)
    }

    async fn get(&self, key: &SecretId, attempt: &Attempt) -> Result<HttpResponse, VaultError> {
        let call = self.vaults.call(key);
        let options = KeyClientGetKeyOptions {
            method_options: options(attempt, &call),
            key_version: key.version().map(|version| version.to_string()),
        };
        let name = key.name().clone();
        let asked = self.vaults.ask(key, &call, |sdk| {
            Box::pin(async move { sdk.get_key(name.as_str(), Some(options)).await.map(drop) })
        });
        asked.await
    }

    async fn published(&self, key: &SecretId, attempt: &Attempt) -> Result<Fetched, VaultError> {
        answer::public_key(key, attempt, &self.get(key, attempt).await?)
    }

    /// Asks the version of the key that `wrapped` names.
    async fn opened(
        &self,
        key: &SecretId,
        wrapped: &WrappedKey,
        attempt: &Attempt,
    ) -> Result<Option<Fetched>, VaultError> {
        let is_own = match wrapped.algorithm {
            WrapAlgorithm::RsaOaep256 => oaep::SIZES.contains(&wrapped.bytes.len()),
            WrapAlgorithm::Aes256Kw => false,
        };
        if !is_own {
            return Ok(None);
        }
        let key = key.clone().at(wrapped.version);
        let call = self.vaults.call(&key);
        let options = KeyClientUnwrapKeyOptions {
            method_options: options(attempt, &call),
        };
        let parameters = KeyOperationParameters {
            algorithm: Some(EncryptionAlgorithm::RsaOaep256),
            value: Some(wrapped.bytes.clone()),
            ..KeyOperationParameters::default()
        };
        let parameters = parameters
            .try_into()
            .map_err(|_| VaultError::invalid("the Azure SDK does not take the wrapped key"))?;
        let (name, version) = (key.name().clone(), wrapped.version.to_string());
        let asked = self.vaults.ask(&key, &call, |sdk| {
            Box::pin(async move {
                let sent = sdk.unwrap_key(name.as_str(), &version, parameters, Some(options));
                sent.await.map(drop)
            })
        });
        match asked.await {
            Ok(answer) => answer::data_key(&key, attempt, &answer),
            Err(_) if call.is_bad_parameter() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl RemoteKeys for KeyVaultKeys {
    fn public_key<'a>(
        &'a self,
        key: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(
            self.vaults
                .within(key.vault(), attempt, self.published(key, attempt)),
        )
    }

    fn unwrap_key<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Option<Fetched>, VaultError>> {
        let opened = self.opened(key, wrapped, attempt);
        Box::pin(self.vaults.within(key.vault(), attempt, opened))
    }
}

impl KeyWrapper for KeyVaultKeys {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        Box::pin(async move {
            let published = self.public_key(key, &attempt()?).await?;
            let id = key.clone().at(published.version);
            published.validity.check(&id, self.clock.now())?;
            let wrapped = oaep::wrap(published.value.reveal(), published.version, dek);
            Ok(wrapped.ok_or_else(|| jwk::unfit(&id, "it does not wrap"))?)
        })
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(async move {
            let opened = self.unwrap_key(key, wrapped, &attempt()?).await;
            match opened {
                Ok(Some(opened)) => DataKey::copy_of(opened.value.reveal()),
                Ok(None) => None,
                Err(VaultError::NotFound { id }) => {
                    // The vault says the same of a key that is not there and of a version that is not.
                    let newest = SecretId::new(key.vault().clone(), key.name().clone());
                    let is_there = self.get(&newest, &attempt()?).await.is_ok();
                    return Err(KeyError::no_version(
                        &newest,
                        id.version().filter(|_| is_there),
                    ));
                }
                Err(error) => return Err(error.into()),
            }
            .ok_or_else(|| KeyError::unwrap(key))
        })
    }
}

impl SdkClient for KeyClient {
    fn connect(
        vault: &VaultUrl,
        credential: Arc<VaultToken>,
        setup: &Setup,
        options: ClientOptions,
    ) -> azure_core::Result<Self> {
        let mut own = KeyClientOptions {
            client_options: options,
            verify_challenge_resource: Some(setup.checks_challenge),
            ..KeyClientOptions::default()
        };
        if let Some(version) = &setup.api_version {
            own.api_version.clone_from(version);
        }
        Self::new(vault.as_str(), credential, Some(own))
    }
}

impl fmt::Debug for KeyVaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVaultKeys")
            .field("cloud", &self.vaults.setup.cloud)
            .field("credential", &self.vaults.setup.credential.name())
            .field("checks_challenge", &self.vaults.setup.checks_challenge)
            .finish_non_exhaustive()
    }
}

/// An attempt that nobody above has numbered.
fn attempt() -> Result<Attempt, VaultError> {
    let mut id = [0; 16];
    rand::fill(&mut id)
        .map_err(|_| VaultError::unavailable("the system gave no random bytes", None))?;
    Ok(Attempt::new(
        AttemptId::from_u128(u128::from_ne_bytes(id)),
        DEADLINE,
    ))
}
