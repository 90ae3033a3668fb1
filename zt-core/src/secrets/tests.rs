//! The slots in front of a vault that counts, fails and waits as told, with a clock that stands still.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::adapters::memory::MemoryVault;
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, ErrorKind};
use crate::testing::{FaultyVault, ManualClock};

use super::*;

const START: Timestamp = Timestamp::from_secs(1_790_000_000);
const MINUTE: Duration = Duration::from_secs(60);

struct World {
    memory: Arc<MemoryVault>,
    vault: Arc<FaultyVault>,
    clock: Arc<ManualClock>,
    secrets: Arc<Secrets>,
    request: SecretRequest,
}

impl World {
    /// One declared secret with a TTL of ten minutes; nothing in the vault.
    fn new() -> Self {
        let memory = Arc::new(MemoryVault::new());
        let vault = Arc::new(FaultyVault::new(Arc::clone(&memory) as Arc<dyn SecretVault>));
        let clock = Arc::new(ManualClock::new(START));
        let secrets = Arc::new(Secrets::new(
            Arc::clone(&vault) as Arc<dyn SecretVault>,
            Arc::clone(&clock) as Arc<dyn Clock>,
        ));
        let request = SecretRequest::new(id("bureau-api-key")).with_ttl(10 * MINUTE);
        secrets.declare([request.clone()]);
        Self {
            memory,
            vault,
            clock,
            secrets,
            request,
        }
    }

    fn with(value: &str, validity: Validity) -> Self {
        let world = Self::new();
        world.set(value, validity);
        world
    }

    fn set(&self, value: &str, validity: Validity) -> SecretVersion {
        let id = SecretId::new(
            self.request.key().id().vault().clone(),
            self.request.key().id().name().clone(),
        );
        let value = SecretBytes::copy_of(value.as_bytes());
        self.memory.set(&id, value, validity).unwrap()
    }

    async fn get(&self) -> crate::Result<Secret> {
        self.secrets.get(&self.request).await
    }

    async fn reads(&self, value: &str) -> bool {
        self.get().await.unwrap().reveal() == value.as_bytes()
    }

    async fn code(&self) -> Code {
        self.get().await.unwrap_err().code()
    }
}

fn id(name: &str) -> SecretId {
    let vault = "https://kv-brindlewick-prod.vault.azure.net"
        .parse()
        .unwrap();
    SecretId::new(vault, name.parse().unwrap())
}

fn at(offset: Duration) -> Timestamp {
    START.after(offset)
}

#[tokio::test]
async fn the_second_read_is_served_without_the_vault() {
    let world = World::with("zt-needle-hit", Validity::ALWAYS);
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.reads("zt-needle-hit").await);
    assert!(world.secrets.peek(&world.request).is_some());
    assert!(world.reads("zt-needle-hit").await);
    assert_eq!(world.vault.calls(), 1);
    let counts = world.secrets.counts();
    assert_eq!(
        (counts.hits, counts.misses, counts.fetches, counts.failures),
        (2, 1, 1, 0)
    );
}

#[tokio::test]
async fn a_hit_is_ready_at_the_first_poll() {
    let world = World::with("zt-needle-poll", Validity::ALWAYS);
    assert!(world.reads("zt-needle-poll").await);
    let mut hit = std::pin::pin!(world.get());
    let poll = hit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Ready(Ok(_))));
}

#[tokio::test]
async fn a_secret_tells_where_it_came_from() {
    let world = World::new();
    let version = world.set("zt-needle-from", Validity::ALWAYS.ending(at(60 * MINUTE)));
    let secret = world.get().await.unwrap();
    assert_eq!(secret.version(), version);
    assert_eq!(secret.expires_at(), Some(at(60 * MINUTE)));
    assert_eq!(secret.path_proof(), "memory");
    assert_eq!(secret.len(), 14);
}

