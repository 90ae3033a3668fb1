//! What somebody does to the checkpoints of a living log is found for as long as there is a file of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::super::checkpoint::{Checkpoint, TreeHead};
use super::super::disk::{Disk, OsDisk, SegmentFile};
use super::super::folder::checkpoints_name;
use super::super::signature::ProcessKey;
use super::checkpoints::{TestKey, closed, notes_of};
use super::thinning::{WRITER, found, log, notes, sizes};
use super::*;

/// A note by somebody, of the log at its end.
fn foreign(head: &TreeHead) -> String {
    let key = ProcessKey::generate().unwrap();
    let note = Checkpoint::sign(WRITER, head.clone(), chain::ZERO, &key, None);
    note.unwrap().note()
}

#[test]
fn what_is_done_to_the_file_of_a_living_log_is_not_thinned_away() {
    for way in ["taken", "swapped", "added", "cut", "gone"] {
        let folder = tempfile::tempdir().unwrap();
        let key = TestKey::new();
        let heads = log(folder.path(), 60);
        let (mut notes, endorsement) = notes(folder.path(), &key, Arc::new(OsDisk));
        let path = folder.path().join(checkpoints_name(WRITER));
        for (at, head) in heads.iter().enumerate() {
            notes.add(head.clone(), Some(&endorsement)).ok();
            if at != 5 {
                continue;
            }
            assert_eq!(notes.trouble(), None);
            let all = notes_of(folder.path(), WRITER);
            let mut texts: Vec<String> = all.iter().map(Checkpoint::note).collect();
            match way {
                "taken" => drop(texts.remove(3)),
                // As long as it was, so that the length tells nothing.
                "swapped" => texts.swap(2, 3),
                "added" => texts.push(foreign(&heads[5])),
                "cut" => texts.truncate(4),
                _ => texts.clear(),
            }
            fs::write(&path, texts.concat()).unwrap();
            if way == "gone" {
                fs::remove_file(&path).unwrap();
            }
        }
        let trouble = notes.trouble().unwrap_or_default();
        assert!(
            trouble.starts_with("somebody else changed"),
            "{way}: {trouble}"
        );
        let whats = found(folder.path(), &VerifyOptions::new().with_key(key.public()));
        assert!(
            whats.contains(&FindingKind::MissingCheckpoint),
            "{way}: {whats:?}"
        );
        // The newest records are covered all the same.
        assert_eq!(sizes(folder.path()).last(), Some(&60), "{way}");
    }
}

/// A disk that has no room for a second file.
#[derive(Debug, Default)]
struct NarrowDisk {
    is_narrow: AtomicBool,
    tried: AtomicUsize,
}

impl Disk for NarrowDisk {
    fn create(&self, path: &Path) -> std::io::Result<Box<dyn SegmentFile>> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        if self.is_narrow.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        OsDisk.create(path)
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

#[test]
fn a_file_that_cannot_be_thinned_is_named_tried_seldom_and_thinned_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let mut heads = log(folder.path(), 90).into_iter();
    let disk = Arc::new(NarrowDisk::default());
    let (mut notes, endorsement) = notes(folder.path(), &key, Arc::<NarrowDisk>::clone(&disk));
    for (at, head) in heads.by_ref().take(80).enumerate() {
        notes.add(head, Some(&endorsement)).unwrap();
        disk.is_narrow.store(true, Ordering::SeqCst);
        assert_eq!(notes.trouble().is_some(), at >= 8, "{at}");
    }
    assert_eq!(sizes(folder.path()).len(), 80);
    // Once for the first note, then with every second one, a quarter of the eight that fill a file.
    assert_eq!(disk.tried.load(Ordering::SeqCst), 1 + 36);
    disk.is_narrow.store(false, Ordering::SeqCst);
    for head in heads {
        notes.add(head, Some(&endorsement)).unwrap();
    }
    assert_eq!(notes.trouble(), None);
    let left = sizes(folder.path());
    assert!(left.len() <= 8 && left.last() == Some(&90), "{left:?}");
    assert_eq!(found(folder.path(), &VerifyOptions::new()), []);
}

#[test]
fn what_a_kill_leaves_of_a_new_file_is_named_as_it_is_and_goes_when_a_log_opens() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let writer = closed(folder.path(), &key, 3);
    let name = format!("{}.new", checkpoints_name(&writer));
    let path = folder.path().join(&name);
    fs::write(&path, "half a note").unwrap();
    let alive = folder
        .path()
        .join("20260921T141320Z-0123456789abcdef.checkpoints.new");
    let held = OsDisk.create(&alive).unwrap();
    let notes = verify(folder.path()).unwrap().notes;
    let says = |what: &str| {
        notes
            .iter()
            .any(|note| note.contains(&name) && note.contains(what))
    };
    assert!(
        says("has not taken the place") && !says("never started"),
        "{notes:?}"
    );
    open(folder.path()).close(LONG).unwrap();
    assert!(!path.exists());
    assert!(alive.exists(), "whose writer holds it");
    drop(held);
}

#[test]
fn notes_that_are_none_hide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let heads = log(folder.path(), 10);
    let (mut notes, _) = notes(folder.path(), &key, Arc::new(OsDisk));
    let mut rewritten = heads[5].clone();
    rewritten.root = chain::ZERO;
    notes.add(rewritten, None).unwrap();
    let path = folder.path().join(checkpoints_name(WRITER));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text + &"\n\u{2014} \n".repeat(1000)).unwrap();
    let whats = found(folder.path(), &VerifyOptions::new().with_key(key.public()));
    for what in [FindingKind::Rewritten, FindingKind::UnknownKey] {
        assert!(whats.contains(&what), "{what:?}");
    }
}

#[test]
fn of_many_keys_that_signed_one_log_the_first_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let key = TestKey::new();
    let heads = log(folder.path(), 10);
    let (mut notes, endorsement) = notes(folder.path(), &key, Arc::new(OsDisk));
    for head in &heads {
        notes.add(head.clone(), Some(&endorsement)).unwrap();
    }
    let path = folder.path().join(checkpoints_name(WRITER));
    let own = fs::read_to_string(&path).unwrap();
    let foreign: String = (0..100).map(|_| foreign(&heads[9])).collect();
    fs::write(&path, own + &foreign).unwrap();
    let told = verify_with(folder.path(), &VerifyOptions::new().with_key(key.public())).unwrap();
    let kinds: Vec<_> = told.findings.iter().map(|found| found.what).collect();
    assert!(kinds.contains(&FindingKind::Fork) && kinds.contains(&FindingKind::UnknownKey));
    assert_eq!(told.heads[0].signed, 10, "{told:?}");
}
