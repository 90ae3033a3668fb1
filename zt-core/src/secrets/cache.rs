//! The slots of all declared secrets, and the one fetch at a time that fills each of them.
//!
//! In: a [`SecretRequest`]. Out: a [`Secret`], from its slot if it is fresh, else from the vault: one call for however
//! many readers are waiting. Policy and audit are not asked here; the session does so on every read, hit or miss.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::port::Spawn;

use super::boarding::{Boarding, Outcome, Start};
use super::counters::{Counters, Counts, count};
use super::flight::{Crew, Flight, landing};
use super::gate::GateLimits;
use super::patience::OnHandle;
use super::state::{Now, Serving};
use super::table::{Declared, Table};
use super::{Secret, SecretName, SecretRequest, SecretVault, SlotKey, Timing};

/// The declared secrets of a process. Outlives every reload of the metadata tables; in a forked child every slot is empty.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use zt_core::{adapters::memory::MemoryVault, clock::SystemClock, secrets::*};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let id = SecretId::new("https://kv.vault.azure.net".parse()?, "bureau-api-key".parse()?);
/// let vault = MemoryVault::new();
/// vault.set(&id, SecretBytes::copy_of(b"zt-needle-example"), Validity::ALWAYS)?;
///
/// let secrets = Secrets::new(Arc::new(vault), Arc::new(SystemClock::new()));
/// let request = SecretRequest::new(id).with_ttl(Duration::from_secs(600));
/// secrets.declare([request.clone()]);
///
/// let key = secrets.get(&request).await?; // asks the vault
/// let again = secrets.peek(&request); // the same bytes, without waiting
/// assert!(again.is_some_and(|again| again.reveal() == key.reveal()));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Secrets {
    pub(super) crew: Arc<Crew>,
    pub(super) limits: GateLimits,
    spawn: Option<Arc<dyn Spawn>>,
    timer: Option<Arc<dyn Spawn>>,
    pub(super) table: ArcSwap<Table>,
    /// Both clocks when they last agreed.
    pub(super) anchor: ArcSwap<Now>,
}

impl Secrets {
    /// An empty set of slots in front of `vault`, with the default [`Timing`]. Fetches run on the tokio runtime of whoever
    /// misses first.
    #[must_use]
    pub fn new(vault: Arc<dyn SecretVault>, clock: Arc<dyn Clock>) -> Self {
        let anchor = ArcSwap::from_pointee(Now::read(&*clock));
        let counters = Arc::<Counters>::default();
        let table = ArcSwap::from_pointee(Table::empty(&counters));
        Self {
            crew: Arc::new(Crew {
                vault,
                clock,
                timing: Timing::default(),
                counters,
                origin: 0,
                attempts: AtomicU64::new(1),
                is_closed: AtomicBool::new(false),
            }),
            limits: GateLimits::new(),
            spawn: None,
            timer: None,
            table,
            anchor,
        }
    }