#[tokio::test]
async fn a_thousand_readers_who_miss_share_one_call() {
    let world = World::with("zt-needle-flight", Validity::ALWAYS);
    world.vault.hold();
    let readers: Vec<_> = (0..1000)
        .map(|_| {
            let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
            tokio::spawn(async move { secrets.get(&request).await })
        })
        .collect();
    while world.secrets.counts().misses < 1000 {
        tokio::task::yield_now().await;
    }
    world.vault.release();
    for reader in readers {
        assert!(reader.await.unwrap().unwrap().reveal() == b"zt-needle-flight");
    }
    assert_eq!(world.vault.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_on_many_threads_share_one_call() {
    let world = World::with("zt-needle-threads", Validity::ALWAYS);
    let readers: Vec<_> = (0..1000)
        .map(|_| {
            let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
            tokio::spawn(async move { secrets.get(&request).await })
        })
        .collect();
    for reader in readers {
        assert!(reader.await.unwrap().unwrap().reveal() == b"zt-needle-threads");
    }
    assert_eq!(world.vault.calls(), 1);
}

#[tokio::test]
async fn a_value_is_fetched_again_when_its_ttl_has_passed() {
    let world = World::with("zt-needle-old", Validity::ALWAYS);
    assert!(world.reads("zt-needle-old").await);
    world.set("zt-needle-new", Validity::ALWAYS);
    world.clock.advance(7 * MINUTE);
    assert!(world.reads("zt-needle-old").await);
    world.clock.advance(3 * MINUTE);
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.reads("zt-needle-new").await);
    assert_eq!(world.vault.calls(), 2);
}

#[tokio::test]
async fn a_reader_with_a_shorter_ttl_is_not_served_what_is_too_old_for_it() {
    let world = World::with("zt-needle-short", Validity::ALWAYS);
    assert!(world.reads("zt-needle-short").await);
    world.clock.advance(MINUTE);
    let hasty = world.request.clone().with_ttl(MINUTE);
    assert!(world.secrets.peek(&hasty).is_none());
    assert!(world.secrets.peek(&world.request).is_some());
}

#[tokio::test]
async fn a_ttl_of_zero_keeps_nothing_but_shares_the_call() {
    let world = World::with("zt-needle-zero", Validity::ALWAYS);
    let request = world.request.clone().with_ttl(Duration::ZERO);
    world.vault.hold();
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let (secrets, request) = (Arc::clone(&world.secrets), request.clone());
            tokio::spawn(async move { secrets.get(&request).await })
        })
        .collect();
    while world.secrets.counts().misses < 10 {
        tokio::task::yield_now().await;
    }
    world.vault.release();
    for reader in readers {
        assert!(reader.await.unwrap().unwrap().reveal() == b"zt-needle-zero");
    }
    assert_eq!(world.vault.calls(), 1);
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.secrets.get(&request).await.is_ok());
    assert_eq!(world.vault.calls(), 2);
}

#[tokio::test]
async fn a_value_leaves_its_slot_half_a_minute_before_it_expires() {
    let world = World::with("zt-needle-exp", Validity::ALWAYS.ending(at(5 * MINUTE)));
    assert!(world.reads("zt-needle-exp").await);
    world.clock.advance(4 * MINUTE + Duration::from_secs(29));
    assert!(world.secrets.peek(&world.request).is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.reads("zt-needle-exp").await, "not over yet");
    assert!(world.secrets.peek(&world.request).is_none(), "but not kept");
}

#[tokio::test]
async fn an_expired_secret_is_refused() {
    let world = World::with("zt-needle-over", Validity::ALWAYS.ending(at(MINUTE)));
    world.clock.advance(MINUTE);
    let error = world.get().await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error
            .message()
            .contains("expired at 2026-09-21T14:14:20.000Z")
    );
}

#[tokio::test]
async fn a_wall_clock_that_jumps_past_the_end_stops_hits_at_once() {
    let world = World::with("zt-needle-jump", Validity::ALWAYS.ending(at(60 * MINUTE)));
    assert!(world.reads("zt-needle-jump").await);
    world.clock.jump_to(at(61 * MINUTE));
    assert!(world.secrets.peek(&world.request).is_none());
    assert_eq!(world.code().await, Code::NotFound);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_before_the_beginning_stops_hits_at_once() {
    let world = World::with("zt-needle-nbf", Validity::ALWAYS.starting(START));
    assert!(world.reads("zt-needle-nbf").await);
    world.clock.jump_to(Timestamp::from_secs(1_789_999_999));
    assert!(world.secrets.peek(&world.request).is_none());
}

#[tokio::test]
async fn a_secret_of_tomorrow_is_refused_until_then() {
    let world = World::with(
        "zt-needle-early",
        Validity::ALWAYS.starting(at(Duration::from_secs(10))),
    );
    assert_eq!(world.code().await, Code::NotFound);
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(world.code().await, Code::NotFound);
    assert_eq!(world.vault.calls(), 1, "the refusal was remembered");
    world.clock.advance(Duration::from_secs(1));
    assert!(world.reads("zt-needle-early").await);
}

#[tokio::test]
async fn a_refusal_is_remembered_for_half_a_minute() {
    let world = World::new();
    assert_eq!(world.code().await, Code::NotFound);
    world.set("zt-needle-late", Validity::ALWAYS);
    assert_eq!(world.code().await, Code::NotFound);
    assert_eq!(world.vault.calls(), 1);
    world.clock.advance(Duration::from_secs(30));
    assert!(world.reads("zt-needle-late").await);
}

#[tokio::test]
async fn a_local_vault_is_asked_again_after_every_refusal() {
    let world = World::new();
    let secrets = Secrets::new(
        Arc::clone(&world.vault) as Arc<dyn SecretVault>,
        Arc::clone(&world.clock) as Arc<dyn Clock>,
    )
    .with_timing(Timing::local());
    secrets.declare([world.request.clone()]);
    assert!(secrets.get(&world.request).await.is_err());
    world.set("zt-needle-local", Validity::ALWAYS);
    assert!(secrets.get(&world.request).await.is_ok());
}

#[tokio::test]
async fn a_failed_fetch_is_not_kept_in_place_of_a_value() {
    let world = World::with("zt-needle-after", Validity::ALWAYS);
    let retry_in = Some(Duration::from_secs(3));
    world
        .vault
        .fail(1, &VaultError::unavailable("503", retry_in));
    let error = world.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable { retry_in });
    let error = world.get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable { retry_in });
    assert_eq!(world.vault.calls(), 1, "nobody calls while the pause runs");
    world.clock.advance(Duration::from_secs(3));
    assert!(world.reads("zt-needle-after").await);
    let counts = world.secrets.counts();
    assert_eq!((counts.fetches, counts.failures), (2, 2));
    assert_eq!((counts.turned_away, counts.closings), (1, 1));
}

