//! The SDK's client of one vault, and the order in which calls board it.
//!
//! A new client of the SDK sends its first request without a token, to be told which one the vault wants. Many first
//! requests at once would each be told, each as a refusal in the vault's log; so the first goes alone, and the others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use azure_core::http::request::options::ClientRequestId;
use azure_core::http::{ClientMethodOptions, ClientOptions};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::call::{Call, Token};
use super::own_time::OwnTime;
use super::token::VaultToken;
use crate::adapters::azure::transport::{GuardedTransport, Within};
use crate::identity::{Cloud, TokenCredential};
use crate::network::HttpClient;
use crate::secrets::{Attempt, VaultError, VaultUrl};

/// The longest answer: a value in which each byte is escaped, with its tags.
pub(in crate::adapters::azure) const MOST_BYTES: usize = 256 * 1024;

/// Timers are exact to the millisecond.
const EARLY: Duration = Duration::from_millis(5);

/// A client of the SDK for one kind of things that a vault holds.
pub(in crate::adapters::azure) trait SdkClient:
    Sized + Send + Sync
{
    /// One for this vault, over `options`. Nothing is sent yet.
    fn connect(
        vault: &VaultUrl,
        credential: Arc<VaultToken>,
        setup: &Setup,
        options: ClientOptions,
    ) -> azure_core::Result<Self>;
}

/// What clients are made of.
#[derive(Clone)]
pub(in crate::adapters::azure) struct Setup {
    pub(in crate::adapters::azure) http: Arc<dyn HttpClient>,
    pub(in crate::adapters::azure) credential: Arc<dyn TokenCredential>,
    pub(in crate::adapters::azure) cloud: Cloud,
    pub(in crate::adapters::azure) api_version: Option<String>,
    pub(in crate::adapters::azure) checks_challenge: bool,
}

/// The client of one vault.
pub(in crate::adapters::azure) struct Client<S> {
    sdk: S,
    gate: Mutex<()>,
    /// Whether the vault took a token of this client.
    is_known: AtomicBool,
    credential: Arc<dyn TokenCredential>,
    own: Arc<OwnTime>,
}

impl<S: SdkClient> Client<S> {
    pub(in crate::adapters::azure) fn new(
        setup: &Setup,
        vault: &VaultUrl,
    ) -> Result<Self, VaultError> {
        let own = Arc::<OwnTime>::default();
        let credential = VaultToken {
            credential: Arc::clone(&setup.credential),
            vault: vault.clone(),
            checks_scope: setup.checks_challenge,
            own: Arc::clone(&own),
        };
        let transport = GuardedTransport::new(Arc::clone(&setup.http))
            .only_to(vault.host())
            .reading_at_most(MOST_BYTES)
            .filtered_by(|asked, answer| match asked.context.value::<Arc<Call>>() {
                Some(call) => call.judge(asked.with_token, answer),
                None => Err(VaultError::invalid("an answer to no call of zt")),
            });
        let options = transport.client_options(setup.cloud);
        let sdk = S::connect(vault, Arc::new(credential), setup, options);
        Ok(Self {
            sdk: sdk
                .map_err(|_| VaultError::invalid("the Azure SDK does not take the vault's URL"))?,
            gate: Mutex::new(()),
            is_known: AtomicBool::new(false),
            credential: Arc::clone(&setup.credential),
            own,
        })
    }

    /// What `asking` gives, before the attempt's deadline. A call of which our own identity took half the time or more says
    /// nothing of the vault, and names the identity; what a vault leaves unanswered for longer than that is the vault's fault.
    pub(in crate::adapters::azure) async fn within<T: Send>(
        &self,
        vault: &VaultUrl,
        attempt: &Attempt,
        asking: impl Future<Output = Result<T, VaultError>> + Send,
    ) -> Result<T, VaultError> {
        if Handle::try_current().is_err() {
            let reason = "there is no tokio runtime to ask Key Vault from";
            return Err(VaultError::invalid(reason));
        }
        let before = self.own.total();
        // A little earlier than whoever set the deadline, who would not know whom to blame.
        let deadline = attempt.deadline.saturating_sub(EARLY);
        let asked = timeout(deadline, asking).await;
        asked.unwrap_or_else(|_| {
            let took = self.own.total().saturating_sub(before);
            if took.saturating_mul(2) >= deadline {
                return Err(VaultError::token_pending(self.credential.name(), took));
            }
            let (host, within) = (vault.host(), attempt.deadline.as_secs_f32());
            let reason = format!("`{host}` did not answer within {within} s");
            Err(VaultError::unavailable(&reason, None))
        })
    }

    /// The SDK's own client, for [`run`](Self::run) alone.
    pub(in crate::adapters::azure) const fn sdk(&self) -> &S {
        &self.sdk
    }

    /// Sends when it is this call's turn.
    pub(in crate::adapters::azure) async fn run<T: Send>(
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

/// What every call of ours has beside its request.
pub(in crate::adapters::azure) fn options(
    attempt: &Attempt,
    call: &Arc<Call>,
) -> ClientMethodOptions<'static> {
    let mut options = ClientMethodOptions::default();
    options
        .context
        .insert(ClientRequestId::new(attempt.id.to_string()));
    options.context.insert(Within(attempt.deadline));
    options.context.insert(Arc::clone(call));
    options
}
