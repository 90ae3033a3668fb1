//! One call for all who miss, and what ends it.

use super::*;

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

/// A fetch that was overtaken heard a "no" after the one that overtook it heard a value: who is right, the vault must say.
#[test]
fn the_no_of_a_fetch_that_was_overtaken_ends_what_is_held() {
    let world = World::new();
    let (timing, now) = (Timing::new(), Now::read(&*world.clock));
    let terms = world.request.terms_under(&timing);
    let declared = world.secrets.table().find(world.request.key()).unwrap();
    let start = || match declared.slot.board(&terms, &*world.clock, &timing) {
        boarding::Boarding::Start(start) => start.ticket,
        other @ (boarding::Boarding::Served(..)
        | boarding::Boarding::Refused(_)
        | boarding::Boarding::Wait(_)) => panic!("{other:?}"),
    };
    let early = start();
    declared.slot.forget(now, &timing);
    let late = start();
    let id = world.request.key().id();
    let version = SecretVersion::from_u128(1);
    let fetched = Fetched::new(SecretBytes::copy_of(b"zt-needle-late"), version);
    let value = Ok(Secret::admit(id, fetched, START).unwrap());
    declared.slot.land(late, &value, terms, now, now, &timing);
    assert!(world.secrets.peek(&world.request).is_some());
    let down = Err(FetchError::new(VaultError::unavailable("503", None), None));
    declared.slot.land(early, &down, terms, now, now, &timing);
    assert!(world.secrets.peek(&world.request).is_some());
    let refused = VaultError::denied(id, "ForbiddenByRbac");
    let refused = Err(FetchError::new(refused, None));
    declared
        .slot
        .land(early, &refused, terms, now, now, &timing);
    assert!(world.secrets.peek(&world.request).is_none());
}
