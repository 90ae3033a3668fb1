//! What an append promises: durable, grouped, collapsed, closed, and nothing accepted lost when the disk fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;

use super::faulty::{Faults, FaultyDisk};
use super::*;
use crate::error::Code;

fn open_faulty(folder: &Path) -> (AuditLog, Arc<Faults>) {
    let disk = FaultyDisk::default();
    let faults = Arc::clone(&disk.0);
    let clock = Arc::new(SystemClock::new());
    let log = AuditLog::open_on(options(folder), clock, Arc::new(disk)).unwrap();
    (log, faults)
}

#[test]
fn a_closed_log_verifies_and_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for number in 0..10 {
        log.append(record(number), Durability::Durable).unwrap();
    }
    log.close(LONG).unwrap();
    for durability in [
        Durability::Durable,
        Durability::Ordered,
        Durability::Counted,
    ] {
        let refused = log.append(record(0), durability);
        assert!(matches!(refused, Err(AuditError::Closed)), "{refused:?}");
    }
    assert!(matches!(log.close(LONG), Err(AuditError::Closed)));
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.records, 13);
    assert_eq!(verification.open_logs().count(), 0);
    assert_eq!(verification.heads[0].seq, 13);
    assert_eq!(numbers(folder.path()), (0..10).collect::<Vec<_>>());
}

#[test]
fn segments_rotate_and_hold_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path()).with_segment_bytes(1024);
    let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
    for number in 0..40 {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert!(verification.segments > 5);
    for number in 1..=u32::try_from(verification.segments).unwrap() {
        let length = fs::metadata(segment(folder.path(), log.writer(), number))
            .unwrap()
            .len();
        assert!(length <= 1024, "{length}");
    }
    assert_eq!(numbers(folder.path()), (0..40).collect::<Vec<_>>());
    assert_eq!(
        tail(folder.path(), 3, |entry| entry.kind == "release")
            .unwrap()
            .len(),
        3
    );
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_what_we_create() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("audit");
    let file = killed(&folder, 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
}

#[test]
fn a_durable_append_returns_only_after_the_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (log, faults) = open_faulty(folder.path());
    faults.syncing.hold(true);
    let is_acknowledged = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            log.append(record(1), Durability::Durable).unwrap();
            is_acknowledged.store(true, Ordering::SeqCst);
        });
        faults.syncing.wait_for_one();
        assert!(!is_acknowledged.load(Ordering::SeqCst));
        faults.syncing.hold(false);
    });
    assert!(is_acknowledged.load(Ordering::SeqCst));
}

#[test]
fn a_close_that_came_too_late_is_ended_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (log, faults) = open_faulty(folder.path());
    log.append(record(0), Durability::Durable).unwrap();
    faults.syncing.hold(true);
    let late = log.close(Duration::from_millis(10)).unwrap_err();
    assert!(matches!(late, AuditError::Timeout { .. }), "{late}");
    faults.syncing.hold(false);
    log.close(LONG).unwrap();
    assert!(matches!(log.close(LONG), Err(AuditError::Closed)));
    let found = verify(folder.path()).unwrap();
    assert!(found.is_intact() && found.heads[0].is_closed, "{found:?}");
}

/// Of a group that is just short of being written at once, the closing record is the one too many, and that write fails.
#[test]
fn a_log_that_says_to_be_closed_has_a_closing_record() {
    const AT_ONCE: usize = 1 << 17;
    let folder = tempfile::tempdir().unwrap();
    let (log, faults) = open_faulty(folder.path());
    let padded = |pad: usize| {
        let at = Timestamp::from_secs(1_790_000_000);
        Record::new(Kind::Release, at, "a", "x".repeat(pad), Outcome::Ok)
    };
    let least = padded(0).fields(None).len();
    let mut left = AT_ONCE - 10;
    let mut group = Vec::new();
    while left > 0 {
        // The last two share what is left, so that none is too short.
        let most = match left {
            2001.. => 1000,
            1001..=2000 => left / 2,
            _ => left,
        };
        group.push(padded(most - least));
        left -= most;
    }
    let bytes: usize = group.iter().map(|record| record.fields(None).len()).sum();
    assert_eq!(bytes, AT_ONCE - 10);
    faults.syncing.hold(true);
    let closed = thread::scope(|scope| {
        let log = &log;
        scope.spawn(move || log.append(record(0), Durability::Durable).unwrap());
        faults.syncing.wait_for_one();
        let all = group.len() + 1;
        for record in group {
            log.append(record, Durability::Ordered).unwrap();
        }
        let closing = scope.spawn(move || log.close(LONG));
        while log.health().queued < all {
            thread::yield_now();
        }
        faults.one_write.store(true, Ordering::SeqCst);
        faults.syncing.hold(false);
        closing.join().unwrap()
    });
    assert!(!faults.one_write.load(Ordering::SeqCst), "it failed");
    assert!(closed.is_err(), "the closing record was dropped");
    log.close(LONG).unwrap();
    let found = verify(folder.path()).unwrap();
    assert!(found.is_intact() && found.heads[0].is_closed, "{found:?}");
}

