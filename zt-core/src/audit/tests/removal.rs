//! Files go under a claim that somebody vouches for, for as long as the log is open, and only while every sink has them.

use super::faulty::{Faults, FaultyDisk};
use super::retention::{
    DAY, assert_gone, clock, forged, intact, old_log, open_on_day, pass, plan_of, remove,
    segments_of, three_logs, write,
};
use super::*;
use crate::audit::tests::checkpoints::TestKey;
use crate::clock::Clock as _;
use crate::testing::ManualClock;

/// A log that removes what is old from a disk that does so when it is told.
fn open_held(
    folder: &Path,
    clock: &Arc<ManualClock>,
    key: &Arc<TestKey>,
) -> (AuditLog, Arc<Faults>) {
    let disk = FaultyDisk::default();
    let faults = Arc::clone(&disk.0);
    faults.removing.hold(true);
    let options = options(folder)
        .with_signer(Arc::<TestKey>::clone(key))
        .with_retention(30 * DAY);
    let log = AuditLog::open_on(options, Arc::<ManualClock>::clone(clock), Arc::new(disk)).unwrap();
    faults.removing.wait_for_one();
    (log, faults)
}

/// Where retention was said, oldest first.
fn said(folder: &Path) -> Vec<Entry> {
    tail(folder, 99, |entry| entry.action == "audit.retired").unwrap()
}

fn missing(folder: &Path, key: &TestKey) -> Vec<Finding> {
    let options = VerifyOptions::new().with_key(key.public());
    let mut found = verify_with(folder, &options).unwrap().findings;
    found.retain(|found| found.what == FindingKind::MissingSegment);
    found
}

#[test]
fn what_an_interrupted_removal_left_is_not_hidden_by_a_larger_claim_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let alive = open_on_day(folder.path(), &clock, &key);
    let sign = || {
        clock.advance(Duration::from_secs(10));
        while alive.health().signed < alive.health().records {
            std::thread::yield_now();
        }
    };
    write(&alive, &clock, 0..20);
    clock.advance(25 * DAY);
    write(&alive, &clock, 20..40);
    sign();
    clock.advance(10 * DAY);
    pass(folder.path(), &clock, &key);
    let all: Vec<_> = (1..=u32::try_from(segments_of(folder.path(), alive.writer())).unwrap())
        .map(|number| segment(folder.path(), alive.writer(), number))
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    pass(folder.path(), &clock, &key);
    let gone: Vec<_> = all.iter().filter(|(_, path)| !path.exists()).collect();
    assert!(gone.len() > 2);
    // The removal was interrupted.
    for (bytes, path) in &gone[gone.len() - 2..] {
        fs::write(path, bytes).unwrap();
    }
    // More is old now; who says so is not vouched for, and ends.
    clock.advance(25 * DAY);
    write(&alive, &clock, 40..60);
    sign();
    let before = said(folder.path()).len();
    key.leave();
    let away = pass(folder.path(), &clock, &key);
    key.come_back();
    assert!(said(folder.path()).len() > before + 1, "a larger claim");
    assert_eq!(missing(folder.path(), &key), []);
    let options = VerifyOptions::new();
    assert!(verify_with(folder.path(), &options).unwrap().is_intact());
    pass(folder.path(), &clock, &key);
    assert!(
        gone.iter().all(|(_, path)| !path.exists()),
        "the leftovers go"
    );
    let (_, since) = &all[all.len() - 2];
    assert!(!since.exists(), "and what is old since");
    assert_eq!(missing(folder.path(), &key), []);
    alive.close(LONG).unwrap();
    // Whoever knows nothing of the log that nobody vouches for finds all else intact.
    let options = VerifyOptions::new().with_key(key.public());
    let found = verify_with(folder.path(), &options).unwrap();
    let names: Vec<_> = found.findings.iter().map(|found| &found.file).collect();
    assert_eq!(
        names,
        [&folder::checkpoints_name(away.writer())],
        "{found:?}"
    );
}

#[test]
fn a_claim_that_somebody_forged_takes_nothing_from_one_that_is_vouched_for() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = old_log(folder.path(), &clock, &key);
    let by = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), &old);
    forged(folder.path(), &[&old]);
    assert_eq!(missing(folder.path(), &key), []);
    // The record of it goes, and is said again although a larger claim is there.
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    let again = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), by.writer());
    let says = |entry: &Entry| entry.writer == again.writer() && entry.resource.contains(&old);
    assert!(said(folder.path()).iter().any(says));
    assert_eq!(missing(folder.path(), &key), []);
}

