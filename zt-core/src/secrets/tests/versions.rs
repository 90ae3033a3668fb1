//! Single versions of declared secrets, two rows that name one secret, and rows that change.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(start_paused = true)]
async fn a_version_is_only_that_version() {
    let world = World::new();
    let old = world.set("zt-needle-old", Validity::ALWAYS);
    let new = world.set("zt-needle-new", Validity::ALWAYS);
    for (version, value) in [
        (old, b"zt-needle-old"),
        (new, b"zt-needle-new"),
        (old, b"zt-needle-old"),
    ] {
        let secret = world
            .secrets
            .get_version(&world.request, version)
            .await
            .unwrap();
        assert!(secret.reveal() == value && secret.version() == version);
    }
    assert_eq!(world.vault.calls(), 2, "each is kept");
    assert!(
        world.secrets.peek(&world.request).is_none(),
        "and is not the current one"
    );
    world.clock.advance(23 * 60 * MINUTE);
    let secret = world
        .secrets
        .get_version(&world.request, old)
        .await
        .unwrap();
    assert!(secret.reveal() == b"zt-needle-old");
}

#[tokio::test(start_paused = true)]
async fn no_version_of_what_is_not_declared() {
    let world = World::new();
    let version = world.set("zt-needle-undeclared", Validity::ALWAYS);
    let mut undeclared = vec![
        SecretRequest::new(id("another")),
        world
            .request
            .clone()
            .with_identity("sp:sp-score-201".parse().unwrap()),
    ];
    for request in &undeclared {
        let error = world
            .secrets
            .get_version(request, version)
            .await
            .unwrap_err();
        assert!(error.message().contains("no table declares"));
    }
    assert_eq!(world.vault.calls(), 0);
    // What was readable as long as its row stood there is wiped with the row.
    world
        .secrets
        .declare([world.request.clone(), undeclared.remove(1)]);
    let identity = world
        .request
        .clone()
        .with_identity("sp:sp-score-201".parse().unwrap());
    assert!(world.secrets.get_version(&identity, version).await.is_ok());
    assert!(
        world
            .secrets
            .get_version(&world.request, version)
            .await
            .is_ok()
    );
    let slots = |world: &World| world.secrets.table().versions.iter().count();
    assert_eq!(slots(&world), 2);
    world.secrets.declare([world.request.clone()]);
    world.secrets.table().versions.run_pending_tasks();
    assert_eq!(slots(&world), 1, "the other identity's is gone");
    let pinned = identity.at(version);
    assert!(world.secrets.peek(&pinned).is_none());
    world.secrets.declare([SecretRequest::new(id("another"))]);
    world.secrets.table().versions.run_pending_tasks();
    assert_eq!(slots(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn versions_are_bounded_and_one_that_is_put_out_says_so() {
    let world = World::new();
    let versions: Vec<_> = (0..1200)
        .map(|_| world.set("zt-needle-many", Validity::ALWAYS))
        .collect();
    let first = world.request.clone().at(versions[0]);
    assert!(
        world
            .secrets
            .get_version(&world.request, versions[0])
            .await
            .is_ok()
    );
    let handle = world.secrets.slot(&first).unwrap();
    assert!(
        world
            .secrets
            .peek_by(&handle, &first, world.secrets.tick())
            .is_some()
    );
    for version in &versions {
        world.clock.advance(Duration::from_millis(100));
        assert!(
            world
                .secrets
                .get_version(&world.request, *version)
                .await
                .is_ok()
        );
    }
    world.secrets.sweep();
    assert!(world.secrets.table().versions.iter().count() <= 1000);
    let is_in = |version: &SecretVersion| {
        let request = world.request.clone().at(*version);
        world.secrets.table().find(request.key()).is_some()
    };
    let put_out = versions.iter().find(|version| !is_in(version)).unwrap();
    assert!(
        world
            .secrets
            .peek(&world.request.clone().at(*put_out))
            .is_none()
    );
    world.secrets.invalidate(world.request.key().id().name());
    assert!(
        world
            .secrets
            .peek_by(&handle, &first, world.secrets.tick())
            .is_none(),
        "in or out, it is forgotten"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reference_that_keeps_nothing_keeps_no_version_either() {
    let world = World::new();
    let version = world.set("zt-needle-keep", Validity::ALWAYS);
    let request = world.request.clone().with_ttl(Duration::ZERO);
    world.secrets.declare([request.clone()]);
    for calls in 1..=2 {
        assert!(world.secrets.get_version(&request, version).await.is_ok());
        assert_eq!(world.vault.calls(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_ends_versions_too() {
    let world = World::new();
    let kept = world.set("zt-needle-kept", Validity::ALWAYS);
    let other = world.set("zt-needle-unasked", Validity::ALWAYS);
    assert!(
        world
            .secrets
            .get_version(&world.request, kept)
            .await
            .is_ok()
    );
    let refused = Some(VaultError::network_refused("no rule names it"));
    world
        .secrets
        .declare_where([world.request.clone()], |_| refused.clone());
    for version in [kept, other] {
        let error = world
            .secrets
            .get_version(&world.request, version)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::NetworkRefused);
        assert!(
            world
                .secrets
                .peek(&world.request.clone().at(version))
                .is_none()
        );
    }
    assert_eq!(world.vault.calls(), 1);
    world.secrets.declare([world.request.clone()]);
    assert!(
        world
            .secrets
            .get_version(&world.request, kept)
            .await
            .is_ok()
    );
    assert_eq!(world.vault.calls(), 2, "what was held is wiped");
}

/// Each row keeps to its own TTL, whoever filled the slot.
#[tokio::test(start_paused = true)]
async fn two_rows_of_one_secret_keep_to_their_own_times() {
    let world = World::with("zt-needle-rows", Validity::ALWAYS);
    let long = world.request.clone();
    let short = long.clone().with_ttl(MINUTE).with_max_stale(MINUTE);
    world.secrets.declare([long.clone(), short.clone()]);
    assert_eq!(world.secrets.health().slots.len(), 1);
    for filler in [&long, &short] {
        world.secrets.clear();
        assert!(world.secrets.get(filler).await.is_ok());
        world.clock.advance(MINUTE - Duration::from_millis(1));
        assert!(world.secrets.peek(&short).is_some());
        world.clock.advance(Duration::from_millis(1));
        assert!(world.secrets.peek(&short).is_none());
        world.settle().await;
    }
    // In trouble too: a minute of its own and one more.
    world.secrets.clear();
    assert!(world.secrets.get(&long).await.is_ok());
    world.clock.advance(MINUTE);
    world.vault.hold();
    let secret = world.secrets.get(&short).await.unwrap();
    assert_eq!(secret.stale_for(), Some(Duration::ZERO));
    world.clock.advance(MINUTE - Duration::from_millis(1));
    assert!(world.secrets.peek(&short).is_some());
    world.clock.advance(Duration::from_millis(1));
    assert!(world.secrets.peek(&short).is_none());
    assert!(world.secrets.peek(&long).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_row_that_gets_a_shorter_ttl_keeps_nothing_for_longer() {
    let world = World::with("zt-needle-row", Validity::ALWAYS);
    world.secrets.declare([world.request.clone().with_ttl(DAY)]);
    assert!(
        world
            .secrets
            .get(&world.request.clone().with_ttl(DAY))
            .await
            .is_ok()
    );
    world.secrets.declare([world.request.clone()]);
    assert!(world.secrets.peek(&world.request).is_some());
    world.vault.hold();
    world.clock.advance(9 * MINUTE);
    assert_eq!(world.slot().state, SlotState::RefreshDue);
    world.clock.advance(70 * MINUTE);
    world.secrets.sweep();
    assert_eq!(world.slot().version, None, "wiped");
    world.vault.release();
    assert!(world.reads("zt-needle-row").await);
    world
        .secrets
        .declare([world.request.clone().with_ttl(Duration::ZERO)]);
    assert_eq!(world.slot().version, None, "wiped at once");
}

#[tokio::test(start_paused = true)]
async fn an_end_is_reported_once_for_each_level_and_version() {
    let world = World::with("zt-needle-end", Validity::ALWAYS.ending(at(40 * DAY)));
    world
        .secrets
        .declare([world.request.clone().with_ttl(60 * DAY)]);
    let request = world.request.clone().with_ttl(60 * DAY);
    assert!(world.secrets.get(&request).await.is_ok());
    let mut seen = Vec::new();
    for _hour in 0..40 * 24 - 1 {
        world.clock.advance(DAY / 24);
        assert!(world.secrets.get(&request).await.is_ok());
        world.secrets.sweep();
        world.settle().await;
        seen.push(world.secrets.counts().near_expiry);
    }
    let at_day = |day: usize| seen[day * 24 - 1];
    assert_eq!(
        [at_day(10), at_day(11), at_day(33), at_day(34), at_day(39)],
        [0, 1, 1, 2, 2]
    );
    assert_eq!(seen.last(), Some(&3));
    world.set("zt-needle-next", Validity::ALWAYS.ending(at(41 * DAY)));
    assert!(world.secrets.refresh(&request).await.is_ok());
    for _ in 0..3 {
        world.secrets.sweep();
    }
    assert_eq!(
        world.secrets.counts().near_expiry,
        4,
        "another version, another report"
    );
}