#[test]
fn callers_at_the_same_time_share_a_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (log, faults) = open_faulty(folder.path());
    let before = faults.syncs.load(Ordering::SeqCst);
    faults.syncing.hold(true);
    thread::scope(|scope| {
        let log = &log;
        scope.spawn(move || log.append(record(0), Durability::Durable).unwrap());
        faults.syncing.wait_for_one();
        for number in 1..64 {
            scope.spawn(move || log.append(record(number), Durability::Durable).unwrap());
        }
        while log.health().queued < 63 {
            thread::yield_now();
        }
        faults.syncing.hold(false);
    });
    let syncs = faults.syncs.load(Ordering::SeqCst) - before;
    assert_eq!(syncs, 2);
    log.close(LONG).unwrap();
    assert!(verify(folder.path()).unwrap().is_intact());
    assert_eq!(numbers(folder.path()).len(), 64);
}

#[test]
fn threads_and_writers_at_once_keep_their_chains() {
    let folder = tempfile::tempdir().unwrap();
    let logs = [open(folder.path()), open(folder.path())];
    thread::scope(|scope| {
        for log in &logs {
            for thread in 0..4 {
                scope.spawn(move || {
                    for number in 0..50 {
                        let durability = [Durability::Ordered, Durability::Durable][number % 2];
                        let number = thread * 50 + number;
                        log.append(record(number), durability).unwrap();
                    }
                });
            }
        }
    });
    for log in &logs {
        log.close(LONG).unwrap();
    }
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.writers, 2);
    assert_eq!(numbers(folder.path()).len(), 400);
}

#[test]
fn equal_records_are_written_once_with_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    for _ in 0..1000 {
        log.append(record(1), Durability::Counted).unwrap();
    }
    log.append(record(2), Durability::Counted).unwrap();
    log.close(LONG).unwrap();
    let counted = tail(folder.path(), usize::MAX, |entry| entry.kind == "counted").unwrap();
    let count = |number: &str| -> u64 {
        let of = counted
            .iter()
            .filter(|entry| entry.detail["number"] == number);
        of.filter_map(|entry| entry.count).sum()
    };
    assert_eq!((count("1"), count("2")), (1000, 1));
    assert!(counted.len() < 20, "{}", counted.len());
    assert_eq!(counted[0].of.as_deref(), Some("release"));
    assert!(verify(folder.path()).unwrap().is_intact());
}

#[test]
fn a_record_without_room_to_be_counted_is_written_itself() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path()).with_counted_keys(0);
    let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
    log.append(record(1), Durability::Counted).unwrap();
    log.close(LONG).unwrap();
    let entries = tail(folder.path(), 9, |entry| entry.kind == "release").unwrap();
    assert_eq!(entries.len(), 1);
}

#[test]
fn nobody_writes_a_counted_record_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let at = Timestamp::from_secs(0);
    let record = Record::new(Kind::Counted, at, "a", "b", Outcome::Ok);
    let refused = open(folder.path()).append(record, Durability::Durable);
    assert!(matches!(refused, Err(AuditError::Invalid { .. })));
}

#[test]
fn a_folder_that_cannot_be_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let options = options(&file.join("audit"));
    let error = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap_err();
    let error = crate::Error::from(error);
    assert_eq!(error.code(), Code::AuditUnavailable);
    assert!(error.is_transient() && error.help().is_some());
}

