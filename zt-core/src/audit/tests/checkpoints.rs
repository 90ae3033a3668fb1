//! What is signed: when, under which key, and what an auditor finds in a log that is not what was signed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::super::checkpoint::Checkpoint;
use super::super::folder::checkpoints_name;
use super::super::lines::Lines;
use super::super::verify::notes;
use super::faulty::FaultyDisk;
use super::*;
use crate::testing::ManualClock;

/// An audit key in memory that is away, or takes its time, while a test says so.
#[derive(Debug)]
pub(super) struct TestKey(EcdsaKeyPair, Mutex<Mood>, Condvar);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Here,
    Away,
    Slow,
}

impl TestKey {
    pub(super) fn new() -> Arc<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Arc::new(Self(pair, Mutex::new(Mood::Here), Condvar::new()))
    }

    pub(super) fn away() -> Arc<Self> {
        let key = Self::new();
        key.feel(Mood::Away);
        key
    }

    fn slow() -> Arc<Self> {
        let key = Self::new();
        key.feel(Mood::Slow);
        key
    }

    /// It signs no more, until it comes back.
    pub(super) fn leave(&self) {
        self.feel(Mood::Away);
    }

    pub(super) fn come_back(&self) {
        self.feel(Mood::Here);
    }

    fn feel(&self, mood: Mood) {
        *self.1.lock().unwrap() = mood;
        self.2.notify_all();
    }

    pub(super) fn public(&self) -> PublicKey {
        PublicKey::from_point(self.0.public_key().as_ref()).unwrap()
    }
}

impl CheckpointSigner for TestKey {
    fn public_key(&self) -> Result<PublicKey, SignError> {
        Ok(self.public())
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let mood = self.1.lock().unwrap();
        let mood = self.2.wait_while(mood, |mood| *mood == Mood::Slow).unwrap();
        if *mood == Mood::Away {
            return Err(SignError::new("the vault is away"));
        }
        let signed = self.0.sign(&SystemRandom::new(), message).unwrap();
        Ok(signed.as_ref().try_into().unwrap())
    }
}

pub(super) fn open_signed(folder: &Path, key: &Arc<TestKey>) -> AuditLog {
    let options = options(folder).with_signer(Arc::<TestKey>::clone(key));
    AuditLog::open(options, Arc::new(SystemClock::new())).unwrap()
}

/// The same for a key that is slow.
fn open_impatient(folder: &Path, key: &Arc<TestKey>) -> AuditLog {
    let options = impatient(folder).with_signer(Arc::<TestKey>::clone(key));
    AuditLog::open(options, Arc::new(SystemClock::new())).unwrap()
}

/// A closed log with so many records; its name.
pub(super) fn closed(folder: &Path, key: &Arc<TestKey>, records: usize) -> String {
    let log = open_signed(folder, key);
    for number in 0..records {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.close(LONG).unwrap();
    log.writer().to_owned()
}

pub(super) fn notes_of(folder: &Path, writer: &str) -> Vec<Checkpoint> {
    let text = fs::read(folder.join(checkpoints_name(writer))).unwrap();
    let notes = notes::read(&mut Lines::new(&text[..]), writer).unwrap();
    let note = |(_, read)| match read {
        notes::Read::Note(note) => *note,
        other @ (notes::Read::Malformed | notes::Read::Torn) => panic!("{other:?}"),
    };
    notes.into_iter().map(note).collect()
}

fn trusting(key: &TestKey) -> VerifyOptions {
    VerifyOptions::new().with_key(key.public())
}

fn whats(verification: &Verification) -> Vec<FindingKind> {
    verification
        .findings
        .iter()
        .map(|found| found.what)
        .collect()
}

/// Computes every hash of a segment anew from this line on, as somebody who may write the folder can.
fn rehash(path: &Path, from: usize, mut edit: impl FnMut(&str) -> String) {
    let mut all = lines(path);
    let hash = |line: &[u8]| chain::Frame::parse(&line[..line.len() - 1]).unwrap().hash;
    let mut previous = if from == 0 {
        chain::ZERO
    } else {
        hash(&all[from - 1])
    };
    for line in &mut all[from..] {
        let frame = chain::Frame::parse(&line[..line.len() - 1]).unwrap();
        let body = edit(std::str::from_utf8(frame.body).unwrap());
        previous = chain::hash(&previous, body.as_bytes());
        *line = format!("{body},\"hash\":\"{}\"}}\n", chain::hex(&previous)).into_bytes();
    }
    rewrite(path, &all);
}

#[test]
fn a_closed_log_is_signed_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let log = open_signed(folder.path(), &key);
    // The first note waits for the audit key; a log that ends has its last one at once, and again when the key has answered.
    while log.health().signed == 0 {
        std::thread::yield_now();
    }
    log.append(record(0), Durability::Durable).unwrap();
    log.close(LONG).unwrap();
    let health = log.health();
    assert_eq!((health.signed, health.checkpoint_error), (4, None));
    let verification = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert!(verification.is_intact(), "{verification:?}");
    assert_eq!(
        (verification.unsigned(), verification.heads[0].signed),
        (0, 4)
    );
    assert!(verification.notes.is_empty(), "{verification:?}");
    let notes = notes_of(folder.path(), log.writer());
    assert!(notes.iter().all(Checkpoint::is_signed));
    assert!(notes.iter().all(|note| note.is_endorsed_by(&key.public())));
    assert_eq!(notes.last().unwrap().head.size, 4);
}

