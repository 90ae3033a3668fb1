//! Keys that must not come back, and fetches that are lost.
use super::fake::{Kept, Mood};
use super::*;
use crate::network::{HttpError, HttpRequest, HttpResponse};
use crate::port::BoxFuture;

/// An issuer that is down for one tenant, or answers 304 to every set.
#[derive(Debug)]
struct Odd {
    inner: Arc<Issuer>,
    down_for: Mutex<Option<String>>,
    always_304: std::sync::atomic::AtomicBool,
}

impl HttpClient for Odd {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let down = self.down_for.lock().unwrap().clone();
            if down.is_some_and(|tenant| request.url.contains(&tenant)) {
                return Err(HttpError::Connect {
                    host: "login".to_owned(),
                });
            }
            if self.always_304.load(Ordering::SeqCst) && !request.url.contains(".well-known") {
                return Ok(HttpResponse::new(304, Vec::new()));
            }
            self.inner.send(request).await
        })
    }
}

struct Two {
    odd: Arc<Odd>,
    tokens: Tokens,
    cache: Arc<KeyCache>,
    door: Authenticator,
}

impl Two {
    fn over(tokens: Tokens) -> Self {
        let odd = Arc::new(Odd {
            inner: Arc::new(Issuer::new(jwks(&[first()]))),
            down_for: Mutex::new(None),
            always_304: false.into(),
        });
        let around = Surroundings {
            http: Arc::<Odd>::clone(&odd),
            clock: tokens.clock(),
            spawn: Arc::new(fake::Tokio),
            store: None,
            observer: Arc::new(fake::News::default()),
        };
        let cache = KeyCache::new(tokens.profile(), around);
        let door =
            Authenticator::with_published(tokens.profile(), Arc::clone(&cache), tokens.clock());
        Self {
            odd,
            tokens,
            cache,
            door,
        }
    }
    async fn pass(&self, time: Duration) {
        let step = Duration::from_secs(60);
        let mut left = time;
        while left > Duration::ZERO {
            self.tokens.advance(step.min(left));
            left = left.saturating_sub(step);
            self.cache.tick();
            fake::settle().await;
        }
    }
    fn foreign(&self, key: &crate::testing::DevIssuer) -> String {
        let own = self.tokens.profile();
        let at_second = EntraProfile::new(own.cloud(), SECOND, own.client_id()).unwrap();
        self.tokens.user_of(&at_second, key)
    }
}

