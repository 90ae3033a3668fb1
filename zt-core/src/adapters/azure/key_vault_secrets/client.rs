//! The SDK's client of one vault, and the order in which calls board it.
//!
//! A new client of the SDK sends its first request without a token, to be told which one the vault wants. Many first
//! requests at once would each be told, each as a refusal in the vault's log; so the first goes alone, and the others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use azure_core::http::ClientMethodOptions;
use azure_core::http::request::options::ClientRequestId;
use azure_security_keyvault_secrets::models::SecretClientGetSecretOptions;
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use tokio::sync::{Mutex, MutexGuard};

use super::answer::MOST_BYTES;
use super::call::{Call, Token};
use super::token::VaultToken;
use crate::adapters::azure::transport::{GuardedTransport, Within};
use crate::identity::{Cloud, TokenCredential};
use crate::network::HttpClient;
use crate::secrets::{Attempt, SecretId, VaultError, VaultUrl};

/// What clients are made of.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) http: Arc<dyn HttpClient>,
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) cloud: Cloud,
    pub(super) api_version: Option<String>,
    pub(super) checks_challenge: bool,
}

/// The client of one vault.
pub(super) struct Client {
    sdk: SecretClient,
    gate: Mutex<()>,
    /// Whether the vault took a token of this client.
    is_known: AtomicBool,
}

impl Client {
    pub(super) fn new(setup: &Setup, vault: &VaultUrl) -> Result<Self, VaultError> {
        let credential = VaultToken {
            credential: Arc::clone(&setup.credential),
            vault: vault.clone(),
            checks_scope: setup.checks_challenge,
        };
        let transport = GuardedTransport::new(Arc::clone(&setup.http))
            .only_to(vault.host())
            .reading_at_most(MOST_BYTES)
            .filtered_by(|asked, answer| match asked.context.value::<Arc<Call>>() {
                Some(call) => call.judge(asked.with_token, answer),
                None => Err(VaultError::invalid("an answer to no call of zt")),
            });
        let mut options = SecretClientOptions {
            client_options: transport.client_options(setup.cloud),
            verify_challenge_resource: Some(setup.checks_challenge),
            ..SecretClientOptions::default()
        };
        if let Some(version) = &setup.api_version {
            options.api_version.clone_from(version);
        }
        let sdk = SecretClient::new(vault.as_str(), Arc::new(credential), Some(options));
        Ok(Self {
            sdk: sdk
                .map_err(|_| VaultError::invalid("the Azure SDK does not take the vault's URL"))?,
            gate: Mutex::new(()),
            is_known: AtomicBool::new(false),
        })
    }

    /// The SDK's own client, for [`run`](Self::run) alone.
    pub(super) const fn sdk(&self) -> &SecretClient {
        &self.sdk
    }

    /// What every call of ours has beside its request.
    pub(super) fn options(attempt: &Attempt, call: &Arc<Call>) -> ClientMethodOptions<'static> {
        let mut options = ClientMethodOptions::default();
        options
            .context
            .insert(ClientRequestId::new(attempt.id.to_string()));
        options.context.insert(Within(attempt.deadline));
        options.context.insert(Arc::clone(call));
        options
    }

    /// Fetches one secret. What came back stands in `call`.
    pub(super) async fn get(
        &self,
        id: &SecretId,
        attempt: &Attempt,
        call: &Arc<Call>,
    ) -> azure_core::Result<()> {
        let options = SecretClientGetSecretOptions {
            method_options: Self::options(attempt, call),
            secret_version: id.version().map(|version| version.to_string()),
            ..SecretClientGetSecretOptions::default()
        };
        let sending = self.sdk.get_secret(id.name().as_str(), Some(options));
        self.run(call, sending).await
    }

    /// Sends when it is this call's turn.
    pub(super) async fn run<T: Send>(
        &self,
        call: &Call,
        sending: impl Future<Output = azure_core::Result<T>> + Send,
    ) -> azure_core::Result<()> {
        let _turn = self.board().await;
        let sent = sending.await;
        if call.token() == Token::Taken {
            self.is_known.store(true, Ordering::Release);
        }
        sent.map(drop)
    }

    /// Waits until a vault that does not know us yet is nobody else's turn. Holding what comes back is having the turn; a call
    /// that is given up gives up its turn.
    async fn board(&self) -> Option<MutexGuard<'_, ()>> {
        if self.is_known.load(Ordering::Acquire) {
            return None;
        }
        let turn = self.gate.lock().await;
        (!self.is_known.load(Ordering::Acquire)).then_some(turn)
    }
}
