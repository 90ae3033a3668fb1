//! The slots of all declared secrets, and the one fetch at a time that fills each of them.
//!
//! In: a [`SecretRequest`]. Out: a [`Secret`], from its slot if it is fresh, else from the vault: one call for however
//! many readers are waiting. Policy and audit are not asked here; the session does so on every read, hit or miss.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Code, Error, Result};

use super::slot::{Boarding, Outcome, Slot, Ticket};
use super::state::Now;
use super::{Secret, SecretName, SecretRequest, SecretVault, SlotKey, Timing, VaultError};

/// The declared secrets of a process. Outlives every reload of the metadata tables.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use zt_core::{adapters::memory::MemoryVault, clock::SystemClock, secrets::*};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let id = SecretId::new("https://kv.vault.azure.net".parse()?, "bureau-api-key".parse()?);
/// let vault = MemoryVault::new();
/// vault.set(&id, SecretBytes::copy_of(b"zt-needle-example"), Validity::ALWAYS)?;
///
/// let secrets = Secrets::new(Arc::new(vault), Arc::new(SystemClock::new()));
/// let request = SecretRequest::new(id).with_ttl(Duration::from_secs(600));
/// secrets.declare([request.key().clone()]);
///
/// let key = secrets.get(&request).await?; // asks the vault
/// let again = secrets.peek(&request); // the same bytes, without waiting
/// assert!(again.is_some_and(|again| again.reveal() == key.reveal()));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Secrets {
    vault: Arc<dyn SecretVault>,
    clock: Arc<dyn Clock>,
    timing: Timing,
    slots: ArcSwap<HashMap<SlotKey, Arc<Slot>>>,
    /// Held while the set of slots changes; readers never take it.
    declaring: Mutex<()>,
    counters: Arc<Counters>,
}

/// What a [`Secrets`] has done since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Reads served from a slot.
    pub hits: u64,
    /// Reads that had to wait for the vault or were refused.
    pub misses: u64,
    /// Calls to the vault.
    pub fetches: u64,
    /// Calls that gave no usable value.
    pub failures: u64,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    fetches: AtomicU64,
    failures: AtomicU64,
}

impl Secrets {
    /// An empty set of slots in front of `vault`, with the default [`Timing`].
    #[must_use]
    pub fn new(vault: Arc<dyn SecretVault>, clock: Arc<dyn Clock>) -> Self {
        Self {
            vault,
            clock,
            timing: Timing::default(),
            slots: ArcSwap::default(),
            declaring: Mutex::new(()),
            counters: Arc::default(),
        }
    }

    /// The same with another timing.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Makes `keys` the declared set. A slot that stays declared keeps its value; one that does not is wiped.
    ///
    /// Call it with the keys of a new snapshot just before that snapshot is put in place: its readers then find every slot.
    pub fn declare(&self, keys: impl IntoIterator<Item = SlotKey>) {
        let _guard = self
            .declaring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = self.slots.load_full();
        let carried = |key: &SlotKey| {
            old.get(key)
                .map_or_else(|| Arc::new(Slot::new()), Arc::clone)
        };
        let new: HashMap<_, _> = keys
            .into_iter()
            .map(|key| {
                let slot = carried(&key);
                (key, slot)
            })
            .collect();
        let new = Arc::new(new);
        self.slots.store(Arc::clone(&new));
        let now = Now::read(&*self.clock);
        for (_, slot) in old.iter().filter(|(key, _)| !new.contains_key(key)) {
            slot.forget(now, &self.timing);
        }
    }

    /// The secret, if its slot has one that is fresh enough. Never waits, never calls the vault, allocates nothing.
    #[must_use]
    pub fn peek(&self, request: &SecretRequest) -> Option<Secret> {
        let ttl = request.ttl_under(&self.timing);
        let secret = self
            .slots
            .load()
            .get(request.key())?
            .peek(ttl, &*self.clock)?;
        count(&self.counters.hits);
        Some(secret)
    }

    /// The secret, from its slot or from the vault. A hit returns at the first poll.
    ///
    /// All who miss at once share one call to the vault, which runs as a task of its own on the tokio runtime of the first
    /// of them: dropping this future cancels nothing for the others.
    ///
    /// # Errors
    /// [`Code::NotFound`] if no table declares it, the vault has none, or it is disabled, not valid yet or expired;
    /// [`Code::Config`] if the vault refuses this process, or outside of a tokio runtime; [`Code::VaultUnavailable`] if the
    /// vault cannot answer; [`Code::VaultIntegrity`] if its answer cannot be trusted.
    pub async fn get(&self, request: &SecretRequest) -> Result<Secret> {
        if let Some(secret) = self.peek(request) {
            return Ok(secret);
        }
        let waiter = match self.board(request)? {
            Boarded::Served(secret) => return Ok(secret),
            Boarded::Wait(waiter) => waiter,
        };
        Ok(outcome(waiter).await?)
    }