#[tokio::test]
async fn a_vault_that_is_down_does_not_end_what_is_still_fresh() {
    let world = World::with("zt-needle-down", Validity::ALWAYS);
    assert!(world.reads("zt-needle-down").await);
    world.vault.fail(2, &VaultError::unavailable("503", None));
    let uncached = world.request.clone().with_ttl(Duration::ZERO);
    assert!(
        world.secrets.get(&uncached).await.is_err(),
        "a TTL of zero is never served what is kept"
    );
    assert!(world.secrets.peek(&world.request).is_some());
}

#[tokio::test]
async fn a_right_that_was_withdrawn_ends_what_was_fresh() {
    let world = World::with("zt-needle-right", Validity::ALWAYS);
    assert!(world.reads("zt-needle-right").await);
    world.vault.fail(
        1,
        &VaultError::denied(world.request.key().id(), "ForbiddenByRbac"),
    );
    let uncached = world.request.clone().with_ttl(Duration::ZERO);
    let error = world.secrets.get(&uncached).await.unwrap_err();
    assert_eq!(error.code(), Code::Config);
    assert!(world.secrets.peek(&world.request).is_none());
}

#[tokio::test]
async fn a_reader_who_gives_up_cancels_nothing() {
    let world = World::with("zt-needle-cancel", Validity::ALWAYS);
    world.vault.hold();
    {
        let mut reader = std::pin::pin!(world.get());
        let poll = reader
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
    }
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let patient = tokio::spawn(async move { secrets.get(&request).await });
    while world.secrets.counts().misses < 2 {
        tokio::task::yield_now().await;
    }
    world.vault.release();
    assert!(patient.await.unwrap().unwrap().reveal() == b"zt-needle-cancel");
    assert_eq!(world.vault.calls(), 1);
    assert!(world.secrets.peek(&world.request).is_some());
}

#[tokio::test]
async fn a_fetch_that_panics_wakes_everybody_and_blocks_nobody() {
    let world = World::with("zt-needle-panic", Validity::ALWAYS);
    world.vault.panic_once();
    world.vault.hold();
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
            tokio::spawn(async move { secrets.get(&request).await })
        })
        .collect();
    while world.secrets.counts().misses < 10 {
        tokio::task::yield_now().await;
    }
    world.vault.release();
    for reader in readers {
        let error = reader.await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::VaultUnavailable);
    }
    assert_eq!(world.secrets.counts().failures, 1);
    assert!(world.reads("zt-needle-panic").await);
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_a_fetch_blocks_nobody() {
    let world = World::with("zt-needle-ends", Validity::ALWAYS);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let first = runtime();
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let reader = async move { secrets.get(&request).await };
    first.block_on(async {
        drop(tokio::spawn(reader));
        while world.vault.calls() < 1 {
            tokio::task::yield_now().await;
        }
    });
    drop(first);
    world.vault.release();
    assert!(runtime().block_on(world.reads("zt-needle-ends")));
}