#[test]
fn only_an_audit_key_that_vouches_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (key, other) = (TestKey::new(), TestKey::new());
    closed(folder.path(), &key, 3);
    let found = verify_with(folder.path(), &trusting(&other)).unwrap();
    assert_eq!(whats(&found), [FindingKind::UnknownKey]);
    let both = trusting(&other).with_key(key.public());
    assert!(verify_with(folder.path(), &both).unwrap().is_intact());
    // A log that nobody signed proves nothing to who trusts keys alone.
    open(folder.path()).close(LONG).unwrap();
    let found = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert_eq!(whats(&found), [FindingKind::Unsigned]);
}

#[test]
fn a_log_that_is_cut_below_a_checkpoint_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 5);
    let path = segment(folder.path(), &writer, 1);
    let all = lines(&path);
    for keep in 1..all.len() {
        rewrite(&path, &all[..keep]);
        let found = verify(folder.path()).unwrap();
        assert_eq!(whats(&found), [FindingKind::Cut], "{keep}");
        assert!(found.findings[0].file.ends_with(".checkpoints"));
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(whats(&verify(folder.path()).unwrap()), [FindingKind::Cut]);
}

#[test]
fn a_chain_that_was_computed_anew_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 5);
    let path = segment(folder.path(), &writer, 1);
    rehash(&path, 3, |body| body.replace("sql-loans", "sql-lawns"));
    let found = verify(folder.path()).unwrap();
    assert_eq!(whats(&found), [FindingKind::Rewritten]);
}

#[test]
fn missing_swapped_and_foreign_checkpoints_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let log = open_signed(folder.path(), &key);
    while log.health().signed == 0 {
        std::thread::yield_now();
    }
    log.append(record(0), Durability::Ordered).unwrap();
    log.close(LONG).unwrap();
    let writer = log.writer();
    let path = folder.path().join(checkpoints_name(writer));
    let notes: Vec<String> = notes_of(folder.path(), writer)
        .iter()
        .map(Checkpoint::note)
        .collect();
    assert_eq!(notes.len(), 2);
    let found = |notes: &[&str]| {
        fs::write(&path, notes.concat()).unwrap();
        whats(&verify(folder.path()).unwrap())
    };
    let (first, second) = (notes[0].as_str(), notes[1].as_str());
    assert_eq!(found(&[first, second]), []);
    assert_eq!(found(&[second]), [FindingKind::MissingCheckpoint]);
    assert_eq!(found(&[first]), [FindingKind::MissingCheckpoint]);
    assert_eq!(found(&[]), [FindingKind::MissingCheckpoint]);
    assert!(!found(&[second, first]).is_empty());
    assert!(!found(&[first, second, second]).is_empty());
    fs::remove_file(&path).unwrap();
    assert_eq!(
        whats(&verify(folder.path()).unwrap()),
        [FindingKind::MissingCheckpoint]
    );
    let other = tempfile::tempdir().unwrap();
    let foreign = closed(other.path(), &key, 1);
    let foreign = fs::read_to_string(other.path().join(checkpoints_name(&foreign))).unwrap();
    let both = found(&[first, second, &foreign]);
    assert!(
        both.iter()
            .all(|what| *what == FindingKind::ForgedCheckpoint)
            && !both.is_empty()
    );
}