#[test]
fn a_log_that_ends_waits_for_its_removal() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = old_log(folder.path(), &clock, &key);
    let (log, faults) = open_held(folder.path(), &clock, &key);
    let (_, shared) = log.insides();
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| log.close(LONG));
        let checkpointer = shared.checkpointer.as_ref().unwrap();
        while !checkpointer.is_ending() || log.health().signed < log.health().records {
            std::thread::yield_now();
        }
        faults.removing.hold(false);
        closing.join().unwrap().unwrap();
        assert_gone(folder.path(), &old);
    });
    drop(intact(folder.path(), &key));
}

#[test]
fn a_removal_that_takes_too_long_stops_with_its_log_and_the_next_one_goes_on() {
    for is_closed in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (clock, key) = (clock(), TestKey::new());
        let old = old_log(folder.path(), &clock, &key);
        let all = segments_of(folder.path(), &old);
        let (log, faults) = open_held(folder.path(), &clock, &key);
        if is_closed {
            // On a loaded machine it may not even be closed by then.
            drop(log.close(Duration::from_millis(100)));
        }
        drop(log);
        faults.removing.hold(false);
        // One was under way.
        while segments_of(folder.path(), &old) == all {
            std::thread::yield_now();
        }
        let name = pass(folder.path(), &clock, &key).writer().to_owned();
        assert_gone(folder.path(), &old);
        assert_eq!(faults.removed.load(std::sync::atomic::Ordering::SeqCst), 1);
        let says = |entry: &Entry| entry.writer == name && entry.resource.contains(&old);
        assert!(said(folder.path()).iter().any(says));
        drop(intact(folder.path(), &key));
    }
}

#[test]
fn a_sink_that_comes_during_a_removal_is_given_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = old_log(folder.path(), &clock, &key);
    let all = segments_of(folder.path(), &old);
    let (log, faults) = open_held(folder.path(), &clock, &key);
    let sink = cursor::folder_of(folder.path(), "monitor");
    fs::create_dir_all(&sink).unwrap();
    faults.removing.hold(false);
    log.close(LONG).unwrap();
    assert_eq!(segments_of(folder.path(), &old), all - 1);
    let error = log.health().last_error.unwrap();
    assert!(error.contains("`monitor`"), "{error}");
    drop(intact(folder.path(), &key));
    fs::remove_dir_all(&sink).unwrap();
    pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), &old);
    drop(intact(folder.path(), &key));
}

#[test]
fn one_log_that_cannot_be_read_or_is_gone_keeps_no_other() {
    for is_gone in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (clock, key) = (clock(), TestKey::new());
        let logs = three_logs(folder.path(), &clock, &key);
        clock.advance(20 * DAY);
        pass(folder.path(), &clock, &key);
        clock.advance(20 * DAY);
        // Once the folder was listed.
        let path = segment(folder.path(), &logs[1], 1);
        let spoil = || {
            fs::remove_file(&path).unwrap();
            if !is_gone {
                fs::create_dir(&path).unwrap();
            }
            Ok(verify::known::Keys {
                now: key.public(),
                former: Vec::new(),
            })
        };
        let plan = retire::Plan::make(folder.path(), clock.now(), 30 * DAY, &[], &spoil).unwrap();
        let blocked = plan.blocked();
        assert_eq!(blocked.is_some_and(|why| why.contains(&logs[1])), !is_gone);
        remove(&plan, folder.path());
        assert_gone(folder.path(), &logs[0]);
        assert_gone(folder.path(), &logs[2]);
        assert!(segments_of(folder.path(), &logs[1]) > 1);
    }
}

#[test]
fn a_file_that_cannot_be_removed_keeps_those_behind_it_and_no_other_log() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let [first, second] = [0, 1].map(|_| {
        let log = open_on_day(folder.path(), &clock, &key);
        write(&log, &clock, 0..20);
        log.close(LONG).unwrap();
        clock.advance(DAY);
        log.writer().to_owned()
    });
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    let plan = plan_of(folder.path(), clock.now(), &[], &key).unwrap();
    assert_eq!(plan.records(clock.now()).count(), 2);
    let path = segment(folder.path(), &first, 2);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let all = segments_of(folder.path(), &first);
    let error = plan
        .remove(folder.path(), &disk::OsDisk, &|| false)
        .unwrap_err();
    assert!(error.contains("-000002.jsonl"), "{error}");
    assert_eq!(segments_of(folder.path(), &first), all - 1);
    assert_gone(folder.path(), &second);
}
