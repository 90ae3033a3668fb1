//! A child that was forked while its parent held every lock of the cache.

use super::*;

/// The cache as a forked child finds it: the same memory, in a process that has no rings yet.
fn child_of(stage: &Stage) -> Arc<KeyCache> {
    let parent = &stage.cache;
    Arc::new_cyclic(|this| KeyCache {
        profile: parent.profile.clone(),
        around: parent.around.clone(),
        known: ArcSwap::new(parent.known.load_full()),
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
