//! The audit key in Azure Key Vault: it signs, and never leaves its vault.
//!
//! In: the id of an EC key on P-256. Out: its public part, and signatures under the version that this part is of.
//! Never: a wait of a record (the log asks on a thread of its own), a retry (the log asks again later), an executor, a client
//! or a token of somebody else: each call has its own, and leaves none behind.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;

use super::KeyVaultKeys;
use crate::audit::{CheckpointSigner, PublicKey, SignError};
use crate::clock::Clock;
use crate::envelope::KeyError;
use crate::identity::{Cloud, OwnIdentity, TokenCredential};
use crate::network::HttpClient;
use crate::secrets::{Attempt, AttemptId, SecretId, SecretVersion};

/// For one call, its token included: no record waits for it.
const DEADLINE: Duration = Duration::from_secs(15);

/// The [`CheckpointSigner`] of a key in Key Vault.
///
/// The key must be EC (or EC-HSM) on P-256 and marked for `sign`; the identity needs `keys/get` and `keys/sign`, which the
/// role Key Vault Crypto User has. Each log asks once for the public part and once for a signature. A call blocks its thread
/// for at most 15 s; it may be made inside of an executor, which it then holds up.
pub struct KeyVaultAuditKey {
    key: SecretId,
    http: Arc<dyn HttpClient>,
    credential: Arc<dyn TokenCredential>,
    cloud: Cloud,
    clock: Arc<dyn Clock>,
    api_version: Option<String>,
    /// The version whose public part was told last: what signs must be what auditors are given.
    known: ArcSwapOption<(SecretVersion, PublicKey)>,
}

impl KeyVaultAuditKey {
    /// Nothing is sent yet. Without a version the newest signs. `http` must be used by nobody else: its connections end with
    /// each call.
    #[must_use]
    pub fn new(
        key: SecretId,
        http: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            key,
            http,
            credential,
            cloud,
            clock,
            api_version: None,
            known: ArcSwapOption::empty(),
        }
    }

    /// Speaks this version of the REST API instead of the SDK's own, for emulators that know older ones.
    #[must_use]
    pub fn with_api_version(mut self, version: impl Into<String>) -> Self {
        self.api_version = Some(version.into());
        self
    }

    fn keys(&self) -> KeyVaultKeys {
        let identity = OwnIdentity::new(Arc::clone(&self.credential), Arc::clone(&self.clock));
        let (http, clock) = (Arc::clone(&self.http), Arc::clone(&self.clock));
        let keys = KeyVaultKeys::new(http, Arc::new(identity), self.cloud, clock);
        match &self.api_version {
            Some(version) => keys.with_api_version(version.as_str()),
            None => keys,
        }
    }

    /// Asks for the public part, and remembers which version it is of.
    async fn look(&self, keys: &KeyVaultKeys) -> Result<(SecretVersion, PublicKey), SignError> {
        let found = keys.signing_key(&self.key, &attempt()?).await;
        let found = found.map_err(refused)?;
        let id = self.key.clone().at(found.version);
        let usable = found.validity.check(&id, self.clock.now());
        usable.map_err(|why| refused(why.into()))?;
        let public = PublicKey::from_point(&found.point)
            .ok_or_else(|| SignError::new("Key Vault published no key of the curve P-256"))?;
        let known = (found.version, public);
        self.known.store(Some(Arc::new(known.clone())));
        Ok(known)
    }

    async fn signed(&self, keys: &KeyVaultKeys, message: &[u8]) -> Result<[u8; 64], SignError> {
        let version = match self.known.load_full() {
            Some(known) => known.0,
            None => self.look(keys).await?.0,
        };
        let hash = digest(&SHA256, message);
        let hash: &[u8; 32] = (hash.as_ref().try_into())
            .map_err(|_| SignError::new("the cryptographic library gave no SHA-256"))?;
        let key = self.key.clone().at(version);
        match keys.sign(&key, hash, &attempt()?).await {
            Ok(signature) => Ok(signature.bytes),
            Err(error) => {
                // It may have been rotated and switched off since: the next one asks which version there is.
                self.known.store(None);
                Err(refused(error))
            }
        }
    }
}

impl CheckpointSigner for KeyVaultAuditKey {
    fn public_key(&self) -> Result<PublicKey, SignError> {
        run(async {
            let keys = self.keys();
            Ok(self.look(&keys).await?.1)
        })
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        run(async {
            let keys = self.keys();
            self.signed(&keys, message).await
        })
    }
}

/// On an executor and a thread of its own, which are gone before the answer is: a caller may be inside of an executor, where
/// neither may wait nor be dropped.
fn run<T: Send>(work: impl Future<Output = Result<T, SignError>> + Send) -> Result<T, SignError> {
    let run = || -> Result<T, SignError> {
        let executor = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| SignError::new(format!("no executor can be made: {why}")))?;
        executor.block_on(async {
            let ended = tokio::time::timeout(DEADLINE, work).await;
            ended.unwrap_or_else(|_| Err(SignError::new("Key Vault did not answer in time")))
        })
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("zt-audit-vault".to_owned());
        let thread = thread
            .spawn_scoped(scope, run)
            .map_err(|why| SignError::new(format!("no thread can be started: {why}")))?;
        thread
            .join()
            .unwrap_or_else(|_| Err(SignError::new("the client of Key Vault panicked")))
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn refused(why: KeyError) -> SignError {
    SignError::new(why.to_string())
}

fn attempt() -> Result<Attempt, SignError> {
    let mut id = [0; 16];
    rand::fill(&mut id).map_err(|_| SignError::new("the system gave no random bytes"))?;
    let id = AttemptId::from_u128(u128::from_ne_bytes(id));
    Ok(Attempt::new(id, DEADLINE))
}

impl fmt::Debug for KeyVaultAuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "KeyVaultAuditKey({}/keys/{})",
            self.key.vault(),
            self.key.name()
        )
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
