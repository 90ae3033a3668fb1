//! A vault that never answers: misses end in time, hits never wait, and stale values end when they must.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_miss_is_over_in_three_seconds() {
    let world = World::with("zt-needle-hole", Validity::ALWAYS);
    world.vault.hold();
    for _ in 0..3 {
        let begin = tokio::time::Instant::now();
        assert_eq!(world.code().await, Code::VaultUnavailable);
        assert!(begin.elapsed() <= Duration::from_millis(3200));
    }
}

/// Time passes on both clocks: the slots', and tokio's, on which calls end.
async fn pass(world: &World, by: Duration) {
    world.clock.advance(by);
    world.secrets.sweep();
    tokio::time::sleep(by).await;
}

#[tokio::test(start_paused = true)]
async fn hits_never_wait_and_end_with_the_stale_window() {
    let world = World::with("zt-needle-hits", Validity::ALWAYS);
    assert!(world.reads("zt-needle-hits").await);
    world.vault.hold();
    let mut seconds = 0;
    let mut stale = 0;
    while let Some(secret) = at_once(&world.secrets, &world.request) {
        assert!(secret.reveal() == b"zt-needle-hits");
        let age = Duration::from_secs(seconds);
        let expected = (age >= 10 * MINUTE).then(|| age - 10 * MINUTE);
        assert_eq!(secret.stale_for(), expected);
        stale += u64::from(expected.is_some());
        drop(secret);
        pass(&world, SECOND).await;
        seconds += 1;
        assert!(seconds < 5000);
    }
    assert_eq!(
        seconds,
        70 * 60,
        "ten minutes and one hour, not a second more"
    );
    assert_eq!((world.secrets.counts().stale, stale), (3600, 3600));
    world.secrets.sweep();
    assert_eq!(world.slot().version, None, "wiped");
    // One slot tries each minute at most; the breaker is for many.
    assert!(world.vault.calls() < 100, "{}", world.vault.calls());
    world.vault.release();
    world.clock.advance(3 * MINUTE);
    assert!(world.reads("zt-needle-hits").await, "it recovers");
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_and_lets_one_probe_through_at_a_time() {
    let world = World::new();
    let requests: Vec<_> = (0..20)
        .map(|n| SecretRequest::new(id(&format!("s{n}"))))
        .collect();
    world.secrets.declare(requests.clone());
    world.vault.hold();
    let read_all = || async {
        let reads: Vec<_> = requests
            .iter()
            .map(|request| {
                let (secrets, request) = (Arc::clone(&world.secrets), request.clone());
                tokio::spawn(async move { secrets.get(&request).await.map(drop) })
            })
            .collect();
        let begin = tokio::time::Instant::now();
        for read in reads {
            assert!(read.await.unwrap().is_err());
        }
        begin.elapsed()
    };
    assert!(read_all().await <= Duration::from_millis(3200));
    assert_eq!(world.gate(), "broken");
    let calls = world.vault.calls();
    assert_eq!(
        read_all().await,
        Duration::ZERO,
        "nobody waits at a closed gate"
    );
    assert_eq!(world.vault.calls(), calls);
    let mut pause = 10 * SECOND;
    for _ in 0..6 {
        let before = world.vault.calls();
        world.clock.advance(pause - SECOND);
        read_all().await;
        assert_eq!(world.vault.calls(), before, "not before its time");
        world.clock.advance(SECOND);
        read_all().await;
        assert_eq!(world.vault.calls(), before + 1, "one probe");
        assert_eq!(world.gate(), "broken");
        pause = (pause * 2).min(120 * SECOND);
    }
    world.vault.release();
    world.clock.advance(pause);
    let _missing = world.secrets.get(&requests[0]).await.unwrap_err();
    assert_eq!(
        world.gate(),
        "open",
        "an answer of any kind closes the breaker"
    );
}

/// An executor that stands still: a vault blocks the thread.
#[derive(Default)]
struct Blocked(std::sync::Mutex<Vec<crate::port::BoxFuture<'static, ()>>>);

impl std::fmt::Debug for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blocked")
    }
}