    /// The same with another timing, whose salt also begins the ids of attempts.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.crew = Arc::new(Crew {
            vault: Arc::clone(&self.crew.vault),
            clock: Arc::clone(&self.crew.clock),
            origin: timing.salt,
            timing,
            counters: Arc::clone(&self.crew.counters),
            attempts: AtomicU64::new(1),
            is_closed: AtomicBool::new(false),
        });
        self
    }

    /// The same with other limits for each vault.
    #[must_use]
    pub const fn with_limits(mut self, limits: GateLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The same with fetches that run there, whoever misses: a reader needs no tokio runtime then.
    #[must_use]
    pub fn on(mut self, spawn: Arc<dyn Spawn>) -> Self {
        self.spawn = Some(spawn);
        self
    }

    /// The same with the end of every wait kept there: a vault that blocks the executor of the fetches then blocks no reader
    /// for longer than a miss may take, and half a second.
    #[must_use]
    pub fn timed_on(mut self, timer: Arc<dyn Spawn>) -> Self {
        self.timer = Some(timer);
        self
    }

    /// The secret, if its slot has one that may be served. Never waits, never calls the vault, allocates nothing but where
    /// it starts a refresh.
    #[must_use]
    pub fn peek(&self, request: &SecretRequest) -> Option<Secret> {
        let table = self.table();
        match table.declared.get(request.key()) {
            Some(declared) => self.peek_in(declared, request),
            None => self.peek_in(&table.versions.get(request.key())?, request),
        }
    }

    /// The slot of a request, to read it again without looking it up.
    pub(crate) fn slot(&self, request: &SecretRequest) -> Option<SlotHandle> {
        self.table().find(request.key()).map(SlotHandle)
    }

    /// The same as [`peek`](Self::peek) by a handle, at a tick that was just read; `None` also if the handle's slot is no
    /// longer the one.
    pub(crate) fn peek_by(
        &self,
        handle: &SlotHandle,
        request: &SecretRequest,
        tick: Duration,
    ) -> Option<Secret> {
        if !handle.0.is_current() {
            return None;
        }
        self.peek_at(&handle.0, request, tick)
    }

    /// A tick for [`peek_by`](Self::peek_by).
    #[cfg(feature = "testing")]
    pub(crate) fn tick(&self) -> Duration {
        self.crew.clock.tick()
    }

    pub(super) fn peek_in(
        &self,
        declared: &Arc<Declared>,
        request: &SecretRequest,
    ) -> Option<Secret> {
        self.peek_at(declared, request, self.crew.clock.tick())
    }

    fn peek_at(
        &self,
        declared: &Arc<Declared>,
        request: &SecretRequest,
        tick: Duration,
    ) -> Option<Secret> {
        let terms = request.terms_under(&self.crew.timing);
        let Serving { secret, is_due } = declared.slot.peek(&terms, tick, &*self.crew.clock)?;
        if secret.stale_for().is_some() {
            count(&self.crew.counters.stale);
        }
        if is_due {
            self.refresh_beside(declared);
        }
        Some(secret)
    }

    /// The secret, from its slot or from the vault. A hit returns at the first poll.
    ///
    /// All who miss at once share one call to the vault, which runs as a task of its own: dropping this future cancels
    /// nothing for the others. While the vault cannot answer, a value that has outlived its TTL by less than the reference
    /// allows is served, and says so ([`Secret::stale_for`]).
    ///
    /// # Errors
    /// [`Code::NotFound`] if no table declares it, the vault has none, or it is disabled, not valid yet or expired;
    /// [`Code::Config`] if the vault refuses this process, or outside of a tokio runtime; [`Code::NoOwnIdentity`] if it does
    /// not know this process; [`Code::IdentityUnavailable`] if this process's own token is late; [`Code::NetworkRefused`] if a rule or the vault's firewall refuses the path;
    /// [`Code::VaultUnavailable`] if the vault cannot answer; [`Code::VaultIntegrity`] if its answer cannot be trusted.
    pub async fn get(&self, request: &SecretRequest) -> Result<Secret> {
        if let Some(secret) = self.peek(request) {
            return Ok(secret);
        }
        let declared = self.table().find(request.key());
        let declared = declared.ok_or_else(|| undeclared(request))?;
        self.fill(&declared, request, false).await
    }

    /// Asks the vault now, whatever the slot holds; at most once a second for each slot. What is held is served on until
    /// the answer is there, and after it if the vault cannot answer.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn refresh(&self, request: &SecretRequest) -> Result<Secret> {
        let declared = self.table().find(request.key());
        let declared = declared.ok_or_else(|| undeclared(request))?;
        self.fill(&declared, request, true).await
    }

    pub(super) async fn fill(
        &self,
        declared: &Arc<Declared>,
        request: &SecretRequest,
        is_forced: bool,
    ) -> Result<Secret> {
        let waiter = match self.board(declared, request, is_forced)? {
            Boarded::Served(secret) => return Ok(secret),
            Boarded::Wait(waiter) => waiter,
        };
        match landing(waiter).await {
            // The rules may have changed while the vault answered.
            Ok(secret) => match declared.slot.forbidden() {
                Some(refused) => Err(refused.into()),
                // Who was woken late, or slept: what has ended meanwhile is not handed out.
                None => {
                    let id = declared.request.key().id().clone().at(secret.version());
                    secret.validity().check(&id, self.crew.clock.now())?;
                    Ok(secret)
                }
            },
            // What failed is now known to the slot, which may have something to bridge it.
            Err(failed) => match self.peek_in(declared, request) {
                Some(secret) if !is_forced => Ok(secret),
                Some(_) | None => Err(failed.into()),
            },
        }
    }

    /// The synchronous part of a miss.
    pub(super) fn board(
        &self,
        declared: &Arc<Declared>,
        request: &SecretRequest,
        is_forced: bool,
    ) -> Result<Boarded> {
        let terms = request.terms_under(&self.crew.timing);
        let (clock, timing) = (&*self.crew.clock, &self.crew.timing);
        let boarding = if is_forced {
            declared.slot.force(&terms, clock, timing)
        } else {
            declared.slot.board(&terms, clock, timing)
        };
        let counters = &self.crew.counters;
        match boarding {
            Boarding::Served(secret, beside) => {
                if secret.stale_for().is_some() {
                    count(&counters.stale);
                }
                if let Some(start) = beside {
                    let _is_beside = self.launch(declared, request, start);
                }
                Ok(Boarded::Served(secret))
            }
            Boarding::Refused(error) => {
                count(&counters.misses);
                count(&counters.negative);
                Err(error.into())
            }
            Boarding::Wait(waiter) => {
                count(&counters.misses);
                Ok(Boarded::Wait(waiter))
            }
            Boarding::Start(start) => {
                count(&counters.misses);
                let waiter = start.receiver.clone();
                self.launch(declared, request, start)?;
                Ok(Boarded::Wait(waiter))
            }
        }
    }

    /// A refresh that nobody waits for, where one is due.
    pub(super) fn refresh_beside(&self, declared: &Arc<Declared>) {
        if let Some(start) = declared.slot.ahead(&*self.crew.clock) {
            let _may_have_no_runtime = self.launch(declared, &declared.request, start);
        }
    }

    pub(super) fn launch(
        &self,
        declared: &Arc<Declared>,
        request: &SecretRequest,
        start: Start,
    ) -> Result<()> {
        let terms = request.terms_under(&self.crew.timing);
        let table = self.table.load_full();
        let (crew, own) = (Arc::clone(&self.crew), Arc::clone(declared));
        let here;
        let spawn = match (&self.spawn, Handle::try_current()) {
            (Some(spawn), _) => &**spawn,
            (None, Ok(handle)) => {
                here = OnHandle(handle);
                &here
            }
            (None, Err(_)) => {
                declared.slot.abandon(start.ticket);
                return Err(no_runtime(request));
            }
        };
        let timer = self.timer.as_deref().unwrap_or(spawn);
        let flight = Flight::new(crew, table, own, terms, start, timer);
        spawn.spawn(Box::pin(flight.fly()));
        Ok(())
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

    /// Wipes every slot for good: no call to a vault leaves any more, and what is under way gives nothing.
    pub(crate) fn close(&self) {
        self.crew.is_closed.store(true, Ordering::Release);
        self.clear();
    }

    fn forget(&self, which: impl Fn(&SlotKey) -> bool) {
        let now = Now::read(&*self.crew.clock);
        let table = self.table();
        for declared in table.all().filter(|own| which(own.request.key())) {
            declared.slot.forget(now, &self.crew.timing);
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let hits = self
            .table()
            .all()
            .map(|declared| declared.slot.hits())
            .sum();
        self.crew.counters.read(hits)
    }

    /// Where waits end.
    pub(super) fn timer(&self) -> Option<&dyn Spawn> {
        self.timer.as_deref().or(self.spawn.as_deref())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("vault", &self.crew.vault)
            .field("slots", &self.table().declared)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// A slot that was looked up once.
#[derive(Debug, Clone)]
pub(crate) struct SlotHandle(Arc<Declared>);

pub(super) enum Boarded {
    Served(Secret),
    Wait(watch::Receiver<Outcome>),
}

#[cold]
pub(super) fn undeclared(request: &SecretRequest) -> Error {
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
