//! Our own identity: any [`TokenCredential`], asked once for many callers and ahead of time.
//!
//! In: a scope. Out: an [`AccessToken`] that is valid for 30 s at least. A caller waits only where no valid token is there;
//! at half of a token's life the next one is asked for in the background, and while that fails the old one is served until
//! it ends. A failure is answered from memory for 10 s, or as long as the issuer asked for.
//! Never: two requests for one scope at a time, a request that dies with the caller who started it, a token in `Debug`.

mod slot;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;
use zt_memory::fork::Local;

use super::{AccessToken, CredentialError, TokenCredential};
use crate::clock::Clock;
use crate::port::{BoxFuture, Spawn};
use slot::{Boarding, Flight, Now, Outcome, Slot, Step};

/// The identity of this process. Cheap to clone; clones share what is kept.
///
/// Safe to use from many threads. Needs a tokio runtime with time enabled to ask for a token; a kept one is served without.
/// The request runs as a task of the runtime that the first caller is on, or where [`on`](Self::on) says, and goes on if that
/// caller is cancelled. After a `fork` the child makes its own.
#[derive(Clone)]
pub struct OwnIdentity(Arc<Shared>);

struct Shared {
    credential: Arc<dyn TokenCredential>,
    clock: Arc<dyn Clock>,
    spawn: Option<Arc<dyn Spawn>>,
    kept: Local<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// By scope; at most [`MOST_SCOPES`].
    slots: BTreeMap<String, Slot>,
    /// How many requests were started.
    started: u64,
    /// When everything was forgotten last.
    forgotten_at: Option<Duration>,
}

impl OwnIdentity {
    /// Nothing is asked for until the first [`token`](Self::token).
    #[must_use]
    pub fn new(credential: Arc<dyn TokenCredential>, clock: Arc<dyn Clock>) -> Self {
        Self::made(credential, clock, None)
    }

    /// The same identity with requests that run there, whoever asks first, and nothing kept: where callers come from several
    /// runtimes, one that nobody drives for a while then holds up nobody else's token.
    #[must_use]
    pub fn on(self, spawn: Arc<dyn Spawn>) -> Self {
        let (credential, clock) = (Arc::clone(&self.0.credential), Arc::clone(&self.0.clock));
        Self::made(credential, clock, Some(spawn))
    }

    fn made(
        credential: Arc<dyn TokenCredential>,
        clock: Arc<dyn Clock>,
        spawn: Option<Arc<dyn Spawn>>,
    ) -> Self {
        Self(Arc::new(Shared {
            credential,
            clock,
            spawn,
            kept: Local::new(),
        }))
    }

    /// What proves who we are, for the log: `managed identity`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.credential.name()
    }

    /// A token for a scope such as `https://vault.azure.net/.default`. Waits at most 65 s, and only if no valid token is
    /// kept; dropping the future leaves the request running for others.
    ///
    /// # Errors
    /// The credential's own [`CredentialError`], also from memory within 10 s of a failure;
    /// [`CredentialError::Unavailable`] without a tokio runtime, or if the credential says nothing for 60 s;
    /// [`CredentialError::Refused`] for a scope that is not one.
    pub async fn token(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        if !is_scope(scope) {
            return Err(self.0.refused("the scope is not a URI of an application"));
        }
        let mut outcome = match self.board(scope) {
            Boarding::Serve(token) => return Ok(token),
            Boarding::Refuse(error) => return Err(error),
            Boarding::Wait(outcome) => outcome,
        };
        let landed = timeout(MOST_WAIT + GRACE, outcome.wait_for(Option::is_some)).await;
        match landed {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or_else(|| Err(self.0.given_up())),
            Ok(Err(_)) | Err(_) => Err(self.0.given_up()),
        }
    }

    /// Forgets every token, here and in the credential, because a server refused one with 401: a revoked token must not be
    /// shown again until it ends. At most once in 60 s, so that a server that refuses everybody does not make us ask without
    /// end. Whether anything was forgotten; only then is it worth to repeat the request.
    #[must_use = "a request is worth repeating only if something was forgotten"]
    pub fn forget(&self) -> bool {
        let tick = self.0.clock.elapsed();
        {
            let mut kept = self.0.lock();
            let too_soon = |at: Duration| tick.saturating_sub(at) < FORGET_EVERY;
            if kept.forgotten_at.is_some_and(too_soon) {
                return false;
            }
            kept.forgotten_at = Some(tick);
            // A request under way is forgotten with its slot: its answer may be the refused token.
            kept.slots.clear();
        }
        self.0.credential.forget();
        true
    }

    /// Decides and, if it is this caller's turn, starts the request: one lock, so that nobody starts a second one.
    fn board(&self, scope: &str) -> Boarding {
        let runtime = Handle::try_current().ok();
        let now = self.0.now();
        let mut kept = self.0.lock();
        let slot = kept.slots.get(scope);
        let token = match slot.map_or(Step::Start { kept: None }, |slot| slot.step(now)) {
            Step::Go(boarding) => return boarding,
            Step::Start { kept } => kept,
        };
        let Some(runtime) = runtime else {
            let error = || self.0.unavailable("there is no tokio runtime to ask from");
            return token.map_or_else(|| Boarding::Refuse(error()), Boarding::Serve);
        };
        let (tell, outcome) = watch::channel(None);
        kept.started += 1;
        let number = kept.started;
        kept.make_room(scope);
        let slot = kept.slots.entry(scope.to_owned()).or_default();
        slot.flight = Some(Flight::new(number, now.tick, outcome.clone()));
        drop(kept);
        let request = Arc::clone(&self.0).ask(scope.to_owned(), number, tell);
        match &self.0.spawn {
            Some(spawn) => spawn.spawn(Box::pin(request)),
            None => drop(runtime.spawn(request)),
        }
        token.map_or(Boarding::Wait(outcome), Boarding::Serve)
    }
}

