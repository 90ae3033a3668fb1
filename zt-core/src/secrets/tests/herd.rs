//! Many at once: one call for a thousand readers, one call for a refresh, and no call in a pause.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn read(world: &World, request: &SecretRequest) -> tokio::task::JoinHandle<crate::Result<Secret>> {
    let (secrets, request) = (Arc::clone(&world.secrets), request.clone());
    tokio::spawn(async move { secrets.get(&request).await })
}

async fn misses(world: &World, count: u64) {
    while world.secrets.counts().misses < count {
        tokio::task::yield_now().await;
    }
}

/// As many slots as wanted, each with a value and a TTL of ten minutes.
fn many(count: usize) -> (World, Vec<SecretRequest>) {
    let world = World::new();
    let request = |n: usize| {
        let id = id(&format!("s{n}"));
        let value = SecretBytes::copy_of(format!("zt-needle-{n}").as_bytes());
        world.memory.set(&id, value, Validity::ALWAYS).unwrap();
        SecretRequest::new(id).with_ttl(10 * MINUTE)
    };
    let requests: Vec<_> = (0..count).map(request).collect();
    world.secrets.declare(requests.clone());
    (world, requests)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_misses_are_one_call_when_the_first_reader_leaves() {
    let world = World::with("zt-needle-leaves", Validity::ALWAYS);
    world.vault.hold();
    let first = read(&world, &world.request);
    misses(&world, 1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let readers: Vec<_> = (0..999).map(|_| read(&world, &world.request)).collect();
    misses(&world, 1000).await;
    world.vault.release();
    for reader in readers {
        assert!(reader.await.unwrap().unwrap().reveal() == b"zt-needle-leaves");
    }
    assert_eq!(world.vault.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_misses_are_one_call_when_it_panics() {
    let world = World::with("zt-needle-panics", Validity::ALWAYS);
    world.vault.panic_once();
    world.vault.hold();
    let readers: Vec<_> = (0..1000).map(|_| read(&world, &world.request)).collect();
    misses(&world, 1000).await;
    world.vault.release();
    for reader in readers {
        let error = reader.await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::VaultUnavailable);
    }
    assert_eq!(world.vault.calls(), 1);
    assert!(world.reads("zt-needle-panics").await);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_is_one_call_however_many_read() {
    let world = World::with("zt-needle-ahead", Validity::ALWAYS);
    assert!(world.reads("zt-needle-ahead").await);
    for refresh in 1..=5 {
        world.clock.advance(9 * MINUTE);
        for _ in 0..100 {
            assert!(at_once(&world.secrets, &world.request).is_some());
            world.secrets.sweep();
        }
        world.settle().await;
        assert_eq!(world.vault.calls(), 1 + refresh);
        assert_eq!(world.secrets.counts().refreshes, refresh);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_is_one_call_too() {
    let world = World::with("zt-needle-once", Validity::ALWAYS);
    assert!(world.reads("zt-needle-once").await);
    world.clock.advance(9 * MINUTE);
    world.vault.fail(1, &VaultError::unavailable("503", None));
    assert!(at_once(&world.secrets, &world.request).is_some());
    world.settle().await;
    assert_eq!(world.vault.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_slots_that_were_filled_at_once_refresh_over_the_window() {
    let (world, requests) = many(1000);
    let warmed = world.secrets.warm(&requests, MINUTE).await;
    // More than the bucket holds: the rest comes when it is full again.
    let mut ready = warmed.ready;
    while ready < 1000 {
        world.clock.advance(5 * SECOND);
        ready = world.secrets.warm(&requests, MINUTE).await.ready;
    }
    for request in &requests {
        let declared = world.secrets.table().find(request.key()).unwrap();
        let Start { ticket, .. } = match declared.slot.force(
            &request.terms_under(&Timing::new()),
            &*world.clock,
            &Timing::new(),
        ) {
            boarding::Boarding::Start(start) => start,
            other @ (boarding::Boarding::Served(..)
            | boarding::Boarding::Refused(_)
            | boarding::Boarding::Wait(_)) => panic!("{other:?}"),
        };
        let secret = world.secrets.peek(request).unwrap();
        let (terms, now) = (
            request.terms_under(&Timing::new()),
            Now::read(&*world.clock),
        );
        declared
            .slot
            .land(ticket, &Ok(secret), terms, now, now, &Timing::new());
    }
    // All of one age now. The window is 75 to 90 % of ten minutes: 90 seconds.
    let due = |world: &World| {
        let slots = world.secrets.health().slots;
        slots
            .iter()
            .filter(|slot| slot.state == SlotState::RefreshDue)
            .count()
    };
    world.clock.advance(450 * SECOND - Duration::from_millis(1));
    assert_eq!(due(&world), 0);
    let mut before = 0;
    for ninth in 1..=9 {
        world.clock.advance(10 * SECOND);
        let now = due(&world);
        let share = now - before;
        assert!((50..200).contains(&share), "part {ninth}: {share} of 1000");
        before = now;
    }
    assert_eq!(before, 1000);
}

use boarding::Start;

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_does_not_call_in_the_pause_that_came_meanwhile() {
    let (world, requests) = many(100);
    world.vault.hold();
    let retry_in = Some(7 * SECOND);
    world.vault.fail(16, &VaultError::throttled(retry_in));
    let readers: Vec<_> = requests
        .iter()
        .map(|request| read(&world, request))
        .collect();
    misses(&world, 100).await;
    while world.vault.calls() < 16 {
        tokio::task::yield_now().await;
    }
    world.vault.release();
    for reader in readers {
        assert_eq!(
            reader.await.unwrap().unwrap_err().code(),
            Code::VaultUnavailable
        );
    }
    assert_eq!(world.vault.calls(), 16, "those that were under way");
    world.clock.advance(7 * SECOND - Duration::from_millis(1));
    for request in &requests {
        assert!(world.secrets.get(request).await.is_err());
    }
    assert_eq!(world.vault.calls(), 16);
    world.clock.advance(Duration::from_millis(1));
    assert!(world.secrets.get(&requests[0]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn at_most_sixteen_calls_are_under_way() {
    let (world, requests) = many(100);
    world.vault.hold();
    let readers: Vec<_> = requests
        .iter()
        .map(|request| read(&world, request))
        .collect();
    misses(&world, 100).await;
    tokio::time::sleep(SECOND).await;
    assert_eq!(world.vault.calls(), 16);
    assert_eq!(world.secrets.health().gates[0].under_way, 16);
    world.vault.release();
    for reader in readers {
        assert!(reader.await.unwrap().is_ok());
    }
    assert_eq!(world.secrets.health().gates[0].under_way, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_overtakes_a_refresh_that_takes_too_long() {
    let world = World::with("zt-needle-slow", Validity::ALWAYS);
    assert!(world.reads("zt-needle-slow").await);
    world.clock.advance(9 * MINUTE);
    world.vault.hold();
    assert!(at_once(&world.secrets, &world.request).is_some());
    tokio::time::sleep(Duration::from_millis(10)).await;
    let begin = tokio::time::Instant::now();
    assert!(world.secrets.refresh(&world.request).await.is_err());
    assert!(begin.elapsed() <= Duration::from_millis(3200));
    world.vault.release();
}
