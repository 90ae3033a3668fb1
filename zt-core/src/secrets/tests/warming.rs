//! Secrets that are fetched before anybody reads them.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_warm_is_served_and_nothing_is_handed_out() {
    let world = World::with("zt-needle-warm", Validity::ALWAYS);
    let missing = SecretRequest::new(id("missing"));
    let undeclared = SecretRequest::new(id("undeclared"));
    world
        .secrets
        .declare([world.request.clone(), missing.clone()]);
    let wanted = [
        missing,
        world.request.clone(),
        undeclared,
        world.request.clone(),
    ];
    let warmed = world.secrets.warm(&wanted, MINUTE).await;
    assert_eq!(warmed.ready, 2);
    let failed: Vec<_> = warmed
        .failed
        .iter()
        .map(|(place, error)| (*place, error.code()))
        .collect();
    assert_eq!(failed, [(0, Code::NotFound), (2, Code::NotFound)]);
    assert!(!format!("{warmed:?}").contains("needle"));
    assert_eq!(world.vault.calls(), 2);
    assert_eq!(world.slot().readers, 0, "nobody holds the value");
    assert!(at_once(&world.secrets, &world.request).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_budget_ends_the_wait_and_not_the_fetch() {
    let world = World::with("zt-needle-budget", Validity::ALWAYS);
    world.vault.hold();
    let begin = tokio::time::Instant::now();
    let budget = Duration::from_millis(500);
    let warmed = world
        .secrets
        .warm(std::slice::from_ref(&world.request), budget)
        .await;
    assert_eq!(begin.elapsed(), budget);
    assert_eq!((warmed.ready, warmed.failed.len()), (0, 1));
    assert_eq!(warmed.failed[0].1.code(), Code::VaultUnavailable);
    world.vault.release();
    world.settle().await;
    assert!(at_once(&world.secrets, &world.request).is_some());
    assert_eq!(world.vault.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_bridges_a_failure_is_ready() {
    let world = World::with("zt-needle-bridge", Validity::ALWAYS);
    assert!(world.reads("zt-needle-bridge").await);
    world.clock.advance(10 * MINUTE);
    world.vault.fail(2, &VaultError::unavailable("503", None));
    let warmed = world
        .secrets
        .warm(std::slice::from_ref(&world.request), MINUTE)
        .await;
    assert_eq!((warmed.ready, warmed.failed.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_go_through_sixteen_at_a_time() {
    let world = World::new();
    let requests: Vec<_> = (0..200)
        .map(|n| {
            let id = id(&format!("s{n}"));
            let value = SecretBytes::copy_of(b"zt-needle-many");
            world.memory.set(&id, value, Validity::ALWAYS).unwrap();
            SecretRequest::new(id)
        })
        .collect();
    world.secrets.declare(requests.clone());
    let warmed = world.secrets.warm(&requests, MINUTE).await;
    assert_eq!((warmed.ready, warmed.failed.len()), (200, 0));
    assert_eq!(world.vault.calls(), 200);
    for request in &requests {
        assert!(at_once(&world.secrets, request).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_without_end_is_a_long_one() {
    let world = World::with("zt-needle-budget", Validity::ALWAYS);
    let warmed = world
        .secrets
        .warm(std::slice::from_ref(&world.request), Duration::MAX)
        .await;
    assert_eq!((warmed.ready, warmed.failed.len()), (1, 0));
}
