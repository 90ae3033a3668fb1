//! A child that was forked while its parent held data keys, and their lock.

use super::*;

/// The keys as a forked child finds them: the same memory, in a process that holds no data keys yet.
fn child_of(world: &World) -> DataKeys {
    let parent = &world.keys.0;
    let port: Arc<dyn RemoteKeys> = Arc::<Vault>::clone(&world.vault);
    let public = Public::new(Arc::clone(&port));
    let public = Secrets::new(Arc::new(public), Arc::clone(&parent.clock));
    let source = Source::Remote { keys: port, public };
    let child = DataKeys::new(
        source,
        Arc::clone(&parent.clock),
        Timing::new(),
        Arc::new(Tasks),
        Arc::new(Tasks),
    );
    child.0.declared.store(parent.declared.load_full());
    child
}

#[tokio::test]
async fn a_child_asks_the_vault_itself_and_waits_for_no_lock_of_its_parent() {
    let world = World::new();
    let wrapped = easy();
    assert!(!world.unwrap(&wrapped).await.unwrap().is_cached);
    assert!(world.unwrap(&wrapped).await.unwrap().is_cached);
    Box::leak(Box::new(world.keys.0.cache()));

    let child = child_of(&world);
    assert_eq!(child.health().held, 0);
    let first = child.unwrap(&id("kek"), &wrapped).await.unwrap();
    assert!(first.dek.reveal() == NEEDLE && !first.is_cached);
    assert_eq!(world.vault.unwraps(), 2, "asked by the child");
    let second = child.unwrap(&id("kek"), &wrapped).await.unwrap();
    assert!(second.is_cached);
}

#[tokio::test]
async fn a_child_joins_no_call_that_is_under_way_in_its_parent() {
    let world = World::new();
    world.vault.held.send_replace(true);
    let wrapped = easy();
    let (keys, asked) = (world.keys.clone(), wrapped.clone());
    let parent = tokio::spawn(async move { keys.unwrap(&id("kek"), &asked).await });
    settle().await;
    assert_eq!(world.vault.unwraps(), 1);

    let child = child_of(&world);
    let (own, asked) = (child.clone(), wrapped.clone());
    let opener = tokio::spawn(async move { own.unwrap(&id("kek"), &asked).await });
    settle().await;
    assert_eq!(world.vault.unwraps(), 2, "a flight of its own");
    world.vault.held.send_replace(false);
    assert!(parent.await.unwrap().is_ok() && opener.await.unwrap().is_ok());
    assert_eq!((world.keys.health().held, child.health().held), (1, 1));
}

#[tokio::test]
async fn what_a_child_is_refused_its_parent_goes_on_with() {
    let world = World::new();
    let wrapped = easy();
    drop(world.unwrap(&wrapped).await.unwrap());
    let child = child_of(&world);
    world.vault.fail("kv-loans.vault.azure.net", 20, &down());
    assert!(child.unwrap(&id("kek"), &wrapped).await.is_err());
    assert!(world.unwrap(&wrapped).await.unwrap().is_cached);
}
