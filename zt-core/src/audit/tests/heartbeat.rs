//! A log that is silent says that it is alive; one that ended without a word is told apart.

use super::*;
use crate::testing::ManualClock;

#[test]
fn a_silent_log_says_each_minute_that_it_is_alive() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let log = AuditLog::open(options(folder.path()), Arc::<ManualClock>::clone(&clock)).unwrap();
    let alive = || {
        tail(folder.path(), 100, |entry| entry.action == "audit.alive")
            .unwrap()
            .len()
    };
    for beats in 1..=2 {
        clock.advance(Duration::from_secs(60));
        while alive() < beats {
            std::thread::yield_now();
        }
    }
    // A record says it as well.
    clock.advance(Duration::from_secs(59));
    log.append(record(1), Durability::Durable).unwrap();
    clock.advance(Duration::from_secs(59));
    log.close(LONG).unwrap();
    assert_eq!(alive(), 2);
    assert!(verify(folder.path()).unwrap().is_intact());
}

#[test]
fn a_log_that_ended_without_a_word_has_a_last_sign_of_life() {
    let folder = tempfile::tempdir().unwrap();
    killed(folder.path(), 2);
    let alive = open(folder.path());
    let closed = open(folder.path());
    closed.close(LONG).unwrap();
    let found = verify(folder.path()).unwrap();
    let mut states: Vec<_> = found
        .heads
        .iter()
        .map(|head| (head.is_closed, head.is_alive))
        .collect();
    states.sort_unstable();
    assert_eq!(states, [(false, false), (false, true), (true, false)]);
    let dead = found
        .heads
        .iter()
        .find(|head| !head.is_closed && !head.is_alive)
        .unwrap();
    assert_eq!(dead.at, "2026-09-21T14:13:20.000Z");
    drop(alive);
}
