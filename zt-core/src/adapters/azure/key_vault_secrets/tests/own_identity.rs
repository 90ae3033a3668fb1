//! Our own identity is slow: the vault is not blamed for it.

use std::sync::Arc;

use super::*;
use crate::clock::Clock;
use crate::error::Code;
use crate::identity::OwnIdentity;
use crate::secrets::{SecretRequest, Secrets};

/// Five secrets behind slots, as whoever an identity says after so long.
fn slots(world: &World, takes: Duration) -> (Secrets, Vec<SecretRequest>) {
    *world.tokens.takes.lock().unwrap() = takes;
    let clock: Arc<dyn Clock> = Arc::<crate::testing::ManualClock>::clone(&world.clock);
    let identity = OwnIdentity::new(
        Arc::<fake::Tokens>::clone(&world.tokens),
        Arc::clone(&clock),
    );
    let http = Arc::<fake::Azure>::clone(&world.azure);
    let vault = KeyVaultSecrets::new(http, Arc::new(identity), Cloud::Public, Arc::clone(&clock));
    let secrets = Secrets::new(Arc::new(vault), clock);
    let requests: Vec<_> = (0..5)
        .map(|n| {
            let id = id(&format!("s{n}"));
            world.text(&id, "zt-needle-value");
            SecretRequest::new(id)
        })
        .collect();
    secrets.declare(requests.clone());
    (secrets, requests)
}

fn is_open(secrets: &Secrets) -> bool {
    secrets.health().gates[0].state == "open" && secrets.counts().closings == 0
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_with_the_second_call_is_in_time() {
    let world = World::new();
    let (secrets, requests) = slots(&world, Duration::from_millis(2_500));
    let warmed = secrets.warm(&requests, Duration::from_secs(5)).await;
    assert_eq!(warmed.ready, 5, "{warmed:?}");
    assert!(is_open(&secrets));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_come_is_told_as_that_and_nothing_is_remembered() {
    let world = World::new();
    let (secrets, requests) = slots(&world, Duration::from_secs(4));
    let begin = tokio::time::Instant::now();
    let warmed = secrets.warm(&requests, Duration::from_secs(5)).await;
    assert_eq!(warmed.failed.len(), 5);
    assert!(begin.elapsed() <= Duration::from_secs(3));
    for (_, error) in &warmed.failed {
        assert_eq!(error.code(), Code::IdentityUnavailable, "{error}");
        let text = error.to_string();
        assert!(
            text.contains("fake identity") && !text.contains("kv-loans"),
            "{text}"
        );
    }
    assert!(is_open(&secrets));
    tokio::time::sleep_until(begin + Duration::from_secs(3)).await;
    let secret = secrets.get(&requests[0]).await.unwrap();
    assert!(secret.reveal() == b"zt-needle-value");
    assert_eq!(secrets.counts().negative, 0);
    assert_eq!(world.given(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_hangs_is_blamed_as_before() {
    let world = World::new();
    let (secrets, requests) = slots(&world, Duration::ZERO);
    world.azure.held.send_replace(true);
    let warmed = secrets.warm(&requests, Duration::from_secs(5)).await;
    for (_, error) in &warmed.failed {
        assert_eq!(error.code(), Code::VaultUnavailable, "{error}");
    }
    assert_eq!(secrets.health().gates[0].state, "broken");
}

#[tokio::test(start_paused = true)]
async fn a_second_vault_is_not_asked_because_our_own_identity_is_late() {
    let world = World::new();
    let (secrets, requests) = slots(&world, Duration::from_millis(2_500));
    let second = "https://kv-loans-dr.vault.azure.net".parse().unwrap();
    let request = requests[0].clone().with_fallback(second);
    secrets.declare([request.clone()]);
    assert!(secrets.get(&request).await.is_ok());
    assert_eq!(secrets.counts().failovers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_hangs_after_a_token_came_in_time_is_left_for_the_second_one() {
    let world = World::new();
    let (secrets, requests) = slots(&world, Duration::from_millis(60));
    let second: VaultUrl = "https://kv-loans-dr.vault.azure.net".parse().unwrap();
    let there = SecretId::new(second.clone(), requests[0].key().id().name().clone());
    world.text(&there, "zt-needle-second");
    let request = requests[0].clone().with_fallback(second);
    secrets.declare([request.clone()]);
    world.azure.then(Next::Hang);
    let secret = secrets.get(&request).await.unwrap();
    assert!(secret.reveal() == b"zt-needle-second");
    assert_eq!(secrets.counts().failovers, 1);
}
