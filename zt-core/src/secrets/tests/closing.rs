//! The end: no call leaves after it, nothing lands, and what was counted stays counted.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_fetch_that_the_end_overtakes_gives_nothing_and_leaves_nothing() {
    let world = World::with("zt-needle-late", Validity::ALWAYS);
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let reader = tokio::spawn(async move { secrets.get(&request).await });
    while world.vault.calls() == 0 {
        tokio::task::yield_now().await;
    }
    world.secrets.close();
    world.vault.release();
    let error = reader.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::VaultUnavailable);
    world.settle().await;
    assert_eq!(world.slot().version, None);
}

#[tokio::test(start_paused = true)]
async fn after_the_end_nothing_is_served_and_nobody_is_called() {
    let world = World::with("zt-needle-after", Validity::ALWAYS);
    assert!(world.reads("zt-needle-after").await);
    world.secrets.close();
    for _ in 0..3 {
        assert_eq!(world.code().await, Code::VaultUnavailable);
    }
    world.secrets.sweep();
    world.settle().await;
    assert_eq!(world.vault.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_hits_of_what_is_gone_stay_counted() {
    let world = World::with("zt-needle-counted", Validity::ALWAYS);
    assert!(world.reads("zt-needle-counted").await);
    let version = world.get().await.unwrap().version();
    let pinned = || world.secrets.get_version(&world.request, version);
    for _ in 0..3 {
        assert!(pinned().await.is_ok());
    }
    let before = world.secrets.counts().hits;
    assert_eq!(before, 3, "one by name, two by version");
    world.secrets.declare([]);
    world.secrets.table().versions.run_pending_tasks();
    assert_eq!(world.secrets.counts().hits, before);
}

#[tokio::test(start_paused = true)]
async fn a_version_whose_row_has_left_is_not_read() {
    let world = World::with("zt-needle-left", Validity::ALWAYS);
    let version = world.get().await.unwrap().version();
    world.secrets.declare([]);
    let read = world.secrets.get_version(&world.request, version).await;
    assert_eq!(read.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.secrets.table().versions.iter().count(), 0);
}
