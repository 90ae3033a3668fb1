//! Whose word retention takes, and what it says of logs that nobody vouches for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use super::super::checkpoint::{Checkpoint, Endorsement, statement};
use super::super::signature::{ProcessKey, to_der};
use super::super::verify::known::{Keys, Signer, know};
use super::checkpoints::{TestKey, notes_of};
use super::retention::{DAY, clock, old_log, open_on_day, pass, segments_of, until_gone};
use super::*;
use crate::clock::Clock as _;
use crate::testing::ManualClock;

/// A key whose public part is not always to be had.
#[derive(Debug)]
struct Shy {
    key: Arc<TestKey>,
    is_blocked: Mutex<bool>,
    moved: Condvar,
    fails: AtomicBool,
    asked: AtomicUsize,
}

impl Shy {
    fn new(key: &Arc<TestKey>) -> Arc<Self> {
        Arc::new(Self {
            key: Arc::clone(key),
            is_blocked: Mutex::new(false),
            moved: Condvar::new(),
            fails: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        })
    }

    fn block(&self, is_blocked: bool) {
        *self.is_blocked.lock().unwrap() = is_blocked;
        self.moved.notify_all();
    }
}

impl CheckpointSigner for Shy {
    fn public_key(&self) -> Result<PublicKey, SignError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let blocked = self.is_blocked.lock().unwrap();
        drop(self.moved.wait_while(blocked, |blocked| *blocked).unwrap());
        if self.fails.load(Ordering::SeqCst) {
            return Err(SignError::new("the vault is away"));
        }
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        self.key.sign(message)
    }
}

fn open_with(folder: &Path, clock: &Arc<ManualClock>, key: &Arc<Shy>) -> AuditLog {
    let options = if *key.is_blocked.lock().unwrap() {
        impatient(folder)
    } else {
        options(folder)
    };
    let options = options
        .with_signer(Arc::<Shy>::clone(key))
        .with_retention(30 * DAY);
    AuditLog::open(options, Arc::<ManualClock>::clone(clock)).unwrap()
}

#[test]
fn a_log_opens_while_its_audit_key_does_not_answer_and_the_next_one_removes() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let old = old_log(folder.path(), &clock, &key);
    let shy = Shy::new(&key);
    for is_late in [true, false] {
        shy.block(is_late);
        shy.fails.store(!is_late, Ordering::SeqCst);
        let log = open_with(folder.path(), &clock, &shy);
        log.append(record(1), Durability::Durable).unwrap();
        let error = log.health().last_error.unwrap();
        assert!(error.starts_with("retention removes nothing: "), "{error}");
        shy.block(false);
        shy.fails.store(false, Ordering::SeqCst);
        log.close(LONG).unwrap();
        assert!(segments_of(folder.path(), &old) > 0);
        clock.advance(DAY);
    }
    shy.asked.store(0, Ordering::SeqCst);
    let log = open_with(folder.path(), &clock, &shy);
    until_gone(folder.path(), &old);
    log.close(LONG).unwrap();
    assert_eq!(shy.asked.load(Ordering::SeqCst), 1, "once for each log");
}

#[test]
fn who_will_never_be_vouched_for_is_named_and_not_with_advice_that_cannot_help() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, key) = (clock(), TestKey::new());
    let plain = AuditLog::open(options(folder.path()), Arc::<ManualClock>::clone(&clock)).unwrap();
    plain.close(LONG).unwrap();
    clock.advance(DAY);
    key.leave();
    let away = pass(folder.path(), &clock, &key);
    key.come_back();
    clock.advance(DAY);
    old_log(folder.path(), &clock, &key);
    let log = open_on_day(folder.path(), &clock, &key);
    let error = log.health().last_error.unwrap();
    for name in [plain.writer(), away.writer()] {
        assert!(error.contains(name), "{error}");
    }
    assert!(!error.contains("former_keys"), "{error}");
    log.close(LONG).unwrap();
}

#[test]
fn a_former_key_makes_no_log_of_the_time_of_the_key_that_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, leaked, key) = (clock(), TestKey::new(), TestKey::new());
    let old = pass(folder.path(), &clock, &leaked);
    clock.advance(DAY);
    let new = pass(folder.path(), &clock, &key);
    clock.advance(DAY);
    let newer = pass(folder.path(), &clock, &key);
    // Who has the leaked key puts a log of its own in the place of one of the new key.
    let process = ProcessKey::generate().unwrap();
    let says = statement(newer.writer(), process.public());
    let endorsement = Endorsement {
        key_id: leaked.public().id(),
        signature: to_der(&leaked.sign(says.as_bytes()).unwrap()),
    };
    let head = notes_of(folder.path(), newer.writer()).pop().unwrap().head;
    let name = newer.writer();
    let forged = Checkpoint::sign(name, head, chain::ZERO, &process, Some(endorsement)).unwrap();
    let path = folder.path().join(folder::checkpoints_name(name));
    fs::write(path, forged.note()).unwrap();
    clock.advance(20 * DAY);
    pass(folder.path(), &clock, &key);
    clock.advance(20 * DAY);
    let keys = || {
        Ok(Keys {
            now: key.public(),
            former: vec![leaked.public()],
        })
    };
    let plan = retire::Plan::make(folder.path(), clock.now(), 30 * DAY, &[], &keys).unwrap();
    let records: Vec<String> = plan.records(clock.now()).map(Result::unwrap).collect();
    let is_planned = |name: &str| records.iter().any(|record| record.contains(name));
    assert!(is_planned(old.writer()) && is_planned(new.writer()));
    assert!(!is_planned(name), "{records:?}");
    assert!(plan.blocked().unwrap().contains(name));
    // It is the key alone that forbids it.
    let found = folder::Folder::read(folder.path()).unwrap();
    let claims = verify::claims::Claims::read(folder.path(), &found);
    let known = |keys: &[PublicKey]| know(folder.path(), &found, &claims, name, keys).unwrap();
    assert!(known(&[leaked.public()]).signed > 0);
    let id = leaked.public().id();
    assert_eq!(known(&[key.public()]).signer, Signer::Unknown(id));
}
