//! `nbf`, `exp` and wall clocks that jump.

use super::*;

#[tokio::test]
async fn a_value_leaves_its_slot_half_a_minute_before_it_expires() {
    let world = World::with("zt-needle-exp", Validity::ALWAYS.ending(at(5 * MINUTE)));
    assert!(world.reads("zt-needle-exp").await);
    world.clock.advance(4 * MINUTE + Duration::from_secs(29));
    assert!(world.secrets.peek(&world.request).is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.reads("zt-needle-exp").await, "not over yet");
    assert!(world.secrets.peek(&world.request).is_none(), "but not kept");
}

#[tokio::test]
async fn an_expired_secret_is_refused() {
    let world = World::with("zt-needle-over", Validity::ALWAYS.ending(at(MINUTE)));
    world.clock.advance(MINUTE);
    let error = world.get().await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error
            .message()
            .contains("expired at 2026-09-21T14:14:20.000Z")
    );
}

#[tokio::test]
async fn a_wall_clock_that_jumps_past_the_end_stops_hits_at_once() {
    let world = World::with("zt-needle-jump", Validity::ALWAYS.ending(at(60 * MINUTE)));
    assert!(world.reads("zt-needle-jump").await);
    world.clock.jump_to(at(61 * MINUTE));
    assert!(world.secrets.peek(&world.request).is_none());
    assert_eq!(world.code().await, Code::NotFound);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_before_the_beginning_stops_hits_at_once() {
    let world = World::with("zt-needle-nbf", Validity::ALWAYS.starting(START));
    assert!(world.reads("zt-needle-nbf").await);
    world.clock.jump_to(Timestamp::from_secs(1_789_999_999));
    assert!(world.secrets.peek(&world.request).is_none());
}

#[tokio::test]
async fn a_secret_of_tomorrow_is_refused_until_then() {
    let world = World::with(
        "zt-needle-early",
        Validity::ALWAYS.starting(at(Duration::from_secs(10))),
    );
    assert_eq!(world.code().await, Code::NotFound);
    world.clock.advance(Duration::from_secs(9));
    assert_eq!(world.code().await, Code::NotFound);
    assert_eq!(world.vault.calls(), 1, "the refusal was remembered");
    world.clock.advance(Duration::from_secs(1));
    assert!(world.reads("zt-needle-early").await);
}

#[tokio::test(start_paused = true)]
async fn who_is_woken_late_gets_nothing_that_has_ended_meanwhile() {
    let ends = Validity {
        expires: Some(at(MINUTE)),
        ..Validity::ALWAYS
    };
    let world = World::with("zt-needle-ends", ends);
    world.vault.hold();
    let mut reading = Box::pin(world.get());
    let mut context = Context::from_waker(Waker::noop());
    assert!(reading.as_mut().poll(&mut context).is_pending());
    world.vault.release();
    world.settle().await;
    world.clock.advance(2 * MINUTE);
    assert_eq!(reading.await.unwrap_err().code(), Code::NotFound);
}
