//! Hours, storms and outages, on a clock that only the test moves.

mod fake;
mod forks;
mod outages;
mod rotations;
mod storms;
mod withdrawals;

use std::sync::Mutex;

use fake::{Issuer, SECOND, Tokens, first, jwks, second};

use super::*;
use crate::identity::{AuthError, Authenticator, Caller, KeyState};
use crate::network::HttpClient;
use crate::port::Spawn;

/// A cache over a faked issuer, and what a test does with it.
struct Stage {
    issuer: Arc<Issuer>,
    tokens: Tokens,
    cache: Arc<KeyCache>,
    door: Authenticator,
    news: Arc<fake::News>,
}

impl Stage {
    fn new() -> Self {
        Self::over(Tokens::new(), Arc::new(Issuer::new(jwks(&[first()]))), None)
    }

    fn over(tokens: Tokens, issuer: Arc<Issuer>, store: Option<Arc<dyn KeyStore>>) -> Self {
        let news = Arc::new(fake::News::default());
        let around = Surroundings {
            http: Arc::<Issuer>::clone(&issuer),
            clock: tokens.clock(),
            spawn: Arc::new(fake::Tokio),
            store,
            observer: Arc::<fake::News>::clone(&news),
        };
        let cache = KeyCache::new(tokens.profile(), around);
        let keys = Arc::clone(&cache);
        let door = Authenticator::with_published(tokens.profile(), keys, tokens.clock());
        Self {
            issuer,
            tokens,
            cache,
            door,
            news,
        }
    }

    /// With the first set fetched.
    async fn ready() -> Self {
        let stage = Self::new();
        stage.cache.tick();
        fake::settle().await;
        assert_eq!(stage.state(), KeyState::Fresh);
        stage
    }

    async fn enter(&self, token: &str) -> Result<Caller, AuthError> {
        let outcome = self.door.authenticate_or_fetch(token).await;
        outcome.map(|(caller, _)| caller)
    }

    /// Waits until what was fetched is kept.
    async fn kept(&self) {
        while self.cache.rings().iter().any(|live| live.saving.is_busy()) {
            tokio::task::yield_now().await;
        }
    }

    fn state(&self) -> KeyState {
        self.cache.health().first().unwrap().state
    }

    /// Lets time pass until the next set has come: when that is, the spread decides.
    async fn refreshed(&self) {
        let before = self.issuer.sets();
        while self.issuer.sets() == before {
            self.pass(Duration::from_secs(10)).await;
        }
    }

    /// Lets time pass in steps of ten seconds, as the runtime's second hand would find it.
    async fn pass(&self, time: Duration) {
        let step = Duration::from_secs(10);
        let mut left = time;
        while left > Duration::ZERO {
            self.tokens.advance(step.min(left));
            left = left.saturating_sub(step);
            self.cache.tick();
            fake::settle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_known_key_never_waits_for_a_fetch() {
    let stage = Stage::ready().await;
    stage.issuer.hang();
    stage.pass(Duration::from_secs(4000)).await;
    assert!(stage.issuer.hanging() > 0, "a refresh is under way");
    assert!(stage.door.authenticate(&stage.tokens.user(first())).is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_first_caller_waits_for_the_first_set() {
    let stage = Stage::new();
    assert_eq!(stage.state(), KeyState::Empty);
    assert!(stage.enter(&stage.tokens.user(first())).await.is_ok());
    assert_eq!(stage.issuer.sets(), 1);
    let fresh = stage.cache.health();
    assert_eq!((fresh[0].keys, fresh[0].failures), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_slow_issuer_is_told_after_two_seconds_to_come_again() {
    let stage = Stage::new();
    stage.issuer.hang();
    let before = tokio::time::Instant::now();
    let error = stage.enter(&stage.tokens.user(first())).await.unwrap_err();
    assert!(
        matches!(error, AuthError::KeysUnavailable { .. }),
        "{error}"
    );
    assert_eq!(before.elapsed().as_secs(), 2);
    let error = crate::Error::from(error);
    assert_eq!(
        (error.http_status(), error.code().as_str()),
        (503, "ZT-4003")
    );
    assert!(
        error
            .retry_after_s()
            .is_some_and(|seconds| (1..=30).contains(&seconds))
    );
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_every_hour_give_or_take_a_tenth() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(3200)).await;
    assert_eq!(stage.issuer.sets(), 1);
    stage.pass(Duration::from_secs(800)).await;
    assert_eq!(stage.issuer.sets(), 2);
    stage.pass(Duration::from_secs(24 * 3600)).await;
    let sets = stage.issuer.sets();
    assert!((22..=30).contains(&sets), "{sets}");
    // The document is a day old only once; a set that has not changed is not sent again.
    assert!(stage.issuer.documents() <= 3);
    assert!(stage.issuer.unchanged() >= 20);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_fetches_at_once() {
    let stage = Stage::ready().await;
    // The tick stands still while a machine sleeps, the wall clock does not.
    stage.tokens.sleep(Duration::from_secs(2 * 3600));
    stage.cache.tick();
    fake::settle().await;
    assert_eq!(stage.issuer.sets(), 2);
    stage.tokens.sleep(Duration::from_secs(25 * 3600));
    let error = stage
        .door
        .authenticate(&stage.tokens.user(first()))
        .unwrap_err();
    assert!(
        matches!(error, AuthError::KeysUnavailable { .. }),
        "{error}"
    );
}
