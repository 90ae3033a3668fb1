//! Secrets of Azure Key Vault, through the official SDK and our own transport.
//!
//! In: a secret's id and an attempt. Out: the value with what the vault says about it, or exactly why there is none.
//! Never: a retry, a sleep, a cache of values, a token for another service than the vault's own, a text that the vault sent.

mod answer;
mod call;
mod client;
mod refusal;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod token;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use azure_core::Error as SdkError;
use tokio::runtime::Handle;
use zt_memory::fork::Local;

use super::transport::own_error;
use crate::clock::Clock;
use crate::identity::{Cloud, CredentialError, TokenCredential};
use crate::network::{HttpClient, HttpError};
use crate::port::BoxFuture;
use crate::secrets::{Attempt, Fetched, SecretId, SecretVault, VaultError, VaultUrl};
use call::{Call, Token};
use client::{Client, Setup};
pub use writer::KeyVaultWriter;

/// Vaults with a client at a time; a process reads from a handful.
const MOST_VAULTS: usize = 64;

/// A vault that refuses every token does not make us ask for new ones without end.
const RENEW_EVERY: Duration = Duration::from_secs(60);

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
    setup: Setup,
    clock: Arc<dyn Clock>,
    /// A forked child begins with none: connections are the parent's.
    vaults: Local<Mutex<BTreeMap<VaultUrl, Entry>>>,
}

#[derive(Default)]
struct Entry {
    client: Option<Arc<Client>>,
    /// When its token was forgotten last.
    renewed_at: Option<Duration>,
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
            setup: Setup {
                http,
                credential,
                cloud,
                api_version: None,
                checks_challenge: true,
            },
            clock,
            vaults: Local::new(),
        }
    }

    /// Speaks this version of the REST API instead of the SDK's own, for emulators that know older ones.
    #[must_use]
    pub fn with_api_version(mut self, version: impl Into<String>) -> Self {
        self.setup.api_version = Some(version.into());
        self
    }

    /// Gives a token for whatever resource the challenge names: for an emulator that says another one than its host is in. An
    /// answer that comes from anywhere but loopback is then [`VaultError::Integrity`], before any token is asked for.
    #[must_use]
    pub const fn without_challenge_check(mut self) -> Self {
        self.setup.checks_challenge = false;
        self
    }

    /// Writes to one vault, with the same identity, over the same client.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if the SDK does not take the URL.
    pub fn writer(&self, vault: &VaultUrl) -> Result<KeyVaultWriter, VaultError> {
        KeyVaultWriter::new(&self.setup, vault)
    }

    async fn ask(&self, id: &SecretId, attempt: &Attempt) -> Result<Fetched, VaultError> {
        let client = self.client(id.vault())?;
        let call = Arc::new(Call::new(id.clone(), !self.setup.checks_challenge));
        let sent = client.get(id, attempt, &call).await;
        if call.token() == Token::Refused {
            self.renew(id.vault(), &client);
        }
        if let Err(error) = sent {
            if let Some(HttpError::Refused { .. }) = own_error::<HttpError>(&error) {
                self.forget(id.vault(), &client);
            }
            return Err(explain(id, &call, &error));
        }
        let answer = call.take_answer().ok_or_else(sdk_failed)?;
        answer::read(id, attempt, &answer)
    }

    fn client(&self, vault: &VaultUrl) -> Result<Arc<Client>, VaultError> {
        let mut vaults = self.lock();
        if vaults.len() >= MOST_VAULTS && !vaults.contains_key(vault) {
            // What is lost are a challenge and a token for each.
            vaults.clear();
        }
        let entry = vaults.entry(vault.clone()).or_default();
        if let Some(client) = &entry.client {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Client::new(&self.setup, vault)?);
        entry.client = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Drops a client that the rows in force refuse an answer to. The way may be another one since the vault was known: the
    /// next call is without a token again, and shows one once its way is proven.
    fn forget(&self, vault: &VaultUrl, refused: &Arc<Client>) {
        if let Some(entry) = self.lock().get_mut(vault) {
            entry.client.take_if(|own| Arc::ptr_eq(own, refused));
        }
    }

    /// Forgets the token that `refused` has shown, wherever it is kept.
    fn renew(&self, vault: &VaultUrl, refused: &Arc<Client>) {
        let tick = self.clock.elapsed();
        {
            let mut vaults = self.lock();
            let entry = vaults.entry(vault.clone()).or_default();
            let is_other = |own: &Arc<Client>| !Arc::ptr_eq(own, refused);
            let too_soon = |at: Duration| tick.saturating_sub(at) < RENEW_EVERY;
            if entry.client.as_ref().is_some_and(is_other) || entry.renewed_at.is_some_and(too_soon)
            {
                return;
            }
            entry.renewed_at = Some(tick);
        }
        // First the identity, then the client: a client that is made in between would get the refused token again.
        self.setup.credential.forget();
        if let Some(entry) = self.lock().get_mut(vault) {
            entry.client = None;
        }
    }

    /// A panic cannot leave an entry half changed: every change is one assignment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<VaultUrl, Entry>> {
        self.vaults
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretVault for KeyVaultSecrets {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(within(id.vault(), attempt, self.ask(id, attempt)))
    }
}

impl fmt::Debug for KeyVaultSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVaultSecrets")
            .field("cloud", &self.setup.cloud)
            .field("credential", &self.setup.credential.name())
            .field("checks_challenge", &self.setup.checks_challenge)
            .finish_non_exhaustive()
    }
}

/// What `asking` gives, before the attempt's deadline.
async fn within<T: Send>(
    vault: &VaultUrl,
    attempt: &Attempt,
    asking: impl Future<Output = Result<T, VaultError>> + Send,
) -> Result<T, VaultError> {
    if Handle::try_current().is_err() {
        let reason = "there is no tokio runtime to ask Key Vault from";
        return Err(VaultError::invalid(reason));
    }
    let asked = tokio::time::timeout(attempt.deadline, asking).await;
    asked.unwrap_or_else(|_| {
        let (host, within) = (vault.host(), attempt.deadline.as_secs_f32());
        let reason = format!("`{host}` did not answer within {within} s");
        Err(VaultError::unavailable(&reason, None))
    })
}

/// Our own error inside the SDK's. The SDK's is never a source of ours: its texts hold what the vault sent.
fn explain(id: &SecretId, call: &Call, error: &SdkError) -> VaultError {
    if let Some(known) = own_error::<VaultError>(error) {
        return known.clone();
    }
    if let Some(credential) = own_error::<CredentialError>(error) {
        return VaultError::unauthenticated(&credential.to_string());
    }
    if let Some(http) = own_error::<HttpError>(error) {
        return refusal::unsent(id, http);
    }
    if call.was_challenged() {
        return VaultError::integrity(id.vault().as_str(), token::FOREIGN);
    }
    sdk_failed()
}

fn sdk_failed() -> VaultError {
    VaultError::unavailable("the Azure SDK does not send the request", None)
}
