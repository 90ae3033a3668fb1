//! The failure table, row by row: what a fault means for a slot without a value, with a fresh one, with one that is due,
//! and with one that has outlived its TTL.

use super::*;

/// One row of the table.
struct Row {
    fault: VaultError,
    /// What a reader without a value is told.
    code: Code,
    /// Calls that such a miss makes.
    calls: u64,
    /// For how many seconds it is then answered without a call.
    silence: u64,
    /// The slot that had no value.
    absent: SlotState,
    /// Whether a value within its TTL is served on, and one in the stale window.
    fresh: bool,
    stale: bool,
    gate: &'static str,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    let id = || id("bureau-api-key");
    let row = |fault, code, calls, silence, absent| Row {
        fault,
        code,
        calls,
        silence,
        absent,
        fresh: true,
        stale: true,
        gate: "open",
    };
    let senseless = |fault, code| row(fault, code, 1, 1, SlotState::Negative);
    let no = |fault, code, silence| Row {
        fresh: false,
        stale: false,
        ..row(fault, code, 1, silence, SlotState::Negative)
    };
    let paused = |row: Row| Row {
        gate: "paused",
        ..row
    };
    let expired = VaultError::Expired {
        id: id(),
        expires: START,
    };
    let early = VaultError::NotYetValid {
        id: id(),
        not_before: at(Duration::from_secs(120) + 12 * MINUTE),
    };
    let seven = Some(Duration::from_secs(7));
    vec![
        row(
            VaultError::unauthenticated("401"),
            Code::NoOwnIdentity,
            1,
            10,
            SlotState::Negative,
        ),
        no(VaultError::denied(&id(), "AccessDenied"), Code::Config, 30),
        no(
            VaultError::denied(&id(), "ForbiddenByRbac"),
            Code::Config,
            30,
        ),
        no(
            VaultError::denied(&id(), "ForbiddenByPolicy"),
            Code::Config,
            30,
        ),
        senseless(
            VaultError::firewall("kv", "ForbiddenByFirewall"),
            Code::NetworkRefused,
        ),
        senseless(
            VaultError::firewall("kv", "ForbiddenByConnection"),
            Code::NetworkRefused,
        ),
        no(VaultError::disabled(&id()), Code::NotFound, 60),
        no(expired, Code::NotFound, 30),
        Row {
            fresh: true,
            ..no(VaultError::not_found(&id()), Code::NotFound, 30)
        },
        Row {
            fresh: true,
            stale: true,
            ..no(early, Code::NotFound, 14 * 60)
        },
        paused(row(
            VaultError::throttled(seven),
            Code::VaultUnavailable,
            1,
            7,
            SlotState::Absent,
        )),
        paused(row(
            VaultError::throttled(None),
            Code::VaultUnavailable,
            1,
            10,
            SlotState::Absent,
        )),
        paused(row(
            VaultError::unavailable("503", seven),
            Code::VaultUnavailable,
            1,
            7,
            SlotState::Absent,
        )),
        row(
            VaultError::unavailable("503", None),
            Code::VaultUnavailable,
            2,
            0,
            SlotState::Absent,
        ),
        senseless(VaultError::network_refused("no rule"), Code::NetworkRefused),
        senseless(VaultError::tls("another name"), Code::VaultUnavailable),
        senseless(
            VaultError::integrity("kv", "not JSON"),
            Code::VaultIntegrity,
        ),
        // A fault of the question says nothing about what is held.
        Row {
            fresh: true,
            stale: true,
            ..no(VaultError::invalid("400"), Code::InvalidArgument, 30)
        },
    ]
}

