//! Vaults that the rules of the network forbid: nothing is served, nobody is asked.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_rule_ends_what_is_held_and_nobody_is_asked_until_it_goes() {
    let world = World::with("zt-needle-rule", Validity::ALWAYS);
    let refused = VaultError::network_refused("no rule names it");
    for situation in [Duration::ZERO, 9 * MINUTE, 12 * MINUTE] {
        let declare = |refused: Option<VaultError>| {
            world
                .secrets
                .declare_where([world.request.clone()], |_| refused.clone());
        };
        assert!(world.reads("zt-needle-rule").await);
        world.clock.advance(situation);
        let calls = world.vault.calls();
        declare(Some(refused.clone()));
        assert!(world.secrets.peek(&world.request).is_none());
        assert_eq!(world.code().await, Code::NetworkRefused);
        let error = world.secrets.refresh(&world.request).await.unwrap_err();
        assert_eq!(error.code(), Code::NetworkRefused);
        world.secrets.sweep();
        world.settle().await;
        assert_eq!(
            (world.vault.calls(), world.slot().state),
            (calls, SlotState::Forbidden)
        );
        declare(None);
        assert!(world.secrets.peek(&world.request).is_none(), "wiped");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_vault_that_is_forbidden_meanwhile_gets_nothing() {
    let world = World::with("zt-needle-meanwhile", Validity::ALWAYS);
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let reader = tokio::spawn(async move { secrets.get(&request).await });
    while world.vault.calls() < 1 {
        tokio::task::yield_now().await;
    }
    let refused = Some(VaultError::network_refused("no rule names it"));
    world
        .secrets
        .declare_where([world.request.clone()], |_| refused.clone());
    world.vault.release();
    let error = reader.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::NetworkRefused);
    assert_eq!(world.slot().state, SlotState::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_under_way_does_not_call_again_once_its_vault_is_forbidden() {
    let world = World::with("zt-needle-again", Validity::ALWAYS);
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let reader = tokio::spawn(async move { secrets.get(&request).await });
    while world.vault.calls() < 1 {
        tokio::task::yield_now().await;
    }
    let refused = Some(VaultError::network_refused("no rule names it"));
    world
        .secrets
        .declare_where([world.request.clone()], |_| refused.clone());
    assert!(reader.await.unwrap().is_err());
    assert_eq!(world.vault.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_forbidden_is_forbidden_in_a_child_too() {
    let world = World::new();
    let refused = VaultError::network_refused("no row names it");
    world
        .secrets
        .declare_where([world.request.clone()], |_| Some(refused.clone()));
    let counters = &world.secrets.crew.counters;
    let born = world
        .secrets
        .table()
        .reborn(1, GateLimits::new(), Duration::ZERO, counters);
    let declared = born.find(world.request.key()).unwrap();
    assert!(declared.slot.forbidden().is_some());
}
