//! Old checkpoints go, by their own log alone, and nothing that they covered is uncovered.

use std::sync::atomic::Ordering;

use super::super::chain::Link;
use super::super::checkpoint::{Checkpoint, Endorsement, TreeHead, statement};
use super::super::checkpointer::notes::{MOST, Notes};
use super::super::disk::Disk;
use super::super::folder::checkpoints_name;
use super::super::signature::{ProcessKey, to_der};
use super::super::tree::Tree;
use super::checkpoints::{TestKey, notes_of};
use super::faulty::FaultyDisk;
use super::*;
use crate::testing::ManualClock;

pub(super) const WRITER: &str = "20260921T141320Z-0123456789abcdef";
const AT: &str = "2026-09-21T14:13:20.000Z";

/// A log of so many records that is written here, and its head at each of them.
pub(super) fn log(folder: &Path, records: u64) -> Vec<TreeHead> {
    let zeros = "0".repeat(64);
    let (mut link, mut tree, mut bytes) = (Link::START, Tree::default(), Vec::new());
    let mut heads = Vec::new();
    for number in 1..=records {
        let fields = match number {
            1 => format!(
                r#""kind":"segment","at":"{AT}","format":1,"writer":"{WRITER}","segment":1,"pid":7,"previous":"{zeros}""#
            ),
            2 => format!(
                r#""kind":"admin","at":"{AT}","action":"audit.open","detail":{{"checkpoints":"signed"}}"#
            ),
            _ if number == records => {
                format!(r#""kind":"admin","at":"{AT}","action":"audit.close""#)
            }
            _ => format!(r#""kind":"release","at":"{AT}","action":"secret.read""#),
        };
        link = link.append(&fields, &mut bytes);
        tree.push(&link.hash);
        heads.push(TreeHead {
            size: tree.size(),
            root: tree.root(),
            head: link.hash,
            at: AT.to_owned(),
        });
    }
    fs::write(segment(folder, WRITER, 1), bytes).unwrap();
    heads
}

pub(super) fn notes(folder: &Path, key: &TestKey, disk: Arc<dyn Disk>) -> (Notes, Endorsement) {
    let process = ProcessKey::generate().unwrap();
    let statement = statement(WRITER, process.public());
    let endorsement = Endorsement {
        key_id: key.public().id(),
        signature: to_der(&key.sign(statement.as_bytes()).unwrap()),
    };
    let path = folder.join(checkpoints_name(WRITER));
    let notes = Notes::new(process, WRITER.to_owned(), path, disk, 8);
    (notes, endorsement)
}

pub(super) fn found(folder: &Path, options: &VerifyOptions) -> Vec<FindingKind> {
    let found = verify_with(folder, options).unwrap();
    found.findings.iter().map(|found| found.what).collect()
}

pub(super) fn sizes(folder: &Path) -> Vec<u64> {
    let notes = notes_of(folder, WRITER);
    notes.iter().map(|note| note.head.size).collect()
}

#[test]
fn old_notes_go_and_what_is_left_is_one_chain_that_covers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let heads = log(folder.path(), 40);
    let (mut notes, endorsement) = notes(folder.path(), &key, Arc::new(disk::OsDisk));
    let mut all = String::new();
    for (at, head) in heads.into_iter().enumerate() {
        // The audit key is away at first.
        let endorsement = Some(&endorsement).filter(|_| at >= 20);
        notes.add(head, endorsement).unwrap();
        let kept = notes_of(folder.path(), WRITER);
        all.push_str(&kept.last().unwrap().note());
        assert!(kept.len() <= 8 && kept.iter().all(Checkpoint::is_signed));
        assert_eq!(sizes(folder.path())[0], 1, "the first of all stays");
        let newest = u64::try_from(at).unwrap() + 1;
        assert!(sizes(folder.path()).ends_with(&[newest]));
    }
    assert_eq!(sizes(folder.path()), [1, 33, 35, 36, 37, 38, 39, 40]);
    let trusting = VerifyOptions::new().with_key(key.public());
    // Whoever kept notes that went holds them against the log as before.
    let keeping = trusting.clone().with_checkpoints("kept.txt", &all).unwrap();
    for options in [&VerifyOptions::new(), &trusting, &keeping] {
        assert_eq!(found(folder.path(), options), []);
    }
    for seq in 1..=40 {
        let bundle = prove(folder.path(), WRITER, seq, None).unwrap();
        assert_eq!(bundle.verify(&key.public()).unwrap().seq, seq);
    }
}

#[test]
fn a_living_log_thins_its_notes() {
    let folder = tempfile::tempdir().unwrap();
    let (key, clock) = (TestKey::new(), Timestamp::from_secs(1_790_000_000));
    let clock = Arc::new(ManualClock::new(clock));
    let mut options = options(folder.path()).with_signer(Arc::<TestKey>::clone(&key));
    options.most_notes = 8;
    let log = AuditLog::open(options, Arc::<ManualClock>::clone(&clock)).unwrap();
    let until_signed = |size: u64| {
        while log.health().signed < size {
            std::thread::yield_now();
        }
    };
    until_signed(2);
    let mut all = String::new();
    for number in 0..40 {
        // What is written after ten seconds is signed at once.
        clock.advance(Duration::from_secs(10));
        log.append(record(number), Durability::Durable).unwrap();
        until_signed(log.health().records);
        let notes = notes_of(folder.path(), log.writer());
        assert!(notes.len() <= 8, "{}", notes.len());
        assert_eq!(notes[0].head.size, 2, "the first of all stays");
        assert_eq!(notes.last().unwrap().head.size, log.health().records);
        all.push_str(&notes.last().unwrap().note());
    }
    log.close(LONG).unwrap();
    assert_eq!(log.health().checkpoint_error, None);
    let trusting = VerifyOptions::new().with_key(key.public());
    let keeping = trusting.with_checkpoints("kept.txt", &all).unwrap();
    assert_eq!(found(folder.path(), &keeping), []);
    for seq in 1..=log.health().records {
        let bundle = prove(folder.path(), log.writer(), seq, None).unwrap();
        assert_eq!(bundle.verify(&key.public()).unwrap().seq, seq);
    }
}

#[test]
fn notes_that_somebody_else_takes_away_leave_a_gap_in_a_thinned_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let heads = log(folder.path(), 21);
    let (mut notes, endorsement) = notes(folder.path(), &key, Arc::new(disk::OsDisk));
    for head in heads {
        notes.add(head, Some(&endorsement)).unwrap();
    }
    let path = folder.path().join(checkpoints_name(WRITER));
    let left = notes_of(folder.path(), WRITER);
    for gone in 0..left.len() {
        let rest = left.iter().enumerate().filter(|(at, _)| *at != gone);
        let text: String = rest.map(|(_, note)| note.note()).collect();
        fs::write(&path, text).unwrap();
        let options = VerifyOptions::new().with_key(key.public());
        assert_eq!(
            found(folder.path(), &options),
            [FindingKind::MissingCheckpoint],
            "{gone}"
        );
    }
}