#[tokio::test(start_paused = true)]
async fn a_miss_is_told_what_happened_and_a_no_is_believed_for_its_time() {
    for row in rows() {
        let world = World::with("zt-needle-absent", Validity::ALWAYS);
        world
            .vault
            .fail(usize::try_from(row.calls).unwrap(), &row.fault);
        assert_eq!(world.code().await, row.code, "{}", row.fault);
        assert_eq!(world.vault.calls(), row.calls, "{}", row.fault);
        assert_eq!(world.slot().state, row.absent, "{}", row.fault);
        assert_eq!(world.gate(), row.gate, "{}", row.fault);
        if row.silence > 0 {
            for _ in 0..3 {
                assert_eq!(world.code().await, row.code, "{}", row.fault);
            }
            world
                .clock
                .advance(Duration::from_secs(row.silence) - Duration::from_millis(1));
            assert_eq!(world.code().await, row.code, "{}", row.fault);
            assert_eq!(world.vault.calls(), row.calls, "{}: silence", row.fault);
            world.clock.advance(Duration::from_millis(1));
        }
        assert!(world.reads("zt-needle-absent").await, "{}", row.fault);
        assert_eq!(world.vault.calls(), row.calls + 1, "{}", row.fault);
        assert_eq!(world.slot().state, SlotState::Fresh);
    }
}

