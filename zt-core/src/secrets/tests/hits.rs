//! What is served without the vault, and what is not.

use super::*;

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

/// A hit by name is measured with the rest of the public interface, in `tests/no_alloc.rs`.
#[tokio::test(start_paused = true)]
async fn a_hit_by_handle_allocates_nothing() {
    let world = World::with("zt-needle-handle", Validity::ALWAYS.ending(at(90 * MINUTE)));
    assert!(world.reads("zt-needle-handle").await);
    let handle = world.secrets.slot(&world.request).unwrap();
    for (passed, is_stale) in [(MINUTE, false), (10 * MINUTE, true)] {
        world.clock.advance(passed);
        world.vault.fail(2, &VaultError::unavailable("503", None));
        assert!(world.get().await.is_ok());
        let mut served = 0;
        let counted = allocation_counter::measure(|| {
            for _ in 0..100 {
                let secret = world
                    .secrets
                    .peek_by(&handle, &world.request, world.secrets.tick());
                let secret = secret.filter(|secret| secret.stale_for().is_some() == is_stale);
                served += u32::from(secret.is_some());
            }
        });
        assert_eq!((counted.count_total, served), (0, 100));
    }
}
