//! What is old and signed goes, the rest verifies on, and an auditor learns what went.

use super::checkpoints::{TestKey, closed, notes_of};
use super::*;
use crate::testing::ManualClock;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// After which a clock is believed that leapt.
pub(super) const WEEK: Duration = Duration::from_secs(7 * 86_400);

pub(super) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)))
}

pub(super) fn open_on_day(folder: &Path, clock: &Arc<ManualClock>, key: &Arc<TestKey>) -> AuditLog {
    let options = options(folder)
        .with_segment_bytes(1024)
        .with_signer(Arc::<TestKey>::clone(key))
        .with_retention(30 * DAY);
    AuditLog::open(options, Arc::<ManualClock>::clone(clock)).unwrap()
}

fn at(clock: &ManualClock, number: usize) -> Record {
    use crate::clock::Clock as _;
    Record::new(
        Kind::Release,
        clock.now(),
        "secret.read",
        "secret:a",
        Outcome::Ok,
    )
    .with_detail("number", number.to_string())
}

pub(super) fn write(log: &AuditLog, clock: &ManualClock, numbers: std::ops::Range<usize>) {
    for number in numbers {
        log.append(at(clock, number), Durability::Ordered).unwrap();
    }
    log.flush().unwrap();
}

pub(super) fn segments_of(folder: &Path, writer: &str) -> usize {
    let names = fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(writer) && name.ends_with(".jsonl"))
        .count()
}

/// Retention runs beside the notes: as long as it is not done, it is waited for.
pub(super) fn until_gone(folder: &Path, writer: &str) {
    while segments_of(folder, writer) > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A log that ended has removed what it was to remove.
pub(super) fn assert_gone(folder: &Path, writer: &str) {
    assert_eq!(segments_of(folder, writer), 0);
}

/// Removes what a plan says.
pub(super) fn remove(plan: &retire::Plan, folder: &Path) {
    plan.remove(folder, &disk::OsDisk, &|| false).unwrap();
}

/// What retention would do now under this audit key.
pub(super) fn plan_of(
    folder: &Path,
    now: Timestamp,
    sinks: &[PathBuf],
    key: &TestKey,
) -> Result<retire::Plan, AuditError> {
    let keys = || {
        Ok(verify::known::Keys {
            now: key.public(),
            former: Vec::new(),
        })
    };
    retire::Plan::make(folder, now, 30 * DAY, sinks, &keys)
}

/// Opens and closes a log.
pub(super) fn pass(folder: &Path, clock: &Arc<ManualClock>, key: &Arc<TestKey>) -> AuditLog {
    let log = open_on_day(folder, clock, key);
    log.close(LONG).unwrap();
    log
}

pub(super) fn intact(folder: &Path, key: &TestKey) -> Verification {
    let found = verify_with(folder, &VerifyOptions::new().with_key(key.public())).unwrap();
    assert!(found.is_intact(), "{found:?}");
    found
}

/// An old log of many segments, and a newer one.
pub(super) fn old_log(folder: &Path, clock: &Arc<ManualClock>, key: &Arc<TestKey>) -> String {
    let old = open_on_day(folder, clock, key);
    write(&old, clock, 0..20);
    old.close(LONG).unwrap();
    clock.advance(20 * DAY);
    pass(folder, clock, key);
    clock.advance(20 * DAY);
    old.writer().to_owned()
}

/// Three logs of many segments, each of a day of its own.
pub(super) fn three_logs(
    folder: &Path,
    clock: &Arc<ManualClock>,
    key: &Arc<TestKey>,
) -> Vec<String> {
    let log = |_| {
        let log = open_on_day(folder, clock, key);
        write(&log, clock, 0..20);
        log.close(LONG).unwrap();
        clock.advance(DAY);
        log.writer().to_owned()
    };
    (0..3).map(log).collect()
}

#[test]
fn old_signed_segments_of_a_closed_log_go_and_verify_says_what_went() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    let records = intact(folder.path(), &key).heads[0].seq;
    clock.advance(10 * DAY);
    let middle = open_on_day(folder.path(), &clock, &key);
    write(&middle, &clock, 20..25);
    middle.close(LONG).unwrap();
    assert!(
        segments_of(folder.path(), old.writer()) > 3,
        "nothing is old yet"
    );
    clock.advance(25 * DAY);
    let new = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), old.writer());
    assert!(segments_of(folder.path(), middle.writer()) > 0);
    assert_eq!(numbers(folder.path()), (20..25).collect::<Vec<_>>());
    let found = intact(folder.path(), &key);
    assert_eq!(found.notes.len(), 1, "{found:?}");
    let said = format!(
        "records 1 to {records} of `{}` were removed by retention",
        old.writer()
    );
    assert!(found.notes[0].starts_with(&said), "{found:?}");
    assert_eq!(found.heads.len(), 3);
    // The record of it is itself retired later, and said again.
    clock.advance(29 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(29 * DAY);
    pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), new.writer());
    clock.advance(29 * DAY);
    pass(folder.path(), &clock, &key);
    let found = intact(folder.path(), &key);
    let gone = found.notes.iter().filter(|note| note.starts_with(&said));
    assert_eq!(gone.count(), 1, "{found:?}");
}

