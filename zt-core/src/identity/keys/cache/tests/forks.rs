//! A child that was forked while its parent held every lock of the cache.

use super::fake::Kept;
use super::*;

/// The cache as a forked child finds it: the same memory, in a process that has no rings yet.
fn child_of(stage: &Stage) -> Arc<KeyCache> {
    let parent = &stage.cache;
    Arc::new_cyclic(|this| KeyCache {
        profile: parent.profile.clone(),
        around: parent.around.clone(),
        generations: AtomicU64::new(parent.generations.load(Ordering::Relaxed)),
        places: parent.places.iter().map(Place::forked).collect(),
        rings: Local::new(),
        this: Weak::clone(this),
    })
}

fn door_of(stage: &Stage, cache: &Arc<KeyCache>) -> Authenticator {
    let (profile, clock) = (stage.tokens.profile(), stage.tokens.clock());
    Authenticator::with_published(profile, Arc::clone(cache), clock)
}

fn hold_every_lock(rings: &Rings) {
    Box::leak(Box::new(rings.making()));
    for live in rings.iter() {
        Box::leak(Box::new(live.ring()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_uses_what_its_parent_knew_and_waits_for_none_of_its_locks() {
    let stage = Stage::ready().await;
    stage.pass(Duration::from_secs(600)).await;
    hold_every_lock(stage.cache.rings());

    let child = child_of(&stage);
    let health = child.health();
    assert_eq!((health[0].state, health[0].keys), (KeyState::Fresh, 1));
    assert_eq!(health[0].age, Some(Duration::from_secs(600)));
    let before = stage.issuer.sets();
    child.tick();
    fake::settle().await;
    assert_eq!(stage.issuer.sets(), before, "it is not due");
    let door = door_of(&stage, &child);
    assert!(door.authenticate(&stage.tokens.user(first())).is_ok());
    let unknown = stage.tokens.user(second());
    assert!(door.authenticate_or_fetch(&unknown).await.is_err());
    assert_eq!(stage.issuer.sets(), before + 1, "asked by the child");
}

#[tokio::test(start_paused = true)]
async fn a_child_follows_a_rotation_and_keeps_what_the_new_set_still_lists() {
    let stage = Stage::ready().await;
    let child = child_of(&stage);
    stage.issuer.publish(jwks(&[first(), second()]));
    let door = door_of(&stage, &child);
    let rotated = stage.tokens.user(second());
    assert!(door.authenticate_or_fetch(&rotated).await.is_ok());
    assert!(door.authenticate(&stage.tokens.user(first())).is_ok());
    stage.tokens.advance(Duration::from_secs(24 * 3600));
    let late = door.authenticate(&stage.tokens.user(first()));
    assert!(late.is_err(), "no longer than a fetch lasts");
}

#[tokio::test(start_paused = true)]
async fn a_child_of_a_parent_that_knew_nothing_fetches_for_itself() {
    let stage = Stage::new();
    let child = child_of(&stage);
    assert_eq!(child.health()[0].state, KeyState::Empty);
    child.tick();
    fake::settle().await;
    assert_eq!(child.health()[0].state, KeyState::Fresh);
    assert_eq!(stage.state(), KeyState::Empty, "the parent's are its own");
}

/// With keys that an earlier process kept, and no fetch of its own yet.
async fn restored(keys: &[&crate::testing::DevIssuer]) -> Stage {
    let tokens = Tokens::new();
    let store: Arc<dyn KeyStore> = Arc::new(Kept::default());
    let issuer = || Arc::new(Issuer::new(jwks(keys)));
    let earlier = Stage::over(tokens.clone(), issuer(), Some(Arc::clone(&store)));
    earlier.cache.tick();
    fake::settle().await;
    earlier.kept().await;
    let stage = Stage::over(tokens, issuer(), Some(store));
    assert_eq!(
        (stage.issuer.sets(), stage.cache.health()[0].keys),
        (0, keys.len())
    );
    stage
}

#[tokio::test(start_paused = true)]
async fn restored_keys_serve_no_child_beside_the_set_that_it_fetches() {
    let stage = restored(&[first(), second()]).await;
    let child = child_of(&stage);
    let door = door_of(&stage, &child);
    let withdrawn = stage.tokens.user(first());
    assert!(door.authenticate(&withdrawn).is_ok());
    stage.issuer.publish(jwks(&[second()]));
    child.tick();
    fake::settle().await;
    assert!(door.authenticate(&withdrawn).is_err());
    assert!(door.authenticate(&stage.tokens.user(second())).is_ok());
}

#[tokio::test(start_paused = true)]
async fn for_how_long_a_key_is_missing_is_counted_across_forks() {
    let stage = Stage::over(
        Tokens::new(),
        Arc::new(Issuer::new(jwks(&[first(), second()]))),
        None,
    );
    stage.cache.tick();
    fake::settle().await;
    stage.issuer.publish(jwks(&[second()]));
    stage.refreshed().await;
    stage.tokens.advance(Duration::from_secs(590));
    let child = child_of(&stage);
    let door = door_of(&stage, &child);
    assert!(door.authenticate(&stage.tokens.user(first())).is_ok());
    stage.tokens.advance(Duration::from_secs(20));
    child.tick();
    fake::settle().await;
    assert!(door.authenticate(&stage.tokens.user(first())).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_child_knows_what_its_rings_know_also_where_its_parent_had_not_published_it() {
    let stage = Stage::ready().await;
    let later = Stage::over(
        stage.tokens.clone(),
        Arc::new(Issuer::new(jwks(&[second()]))),
        None,
    );
    later.cache.tick();
    fake::settle().await;
    let before = stage.cache.known().generation();
    // Forked after the ring's change was left beside it, and before what all know was made anew.
    stage.cache.places[0].bequeath(&later.cache.rings().get(0).unwrap().ring());
    let child = child_of(&stage);
    let known = child.known();
    assert_eq!(known.find(second().kid()).len(), 1);
    assert!(known.find(first().kid()).is_empty());
    assert_eq!(known.generation(), before + 1, "nothing remembered counts");
    assert_eq!(stage.cache.known().find(first().kid()).len(), 1);
}