impl TokenCredential for OwnIdentity {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(self.token(scope))
    }

    fn name(&self) -> &str {
        self.0.credential.name()
    }

    fn forget(&self) {
        let _was_time = Self::forget(self);
    }
}

impl Shared {
    fn now(&self) -> Now {
        Now {
            wall: self.clock.now(),
            tick: self.clock.elapsed(),
        }
    }

    /// The request itself, on its own task.
    async fn ask(self: Arc<Self>, scope: String, number: u64, tell: watch::Sender<Outcome>) {
        let asked = timeout(MOST_WAIT, self.credential.get_token(&scope)).await;
        let said = asked.unwrap_or_else(|_| Err(self.unavailable("it did not answer in time")));
        let said = self.settle(&scope, number, said);
        tell.send_replace(Some(said));
    }

    /// Keeps an outcome, unless it was overtaken by a "forget".
    fn settle(
        &self,
        scope: &str,
        number: u64,
        said: Result<AccessToken, CredentialError>,
    ) -> Result<AccessToken, CredentialError> {
        let now = self.now();
        let said = said.and_then(|token| {
            if token.expires_at() <= now.wall {
                return Err(self.unavailable(
                    "its token has ended already; compare this machine's clock with the issuer's",
                ));
            }
            Ok(token)
        });
        let mut kept = self.lock();
        if let Some(slot) = kept.slots.get_mut(scope) {
            slot.settle(number, &said, now);
        }
        said
    }

    fn given_up(&self) -> CredentialError {
        self.unavailable("the request was given up with the runtime it ran on")
    }

    fn unavailable(&self, reason: &str) -> CredentialError {
        CredentialError::Unavailable {
            credential: self.credential.name().to_owned(),
            reason: reason.to_owned(),
            retry_in: None,
        }
    }

    fn refused(&self, reason: &str) -> CredentialError {
        CredentialError::Refused {
            credential: self.credential.name().to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// A panic inside cannot leave a slot half changed: every change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        let kept = self.kept.get_or_init(Mutex::default);
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Leaves room for one more scope: what ends first goes first.
    fn make_room(&mut self, scope: &str) {
        if self.slots.len() < MOST_SCOPES || self.slots.contains_key(scope) {
            return;
        }
        let first = self.slots.iter().min_by_key(|(_, slot)| slot.worth());
        if let Some(first) = first.map(|(scope, _)| scope.clone()) {
            self.slots.remove(&first);
        }
    }
}

impl fmt::Debug for OwnIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnIdentity")
            .field("credential", &self.0.credential.name())
            .finish_non_exhaustive()
    }
}

/// Letters, digits and `.-_:/`: what scopes of Azure are made of, and nothing that a shell or a URL takes for more.
fn is_scope(scope: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'/');
    (1..=512).contains(&scope.len()) && scope.bytes().all(plain)
}

/// The deadline of one request to a token endpoint.
pub(crate) const ONE_REQUEST: Duration = Duration::from_secs(10);

/// How long a credential may take: a chain of several, or a command that signs in.
const MOST_WAIT: Duration = Duration::from_secs(60);

/// How much longer a caller waits, so that the request's own end is what they hear of.
const GRACE: Duration = Duration::from_secs(5);

const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Scopes that are kept at a time: a process asks for a handful.
const MOST_SCOPES: usize = 64;