#[test]
fn a_living_log_loses_its_old_segments_alone_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let alive = open_on_day(folder.path(), &clock, &key);
    write(&alive, &clock, 0..20);
    clock.advance(20 * DAY);
    write(&alive, &clock, 20..30);
    clock.advance(20 * DAY);
    write(&alive, &clock, 30..40);
    // The next look signs what is there.
    clock.advance(Duration::from_secs(10));
    let size = alive.health().records;
    while alive.health().signed < size {
        std::thread::yield_now();
    }
    clock.advance(Duration::from_secs(1));
    open_on_day(folder.path(), &clock, &key)
        .close(LONG)
        .unwrap();
    // It was the newest then: nothing of it may go.
    assert_eq!(numbers(folder.path()).len(), 40);
    open_on_day(folder.path(), &clock, &key)
        .close(LONG)
        .unwrap();
    let says = tail(folder.path(), 1, |entry| entry.action == "audit.retired").unwrap();
    assert_eq!(says.len(), 1);
    let now = crate::clock::Clock::now(&*clock);
    let plan = plan_of(folder.path(), now, &[], &key).unwrap();
    assert_eq!(plan.records(now).count(), 0, "all of it is done");
    let left = numbers(folder.path());
    assert!(left.len() >= 20, "{left:?}");
    write(&alive, &clock, 40..45);
    alive.close(LONG).unwrap();
    assert_eq!(intact(folder.path(), &key).notes.len(), 1);
    assert_eq!(numbers(folder.path()).last(), Some(&44));
}

#[test]
fn what_is_not_signed_or_not_intact_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let unsigned = options(folder.path()).with_segment_bytes(1024);
    let unsigned = AuditLog::open(unsigned, Arc::<ManualClock>::clone(&clock)).unwrap();
    write(&unsigned, &clock, 0..10);
    unsigned.close(LONG).unwrap();
    clock.advance(DAY);
    let spoilt = open_on_day(folder.path(), &clock, &key);
    write(&spoilt, &clock, 10..20);
    spoilt.close(LONG).unwrap();
    let path = segment(folder.path(), spoilt.writer(), 2);
    let mut all = lines(&path);
    all[1][60] ^= 1;
    rewrite(&path, &all);
    for _ in 0..4 {
        clock.advance(20 * DAY);
        pass(folder.path(), &clock, &key);
    }
    let gone = tail(folder.path(), 9, |entry| entry.action == "audit.retired").unwrap();
    assert!(!gone.is_empty(), "others of that age go");
    assert!(segments_of(folder.path(), unsigned.writer()) > 1);
    assert!(segments_of(folder.path(), spoilt.writer()) > 1);
}

#[test]
fn a_removal_that_nobody_signed_is_a_missing_log() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    clock.advance(40 * DAY);
    open_on_day(folder.path(), &clock, &key)
        .close(LONG)
        .unwrap();
    clock.advance(WEEK);
    let new = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), old.writer());
    drop(intact(folder.path(), &key));
    fs::remove_file(folder.path().join(folder::checkpoints_name(new.writer()))).unwrap();
    let options = VerifyOptions::new().with_key(key.public());
    let found = verify_with(folder.path(), &options).unwrap();
    let whats: Vec<_> = found.findings.iter().map(|finding| finding.what).collect();
    assert_eq!(
        whats,
        [FindingKind::Unsigned, FindingKind::MissingSegment],
        "{found:?}"
    );
}

