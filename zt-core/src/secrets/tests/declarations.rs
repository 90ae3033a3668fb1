//! Reloads, identities, versions, and what is forgotten.

use super::*;

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