#[test]
fn a_checkpoint_kept_elsewhere_finds_what_the_folder_hides() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 5);
    let notes = folder.path().join(checkpoints_name(&writer));
    let kept = fs::read_to_string(&notes).unwrap();
    let options = trusting(&key).with_checkpoints("kept.txt", &kept).unwrap();
    assert!(verify_with(folder.path(), &options).unwrap().is_intact());
    // All of it is gone.
    fs::remove_file(&notes).unwrap();
    fs::remove_file(segment(folder.path(), &writer, 1)).unwrap();
    assert!(verify(folder.path()).unwrap().is_intact());
    let found = verify_with(folder.path(), &options).unwrap();
    assert_eq!(whats(&found), [FindingKind::Cut]);
    assert_eq!(found.findings[0].file, "kept.txt");
    let broken = trusting(&key).with_checkpoints("kept.txt", kept.trim_end());
    assert!(matches!(broken, Err(AuditError::Invalid { .. })));
}

#[test]
fn another_log_under_the_same_name_is_a_fork() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 5);
    let kept = fs::read_to_string(folder.path().join(checkpoints_name(&writer))).unwrap();
    let ours = notes_of(folder.path(), &writer).pop().unwrap();
    // Who holds the audit key makes a second history of the same length and signs it.
    let path = segment(folder.path(), &writer, 1);
    rehash(&path, 3, |body| body.replace("sql-loans", "sql-lawns"));
    let mut tree = tree::Tree::default();
    let mut head = ours.head;
    for line in lines(&path) {
        head.head = chain::Frame::parse(&line[..line.len() - 1]).unwrap().hash;
        tree.push(&head.head);
    }
    head.root = tree.root();
    let process = signature::ProcessKey::generate().unwrap();
    let statement = checkpoint::statement(&writer, process.public());
    let endorsement = checkpoint::Endorsement {
        key_id: key.public().id(),
        signature: signature::to_der(&key.sign(statement.as_bytes()).unwrap()),
    };
    let forged = Checkpoint::sign(&writer, head, chain::ZERO, &process, Some(endorsement)).unwrap();
    fs::write(folder.path().join(checkpoints_name(&writer)), forged.note()).unwrap();
    assert!(
        verify_with(folder.path(), &trusting(&key))
            .unwrap()
            .is_intact()
    );
    let options = trusting(&key).with_checkpoints("kept.txt", &kept).unwrap();
    let found = verify_with(folder.path(), &options).unwrap();
    assert!(whats(&found).contains(&FindingKind::Fork), "{found:?}");
}

#[test]
fn an_audit_key_that_is_away_loses_nothing_and_shows() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::away();
    let log = open_signed(folder.path(), &key);
    log.append(record(0), Durability::Durable).unwrap();
    while log.health().checkpoint_error.is_none() {
        std::thread::yield_now();
    }
    let error = log.health().checkpoint_error.unwrap();
    assert!(error.contains("the vault is away"), "{error}");
    log.close(LONG).unwrap();
    assert_eq!(numbers(folder.path()), [0]);
    assert!(log.health().checkpoint_error.is_some());
    // Signed, and nobody vouches for it.
    assert!(verify(folder.path()).unwrap().is_intact());
    let found = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert_eq!(whats(&found), [FindingKind::UnknownKey]);
}

#[test]
fn a_log_that_ends_waits_for_an_audit_key_that_is_slow() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::slow();
    let log = open_impatient(folder.path(), &key);
    log.append(record(0), Durability::Durable).unwrap();
    let until = |is_over: &dyn Fn() -> bool| {
        while !is_over() {
            std::thread::yield_now();
        }
    };
    until(&|| log.health().signed > 0);
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| log.close(LONG));
        // The last note is there, without the audit key, before that answers.
        until(&|| log.health().signed == 4);
        key.come_back();
        closing.join().unwrap().unwrap();
    });
    let found = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert!(found.is_intact(), "{found:?}");
}

#[test]
fn an_audit_key_that_failed_once_is_asked_again_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::away();
    let log = open_signed(folder.path(), &key);
    log.append(record(0), Durability::Durable).unwrap();
    while log.health().checkpoint_error.is_none() {
        std::thread::yield_now();
    }
    key.come_back();
    log.close(LONG).unwrap();
    let found = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert!(found.is_intact(), "{found:?}");
}