#[test]
fn what_a_sink_lacks_does_not_go() {
    use super::super::cursor::{folder_of, path};
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    let records = intact(folder.path(), &key).heads[0].seq;
    // Logs are in the order of their names, which begin with when they began.
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(16 * DAY);

    let now = crate::clock::Clock::now(&*clock);
    let sinks = ["near", "far"].map(|name| folder_of(folder.path(), name));
    let planned = |sinks: &[PathBuf]| {
        let plan = plan_of(folder.path(), now, sinks, &key).unwrap();
        plan.records(now).count()
    };
    let acknowledge = |sink: &PathBuf, seq: u64| {
        fs::create_dir_all(sink).unwrap();
        let hash = "0".repeat(64);
        let writer = old.writer();
        let cursor = format!(
            r#"{{"format":1,"writer":"{writer}","seq":{seq},"hash":"{hash}","segment":1,"offset":0}}"#
        );
        fs::write(path(sink, writer), cursor).unwrap();
    };
    assert_eq!((planned(&[]), planned(&sinks)), (1, 0));
    acknowledge(&sinks[0], records);
    assert_eq!(planned(&sinks), 0, "the other has nothing");
    acknowledge(&sinks[1], 1);
    assert_eq!(planned(&sinks), 0, "not even the first segment");
    acknowledge(&sinks[1], records);
    assert_eq!(planned(&sinks), 1);
}

#[test]
fn nothing_goes_before_the_audit_key_vouches_for_the_record_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    let segments = segments_of(folder.path(), old.writer());
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    key.leave();
    let away = pass(folder.path(), &clock, &key);
    key.come_back();
    let says = |log: &AuditLog| {
        let is_it = |entry: &Entry| entry.action == "audit.retired" && entry.writer == log.writer();
        !tail(folder.path(), 1, is_it).unwrap().is_empty()
    };
    assert!(says(&away), "it was planned");
    assert_eq!(segments_of(folder.path(), old.writer()), segments);
    clock.advance(DAY);
    let new = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), old.writer());
    // Said again by who is vouched for: the other log is not needed, and is not believed.
    assert!(says(&new));
    let options = VerifyOptions::new().with_key(key.public());
    let found = verify_with(folder.path(), &options).unwrap();
    let whats: Vec<_> = found.findings.iter().map(|found| found.what).collect();
    assert_eq!(
        whats,
        [FindingKind::UnknownKey],
        "of the log whose key never answered: {found:?}"
    );
}

/// A log that anybody who may create files can make: its chain is right, and who signed it is nobody.
pub(super) fn forged(folder: &Path, victims: &[&str]) {
    let (at, zeros) = ("2026-01-01T00:00:00.000Z", "0".repeat(64));
    let claims = victims.iter().map(|victim| {
        format!(
            r#"{{"writer":"{victim}","segment":4294967295,"seq":1048576,"head":"{zeros}","peaks":["{zeros}"],"last":"{at}","is_closed":true}}"#
        )
    });
    forged_saying(folder, claims);
}

/// The same, with these claims of what was removed by rule.
pub(super) fn forged_saying(folder: &Path, claims: impl Iterator<Item = String>) {
    use super::super::chain::{Link, ZERO};
    use super::super::checkpoint::{Checkpoint, TreeHead};
    use super::super::signature::ProcessKey;
    use super::super::tree::Tree;

    let writer = "20260101T000000Z-0123456789abcdef";
    let (at, zeros) = ("2026-01-01T00:00:00.000Z", "0".repeat(64));
    let admin = |action: &str, rest: &str| {
        format!(
            r#""kind":"admin","at":"{at}","outcome":"ok","action":"{action}","resource":"audit:x"{rest}"#
        )
    };
    let mut records = vec![
        format!(
            r#""kind":"segment","at":"{at}","format":1,"writer":"{writer}","segment":1,"pid":7,"previous":"{zeros}""#
        ),
        admin("audit.open", ""),
    ];
    for claim in claims {
        records.push(admin("audit.retired", &format!(r#","retired":{claim}"#)));
    }
    let (mut link, mut tree, mut bytes) = (Link::START, Tree::default(), Vec::new());
    for record in records {
        link = link.append(&record, &mut bytes);
        tree.push(&link.hash);
    }
    fs::write(segment(folder, writer, 1), bytes).unwrap();
    let head = TreeHead {
        size: tree.size(),
        root: tree.root(),
        head: link.hash,
        at: at.to_owned(),
    };
    let key = ProcessKey::generate().unwrap();
    let note = Checkpoint::sign(writer, head, ZERO, &key, None)
        .unwrap()
        .note();
    fs::write(folder.join(folder::checkpoints_name(writer)), note).unwrap();
}

#[test]
fn a_log_that_somebody_forged_has_nothing_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let logs = three_logs(folder.path(), &clock, &key);
    let before = numbers(folder.path()).len();
    let victims: Vec<&str> = logs.iter().map(String::as_str).collect();
    forged(folder.path(), &victims);
    clock.advance(WEEK);
    let now = crate::clock::Clock::now(&*clock);
    let plan = plan_of(folder.path(), now, &[], &key).unwrap();
    remove(&plan, folder.path());
    assert_eq!(numbers(folder.path()).len(), before);
    pass(folder.path(), &clock, &key);
    assert_eq!(numbers(folder.path()).len(), before);
}

#[test]
fn what_another_audit_key_vouches_for_goes_only_where_that_key_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, first, second) = (clock(), TestKey::new(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &first);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    let all = segments_of(folder.path(), old.writer());
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &second);
    clock.advance(20 * DAY);
    let new = open_on_day(folder.path(), &clock, &second);
    let error = new.health().last_error.unwrap();
    assert!(
        error.contains(old.writer()) && error.contains("audit.former_keys"),
        "{error}"
    );
    new.close(LONG).unwrap();
    assert_eq!(segments_of(folder.path(), old.writer()), all);
    let says = |entry: &Entry| entry.action == "audit.retired";
    assert!(tail(folder.path(), 1, says).unwrap().is_empty());
    let options = options(folder.path())
        .with_signer(Arc::<TestKey>::clone(&second))
        .with_former_key(first.public())
        .with_retention(30 * DAY);
    let new = AuditLog::open(options, Arc::<ManualClock>::clone(&clock)).unwrap();
    new.close(LONG).unwrap();
    assert_gone(folder.path(), old.writer());
    let trusting = VerifyOptions::new().with_key(second.public());
    let found = verify_with(folder.path(), &trusting).unwrap();
    assert!(
        !found
            .findings
            .iter()
            .any(|found| found.what == FindingKind::MissingSegment),
        "{found:?}"
    );
    let both = trusting.with_key(first.public());
    assert!(verify_with(folder.path(), &both).unwrap().is_intact());
}