#[test]
fn a_miss_outside_of_a_runtime_is_an_error_and_a_hit_is_not() {
    let world = World::with("zt-needle-outside", Validity::ALWAYS);
    let poll = |world: &World| {
        let mut reader = std::pin::pin!(world.get());
        match reader
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("it waits"),
        }
    };
    let error = poll(&world).unwrap_err();
    assert_eq!(error.code(), Code::Config);
    assert!(error.message().contains("no tokio runtime"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    assert!(runtime.block_on(world.reads("zt-needle-outside")));
    assert!(poll(&world).is_ok());
}

#[tokio::test]
async fn what_is_invalidated_is_fetched_again() {
    let world = World::with("zt-needle-before", Validity::ALWAYS);
    assert!(world.reads("zt-needle-before").await);
    world.set("zt-needle-rotated", Validity::ALWAYS);
    world.secrets.invalidate(&"another".parse().unwrap());
    assert!(world.reads("zt-needle-before").await);
    world.secrets.invalidate(&"Bureau-API-key".parse().unwrap());
    assert!(world.reads("zt-needle-rotated").await);
    world.secrets.clear();
    assert!(world.secrets.peek(&world.request).is_none());
}

#[tokio::test]
async fn a_fetch_that_began_before_an_invalidation_is_not_kept() {
    let world = World::with("zt-needle-overtaken", Validity::ALWAYS);
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let early = tokio::spawn(async move { secrets.get(&request).await });
    while world.vault.calls() < 1 {
        tokio::task::yield_now().await;
    }
    world.secrets.invalidate(world.request.key().id().name());
    world.vault.release();
    assert!(early.await.unwrap().is_ok(), "it asked before");
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.reads("zt-needle-overtaken").await);
    assert_eq!(world.vault.calls(), 2);
}

#[tokio::test]
async fn a_pinned_version_stays_for_a_day() {
    let world = World::new();
    let version = world.set("zt-needle-pinned", Validity::ALWAYS);
    world.set("zt-needle-current", Validity::ALWAYS);
    let pinned = SecretRequest::new(id("bureau-api-key").at(version));
    world.secrets.declare([pinned.clone()]);
    let secret = world.secrets.get(&pinned).await.unwrap();
    assert!(secret.reveal() == b"zt-needle-pinned");
    world
        .clock
        .advance(24 * 60 * MINUTE - Duration::from_secs(1));
    assert!(world.secrets.peek(&pinned).is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.secrets.peek(&pinned).is_none());
}

#[tokio::test]
async fn values_survive_a_reload_and_end_with_their_declaration() {
    let world = World::with("zt-needle-reload", Validity::ALWAYS);
    assert!(world.reads("zt-needle-reload").await);
    let other = SecretRequest::new(id("adb-token"));
    let both = [world.request.clone(), other.clone()];
    world.secrets.declare(both);
    assert!(world.secrets.peek(&world.request).is_some());
    world.secrets.declare([other.clone()]);
    assert!(world.secrets.peek(&world.request).is_none());
    let error = world.get().await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.message().contains("no table declares"));
    world.secrets.declare([world.request.clone()]);
    assert!(world.secrets.peek(&world.request).is_none(), "wiped");
}

#[tokio::test]
async fn each_identity_has_its_own_slot() {
    let world = World::with("zt-needle-identity", Validity::ALWAYS);
    let other = world
        .request
        .clone()
        .with_identity("sp:sp-score-201".parse().unwrap());
    let both = [world.request.clone(), other.clone()];
    world.secrets.declare(both);
    assert!(world.reads("zt-needle-identity").await);
    assert!(world.secrets.peek(&other).is_none());
}

#[tokio::test]
async fn a_sweep_wipes_what_is_over() {
    let world = World::with("zt-needle-sweep", Validity::ALWAYS);
    assert!(world.reads("zt-needle-sweep").await);
    world.secrets.sweep();
    assert!(world.secrets.peek(&world.request).is_some());
    world.vault.hold();
    world.clock.advance(20 * MINUTE);
    world.secrets.sweep();
    assert!(
        !format!("{:?}", world.secrets).contains("Dead(Over)"),
        "read within two TTLs"
    );
    world.clock.advance(2 * Duration::from_secs(1));
    world.secrets.sweep();
    assert!(format!("{:?}", world.secrets).contains("Dead(Over)"));
}

#[tokio::test]
async fn nothing_that_prints_shows_a_value() {
    let world = World::with("zt-needle-print", Validity::ALWAYS);
    let secret = world.get().await.unwrap();
    let attempt = Attempt::new(AttemptId::from_u128(1), MINUTE);
    let id = world.request.key().id();
    let fetched = world.vault.fetch(id, &attempt).await.unwrap();
    let error = crate::Error::from(VaultError::not_found(world.request.key().id()));
    for text in [
        format!("{secret:?} {secret:#?}"),
        format!("{fetched:?} {:?}", fetched.value),
        format!("{:?} {:#?}", world.secrets, world.secrets),
        format!("{:?} {:?}", world.vault, world.memory),
        format!("{error} {error:?}"),
    ] {
        assert!(!text.contains("needle"), "a value was printed");
        // Bytes as `Debug` of a slice would print them.
        assert!(!text.contains("122, 116, 45, 110"), "a value was printed");
    }
}
