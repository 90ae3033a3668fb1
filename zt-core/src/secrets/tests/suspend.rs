//! Machines that sleep, and wall clocks that are set: the tick stands still, the values age all the same.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// The machine sleeps: the wall clock goes on, the tick does not.
fn sleep(world: &World, by: Duration) {
    world.clock.jump_to(world.clock.now().after(by));
}

#[tokio::test(start_paused = true)]
async fn a_value_is_as_old_as_the_wall_clock_says() {
    let world = World::with("zt-needle-sleep", Validity::ALWAYS);
    assert!(world.reads("zt-needle-sleep").await);
    sleep(&world, 9 * MINUTE);
    world.vault.hold();
    world.secrets.sweep();
    assert_eq!(world.slot().state, SlotState::RefreshDue);
    assert_eq!(world.slot().age_s, Some(540));
    assert!(world.secrets.peek(&world.request).is_some());
    sleep(&world, MINUTE);
    world.secrets.sweep();
    assert!(
        world.secrets.peek(&world.request).is_none(),
        "no trouble is known yet"
    );
    sleep(&world, HOUR);
    world.secrets.sweep();
    assert_eq!(world.slot().version, None, "wiped");
}

#[tokio::test(start_paused = true)]
async fn many_short_sleeps_add_up() {
    let world = World::with("zt-needle-naps", Validity::ALWAYS);
    assert!(world.reads("zt-needle-naps").await);
    world.vault.hold();
    for _ in 0..150 {
        sleep(&world, 4 * SECOND);
        world.secrets.sweep();
    }
    world.clock.advance(5 * SECOND);
    world.secrets.sweep();
    assert!(
        world.secrets.peek(&world.request).is_none(),
        "ten minutes slept away"
    );
}

#[tokio::test(start_paused = true)]
async fn a_sleep_before_the_first_sweep_counts() {
    let world = World::with("zt-needle-first", Validity::ALWAYS);
    assert!(world.reads("zt-needle-first").await);
    sleep(&world, 2 * HOUR);
    world.secrets.sweep();
    assert!(world.secrets.peek(&world.request).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_waited_through_a_sleep_is_as_old_as_its_question() {
    let world = World::with("zt-needle-waited", Validity::ALWAYS);
    world.vault.hold();
    let (secrets, request) = (Arc::clone(&world.secrets), world.request.clone());
    let reader = tokio::spawn(async move { secrets.get(&request).await.map(drop) });
    while world.vault.calls() < 1 {
        tokio::task::yield_now().await;
    }
    sleep(&world, 8 * HOUR);
    world.vault.release();
    assert!(reader.await.unwrap().is_ok());
    assert!(world.secrets.peek(&world.request).is_none());
    assert!(world.reads("zt-needle-waited").await);
    assert_eq!(world.vault.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_revives_nothing() {
    let world = World::with("zt-needle-back", Validity::ALWAYS.ending(at(5 * MINUTE)));
    assert!(world.reads("zt-needle-back").await);
    world.vault.hold();
    for set_back in [Duration::ZERO, MINUTE, HOUR] {
        world.clock.advance(2 * MINUTE);
        let wall = START.as_millis() - i64::try_from(set_back.as_millis()).unwrap();
        world.clock.jump_to(Timestamp::from_millis(wall));
        world.secrets.sweep();
    }
    assert!(
        world.secrets.peek(&world.request).is_none(),
        "six minutes are six minutes"
    );
    assert_eq!(world.slot().version, None);
    let world = World::with("zt-needle-ttl", Validity::ALWAYS);
    assert!(world.reads("zt-needle-ttl").await);
    world.clock.advance(10 * MINUTE);
    world.clock.jump_to(START);
    world.secrets.sweep();
    assert!(
        world.secrets.peek(&world.request).is_none(),
        "nor does a TTL grow"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_goes_to_and_fro_makes_a_value_older_at_most() {
    let world = World::with("zt-needle-fro", Validity::ALWAYS);
    assert!(world.reads("zt-needle-fro").await);
    world.vault.hold();
    world
        .clock
        .jump_to(Timestamp::from_millis(START.as_millis() - 3_600_000));
    world.secrets.sweep();
    assert_eq!(world.slot().age_s, Some(0), "never younger");
    world.clock.jump_to(START);
    world.secrets.sweep();
    assert_eq!(
        world.slot().age_s,
        Some(3600),
        "nobody knows which hour was the true one"
    );
    assert!(world.secrets.peek(&world.request).is_none());
}
