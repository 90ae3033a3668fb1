//! Clocks that leap and are set right: what they said meanwhile makes nothing old.

use super::checkpoints::TestKey;
use super::retention::{
    DAY, WEEK, assert_gone, clock, open_on_day, pass, plan_of, segments_of, write,
};
use super::*;
use crate::clock::Clock as _;
use crate::testing::ManualClock;

/// A closed log of many segments.
fn written(folder: &Path, clock: &Arc<ManualClock>, key: &Arc<TestKey>) -> (String, usize) {
    let log = open_on_day(folder, clock, key);
    write(&log, clock, 0..20);
    log.close(LONG).unwrap();
    let name = log.writer().to_owned();
    let all = segments_of(folder, &name);
    assert!(all > 3);
    (name, all)
}

/// What runs while the clock is ten years ahead.
fn while_ahead<T>(clock: &ManualClock, run: impl FnOnce() -> T) -> T {
    clock.advance(3650 * DAY);
    let done = run();
    back(clock, 3650);
    done
}

fn back(clock: &ManualClock, days: i64) {
    clock.jump_to(Timestamp::from_millis(
        clock.now().as_millis() - days * 86_400_000,
    ));
}

#[test]
fn two_leaps_that_were_taken_back_prove_nothing() {
    // Whether the clock is set right while the log of the leap is open, or by the next start.
    for is_set_right in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (clock, key) = (clock(), TestKey::new());
        let (young, all) = written(folder.path(), &clock, &key);
        clock.advance(DAY);
        let far = while_ahead(&clock, || {
            let far = open_on_day(folder.path(), &clock, &key);
            write(&far, &clock, 20..21);
            if is_set_right {
                Some(far)
            } else {
                far.close(LONG).map(|()| None).unwrap()
            }
        });
        if let Some(far) = far {
            clock.advance(9 * DAY);
            write(&far, &clock, 21..22);
            far.close(LONG).unwrap();
        } else {
            clock.advance(DAY);
            pass(folder.path(), &clock, &key);
            clock.advance(8 * DAY);
        }
        while_ahead(&clock, || pass(folder.path(), &clock, &key));
        assert_eq!(segments_of(folder.path(), &young), all, "{is_set_right}");
        // The clock is right, and what is old goes, whatever lies in the future.
        for _ in 0..2 {
            clock.advance(20 * DAY);
            pass(folder.path(), &clock, &key);
        }
        assert_gone(folder.path(), &young);
        // Also long after.
        let (later, _) = written(folder.path(), &clock, &key);
        for _ in 0..3 {
            clock.advance(20 * DAY);
            pass(folder.path(), &clock, &key);
        }
        assert_gone(folder.path(), &later);
    }
}

#[test]
fn a_start_in_1970_holds_retention_up_for_a_week() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let (old, all) = written(folder.path(), &clock, &key);
    clock.advance(40 * DAY);
    let now = clock.now();
    clock.jump_to(Timestamp::from_secs(1));
    pass(folder.path(), &clock, &key);
    clock.jump_to(now);
    pass(folder.path(), &clock, &key);
    assert_eq!(segments_of(folder.path(), &old), all);
    clock.advance(WEEK);
    pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), &old);
}

#[test]
fn a_clock_that_is_set_back_makes_no_segment_older() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    // One segment alone.
    let options = options(folder.path()).with_signer(Arc::<TestKey>::clone(&key));
    let log = AuditLog::open(options, Arc::<ManualClock>::clone(&clock)).unwrap();
    write(&log, &clock, 0..2);
    back(&clock, 10);
    log.close(LONG).unwrap();
    clock.advance(10 * DAY);
    for days in [10, 15] {
        clock.advance(days * DAY);
        pass(folder.path(), &clock, &key);
        assert_eq!(segments_of(folder.path(), log.writer()), 1);
    }
    clock.advance(6 * DAY);
    pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), log.writer());
}

/// Somebody removed the beginning of a log too early and says that it was retention; when the rest is due, retention must not
/// put its own word in the place of that.
#[test]
fn retention_does_not_go_on_where_a_removal_began_that_nobody_vouches_for() {
    use super::retention::forged_saying;
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let (old, all) = written(folder.path(), &clock, &key);
    let found = folder::Folder::read(folder.path()).unwrap();
    let claims = verify::claims::Claims::read(folder.path(), &found);
    let keys = [key.public()];
    let known = verify::known::know(folder.path(), &found, &claims, &old, &keys).unwrap();
    let claim = serde_json::to_string(&known.ends[1]).unwrap();
    forged_saying(folder.path(), std::iter::once(claim));
    for number in [1, 2] {
        fs::remove_file(segment(folder.path(), &old, number)).unwrap();
    }
    let missing = || {
        let options = VerifyOptions::new().with_key(key.public());
        let found = verify_with(folder.path(), &options).unwrap().findings;
        let missing = |found: &&Finding| found.what == FindingKind::MissingSegment;
        found.iter().filter(missing).count()
    };
    assert_eq!(missing(), 1);
    for _ in 0..3 {
        clock.advance(20 * DAY);
        pass(folder.path(), &clock, &key);
        assert_eq!(segments_of(folder.path(), &old), all - 2);
        assert_eq!(missing(), 1);
    }
    let plan = plan_of(folder.path(), clock.now(), &[], &key).unwrap();
    let blocked = plan.blocked().unwrap();
    assert!(
        blocked.contains(&old) && blocked.contains("first records are gone"),
        "{blocked}"
    );
}