impl crate::port::Spawn for Blocked {
    fn spawn(&self, task: crate::port::BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(task);
    }
}

/// Timers of the test's own runtime.
#[derive(Debug)]
struct Timers;

impl crate::port::Spawn for Timers {
    fn spawn(&self, task: crate::port::BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

/// A vault with one value, and secrets whose executor stands still.
struct Standing {
    vault: Arc<FaultyVault>,
    blocked: Arc<Blocked>,
    clock: Arc<ManualClock>,
    secrets: Secrets,
    request: SecretRequest,
}

impl Standing {
    fn with(needle: &str) -> Self {
        let memory = Arc::new(MemoryVault::new());
        let request = SecretRequest::new(id("bureau-api-key"));
        let value = SecretBytes::copy_of(needle.as_bytes());
        memory
            .set(request.key().id(), value, Validity::ALWAYS)
            .unwrap();
        let vault = Arc::new(FaultyVault::new(memory));
        let blocked = Arc::new(Blocked::default());
        let clock = Arc::new(ManualClock::new(START));
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let secrets = Secrets::new(Arc::clone(&vault) as Arc<dyn SecretVault>, time)
            .on(Arc::<Blocked>::clone(&blocked))
            .timed_on(Arc::new(Timers));
        secrets.declare([request.clone()]);
        Self {
            vault,
            blocked,
            clock,
            secrets,
            request,
        }
    }

    /// A read, during which the executor goes on after a second.
    async fn read_while_it_goes_on(&self) -> crate::error::Result<Secret> {
        let goes_on = async {
            tokio::time::sleep(SECOND).await;
            for task in std::mem::take(&mut *self.blocked.0.lock().unwrap()) {
                drop(tokio::spawn(task));
            }
        };
        let (secret, ()) = tokio::join!(self.secrets.get(&self.request), goes_on);
        secret
    }
}

#[tokio::test(start_paused = true)]
async fn an_executor_that_a_vault_blocks_holds_nobody_up_for_longer_than_a_miss() {
    let standing = Standing::with("zt-needle-blocked");
    let (secrets, request) = (&standing.secrets, &standing.request);

    let begin = tokio::time::Instant::now();
    let error = secrets.get(request).await.unwrap_err();
    assert_eq!(error.code(), Code::VaultUnavailable);
    assert_eq!(begin.elapsed(), Duration::from_millis(3_500));
    let begin = tokio::time::Instant::now();
    let warmed = secrets.warm(std::slice::from_ref(request), SECOND).await;
    assert_eq!((warmed.ready, warmed.failed.len()), (0, 1));
    assert_eq!(begin.elapsed(), SECOND);

    // It goes on: the fetch that nobody waits for any more is not made, the next one is.
    let secret = standing.read_while_it_goes_on().await;
    assert!(secret.unwrap().reveal() == b"zt-needle-blocked");
    assert_eq!(standing.vault.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_is_served_while_an_executor_stands_still() {
    let standing = Standing::with("zt-needle-bridge");
    let secret = standing.read_while_it_goes_on().await;
    assert!(secret.unwrap().reveal() == b"zt-needle-bridge");
    standing
        .clock
        .advance(Timing::default().default_ttl + SECOND);
    for _ in 0..2 {
        let secret = standing.secrets.get(&standing.request).await.unwrap();
        assert!(secret.reveal() == b"zt-needle-bridge");
        assert!(secret.stale_for().is_some());
    }
    standing.clock.advance(60 * MINUTE);
    let error = standing.secrets.get(&standing.request).await.unwrap_err();
    assert_eq!(error.code(), Code::VaultUnavailable, "not beyond its time");
    assert_eq!(standing.vault.calls(), 1);
}
