//! Secrets of Azure Key Vault, through the official SDK and our own transport.
//!
//! In: a secret's id and an attempt. Out: the value with what the vault says about it, or exactly why there is none.
//! Never: a retry, a sleep, a cache of values, a token for another service than the vault's own, a text that the vault sent.

mod answer;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod writer;

use std::fmt;
use std::sync::Arc;

use azure_core::http::ClientOptions;
use azure_security_keyvault_secrets::models::SecretClientGetSecretOptions;
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};

use super::key_vault::{SdkClient, Setup, VaultToken, Vaults, options};
use crate::clock::Clock;
use crate::identity::{Cloud, TokenCredential};
use crate::network::HttpClient;
use crate::port::BoxFuture;
use crate::secrets::{Attempt, Fetched, SecretId, SecretVault, VaultError, VaultUrl};
pub use writer::KeyVaultWriter;

/// The [`SecretVault`] of a process on Azure: every vault that the guard behind `http` lets through.
///
/// A vault is told who we are only by a token for the domain it is in: its challenge must name
/// `https://vault.azure.net` for `https://kv.vault.azure.net`, else there is no token and [`VaultError::Integrity`]. The
/// first call to a vault goes alone, and asks which token it wants; calls that come meanwhile wait within their own
/// deadline. A token that the vault refuses is forgotten, at most once in 60 s for each vault: that call fails with
/// [`VaultError::Unauthenticated`], the next one shows a new token.
///
/// The value is copied once out of the answer, whose buffer is wiped; buffers of TLS and of the HTTP library are not ours to
/// wipe, and the SDK keeps the token as plain text while it is valid. Needs a tokio runtime with time enabled; without a
/// runtime a fetch is [`VaultError::Invalid`], not a panic. After a `fork` the child makes its own.
///
/// ```no_run
/// # async fn example(rows: zt_core::network::Guard) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use zt_core::adapters::azure::{CredentialChain, GuardedHttp, KeyVaultSecrets};
/// use zt_core::clock::{Clock, SystemClock};
/// use zt_core::identity::{Cloud, OwnIdentity};
/// use zt_core::network::HttpClient;
/// use zt_core::secrets::{Attempt, AttemptId, SecretId, SecretVault as _};
///
/// let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
/// let http: Arc<dyn HttpClient> = Arc::new(GuardedHttp::new(rows)?);
/// let chain = CredentialChain::without_people(Cloud::Public, &http, &clock, &|_| None)?;
/// let identity = OwnIdentity::new(Arc::new(chain), Arc::clone(&clock));
/// let vault = KeyVaultSecrets::new(http, Arc::new(identity), Cloud::Public, clock);
///
/// let id = SecretId::new("https://kv-loans.vault.azure.net".parse()?, "sql-password".parse()?);
/// let attempt = Attempt::new(AttemptId::from_u128(7), Duration::from_secs(2));
/// let fetched = vault.fetch(&id, &attempt).await?;
/// assert!(!fetched.value.is_empty());
/// # Ok(())
/// # }
/// ```
pub struct KeyVaultSecrets {
    vaults: Vaults<SecretClient>,
}

impl KeyVaultSecrets {
    /// Nothing is sent yet. `credential` should be an [`OwnIdentity`](crate::identity::OwnIdentity): in the last five minutes
    /// of a token the SDK asks for the next one at each call, one call after the other, and only what keeps tokens answers
    /// at once.
    #[must_use]
    pub fn new(
        http: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            vaults: Vaults::new(http, credential, cloud, clock),
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

    /// Writes to one vault, with the same identity, over the same client.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if the SDK does not take the URL.
    pub fn writer(&self, vault: &VaultUrl) -> Result<KeyVaultWriter, VaultError> {
        KeyVaultWriter::new(&self.vaults.setup, vault)
    }

    async fn ask(&self, id: &SecretId, attempt: &Attempt) -> Result<Fetched, VaultError> {
        let call = self.vaults.call(id);
        let options = SecretClientGetSecretOptions {
            method_options: options(attempt, &call),
            secret_version: id.version().map(|version| version.to_string()),
            ..SecretClientGetSecretOptions::default()
        };
        let name = id.name().clone();
        let asked = self.vaults.ask(id, &call, |sdk| {
            Box::pin(async move {
                let sent = sdk.get_secret(name.as_str(), Some(options)).await;
                sent.map(drop)
            })
        });
        answer::read(id, attempt, &asked.await?)
    }
}

impl SdkClient for SecretClient {
    fn connect(
        vault: &VaultUrl,
        credential: Arc<VaultToken>,
        setup: &Setup,
        options: ClientOptions,
    ) -> azure_core::Result<Self> {
        let mut own = SecretClientOptions {
            client_options: options,
            verify_challenge_resource: Some(setup.checks_challenge),
            ..SecretClientOptions::default()
        };
        if let Some(version) = &setup.api_version {
            own.api_version.clone_from(version);
        }
        Self::new(vault.as_str(), credential, Some(own))
    }
}

impl SecretVault for KeyVaultSecrets {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(
            self.vaults
                .within(id.vault(), attempt, self.ask(id, attempt)),
        )
    }
}

impl fmt::Debug for KeyVaultSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVaultSecrets")
            .field("cloud", &self.vaults.setup.cloud)
            .field("credential", &self.vaults.setup.credential.name())
            .field("checks_challenge", &self.vaults.setup.checks_challenge)
            .finish_non_exhaustive()
    }
}