    /// Wipes every slot of a secret of this name, in whichever vault: the next reader asks again. A fetch under way
    /// answers those who already wait for it and is not kept.
    pub fn invalidate(&self, name: &SecretName) {
        self.forget(|key| key.id().name() == name);
    }

    /// Wipes every slot.
    pub fn clear(&self) {
        self.forget(|_| true);
    }

    /// Wipes the values whose time is over and which nobody asked for since. Worth calling about once a second.
    pub fn sweep(&self) {
        let now = Now::read(&*self.clock);
        for slot in self.slots.load().values() {
            slot.age(now, &self.timing);
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            hits: read(&self.counters.hits),
            misses: read(&self.counters.misses),
            fetches: read(&self.counters.fetches),
            failures: read(&self.counters.failures),
        }
    }

    /// The synchronous part of a miss.
    fn board(&self, request: &SecretRequest) -> Result<Boarded> {
        let slot = self.slots.load().get(request.key()).map(Arc::clone);
        let slot = slot.ok_or_else(|| undeclared(request))?;
        let handle = Handle::try_current();
        let ttl = request.ttl_under(&self.timing);
        let boarding = slot.board(ttl, &*self.clock, &self.timing);
        let served = matches!(boarding, Boarding::Served(_));
        count(if served {
            &self.counters.hits
        } else {
            &self.counters.misses
        });
        match boarding {
            Boarding::Served(secret) => Ok(Boarded::Served(secret)),
            Boarding::Refused(error) => Err(error.into()),
            Boarding::Wait(waiter) => Ok(Boarded::Wait(waiter)),
            Boarding::Start(ticket, sender, waiter) => {
                let Ok(handle) = handle else {
                    slot.abandon(ticket);
                    return Err(no_runtime(request));
                };
                let flight = Flight {
                    slot,
                    ticket,
                    sender,
                    counters: Arc::clone(&self.counters),
                    landed: false,
                };
                self.launch(&handle, flight, request, ttl);
                Ok(Boarded::Wait(waiter))
            }
        }
    }

    fn launch(&self, handle: &Handle, flight: Flight, request: &SecretRequest, ttl: Duration) {
        let (vault, clock, timing) = (
            Arc::clone(&self.vault),
            Arc::clone(&self.clock),
            self.timing,
        );
        let id = request.key().id().clone();
        count(&self.counters.fetches);
        drop(handle.spawn(async move {
            let attempt =
                super::Attempt::new(super::AttemptId::from_u128(0), Duration::from_secs(3));
            let fetched = vault.fetch(&id, &attempt).await;
            let now = Now::read(&*clock);
            let outcome = fetched.and_then(|fetched| Secret::admit(&id, fetched, now.wall));
            flight.land(outcome, ttl, now, &timing);
        }));
    }

    fn forget(&self, which: impl Fn(&SlotKey) -> bool) {
        let now = Now::read(&*self.clock);
        for (_, slot) in self.slots.load().iter().filter(|(key, _)| which(key)) {
            slot.forget(now, &self.timing);
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("vault", &self.vault)
            .field("slots", &self.slots.load())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

enum Boarded {
    Served(Secret),
    Wait(watch::Receiver<Outcome>),
}

/// A fetch under way. However it ends, even by a panic of the adapter or the end of its runtime, the slot is freed first
/// and the waiters wake after that.
struct Flight {
    slot: Arc<Slot>,
    ticket: Ticket,
    sender: watch::Sender<Outcome>,
    counters: Arc<Counters>,
    landed: bool,
}

impl Flight {
    fn land(
        mut self,
        outcome: Result<Secret, VaultError>,
        ttl: Duration,
        now: Now,
        timing: &Timing,
    ) {
        if outcome.is_err() {
            count(&self.counters.failures);
        }
        self.slot.land(self.ticket, &outcome, ttl, now, timing);
        self.landed = true;
        drop(self.sender.send_replace(Some(outcome)));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            count(&self.counters.failures);
            self.slot.abandon(self.ticket);
        }
    }
}

/// Waits for a fetch that somebody started.
async fn outcome(mut waiter: watch::Receiver<Outcome>) -> Result<Secret, VaultError> {
    let lost = || VaultError::unavailable("the fetch ended without an answer", None);
    let outcome = waiter.wait_for(Option::is_some).await.map_err(|_| lost())?;
    match &*outcome {
        Some(Ok(secret)) => Ok(secret.share()),
        Some(Err(error)) => Err(error.clone()),
        None => Err(lost()),
    }
}

/// Statistics order nothing: relaxed.
fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cold]
fn undeclared(request: &SecretRequest) -> Error {
    let id = request.key().id();
    Error::new(Code::NotFound, format!("no table declares secret `{id}`"))
        .with_help("add a row to Secret_References")
}

#[cold]
fn no_runtime(request: &SecretRequest) -> Error {
    let id = request.key().id();
    Error::new(
        Code::Config,
        format!("secret `{id}` is not cached, and there is no tokio runtime here to fetch it on"),
    )
    .with_help("call this from within a tokio runtime")
}