/// An audit key that takes its time for the first answer, and that is no.
#[derive(Debug)]
struct Reluctant {
    key: Arc<TestKey>,
    refuses: Mutex<bool>,
    moved: Condvar,
    asked: AtomicUsize,
}

impl CheckpointSigner for Reluctant {
    fn public_key(&self) -> Result<PublicKey, SignError> {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) > 0 {
            return self.key.sign(message);
        }
        let refuses = self.refuses.lock().unwrap();
        let is_silent = |refuses: &mut bool| !*refuses;
        drop(self.moved.wait_while(refuses, is_silent).unwrap());
        Err(SignError::new("not now"))
    }
}

#[test]
fn an_audit_key_that_refuses_while_the_log_ends_is_asked_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(Reluctant {
        key: TestKey::new(),
        refuses: Mutex::new(false),
        moved: Condvar::new(),
        asked: AtomicUsize::new(0),
    });
    let options = impatient(folder.path()).with_signer(Arc::<Reluctant>::clone(&key));
    let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
    log.append(record(0), Durability::Durable).unwrap();
    let (_, shared) = log.insides();
    // Before the end begins: who is asked first then is asked for the last time.
    while key.asked.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| log.close(LONG));
        let checkpointer = shared.checkpointer.as_ref().unwrap();
        while !checkpointer.is_ending() || log.health().signed < 4 {
            std::thread::yield_now();
        }
        *key.refuses.lock().unwrap() = true;
        key.moved.notify_all();
        closing.join().unwrap().unwrap();
    });
    assert_eq!(key.asked.load(Ordering::SeqCst), 2);
    let found = verify_with(folder.path(), &trusting(&key.key)).unwrap();
    assert!(found.is_intact(), "{found:?}");
}

#[test]
fn a_log_whose_audit_key_hangs_has_its_last_note_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::slow();
    let log = open_impatient(folder.path(), &key);
    log.append(record(0), Durability::Durable).unwrap();
    log.close(Duration::from_secs(1)).unwrap();
    while log.health().signed < 4 {
        std::thread::yield_now();
    }
    key.come_back();
    let notes = notes_of(folder.path(), log.writer());
    assert_eq!(notes.last().unwrap().head.size, 4);
}

#[test]
fn a_machine_that_slept_is_no_sign_of_anything() {
    let folder = tempfile::tempdir().unwrap();
    let (key, clock) = (TestKey::new(), Timestamp::from_secs(1_790_000_000));
    let clock = Arc::new(ManualClock::new(clock));
    let options = options(folder.path()).with_signer(Arc::<TestKey>::clone(&key));
    let log = AuditLog::open(options, Arc::<ManualClock>::clone(&clock)).unwrap();
    while log.health().signed == 0 {
        std::thread::yield_now();
    }
    let now = || crate::clock::Clock::now(&*clock);
    log.append(record_at(now(), 0), Durability::Durable)
        .unwrap();
    let asleep = record_at(Timestamp::from_secs(1_790_000_000 + 28_800), 1);
    log.append(asleep, Durability::Durable).unwrap();
    drop(log);
    let found = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert!(found.is_intact(), "{found:?}");
}

#[test]
fn records_that_take_the_place_of_those_behind_a_cut_are_found_where_they_are_many() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let log = open_signed(folder.path(), &key);
    // Its first note is endorsed.
    while log.health().signed == 0 {
        std::thread::yield_now();
    }
    for number in 0..30 {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.close(LONG).unwrap();
    let writer = log.writer().to_owned();
    let notes = folder.path().join(checkpoints_name(&writer));
    let text = fs::read_to_string(&notes).unwrap();
    let first = &notes_of(folder.path(), &writer)[0];
    fs::write(&notes, first.note()).unwrap();
    assert!(text.len() > first.note().len(), "there was more");
    let path = segment(folder.path(), &writer, 1);
    let mut all = lines(&path);
    let close = all.pop().unwrap();
    assert!(String::from_utf8(close).unwrap().contains("audit.close"));
    rewrite(&path, &all);
    let from = usize::try_from(first.head.size).unwrap();
    let mut minutes = 0;
    rehash(&path, from, |body| {
        minutes += 1;
        let (before, rest) = body.split_at(body.find("\"at\":\"").unwrap() + 6);
        let (_, after) = rest.split_at(24);
        let forged = format!("{before}2027-01-01T00:{minutes:02}:00.000Z{after}");
        forged.replace("sp-score-201", "mallory")
    });
    for options in [VerifyOptions::new(), trusting(&key)] {
        let found = verify_with(folder.path(), &options).unwrap();
        assert_eq!(whats(&found), [FindingKind::MissingCheckpoint], "{found:?}");
    }
}

