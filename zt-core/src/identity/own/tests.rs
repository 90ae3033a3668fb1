use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::*;
use crate::clock::Timestamp;
use crate::port::BoxFuture;
use crate::testing::ManualClock;

const SCOPE: &str = "https://vault.azure.net/.default";
const HOUR: Duration = Duration::from_secs(3600);

/// Answers after a while, well or badly, and counts.
#[derive(Debug)]
struct Fake {
    clock: Arc<ManualClock>,
    asked: AtomicUsize,
    forgotten: AtomicUsize,
    fails: AtomicBool,
    panics: AtomicBool,
    takes: Duration,
    life: Duration,
}

impl TokenCredential for Fake {
    fn get_token<'a>(
        &'a self,
        _scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            assert!(!self.panics.load(Ordering::SeqCst), "as the test wants it");
            if self.fails.load(Ordering::SeqCst) {
                return Err(CredentialError::Unavailable {
                    credential: "fake".to_owned(),
                    reason: "busy".to_owned(),
                    retry_in: None,
                });
            }
            let ends = self.clock.now().after(self.life);
            Ok(AccessToken::new(format!("token-{number}"), ends))
        })
    }

    fn name(&self) -> &'static str {
        "fake"
    }

    fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }
}

struct Scene {
    clock: Arc<ManualClock>,
    fake: Arc<Fake>,
    identity: OwnIdentity,
}

fn scene(takes: Duration, life: Duration) -> Scene {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let fake = Arc::new(Fake {
        clock: Arc::clone(&clock),
        asked: AtomicUsize::new(0),
        forgotten: AtomicUsize::new(0),
        fails: AtomicBool::new(false),
        panics: AtomicBool::new(false),
        takes,
        life,
    });
    let credential: Arc<dyn TokenCredential> = Arc::<Fake>::clone(&fake);
    let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    Scene {
        identity: OwnIdentity::new(credential, time),
        clock,
        fake,
    }
}

impl Scene {
    async fn token(&self) -> String {
        self.identity
            .token(SCOPE)
            .await
            .unwrap()
            .reveal()
            .to_owned()
    }

    fn asked(&self) -> usize {
        self.fake.asked.load(Ordering::SeqCst)
    }

