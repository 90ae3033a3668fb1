//! The clients of every vault that a process asks, one for each, and what becomes of them.
//!
//! In: one call. Out: its answer. A client is made at the first call, dropped when the rules of the network refuse its way,
//! and made anew with a new token when the vault refuses the one that it showed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use azure_core::Error as SdkError;
use zt_memory::fork::Local;

use super::call::{Call, Token};
use super::client::{Client, SdkClient, Setup};
use super::{refusal, token};
use crate::adapters::azure::transport::own_error;
use crate::clock::Clock;
use crate::identity::{Cloud, CredentialError, TokenCredential};
use crate::network::{HttpClient, HttpError, HttpResponse};
use crate::port::BoxFuture;
use crate::secrets::{Attempt, SecretId, VaultError, VaultUrl};

/// Vaults with a client at a time; a process reads from a handful.
pub(in crate::adapters::azure) const MOST_VAULTS: usize = 64;

/// A vault that refuses every token does not make us ask for new ones without end.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// See the module.
pub(in crate::adapters::azure) struct Vaults<S> {
    pub(in crate::adapters::azure) setup: Setup,
    clock: Arc<dyn Clock>,
    /// A forked child begins with none: connections are the parent's.
    vaults: Local<Mutex<BTreeMap<VaultUrl, Entry<S>>>>,
}

pub(in crate::adapters::azure) struct Entry<S> {
    client: Option<Arc<Client<S>>>,
    /// When its token was forgotten last.
    renewed_at: Option<Duration>,
}

impl<S> Default for Entry<S> {
    fn default() -> Self {
        Self {
            client: None,
            renewed_at: None,
        }
    }
}

impl<S: SdkClient> Vaults<S> {
    /// Nothing is sent yet.
    pub(in crate::adapters::azure) fn new(
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

    /// A call about `id`, to be sent with [`ask`](Self::ask).
    pub(in crate::adapters::azure) fn call(&self, id: &SecretId) -> Arc<Call> {
        Arc::new(Call::new(id.clone(), !self.setup.checks_challenge))
    }

    /// What the vault answers to what `send` sends. One attempt.
    pub(in crate::adapters::azure) async fn ask(
        &self,
        id: &SecretId,
        call: &Arc<Call>,
        send: impl for<'s> FnOnce(&'s S) -> BoxFuture<'s, azure_core::Result<()>> + Send,
    ) -> Result<HttpResponse, VaultError> {
        let client = self.client(id.vault())?;
        let sent = client.run(call, send(client.sdk())).await;
        if call.token() == Token::Refused {
            self.renew(id.vault(), &client);
        }
        if let Err(error) = sent {
            if let Some(HttpError::Refused { .. }) = own_error::<HttpError>(&error) {
                self.forget(id.vault(), &client);
            }
            return Err(explain(id, call, &error));
        }
        call.take_answer().ok_or_else(sdk_failed)
    }

    /// See [`Client::within`].
    pub(in crate::adapters::azure) async fn within<T: Send>(
        &self,
        vault: &VaultUrl,
        attempt: &Attempt,
        asking: impl Future<Output = Result<T, VaultError>> + Send,
    ) -> Result<T, VaultError> {
        let client = self.client(vault)?;
        client.within(vault, attempt, asking).await
    }

    fn client(&self, vault: &VaultUrl) -> Result<Arc<Client<S>>, VaultError> {
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
    fn forget(&self, vault: &VaultUrl, refused: &Arc<Client<S>>) {
        if let Some(entry) = self.lock().get_mut(vault) {
            entry.client.take_if(|own| Arc::ptr_eq(own, refused));
        }
    }

    /// Forgets the token that `refused` has shown, wherever it is kept.
    fn renew(&self, vault: &VaultUrl, refused: &Arc<Client<S>>) {
        let tick = self.clock.elapsed();
        {
            let mut vaults = self.lock();
            let entry = vaults.entry(vault.clone()).or_default();
            let is_other = |own: &Arc<Client<S>>| !Arc::ptr_eq(own, refused);
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
    pub(in crate::adapters::azure) fn lock(&self) -> MutexGuard<'_, BTreeMap<VaultUrl, Entry<S>>> {
        self.vaults
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Our own error inside the SDK's. The SDK's is never a source of ours: its texts hold what the vault sent.
pub(in crate::adapters::azure) fn explain(
    id: &SecretId,
    call: &Call,
    error: &SdkError,
) -> VaultError {
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

pub(in crate::adapters::azure) fn sdk_failed() -> VaultError {
    VaultError::unavailable("the Azure SDK does not send the request", None)
}