#[test]
fn thinning_that_fails_at_any_step_leaves_whole_notes_and_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let (key, disk) = (TestKey::new(), FaultyDisk::default());
    let faults = Arc::clone(&disk.0);
    let heads = log(folder.path(), 60);
    let (mut notes, endorsement) = notes(folder.path(), &key, Arc::new(disk));
    let flags = [&faults.create, &faults.notes, &faults.publish];
    let (mut failed, mut troubled) = ([0; 3], 0);
    for (at, head) in heads.into_iter().enumerate() {
        // Each way to fail while there is nothing to thin, and while there is.
        let flag = flags[at % 3];
        flag.store(at > 8, Ordering::SeqCst);
        if notes.add(head.clone(), Some(&endorsement)).is_err() {
            failed[at % 3] += 1;
            // A note that was written in part is torn; the others are whole.
            let whats = found(folder.path(), &VerifyOptions::new());
            let is_known = |what: &FindingKind| {
                matches!(
                    what,
                    FindingKind::MissingCheckpoint | FindingKind::ForgedCheckpoint
                )
            };
            assert!(whats.iter().all(is_known), "{at}: {whats:?}");
            flag.store(false, Ordering::SeqCst);
            notes.add(head, Some(&endorsement)).unwrap();
        }
        troubled += usize::from(notes.trouble().is_some());
        flag.store(false, Ordering::SeqCst);
        let sizes = sizes(folder.path());
        assert_eq!(sizes.last(), Some(&(u64::try_from(at).unwrap() + 1)));
        assert!(sizes.len() <= 16, "{sizes:?}");
    }
    assert!(failed[1] > 0 && failed[2] > 0, "{failed:?}");
    assert!(troubled > 0, "one that cannot be created is named");
    let trusting = VerifyOptions::new().with_key(key.public());
    assert_eq!(found(folder.path(), &trusting), []);
}