/// Held for so long when the fault comes, by a refresh ahead.
async fn refreshed_into(fault: &VaultError) -> World {
    let world = World::with("zt-needle-due", Validity::ALWAYS);
    assert!(world.reads("zt-needle-due").await);
    world.clock.advance(9 * MINUTE);
    assert_eq!(world.slot().state, SlotState::RefreshDue);
    world.vault.fail(1, fault);
    assert!(
        at_once(&world.secrets, &world.request).is_some(),
        "served while it is asked"
    );
    world.settle().await;
    assert_eq!(world.vault.calls(), 2, "{fault}: one call for one refresh");
    world
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_ends_a_value_only_with_a_no() {
    for row in rows() {
        let world = refreshed_into(&row.fault).await;
        let slot = world.slot();
        assert_eq!(world.gate(), row.gate, "{}", row.fault);
        if !row.fresh {
            assert_eq!(slot.state, SlotState::Negative, "{}", row.fault);
            assert_eq!(world.code().await, row.code, "{}", row.fault);
            assert_eq!(
                world.vault.calls(),
                2,
                "{}: a no is not asked again",
                row.fault
            );
            continue;
        }
        assert_eq!(
            (slot.state, slot.failures),
            (SlotState::RefreshDue, 1),
            "{}",
            row.fault
        );
        assert!(slot.last_error.is_some());
        for _ in 0..3 {
            let secret = at_once(&world.secrets, &world.request).unwrap();
            assert!(secret.stale_for().is_none(), "within its TTL");
        }
        world.settle().await;
        assert_eq!(
            world.vault.calls(),
            2,
            "{}: not before the pause is over",
            row.fault
        );
        world
            .clock
            .advance(Duration::from_secs(row.silence.clamp(5, 10)));
        assert!(at_once(&world.secrets, &world.request).is_some());
        world.settle().await;
        assert_eq!(world.vault.calls(), 3, "{}: after it", row.fault);
        assert_eq!(
            (world.slot().state, world.slot().failures),
            (SlotState::Fresh, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_forced_refresh_that_fails_ends_a_fresh_value_only_with_a_no() {
    for row in rows() {
        let world = World::with("zt-needle-forced", Validity::ALWAYS);
        assert!(world.reads("zt-needle-forced").await);
        world.clock.advance(MINUTE);
        world
            .vault
            .fail(usize::try_from(row.calls).unwrap(), &row.fault);
        let error = world.secrets.refresh(&world.request).await.unwrap_err();
        assert_eq!(error.code(), row.code, "{}", row.fault);
        let after = world.secrets.peek(&world.request);
        assert_eq!(after.is_some(), row.fresh, "{}", row.fault);
        let state = if row.fresh {
            SlotState::Fresh
        } else {
            SlotState::Negative
        };
        assert_eq!(world.slot().state, state, "{}", row.fault);
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_stale_window_a_no_ends_a_value_and_trouble_does_not() {
    for row in rows() {
        let world = World::with("zt-needle-stale", Validity::ALWAYS);
        assert!(world.reads("zt-needle-stale").await);
        world.clock.advance(10 * MINUTE);
        world.vault.fail(2, &VaultError::unavailable("503", None));
        let secret = world.get().await.unwrap();
        assert_eq!(secret.stale_for(), Some(Duration::ZERO));
        assert_eq!(world.slot().state, SlotState::Stale);
        world.clock.advance(2 * MINUTE);
        world.vault.fail(1, &row.fault);
        let secret = at_once(&world.secrets, &world.request).unwrap();
        assert_eq!(secret.stale_for(), Some(2 * MINUTE));
        world.settle().await;
        assert_eq!(world.vault.calls(), 4, "{}", row.fault);
        let after = world.secrets.peek(&world.request);
        assert_eq!(after.is_some(), row.stale, "{}", row.fault);
        let state = if row.stale {
            SlotState::Stale
        } else {
            SlotState::Negative
        };
        assert_eq!(world.slot().state, state, "{}", row.fault);
        if !row.stale {
            assert_eq!(world.code().await, row.code, "{}", row.fault);
            continue;
        }
        world.settle().await;
        // Whatever happens, not a millisecond longer than its hour.
        world.clock.advance(58 * MINUTE - Duration::from_millis(1));
        world.vault.hold();
        assert!(
            world.secrets.peek(&world.request).is_some(),
            "{}",
            row.fault
        );
        world.clock.advance(Duration::from_millis(1));
        assert!(
            world.secrets.peek(&world.request).is_none(),
            "{}",
            row.fault
        );
        world.secrets.sweep();
        assert_eq!(world.slot().version, None, "wiped");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_none_ends_a_value_five_seconds_after_the_first() {
    let missing = VaultError::not_found(&id("bureau-api-key"));
    let world = refreshed_into(&missing).await;
    world.vault.fail(2, &missing);
    world.clock.advance(Duration::from_millis(4999));
    assert!(world.secrets.refresh(&world.request).await.is_err());
    assert!(
        world.secrets.peek(&world.request).is_some(),
        "too early to be sure"
    );
    world.clock.advance(Duration::from_secs(1));
    world.secrets.sweep();
    world.settle().await;
    assert!(world.secrets.peek(&world.request).is_none());
    assert_eq!(world.slot().state, SlotState::Negative);
}

#[tokio::test(start_paused = true)]
async fn a_none_in_between_is_forgiven() {
    let missing = VaultError::not_found(&id("bureau-api-key"));
    let world = refreshed_into(&missing).await;
    world.clock.advance(Duration::from_secs(5));
    world.secrets.sweep();
    world.settle().await;
    assert_eq!(
        (world.slot().state, world.slot().failures),
        (SlotState::Fresh, 0)
    );
    world.vault.fail(1, &missing);
    world.clock.advance(MINUTE);
    assert!(world.secrets.refresh(&world.request).await.is_err());
    assert!(
        world.secrets.peek(&world.request).is_some(),
        "the count begins anew"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_vault_did_not_find_does_not_outlive_its_ttl() {
    let world = refreshed_into(&VaultError::not_found(&id("bureau-api-key"))).await;
    world.clock.advance(MINUTE);
    assert!(world.secrets.peek(&world.request).is_none());
    world
        .vault
        .fail(1, &VaultError::not_found(&id("bureau-api-key")));
    assert_eq!(world.code().await, Code::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_a_day_is_over_after_five_minutes() {
    let world = World::with("zt-needle-pause", Validity::ALWAYS);
    assert!(world.reads("zt-needle-pause").await);
    world.clock.advance(9 * MINUTE);
    let day = Some(24 * 60 * MINUTE);
    world.vault.fail(1, &VaultError::throttled(day));
    assert!(world.secrets.peek(&world.request).is_some());
    world.settle().await;
    world.clock.advance(5 * MINUTE);
    assert!(world.secrets.peek(&world.request).is_some());
    world.settle().await;
    assert_eq!(world.vault.calls(), 3);
    assert_eq!(world.slot().state, SlotState::Fresh);
}

#[tokio::test(start_paused = true)]
async fn a_no_at_the_second_call_of_a_miss_is_a_no() {
    let world = World::with("zt-needle-second", Validity::ALWAYS);
    assert!(world.reads("zt-needle-second").await);
    let id = world.request.key().id();
    world.vault.fail(1, &VaultError::unavailable("503", None));
    world
        .vault
        .fail(1, &VaultError::denied(id, "ForbiddenByRbac"));
    let error = world.secrets.refresh(&world.request).await.unwrap_err();
    assert_eq!(error.code(), Code::Config);
    assert!(world.secrets.peek(&world.request).is_none());
    assert_eq!(world.slot().state, SlotState::Negative);
}
