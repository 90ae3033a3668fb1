//! A writer is killed; the next one cuts what is torn, says so, and refuses what is not torn but changed.

use super::checkpoints::{TestKey, closed, open_signed};
use super::*;
use crate::error::Code;

/// A folder with this one segment.
fn folder_with(name: &Path, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name.file_name().unwrap());
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn a_log_torn_at_any_byte_is_recovered_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let bytes = fs::read(&path).unwrap();
    let all = lines(&path);
    let good: usize = all[..all.len() - 3].iter().map(Vec::len).sum();
    for end in good..bytes.len() {
        let (folder, path) = folder_with(&path, &bytes[..end]);
        let whole = lines(&path);
        let whole: Vec<_> = whole.iter().filter(|line| line.ends_with(b"\n")).collect();
        let whole_bytes: usize = whole.iter().map(|line| line.len()).sum();
        let is_torn = whole_bytes != end;
        let before = verify(folder.path()).unwrap();
        assert_eq!(before.is_intact(), !is_torn, "{end}");
        open(folder.path()).close(LONG).unwrap();
        let verification = verify(folder.path()).unwrap();
        assert!(verification.is_intact(), "{end} {verification:?}");
        assert_eq!(verification.recoveries.len(), usize::from(is_torn), "{end}");
        assert_eq!(fs::read(&path).unwrap(), bytes[..whole_bytes], "{end}");
        if let Some(recovery) = verification.recoveries.first() {
            let kept = fs::read(folder.path().join(&recovery.kept_as)).unwrap();
            assert_eq!(kept, bytes[whole_bytes..end], "{end}");
            assert_eq!(recovery.last_good_seq, u64::try_from(whole.len()).unwrap());
        }
    }
}

#[test]
fn a_recovery_happens_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 3);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    for _ in 0..3 {
        open(folder.path()).close(LONG).unwrap();
    }
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.recoveries.len(), 1);
}

#[test]
fn a_recovery_that_was_interrupted_before_the_cut_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 3);
    let torn = fs::read(&path).unwrap();
    let torn = &torn[..torn.len() - 9];
    fs::write(&path, torn).unwrap();
    open(folder.path()).close(LONG).unwrap();
    fs::write(&path, torn).unwrap();
    open(folder.path()).close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.recoveries.len(), 2);
    assert_eq!(
        verification.recoveries[0].kept_as,
        verification.recoveries[1].kept_as
    );
}

#[test]
fn a_segment_without_any_good_record_is_kept_aside_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 3);
    fs::write(&path, b"{\"seq\":1,\"ki").unwrap();
    open(folder.path()).close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.recoveries[0].bytes_cut, 12);
    assert!(!path.exists());
}

#[test]
fn a_changed_record_that_others_follow_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let mut all = lines(&path);
    let offset: usize = all[..3].iter().map(Vec::len).sum();
    all[3][40] ^= 1;
    rewrite(&path, &all);
    let before = fs::read(&path).unwrap();
    let error = AuditLog::open(options(folder.path()), Arc::new(SystemClock::new())).unwrap_err();
    let AuditError::Tampered {
        file,
        line,
        byte_offset,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((file, *line), (&path, 4));
    assert_eq!(*byte_offset, u64::try_from(offset).unwrap());
    let error = crate::Error::from(error);
    assert_eq!(error.code(), Code::AuditIntegrity);
    assert!(error.help().unwrap().contains("zt audit verify"));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Zeros in the middle, as a power cut leaves them that took an earlier page and left a later one.
fn with_a_hole(path: &Path) {
    let mut all = lines(path);
    let middle = all.len() - 3;
    all[middle][10..40].fill(0);
    rewrite(path, &all);
}

#[test]
fn a_page_that_a_power_cut_took_is_recovered_with_all_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    with_a_hole(&path);
    let bytes = fs::read(&path).unwrap();
    open(folder.path()).close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    let recovery = &verification.recoveries[0];
    assert_eq!(recovery.last_good_seq, 4);
    let kept = fs::read(folder.path().join(&recovery.kept_as)).unwrap();
    assert!(bytes.ends_with(&kept) && kept.contains(&0));
}

#[test]
fn a_hole_larger_than_any_line_is_recovered_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let mut all = lines(&path);
    let middle = all.len() - 3;
    all[middle] = vec![0; 3 << 20];
    rewrite(&path, &all);
    open(folder.path()).close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(verification.recoveries[0].last_good_seq, 4);
}

#[test]
fn zeros_in_what_was_signed_are_no_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let log = open_signed(folder.path(), &TestKey::new());
    for number in 0..5 {
        log.append(record(number), Durability::Durable).unwrap();
    }
    log.close(LONG).unwrap();
    let path = segment(folder.path(), log.writer(), 1);
    let mut all = lines(&path);
    all.pop();
    rewrite(&path, &all);
    with_a_hole(&path);
    let refused = AuditLog::open(options(folder.path()), Arc::new(SystemClock::new()));
    assert!(matches!(refused, Err(AuditError::Tampered { .. })));
}

#[test]
fn a_missing_record_before_the_last_is_no_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    let path = killed(folder.path(), 5);
    let mut all = lines(&path);
    all.remove(all.len() - 2);
    rewrite(&path, &all);
    let refused = AuditLog::open(options(folder.path()), Arc::new(SystemClock::new()));
    assert!(matches!(refused, Err(AuditError::Tampered { .. })));
}

#[test]
fn a_living_writer_is_never_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let alive = open(folder.path());
    let path = segment(folder.path(), alive.writer(), 1);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"{\"seq\":3,").unwrap();
    open(folder.path()).close(LONG).unwrap();
    let verification = verify(folder.path()).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert!(verification.recoveries.is_empty());
    assert!(verification.notes[0].contains("is being written"));
}

#[test]
fn a_log_that_goes_while_the_folder_is_looked_at_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 3);
    let path = segment(folder.path(), &writer, 1);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(folder.path().join(folder::checkpoints_name(&writer))).unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                // As another process that makes a whole log, and one that removes it by rule.
                let draft = folder.path().join("draft");
                fs::write(&draft, &bytes).unwrap();
                fs::rename(&draft, &path).unwrap();
                fs::remove_file(&path).unwrap();
            }
        });
        for _ in 0..300 {
            let found = recover::survey(folder.path());
            assert!(found.is_ok(), "{found:?}");
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
