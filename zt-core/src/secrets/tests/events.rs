//! Explicit refreshes and deliveries of Event Grid.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn event(vault: &str, name: &str) -> String {
    format!(
        r#"{{"type": "Microsoft.KeyVault.SecretNewVersionCreated", "data": {{"Id": "https://{vault}/secrets/{name}/ee059b2bb5bc48398a53b168c6cdcb10"}}}}"#
    )
}

fn news() -> String {
    event("kv-brindlewick-prod.vault.azure.net", "bureau-api-key")
}

#[tokio::test(start_paused = true)]
async fn a_new_version_is_read_once_it_has_landed() {
    let world = World::with("zt-needle-v1", Validity::ALWAYS);
    assert!(world.reads("zt-needle-v1").await);
    world.set("zt-needle-v2", Validity::ALWAYS);
    world.vault.hold();
    let delivery = world.secrets.on_event(news().as_bytes()).unwrap();
    assert_eq!((delivery.taken.len(), delivery.ignored), (1, 0));
    let held = at_once(&world.secrets, &world.request).unwrap();
    assert!(held.reveal() == b"zt-needle-v1", "served on until then");
    world.vault.release();
    world.settle().await;
    let held = at_once(&world.secrets, &world.request).unwrap();
    assert!(held.reveal() == b"zt-needle-v2");
}

#[tokio::test(start_paused = true)]
async fn an_event_makes_a_no_forgotten_at_once() {
    let world = World::new();
    assert_eq!(world.code().await, Code::NotFound);
    world.set("zt-needle-now", Validity::ALWAYS);
    assert_eq!(world.code().await, Code::NotFound, "believed");
    world.secrets.on_event(news().as_bytes()).unwrap();
    assert!(
        world.reads("zt-needle-now").await,
        "who reads meanwhile waits for the answer"
    );
    assert_eq!(world.vault.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_may_not_ask_yet_leaves_a_no_believed() {
    let world = World::new();
    assert_eq!(world.code().await, Code::NotFound);
    world.secrets.on_event(news().as_bytes()).unwrap();
    world.settle().await;
    assert_eq!(world.vault.calls(), 2);
    world.set("zt-needle-now", Validity::ALWAYS);
    for _ in 0..100 {
        world.secrets.on_event(news().as_bytes()).unwrap();
        assert_eq!(world.code().await, Code::NotFound);
    }
    assert_eq!(world.vault.calls(), 2, "no reader asks for each event");
    world.clock.advance(SECOND);
    world.secrets.sweep();
    world.settle().await;
    assert!(world.reads("zt-needle-now").await);
    assert_eq!(world.vault.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn events_about_other_secrets_and_vaults_are_ignored() {
    let world = World::with("zt-needle-other", Validity::ALWAYS);
    for body in [
        event("kv-elsewhere.vault.azure.net", "bureau-api-key"),
        event("kv-brindlewick-prod.vault.azure.net", "another"),
    ] {
        let delivery = world.secrets.on_event(body.as_bytes()).unwrap();
        assert_eq!((delivery.taken.len(), delivery.ignored), (0, 1));
    }
    world.settle().await;
    assert_eq!(world.vault.calls(), 0);
}

/// For every state in which a slot stands still: with a value, without one because the vault fails, and with a TTL of zero.
#[tokio::test(start_paused = true)]
async fn ten_thousand_events_are_one_call_a_second_at_most() {
    for (ttl, fails) in [
        (10 * MINUTE, false),
        (10 * MINUTE, true),
        (Duration::ZERO, false),
    ] {
        let world = World::with("zt-needle-flood", Validity::ALWAYS);
        let request = world.request.clone().with_ttl(ttl);
        world.secrets.declare([request]);
        // Of what nobody has read there is nothing to renew.
        world.secrets.on_event(news().as_bytes()).unwrap();
        world.settle().await;
        assert_eq!(world.vault.calls(), 0);
        assert!(world.get().await.is_ok());
        if fails {
            let error = VaultError::integrity("kv", "not JSON");
            world.vault.fail(10_000, &error);
        }
        let body = format!("[{}]", vec![news(); 100].join(","));
        for _ in 0..100 {
            world.secrets.on_event(body.as_bytes()).unwrap();
            world.settle().await;
            world.secrets.sweep();
            world.settle().await;
            world.clock.advance(SECOND / 10);
        }
        let calls = world.vault.calls() - 1;
        assert!((10..=11).contains(&calls), "{calls} calls in ten seconds");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_during_a_fetch_is_made_up_for() {
    let world = World::with("zt-needle-v1", Validity::ALWAYS);
    assert!(world.reads("zt-needle-v1").await);
    world.secrets.on_event(news().as_bytes()).unwrap();
    world.settle().await;
    world.set("zt-needle-v2", Validity::ALWAYS);
    world.secrets.on_event(news().as_bytes()).unwrap();
    world.settle().await;
    let held = at_once(&world.secrets, &world.request).unwrap();
    assert!(held.reveal() == b"zt-needle-v1", "too early to ask again");
    world.clock.advance(SECOND);
    world.secrets.sweep();
    world.settle().await;
    let held = at_once(&world.secrets, &world.request).unwrap();
    assert!(held.reveal() == b"zt-needle-v2");
    world.clock.advance(SECOND);
    world.secrets.sweep();
    world.settle().await;
    assert_eq!(world.vault.calls(), 3, "made up for once");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_asks_once_a_second_and_what_is_held_is_served_meanwhile() {
    let world = World::with("zt-needle-v1", Validity::ALWAYS);
    assert!(world.reads("zt-needle-v1").await);
    world.set("zt-needle-v2", Validity::ALWAYS);
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let refresh = tokio::spawn(async move { secrets.refresh(&request).await });
    while world.vault.calls() < 2 {
        tokio::task::yield_now().await;
    }
    let held = at_once(&world.secrets, &world.request).unwrap();
    assert!(held.reveal() == b"zt-needle-v1");
    world.vault.release();
    assert!(refresh.await.unwrap().unwrap().reveal() == b"zt-needle-v2");
    for _ in 0..100 {
        let secret = world.secrets.refresh(&world.request).await.unwrap();
        assert!(secret.reveal() == b"zt-needle-v2");
    }
    assert_eq!(world.vault.calls(), 2);
    world.clock.advance(SECOND);
    assert!(world.secrets.refresh(&world.request).await.is_ok());
    assert_eq!(world.vault.calls(), 3);
}

/// A refresh within the second of another one gets what is held, but never what its own terms forbid.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_comes_too_early_keeps_to_its_own_terms() {
    let world = World::with("zt-needle-terms", Validity::ALWAYS);
    assert!(world.reads("zt-needle-terms").await);
    world.clock.advance(5 * MINUTE);
    let down = VaultError::unavailable("503", None);
    let strict = [
        world
            .request
            .clone()
            .with_ttl(MINUTE)
            .with_max_stale(Duration::ZERO),
        world.request.clone().with_ttl(Duration::ZERO),
    ];
    for request in &strict {
        world.clock.advance(SECOND);
        world.vault.fail(4, &down);
        assert!(world.secrets.refresh(request).await.is_err());
        assert!(
            world.secrets.refresh(request).await.is_err(),
            "not five minutes old"
        );
        assert!(world.secrets.peek(&world.request).is_some());
        world.clock.advance(MINUTE / 2);
    }
}