/// Somebody who may write the folder puts a log of his own in the place of another: retention must not make it one that went
/// by rule.
#[test]
fn a_log_in_the_place_of_another_is_not_retired() {
    use super::super::chain::ZERO;
    use super::super::checkpoint::Checkpoint;
    use super::super::signature::ProcessKey;

    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = pass(folder.path(), &clock, &key);
    let path = folder.path().join(folder::checkpoints_name(old.writer()));
    let last = notes_of(folder.path(), old.writer()).pop().unwrap();
    let nobody = ProcessKey::generate().unwrap();
    let note = Checkpoint::sign(old.writer(), last.head, ZERO, &nobody, None).unwrap();
    let real = fs::read(&path).unwrap();
    fs::write(&path, note.note()).unwrap();
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    let now = crate::clock::Clock::now(&*clock);
    let plan = plan_of(folder.path(), now, &[], &key).unwrap();
    assert_eq!(plan.records(now).count(), 0);
    assert!(plan.blocked().unwrap().contains(old.writer()));
    fs::write(&path, real).unwrap();
    let plan = plan_of(folder.path(), now, &[], &key).unwrap();
    assert_eq!((plan.records(now).count(), plan.blocked()), (1, None));
}

#[test]
fn a_claim_that_nobody_vouches_for_yet_hides_none_that_somebody_did() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let alive = open_on_day(folder.path(), &clock, &key);
    let sign = |log: &AuditLog| {
        clock.advance(Duration::from_secs(10));
        while log.health().signed < log.health().records {
            std::thread::yield_now();
        }
    };
    write(&alive, &clock, 0..10);
    clock.advance(25 * DAY);
    write(&alive, &clock, 10..20);
    sign(&alive);
    clock.advance(10 * DAY);
    pass(folder.path(), &clock, &key);
    let all = segments_of(folder.path(), alive.writer());
    pass(folder.path(), &clock, &key);
    assert!(segments_of(folder.path(), alive.writer()) < all);
    // More is old now, and who says so is not vouched for, and ends.
    clock.advance(25 * DAY);
    write(&alive, &clock, 20..30);
    sign(&alive);
    key.leave();
    pass(folder.path(), &clock, &key);
    key.come_back();
    let options = VerifyOptions::new().with_key(key.public());
    let found = verify_with(folder.path(), &options).unwrap();
    let missing = |found: &Finding| found.what == FindingKind::MissingSegment;
    assert!(!found.findings.iter().any(missing), "{found:?}");
    alive.close(LONG).unwrap();
}

#[test]
fn a_clock_that_is_years_ahead_removes_nothing_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let young = open_on_day(folder.path(), &clock, &key);
    write(&young, &clock, 0..20);
    young.close(LONG).unwrap();
    clock.advance(DAY);
    pass(folder.path(), &clock, &key);
    let all = segments_of(folder.path(), young.writer());
    clock.advance(3650 * DAY);
    // Each start leaves a log of that time, which is no reason to believe it.
    for _ in 0..6 {
        pass(folder.path(), &clock, &key);
        assert_eq!(segments_of(folder.path(), young.writer()), all);
        clock.advance(DAY);
    }
    clock.advance(DAY);
    pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), young.writer());
}