    fn fail(&self, fails: bool) {
        self.fake.fails.store(fails, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_cold_callers_ask_once() {
    let scene = scene(Duration::from_millis(20), HOUR);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let identity = scene.identity.clone();
        callers.spawn(async move {
            identity
                .token(SCOPE)
                .await
                .map(|token| token.reveal().to_owned())
        });
    }
    while let Some(token) = callers.join_next().await {
        assert_eq!(token.unwrap(), Ok("token-1".to_owned()));
    }
    assert_eq!(scene.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_while_a_valid_token_is_there() {
    let scene = scene(Duration::from_millis(200), HOUR);
    scene.token().await;
    // Four minutes before its end, and the issuer is slow and failing: eight callers one after the other.
    scene.fail(true);
    scene.clock.advance(HOUR - Duration::from_secs(240));
    let start = Instant::now();
    for _ in 0..8 {
        assert_eq!(scene.token().await, "token-1");
    }
    assert!(
        start.elapsed() < Duration::from_millis(150),
        "{:?}",
        start.elapsed()
    );
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(scene.asked(), 2, "one request in the background");
    assert_eq!(scene.token().await, "token-1");
    assert_eq!(scene.asked(), 2, "and none again for ten seconds");
    scene.clock.advance(Duration::from_secs(11));
    assert_eq!(scene.token().await, "token-1");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(scene.asked(), 3);
}

#[tokio::test]
async fn the_next_token_is_there_before_the_old_one_ends() {
    let scene = scene(Duration::ZERO, HOUR);
    assert_eq!(scene.token().await, "token-1");
    scene.clock.advance(Duration::from_secs(1799));
    assert_eq!(scene.token().await, "token-1");
    assert_eq!(scene.asked(), 1);
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(
        scene.token().await,
        "token-1",
        "served while the next is asked for"
    );
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(scene.token().await, "token-2");
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn an_old_token_is_served_until_thirty_seconds_before_its_end() {
    let scene = scene(Duration::ZERO, HOUR);
    scene.token().await;
    scene.fail(true);
    scene.clock.advance(HOUR - Duration::from_secs(31));
    assert_eq!(scene.token().await, "token-1");
    tokio::time::sleep(Duration::from_millis(20)).await;
    scene.clock.advance(Duration::from_secs(1));
    assert!(scene.identity.token(SCOPE).await.is_err());
}

#[tokio::test]
async fn a_request_outlives_the_caller_who_started_it() {
    let scene = scene(Duration::from_millis(50), HOUR);
    let first = timeout(Duration::from_millis(10), scene.identity.token(SCOPE)).await;
    assert!(first.is_err(), "cancelled");
    assert_eq!(scene.token().await, "token-1");
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn a_failure_is_remembered_for_ten_seconds() {
    let scene = scene(Duration::ZERO, HOUR);
    scene.fail(true);
    assert!(scene.identity.token(SCOPE).await.is_err());
    scene.clock.advance(Duration::from_secs(4));
    let again = scene.identity.token(SCOPE).await.unwrap_err();
    let six = Some(Duration::from_secs(6));
    assert!(
        matches!(again, CredentialError::Unavailable { retry_in, .. } if retry_in == six),
        "{again:?}"
    );
    assert_eq!(scene.asked(), 1);
    scene.fail(false);
    scene.clock.advance(Duration::from_secs(6));
    assert_eq!(scene.token().await, "token-2");
}

#[tokio::test]
async fn a_refused_token_is_forgotten_once_a_minute() {
    let scene = scene(Duration::ZERO, HOUR);
    assert_eq!(scene.token().await, "token-1");
    assert!(scene.identity.forget());
    assert_eq!(scene.token().await, "token-2");
    assert!(!scene.identity.forget(), "too soon");
    assert_eq!(scene.token().await, "token-2");
    assert_eq!(scene.fake.forgotten.load(Ordering::SeqCst), 1);
    scene.clock.advance(Duration::from_secs(60));
    assert!(scene.identity.forget());
    assert_eq!(scene.token().await, "token-3");
}

#[tokio::test]
async fn an_answer_that_a_forget_overtook_is_not_kept() {
    let scene = scene(Duration::from_millis(30), HOUR);
    let identity = scene.identity.clone();
    let waiting = tokio::spawn(async move { identity.token(SCOPE).await });
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(scene.identity.forget());
    assert_eq!(waiting.await.unwrap().unwrap().reveal(), "token-1");
    assert_eq!(scene.token().await, "token-2");
}

#[tokio::test]
async fn a_credential_that_panics_or_never_answers_is_an_error() {
    let scene = scene(Duration::ZERO, HOUR);
    scene.fake.panics.store(true, Ordering::SeqCst);
    assert!(scene.identity.token(SCOPE).await.is_err());
    scene.fake.panics.store(false, Ordering::SeqCst);
    assert_eq!(
        scene.token().await,
        "token-2",
        "the next caller starts anew"
    );
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_never_answers_is_given_up() {
    let scene = scene(HOUR, HOUR);
    let refused = scene.identity.token(SCOPE).await.unwrap_err();
    assert!(
        refused.to_string().contains("did not answer in time"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_token_that_has_ended_is_no_token() {
    let scene = scene(Duration::ZERO, Duration::ZERO);
    let refused = scene.identity.token(SCOPE).await.unwrap_err();
    assert!(refused.to_string().contains("clock"), "{refused}");
}

#[test]
fn a_request_that_died_with_its_runtime_does_not_block_the_next() {
    let scene = scene(HOUR, HOUR);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    first.block_on(async {
        let brief = Duration::from_millis(5);
        let cut = timeout(brief, scene.identity.token(SCOPE)).await;
        assert!(cut.is_err());
    });
    drop(first);
    runtime().block_on(async {
        let brief = Duration::from_millis(5);
        let cut = timeout(brief, scene.identity.token(SCOPE)).await;
        assert!(cut.is_err());
    });
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn a_kept_token_is_served_without_a_runtime_and_a_new_one_is_not() {
    let scene = scene(Duration::ZERO, HOUR);
    scene.token().await;
    let identity = scene.identity.clone();
    let outside = std::thread::spawn(move || {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let poll = |scope: &'static str| {
            let future = std::pin::pin!(identity.token(scope));
            future.poll(&mut context).map(|token| token.is_ok())
        };
        [SCOPE, "api://other/.default"].map(poll)
    });
    let seen = outside.join().unwrap();
    assert_eq!(
        seen,
        [std::task::Poll::Ready(true), std::task::Poll::Ready(false)]
    );
}

#[tokio::test]
async fn scopes_are_bounded_and_plain() {
    let scene = scene(Duration::ZERO, HOUR);
    for number in 0..200 {
        scene
            .identity
            .token(&format!("api://{number}/.default"))
            .await
            .unwrap();
    }
    assert_eq!(scene.identity.0.lock().slots.len(), MOST_SCOPES);
    for wrong in ["", "a b", "x;rm", "x\"", "x'", "x\n", "$(x)", "a%2f"] {
        assert!(scene.identity.token(wrong).await.is_err(), "{wrong}");
    }
    assert_eq!(scene.asked(), 200);
}

#[test]
fn a_request_runs_where_it_is_told_to_and_not_on_a_runtime_that_nobody_drives() {
    let executor = Arc::new(crate::runtime::background::Background::new("zt-test"));
    let Scene { identity, fake, .. } = scene(Duration::from_millis(1), HOUR);
    let identity = identity.on(executor);
    let burst = || {
        let mut burst = tokio::runtime::Builder::new_current_thread();
        burst.enable_time().build().unwrap()
    };
    let (first, second) = (burst(), burst());
    // The first one starts the request, and is not driven any further.
    first.block_on(async {
        let mut token = std::pin::pin!(identity.token(SCOPE));
        assert!(futures_util::poll!(&mut token).is_pending());
    });
    let token = second.block_on(identity.token(SCOPE)).unwrap();
    assert_eq!(token.reveal(), "token-1");
    assert_eq!(fake.asked.load(Ordering::SeqCst), 1);
}
