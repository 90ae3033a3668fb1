//! A vault that fails as told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::port::BoxFuture;
use crate::secrets::{Attempt, Fetched, SecretId, SecretVault, VaultError};

/// A [`SecretVault`] in front of another one: counts calls, fails the next few, holds answers back until released.
///
/// Faults are taken in the order in which they were scripted, one per call; without one the inner vault answers.
#[derive(Debug)]
pub struct FaultyVault {
    inner: Arc<dyn SecretVault>,
    script: Mutex<VecDeque<Fault>>,
    held: watch::Sender<bool>,
    calls: AtomicU64,
}

#[derive(Debug)]
enum Fault {
    Fail(VaultError),
    Panic,
}

impl FaultyVault {
    /// A vault without faults in front of `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn SecretVault>) -> Self {
        Self {
            inner,
            script: Mutex::default(),
            held: watch::Sender::new(false),
            calls: AtomicU64::new(0),
        }
    }

    /// Fails the next `times` calls with `error`.
    pub fn fail(&self, times: usize, error: &VaultError) {
        let faults = std::iter::repeat_with(|| Fault::Fail(error.clone()));
        self.script().extend(faults.take(times));
    }

    /// Panics in the next call.
    pub fn panic_once(&self) {
        self.script().push_back(Fault::Panic);
    }

    /// Holds every answer back, also of calls that are under way, until [`release`](Self::release).
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Lets all answers go.
    pub fn release(&self) {
        self.held.send_replace(false);
    }

    /// How many calls there were, counted when they begin.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn script(&self) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretVault for FaultyVault {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let fault = self.script().pop_front();
            let mut held = self.held.subscribe();
            if held.wait_for(|held| !held).await.is_err() {
                return Err(VaultError::unavailable("the faulty vault is gone", None));
            }
            match fault {
                None => self.inner.fetch(id, attempt).await,
                Some(Fault::Fail(error)) => Err(error),
                #[expect(clippy::panic, reason = "what was scripted")]
                Some(Fault::Panic) => panic!("scripted panic of the faulty vault"),
            }
        })
    }
}