#[test]
fn a_checkpoint_that_cannot_be_kept_shows_and_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (key, disk) = (TestKey::new(), FaultyDisk::default());
    let faults = Arc::clone(&disk.0);
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let options = options(folder.path()).with_signer(Arc::<TestKey>::clone(&key));
    let log =
        AuditLog::open_on(options, Arc::<ManualClock>::clone(&clock), Arc::new(disk)).unwrap();
    while log.health().signed == 0 {
        std::thread::yield_now();
    }
    for round in 1..4 {
        faults.notes.store(true, Ordering::SeqCst);
        log.append(record(round), Durability::Durable).unwrap();
        clock.advance(Duration::from_secs(10));
        while log.health().checkpoint_error.is_none() {
            std::thread::yield_now();
        }
        let health = log.health();
        assert!(health.is_writable && health.last_error.is_none());
        faults.notes.store(false, Ordering::SeqCst);
        clock.advance(Duration::from_secs(10));
        let size = health.records;
        while log.health().signed < size {
            std::thread::yield_now();
        }
        assert_eq!(log.health().checkpoint_error, None);
    }
    log.close(LONG).unwrap();
    assert_eq!(notes_of(folder.path(), log.writer()).len(), 5);
    let found = verify_with(folder.path(), &trusting(&key)).unwrap();
    assert!(found.is_intact() && found.notes.is_empty(), "{found:?}");
}

#[test]
fn ten_thousand_records_are_signed_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    let options = options(folder.path()).with_signer(Arc::<TestKey>::clone(&key));
    let log = AuditLog::open(options, clock).unwrap();
    for number in 0..10_000 {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.flush().unwrap();
    // The clock stands still: only the number of records can be why.
    while log.health().signed < 10_000 {
        std::thread::yield_now();
    }
    log.close(LONG).unwrap();
    assert!(
        verify_with(folder.path(), &trusting(&key))
            .unwrap()
            .is_intact()
    );
}

#[test]
fn a_bundle_proves_its_record_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let log = open_signed(folder.path(), &key);
    while log.health().signed == 0 {
        std::thread::yield_now();
    }
    for number in 0..6 {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.close(LONG).unwrap();
    let writer = log.writer();
    for seq in 1..=9 {
        let bundle = prove(folder.path(), writer, seq, Some(&key.public())).unwrap();
        assert_eq!(bundle.newer.is_some(), seq <= 2, "{seq}");
        let entry = bundle.verify(&key.public()).unwrap();
        assert_eq!((entry.seq, entry.writer.as_str()), (seq, writer));
        assert_eq!(
            bundle.verify(&TestKey::new().public()),
            Err(NotProven::UnknownKey)
        );
        let text = serde_json::to_string(&bundle).unwrap();
        let read: Bundle = serde_json::from_str(&text).unwrap();
        assert_eq!(read, bundle);
        let other = prove(folder.path(), writer, seq % 9 + 1, None).unwrap();
        for spoilt in [
            Bundle {
                record: other.record.clone(),
                ..bundle.clone()
            },
            Bundle {
                previous: other.previous.clone(),
                ..bundle.clone()
            },
            Bundle {
                seq: other.seq,
                ..bundle.clone()
            },
            Bundle {
                inclusion: Vec::new(),
                ..bundle.clone()
            },
            Bundle {
                writer: "20260921T141320Z-0123456789abcdef".to_owned(),
                ..bundle.clone()
            },
            Bundle {
                format: "zt-audit-proof/2".to_owned(),
                ..bundle.clone()
            },
        ] {
            assert!(spoilt.verify(&key.public()).is_err(), "{spoilt:?}");
        }
    }
    for (seq, writer) in [(0, writer), (10, writer), (1, "nobody")] {
        let none = prove(folder.path(), writer, seq, None);
        assert!(matches!(none, Err(AuditError::NotFound { .. })));
    }
}
