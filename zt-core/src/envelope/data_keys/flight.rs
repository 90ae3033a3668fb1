//! One unwrapping on its way. It runs as a task of its own, so that nobody who gives up cancels it; however it ends, those
//! who wait hear of it, and the next one may ask anew.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::cache::{Kept, Outcome, Place, Start};
use super::{Declared, Failed, Shared, Source};
use crate::envelope::{DataKey, KeyError, KeyWrapper, RemoteKeys, WrappedKey};
use crate::secrets::{
    Fetched, Now, SecretBytes, SecretId, Secrets, Telling, VaultError, is_worth_another, too_slow,
};

pub(super) struct Flight {
    shared: Arc<Shared>,
    declared: Declared,
    wrapped: WrappedKey,
    place: Place,
    epoch: u64,
    telling: Telling<Outcome>,
    landed: bool,
}

impl Flight {
    pub(super) fn new(
        shared: Arc<Shared>,
        declared: Declared,
        wrapped: &WrappedKey,
        place: Place,
        start: Start,
    ) -> Self {
        let (own, at, epoch) = (Arc::clone(&shared), place.clone(), start.epoch);
        // Of a key with a second vault each is given the time of a miss.
        let vaults = if declared.has_second { 2 } else { 1 };
        let deadline = shared.timing.miss_deadline * vaults;
        let late = move || {
            own.cache().abandon(&at, epoch);
            Some(Err(Failed::from(late(deadline))))
        };
        let telling = Telling::new(start.sender, &*shared.timer, deadline, late);
        Self {
            shared,
            declared,
            wrapped: wrapped.clone(),
            place,
            epoch,
            telling,
            landed: false,
        }
    }

    pub(super) async fn fly(mut self) {
        if self.telling.is_over() {
            // Its executor stood still: nobody waits any more.
            return;
        }
        let outcome = self.ask().await.map(Arc::new);
        let shared = &self.shared;
        let terms = self.declared.request.terms_under(&shared.timing);
        let at = (&self.place, self.epoch);
        let now = shared.now();
        shared
            .cache()
            .land(at, &outcome, terms, now, &shared.timing);
        self.landed = true;
        self.telling.tell(Some(outcome));
    }

    async fn ask(&self) -> Result<Kept, Failed> {
        let asked = self.shared.now();
        let key = self.declared.request.key().id();
        // The tables may have changed since it was asked for.
        self.shared.declared(key)?;
        let kept = match &self.shared.source {
            Source::Local(keys) => {
                let deadline = self.shared.timing.miss_deadline;
                let opened = timeout(deadline, keys.unwrap(key, &self.wrapped)).await;
                let dek = opened.unwrap_or_else(|_| Err(late(deadline)))?;
                Kept {
                    bytes: SecretBytes::copy_of(dek.reveal()),
                    path_proof: Cow::Borrowed("local"),
                    details: Vec::new(),
                    asked,
                }
            }
            Source::Remote { keys, public } => self.ask_vaults(&**keys, public, asked).await?,
        };
        if self.shared.timing.must_be_locked && !kept.bytes.is_protected() {
            let unlocked =
                "there is no locked memory left for a data key, and `vault.memory` demands it";
            return Err(KeyError::Vault(VaultError::unavailable(unlocked, None)).into());
        }
        Ok(kept)
    }

    /// Asks the key's vault; one that holds a restored backup of the key while that cannot answer.
    async fn ask_vaults(
        &self,
        keys: &dyn RemoteKeys,
        public: &Secrets,
        asked: Now,
    ) -> Result<Kept, Failed> {
        let key = self.declared.request.key().id();
        let second = self.declared.request.fallback();
        let second = second.filter(|_| self.declared.has_second);
        let second = second.map(|vault| key.clone().within(vault.clone()));
        let first = match (self.ask_vault(keys, public, key).await, &second) {
            (Err(first), Some(_)) if is_worth_another(&first.error) => first,
            (outcome, _) => return self.kept(outcome.map_err(Failed::by_call)?, asked),
        };
        // What the second vault says is not what the first one would have said.
        let Some(second) = &second else {
            return Err(Failed::by_call(first));
        };
        if !self.shared.declared(key)?.has_second {
            return Err(Failed::by_call(first));
        }
        match self.ask_vault(keys, public, second).await {
            Ok(Some(fetched)) => {
                let fetched = fetched.with_detail("vault", second.vault().as_str());
                self.kept(Some(fetched), asked)
            }
            Ok(None) | Err(_) => Err(Failed::by_call(first)),
        }
    }

    async fn ask_vault(
        &self,
        keys: &dyn RemoteKeys,
        public: &Secrets,
        id: &SecretId,
    ) -> Result<Option<Fetched>, crate::secrets::FetchError> {
        let wrapped = &self.wrapped;
        let ask = |attempt| async move { keys.unwrap_key(id, wrapped, &attempt).await };
        public.through_gate(id.vault(), ask).await
    }

    fn kept(&self, fetched: Option<Fetched>, asked: Now) -> Result<Kept, Failed> {
        let key = self.declared.request.key().id();
        let fetched = fetched.ok_or_else(|| KeyError::unwrap(key))?;
        if fetched.version != self.wrapped.version {
            let reason = "it unwrapped with another version than the one asked for";
            return Err(
                KeyError::Vault(VaultError::integrity(key.vault().as_str(), reason)).into(),
            );
        }
        Ok(Kept {
            bytes: fetched.value,
            path_proof: fetched.path_proof,
            details: fetched.details,
            asked,
        })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            self.shared.cache().abandon(&self.place, self.epoch);
        }
    }
}

/// Wraps with a key of this process or machine, on the executor where such keys are used: its file may not answer.
pub(super) async fn wrap(
    shared: &Arc<Shared>,
    keys: &Arc<dyn KeyWrapper>,
    key: &SecretId,
    dek: &DataKey,
) -> Result<WrappedKey, KeyError> {
    let deadline = shared.timing.miss_deadline;
    let (sender, mut waiter) = watch::channel(None);
    let told_late = move || Some(Err(late(deadline)));
    let telling = Telling::new(sender, &*shared.timer, deadline, told_late);
    let (keys, key) = (Arc::clone(keys), key.clone());
    let dek = DataKey::copy_of(dek.reveal()).ok_or_else(|| KeyError::unwrap(&key))?;
    shared.spawn.spawn(Box::pin(async move {
        let wrapped = timeout(deadline, keys.wrap(&key, &dek)).await;
        telling.tell(Some(wrapped.unwrap_or_else(|_| Err(late(deadline)))));
    }));
    let wrapped = waiter.wait_for(Option::is_some).await;
    match wrapped.map(|wrapped| wrapped.clone()) {
        Ok(Some(wrapped)) => wrapped,
        Ok(None) | Err(_) => {
            let lost = VaultError::unavailable("the wrapping ended without an answer", None);
            Err(lost.into())
        }
    }
}

fn late(deadline: Duration) -> KeyError {
    KeyError::Vault(too_slow(deadline))
}

/// Waits for what somebody asked for.
pub(super) async fn landing(mut waiter: watch::Receiver<Outcome>) -> Result<Arc<Kept>, Failed> {
    let outcome = waiter.wait_for(Option::is_some).await;
    match outcome.map(|outcome| outcome.clone()) {
        Ok(Some(outcome)) => outcome,
        Ok(None) | Err(_) => {
            let lost = VaultError::unavailable("the unwrapping ended without an answer", None);
            Err(KeyError::Vault(lost).into())
        }
    }
}