/// Accepts ordered records, fails, refuses, recovers, and looks for what was accepted.
fn fail_and_recover(name: &str, break_it: impl Fn(&Faults, bool)) {
    let folder = tempfile::tempdir().unwrap();
    let (log, faults) = open_faulty(folder.path());
    log.append(record(0), Durability::Durable).unwrap();
    // These are accepted while a sync is under way that will fail.
    faults.syncing.hold(true);
    let first = thread::scope(|scope| {
        let first = scope.spawn(|| log.append(record(900), Durability::Durable));
        faults.syncing.wait_for_one();
        for number in 1..20 {
            log.append(record(number), Durability::Ordered).unwrap();
        }
        break_it(&faults, true);
        faults.syncing.hold(false);
        first.join().unwrap()
    });
    let refused = log.append(record(901), Durability::Durable);
    assert!(refused.is_err(), "{name}");
    for durability in [Durability::Ordered, Durability::Counted] {
        let refused = log.append(record(902), durability);
        assert!(
            matches!(refused, Err(AuditError::Unavailable { .. })),
            "{name} {refused:?}"
        );
    }
    assert!(!log.health().is_writable, "{name}");
    assert!(log.flush().is_err(), "{name}");
    assert!(log.close(LONG).is_err(), "{name}");
    break_it(&faults, false);
    log.append(record(20), Durability::Durable).unwrap();
    assert!(log.health().is_writable, "{name}");
    assert!(log.health().last_error.is_some(), "{name}");
    log.close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{name} {verification:?}");
    // What failed segments hold behind their good part is not of the chain.
    let header = lines(&segment(folder.path(), log.writer(), 2)).remove(0);
    let header = String::from_utf8(header).unwrap();
    assert!(header.contains(r#""after_failure":{"file":""#), "{header}");
    let mut kept = numbers(folder.path());
    kept.sort_unstable();
    let mut accepted: Vec<usize> = (0..=20).collect();
    accepted.extend(first.ok().map(|()| 900));
    assert_eq!(kept, accepted, "{name}");
}

#[test]
fn nothing_accepted_is_lost_when_a_sync_fails() {
    fail_and_recover("sync", |faults, is_broken| {
        faults.sync.store(is_broken, Ordering::SeqCst);
    });
}

#[test]
fn nothing_accepted_is_lost_when_a_write_fails_halfway() {
    fail_and_recover("write", |faults, is_broken| {
        faults.write.store(is_broken, Ordering::SeqCst);
    });
}

#[test]
fn nothing_accepted_is_lost_when_no_new_segment_can_be_made() {
    fail_and_recover("create", |faults, is_broken| {
        faults.sync.store(is_broken, Ordering::SeqCst);
        faults.create.store(is_broken, Ordering::SeqCst);
        faults.publish.store(is_broken, Ordering::SeqCst);
    });
}

#[test]
fn a_segment_whose_name_could_not_be_made_durable_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (log, faults) = open_faulty(folder.path());
    faults.write.store(true, Ordering::SeqCst);
    log.append(record(1), Durability::Durable).unwrap_err();
    faults.write.store(false, Ordering::SeqCst);
    faults.publish.store(true, Ordering::SeqCst);
    log.append(record(2), Durability::Durable).unwrap_err();
    faults.publish.store(false, Ordering::SeqCst);
    log.append(record(3), Durability::Durable).unwrap();
    log.close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.segments, 2);
    assert_eq!(numbers(folder.path()), [3]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_real_full_device_fails_the_append() {
    use super::super::disk::{Disk, OsDisk, SegmentFile};
    use std::fs::File;

    #[derive(Debug)]
    struct FullDisk(AtomicBool);
    #[derive(Debug)]
    struct Both(Box<dyn SegmentFile>, File);

    impl Disk for FullDisk {
        fn create(&self, path: &Path) -> std::io::Result<Box<dyn SegmentFile>> {
            let real = OsDisk.create(path)?;
            if !self.0.swap(true, Ordering::SeqCst) {
                return Ok(real);
            }
            let full = File::options().write(true).open("/dev/full")?;
            Ok(Box::new(Both(real, full)))
        }

        fn reopen(&self, path: &Path, length: u64) -> std::io::Result<Box<dyn SegmentFile>> {
            OsDisk.reopen(path, length)
        }

        fn publish(&self, from: &Path, to: &Path) -> std::io::Result<()> {
            OsDisk.publish(from, to)
        }

        fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
            OsDisk.read(path)
        }

        fn length(&self, path: &Path) -> std::io::Result<u64> {
            OsDisk.length(path)
        }

        fn remove(&self, path: &Path) -> std::io::Result<()> {
            OsDisk.remove(path)
        }
    }

    impl SegmentFile for Both {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            self.1.write(bytes)
        }

        fn sync(&mut self) -> std::io::Result<()> {
            self.0.sync()
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path()).with_segment_bytes(1024);
    let disk = Arc::new(FullDisk(AtomicBool::new(false)));
    let log = AuditLog::open_on(options, Arc::new(SystemClock::new()), disk).unwrap();
    let refused = (0..9).find_map(|n| log.append(record(n), Durability::Durable).err());
    assert!(matches!(refused, Some(AuditError::Unavailable { .. })));
    assert!(!log.health().is_writable);
}

fn any_record() -> impl Strategy<Value = Record> {
    let text = || any::<String>();
    (text(), text(), text(), any::<i64>(), any::<u64>()).prop_map(|(a, b, c, at, version)| {
        let at = Timestamp::from_millis(at);
        Record::new(Kind::Decision, at, a.as_str(), b.as_str(), Outcome::Allow)
            .with_caller(c.as_str())
            .with_snapshot(version, a.as_str())
            .with_fact(a.as_str(), b.as_str(), c.as_str())
            .with_detail(b.as_str(), c.as_str())
            .with_near_miss(a)
            .with_policies([crate::id::PolicyId::new(&b)])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_written_verifies(
        records in prop::collection::vec((any_record(), 0..3_u8), 0..30),
        limit in 1024..8192_u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path()).with_segment_bytes(limit);
        let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
        for (record, class) in records.clone() {
            let durability = match class {
                0 => Durability::Durable,
                1 => Durability::Ordered,
                _ => Durability::Counted,
            };
            log.append(record, durability).unwrap();
        }
        log.close(LONG).unwrap();
        let verification = verify(folder.path()).unwrap();
        prop_assert!(verification.is_intact(), "{:?}", verification.findings);
        let entries = tail(folder.path(), usize::MAX, |_| true).unwrap();
        let written: u64 = entries.iter().map(|entry| entry.count.unwrap_or(1)).sum();
        prop_assert_eq!(written, u64::try_from(records.len()).unwrap() + 2);
    }
}

#[test]
fn what_a_tally_counted_is_one_record_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let tally = log.tally(record(7)).unwrap().unwrap();
    let at = Timestamp::from_secs(1_790_000_001);
    for _ in 0..1000 {
        log.count(&tally, at).unwrap();
    }
    drop(tally);
    log.close(LONG).unwrap();
    let counted = tail(folder.path(), usize::MAX, |entry| entry.kind == "counted").unwrap();
    let counts = counted.iter().filter_map(|entry| entry.count);
    assert_eq!(counts.sum::<u64>(), 1000);
    assert_eq!(counted[0].detail["number"], "7");
    assert!(verify(folder.path()).unwrap().is_intact());
}

#[test]
fn a_closed_log_counts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let tally = log.tally(record(1)).unwrap().unwrap();
    log.close(LONG).unwrap();
    let at = Timestamp::from_secs(1_790_000_001);
    assert!(matches!(log.count(&tally, at), Err(AuditError::Closed)));
    assert!(matches!(log.tally(record(2)), Err(AuditError::Closed)));
}

#[test]
fn without_room_there_is_no_tally() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path()).with_counted_keys(1);
    let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
    let first = log.tally(record(1)).unwrap();
    assert!(first.is_some() && log.tally(record(2)).unwrap().is_none());
    drop(first);
    // The place is free again once the log has looked.
    log.flush().unwrap();
    assert!(log.tally(record(3)).unwrap().is_some());
    log.close(LONG).unwrap();
}