#[test]
fn many_notes_of_one_who_thins_nothing_are_compared_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let heads = log(folder.path(), 10);
    let process = ProcessKey::generate().unwrap();
    let (mut text, mut previous) = (String::new(), chain::ZERO);
    // Many of the same head, and one at the end of another history.
    let mut forged = heads[9].clone();
    forged.root = chain::ZERO;
    let many = std::iter::repeat_n(&heads[4], 5000);
    for head in many.chain([&heads[9]]) {
        let note = Checkpoint::sign(WRITER, head.clone(), previous, &process, None).unwrap();
        text.push_str(&note.note());
        previous = note.hash();
    }
    let path = folder.path().join(checkpoints_name(WRITER));
    fs::write(&path, &text).unwrap();
    assert_eq!(found(folder.path(), &VerifyOptions::new()), []);
    let note = Checkpoint::sign(WRITER, forged, previous, &process, None).unwrap();
    fs::write(&path, format!("{text}{}", note.note())).unwrap();
    let whats = found(folder.path(), &VerifyOptions::new());
    assert!(whats.contains(&FindingKind::Fork), "{whats:?}");
    // What is wrong over and over is told a hundred times.
    fs::write(&path, "\n\u{2014} \n".repeat(1000)).unwrap();
    let told = verify(folder.path()).unwrap();
    assert!(told.findings.len() <= 101 && !told.is_intact());
    assert!(
        told.notes.iter().any(|note| note.contains("900 more")),
        "{:?}",
        told.notes
    );
}

#[test]
fn a_file_is_full_long_before_it_is_large() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let mut head = log(folder.path(), 3).pop().unwrap();
    head.size = u64::MAX;
    let (_, endorsement) = notes(folder.path(), &key, Arc::new(disk::OsDisk));
    let process = ProcessKey::generate().unwrap();
    let note = Checkpoint::sign(WRITER, head, chain::ZERO, &process, Some(endorsement)).unwrap();
    assert!(note.note().contains("\nendorsement "));
    // A signature of DER is up to two bytes longer than another.
    assert!((note.note().len() + 8) * MOST < 1 << 20);
}

#[test]
fn a_file_is_whole_at_every_moment_for_who_verifies_while_it_is_thinned() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let heads = log(folder.path(), 300);
    let (mut notes, endorsement) = notes(folder.path(), &key, Arc::new(disk::OsDisk));
    notes.add(heads[0].clone(), Some(&endorsement)).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            for head in heads.into_iter().skip(1) {
                notes.add(head, Some(&endorsement)).unwrap();
            }
        });
        while !writing.is_finished() {
            // The end of the log has no note yet, and one that is being written may be there in part.
            let told = verify(folder.path()).unwrap();
            let mut of_notes = told.findings.iter().filter(|found| found.line > 0);
            let is_part = |found: &Finding| found.what == FindingKind::ForgedCheckpoint;
            assert!(of_notes.all(is_part), "{told:?}");
        }
    });
    assert_eq!(found(folder.path(), &VerifyOptions::new()), []);
}