#[test]
fn what_an_interrupted_removal_left_goes_only_where_its_record_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    let kept: Vec<_> = (1..=segments_of(folder.path(), old.writer()))
        .map(|number| segment(folder.path(), old.writer(), u32::try_from(number).unwrap()))
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    clock.advance(40 * DAY);
    open_on_day(folder.path(), &clock, &key)
        .close(LONG)
        .unwrap();
    clock.advance(WEEK);
    let new = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), old.writer());
    let (left, path) = kept.last().unwrap();
    fs::write(path, left).unwrap();
    let plan = || {
        let now = crate::clock::Clock::now(&*clock);
        plan_of(folder.path(), now, &[], &key).unwrap()
    };
    // Somebody tampers with the log whose record says that they went.
    let said = segment(folder.path(), new.writer(), 1);
    let good = fs::read(&said).unwrap();
    let mut all = lines(&said);
    all[1][60] ^= 1;
    rewrite(&said, &all);
    remove(&plan(), folder.path());
    assert!(path.exists());
    fs::write(&said, good).unwrap();
    remove(&plan(), folder.path());
    assert!(!path.exists());
}

#[test]
fn what_a_sink_of_another_configuration_lacks_does_not_go() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    old.close(LONG).unwrap();
    clock.advance(DAY);
    open_on_day(folder.path(), &clock, &key)
        .close(LONG)
        .unwrap();
    fs::create_dir_all(cursor::folder_of(folder.path(), "monitor")).unwrap();
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    let new = open_on_day(folder.path(), &clock, &key);
    let error = new.health().last_error.unwrap();
    assert!(error.contains("`monitor`"), "{error}");
    new.close(LONG).unwrap();
    assert!(segments_of(folder.path(), old.writer()) > 1);
}

#[test]
fn a_kept_checkpoint_is_not_passed_over_for_a_removal_that_none_covers() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = open_on_day(folder.path(), &clock, &key);
    write(&old, &clock, 0..20);
    let notes = |writer: &str| {
        fs::read_to_string(folder.path().join(folder::checkpoints_name(writer))).unwrap()
    };
    old.close(LONG).unwrap();
    let of_old = notes(old.writer());
    clock.advance(40 * DAY);
    open_on_day(folder.path(), &clock, &key)
        .close(LONG)
        .unwrap();
    clock.advance(WEEK);
    let new = pass(folder.path(), &clock, &key);
    assert_gone(folder.path(), old.writer());
    let keep = |text: &str| {
        let options = VerifyOptions::new();
        options.with_checkpoints("kept.txt", text).unwrap()
    };
    let found = verify_with(folder.path(), &keep(&of_old)).unwrap();
    let whats: Vec<_> = found.findings.iter().map(|found| found.what).collect();
    assert_eq!(whats, [FindingKind::MissingSegment], "{found:?}");
    // With what covers the record of it, or with the key, the removal is believed.
    let both = format!("{of_old}{}", notes(new.writer()));
    for options in [keep(&both), keep(&of_old).with_key(key.public())] {
        let found = verify_with(folder.path(), &options).unwrap();
        assert!(found.is_intact(), "{found:?}");
    }
}

/// Whoever may write the folder: no hash is right, and each log says that it was removed by rule.
#[test]
fn a_removal_that_no_verified_record_says_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let (a, b) = (
        closed(folder.path(), &key, 3),
        closed(folder.path(), &key, 3),
    );
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    let zeros = "0".repeat(64);
    let at = "2026-11-27T00:00:00.000Z";
    let mut lines =
        format!("{{\"seq\":1,\"kind\":\"segment\",\"at\":\"{at}\",\"hash\":\"{zeros}\"}}\n");
    for writer in [&a, &b] {
        lines.push_str(&format!(
            "{{\"seq\":2,\"kind\":\"admin\",\"at\":\"{at}\",\"action\":\"audit.retired\",\"retired\":{{\"writer\":\"{writer}\",\
             \"segment\":2,\"seq\":1048576,\"head\":\"{zeros}\",\"peaks\":[\"{zeros}\"],\"last\":\"{at}\",\"is_closed\":true}},\
             \"hash\":\"{zeros}\"}}\n"
        ));
    }
    fs::write(folder.path().join(format!("{a}-000002.jsonl")), lines).unwrap();
    for options in [
        VerifyOptions::new(),
        VerifyOptions::new().with_key(key.public()),
    ] {
        let found = verify_with(folder.path(), &options).unwrap();
        assert!(!found.is_intact(), "{found:?}");
    }
}