fn both() -> Tokens {
    Tokens::of(Tokens::new().profile().allowing_tenants(&[SECOND]).unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_a_tenant_expire_although_another_tenant_has_the_same() {
    let stage = Two::over(both());
    stage.cache.tick();
    fake::settle().await;
    *stage.odd.down_for.lock().unwrap() = Some(SECOND.to_string());
    stage.pass(Duration::from_secs(72 * 3600)).await;
    let health = stage.cache.health();
    assert_eq!(health[1].state, KeyState::Expired);
    let error = stage
        .door
        .authenticate(&stage.foreign(first()))
        .map(|c| c.tenant());
    assert!(
        matches!(error, Err(AuthError::KeysUnavailable { .. })),
        "ACCEPTED: {error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_brings_no_withdrawn_key_back() {
    let stage = Stage::ready().await;
    stage.issuer.be(Mood::Down);
    stage.pass(Duration::from_secs(25 * 3600)).await;
    assert_eq!(stage.state(), KeyState::Expired);
    assert!(
        stage
            .door
            .authenticate(&stage.tokens.user(first()))
            .is_err()
    );
    stage.issuer.publish(jwks(&[second()]));
    stage.issuer.be(Mood::Good);
    stage.pass(Duration::from_secs(600)).await;
    assert_eq!(stage.state(), KeyState::Fresh);
    let outcome = stage
        .door
        .authenticate(&stage.tokens.user(first()))
        .map(|c| c.object());
    assert!(outcome.is_err(), "ACCEPTED: {outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_old_file_brings_no_withdrawn_key_back() {
    let kept: Arc<dyn KeyStore> = Arc::new(Kept::default());
    let tokens = Tokens::new();
    let issuer = Arc::new(Issuer::new(jwks(&[first()])));
    let one = Stage::over(tokens.clone(), Arc::clone(&issuer), Some(Arc::clone(&kept)));
    one.cache.tick();
    fake::settle().await;
    one.kept().await;
    drop(one);
    tokens.advance(Duration::from_secs(730 * 24 * 3600));
    issuer.publish(jwks(&[second()]));
    let two = Stage::over(tokens.clone(), Arc::clone(&issuer), Some(kept));
    two.cache.tick();
    fake::settle().await;
    assert_eq!(two.state(), KeyState::Fresh);
    let outcome = two
        .door
        .authenticate(&tokens.user(first()))
        .map(|c| c.object());
    two.pass(Duration::from_secs(3000)).await;
    let later = two
        .door
        .authenticate(&tokens.user(first()))
        .map(|c| c.object());
    assert!(
        outcome.is_err(),
        "ACCEPTED: {outcome:?}; 50 min later {later:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_purge_drops_what_entra_has_just_withdrawn() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(600)).await;
    stage.issuer.publish(jwks(&[second()]));
    stage.cache.purge();
    fake::settle().await;
    stage.pass(Duration::from_secs(2700)).await;
    let outcome = stage
        .door
        .authenticate(&stage.tokens.user(first()))
        .map(|c| c.object());
    assert!(
        outcome.is_err(),
        "ACCEPTED 45 min after the purge: {outcome:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_key_that_one_tenant_has_is_sought_for_the_other() {
    let stage = Two::over(both());
    stage.cache.tick();
    fake::settle().await;
    stage.pass(Duration::from_secs(60)).await;
    stage.odd.inner.publish(jwks(&[first(), second()]));
    // A caller of home makes the ring of home fetch.
    assert!(
        stage
            .door
            .authenticate_or_fetch(&stage.tokens.user(second()))
            .await
            .is_ok()
    );
    let sets = stage.odd.inner.sets();
    stage.pass(Duration::from_secs(60)).await;
    let outcome = stage
        .door
        .authenticate_or_fetch(&stage.foreign(second()))
        .await
        .map(|(c, _)| c.tenant());
    let after = stage.odd.inner.sets();
    assert!(
        outcome.is_ok(),
        "REFUSED: {outcome:?}, sets {sets} -> {after}"
    );
}

#[derive(Debug)]
struct Dropping;
impl Spawn for Dropping {
    fn spawn(&self, _: BoxFuture<'static, ()>) {}
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_task_that_never_ran() {
    let tokens = Tokens::new();
    let issuer = Arc::new(Issuer::new(jwks(&[first()])));
    let around = Surroundings {
        http: Arc::<Issuer>::clone(&issuer),
        clock: tokens.clock(),
        spawn: Arc::new(Dropping),
        store: None,
        observer: Arc::new(fake::News::default()),
    };
    let cache = KeyCache::new(tokens.profile(), around);
    let door = Authenticator::with_published(tokens.profile(), Arc::clone(&cache), tokens.clock());
    let waited = tokio::time::timeout(
        Duration::from_secs(3600),
        door.authenticate_or_fetch(&tokens.user(first())),
    )
    .await;
    assert!(waited.is_ok(), "HANGS for an hour");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_no_change_to_a_question_of_none_is_no_answer() {
    let stage = Two::over(Tokens::new());
    stage.odd.always_304.store(true, Ordering::SeqCst);
    stage.cache.tick();
    fake::settle().await;
    let health = stage.cache.health();
    assert_ne!(
        health[0].state,
        KeyState::Fresh,
        "FRESH with {} keys",
        health[0].keys
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_panics_ends_one_fetch_and_no_more() {
    #[derive(Debug)]
    struct Once(Arc<Issuer>, std::sync::atomic::AtomicBool);
    impl HttpClient for Once {
        fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
            assert!(self.1.swap(true, Ordering::SeqCst), "one panic");
            self.0.send(request)
        }
    }
    let tokens = Tokens::new();
    let issuer = Arc::new(Issuer::new(jwks(&[first()])));
    let around = Surroundings {
        http: Arc::new(Once(Arc::clone(&issuer), false.into())),
        clock: tokens.clock(),
        spawn: Arc::new(fake::Tokio),
        store: None,
        observer: Arc::new(fake::News::default()),
    };
    let cache = KeyCache::new(tokens.profile(), around);
    for _ in 0..2000 {
        tokens.advance(Duration::from_secs(10));
        cache.tick();
        fake::settle().await;
    }
    let health = cache.health();
    assert_eq!(health[0].state, KeyState::Fresh, "{health:?}");
}
