//! A process is killed in the middle of thinning its checkpoints, or of removing segments: the folder is whole, and the next log
//! goes on.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::checkpoints::notes_of;
use super::retention::{DAY, segments_of, write};
use super::*;
use crate::adapters::file::FileAuditKey;
use crate::audit::disk::{Disk, OsDisk, SegmentFile};
use crate::testing::ManualClock;

const FOLDER: &str = "ZT_AUDIT_KILL_BETWEEN_FOLDER";
const STEP: &str = "ZT_AUDIT_KILL_BETWEEN_STEP";

/// Says that the process is where it was to come, and goes no further.
fn stop() -> ! {
    let mut out = io::stdout().lock();
    writeln!(out, "stopped").unwrap();
    out.flush().unwrap();
    drop(out);
    loop {
        std::thread::park();
    }
}

/// A disk that stops at a step: one of thinning, or after so many removed files.
#[derive(Debug)]
struct StopDisk {
    step: String,
    removed: AtomicUsize,
}

#[derive(Debug)]
struct Half(Box<dyn SegmentFile>);

impl StopDisk {
    /// Whether a step is one of thinning, which alone makes a second file, and the one to stop at.
    fn is_here(&self, step: &str, unpublished: &Path) -> bool {
        let is_notes = unpublished.to_string_lossy().ends_with(".checkpoints.new");
        is_notes && unpublished.with_extension("").exists() && self.step == step
    }
}

impl Disk for StopDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let file = OsDisk.create(path)?;
        if self.is_here("created", path) {
            stop();
        }
        if self.is_here("half", path) {
            return Ok(Box::new(Half(file)));
        }
        Ok(file)
    }

    fn reopen(&self, path: &Path, length: u64) -> io::Result<Box<dyn SegmentFile>> {
        OsDisk.reopen(path, length)
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.is_here("written", from) {
            stop();
        }
        let is_here = self.is_here("renamed", from);
        OsDisk.publish(from, to)?;
        if is_here {
            stop();
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        OsDisk.read(path)
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        OsDisk.length(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if Ok(self.removed.fetch_add(1, Ordering::SeqCst)) == self.step.parse() {
            stop();
        }
        OsDisk.remove(path)
    }
}

impl SegmentFile for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(&bytes[..bytes.len() / 2])?;
        stop();
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

/// A log of this day; its key lies beside the folder.
fn open_at(folder: &Path, day: u32, disk: Arc<dyn Disk>) -> (AuditLog, Arc<ManualClock>) {
    let key = FileAuditKey::open(folder.with_file_name("audit.key")).unwrap();
    let mut options = options(folder)
        .with_segment_bytes(1024)
        .with_signer(Arc::new(key))
        .with_retention(30 * DAY);
    options.most_notes = 8;
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000)));
    clock.advance(day * DAY);
    let log = AuditLog::open_on(options, Arc::<ManualClock>::clone(&clock), disk);
    (log.unwrap(), clock)
}

/// Runs the child up to a step, and kills it there.
fn kill_at(folder: &Path, step: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("audit::tests::kill_between::child_that_stops_where_it_is_told")
        .env(FOLDER, folder)
        .env(STEP, step)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = output.lines().map_while(Result::ok);
    let has_stopped = lines.any(|line| line.contains("stopped"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(has_stopped, "{step}");
}

#[test]
#[ignore = "the child of the tests below"]
fn child_that_stops_where_it_is_told() {
    let (Some(folder), Some(step)) = (std::env::var_os(FOLDER), std::env::var_os(STEP)) else {
        return;
    };
    let disk = StopDisk {
        step: step.into_string().unwrap(),
        removed: AtomicUsize::new(0),
    };
    let (log, clock) = open_at(Path::new(&folder), 40, Arc::new(disk));
    // Thins, if it does not stop before. What is written ten seconds after a note is signed at once. Not for ever: else who waits
    // for it would not learn that it does not stop.
    for _ in 0..1000 {
        while log.health().signed < log.health().records {
            std::thread::yield_now();
        }
        clock.advance(Duration::from_secs(10));
        write(&log, &clock, 0..1);
    }
}

fn intact(folder: &Path) -> Verification {
    let key = FileAuditKey::read(folder.with_file_name("audit.key")).unwrap();
    let options = VerifyOptions::new().with_key(key.public_key().unwrap());
    let found = verify_with(folder, &options).unwrap();
    assert!(found.is_intact(), "{found:?}");
    found
}

#[test]
fn a_process_that_is_killed_while_it_thins_its_checkpoints_leaves_one_chain_of_them() {
    for step in ["created", "half", "written", "renamed"] {
        let root = tempfile::tempdir().unwrap();
        let folder = &root.path().join("audit");
        kill_at(folder, step);
        let found = intact(folder);
        let (writer, records) = (&found.heads[0].writer, found.heads[0].seq);
        let notes = notes_of(folder, writer);
        // Eight fill a file; thinning leaves six, and one comes.
        assert_eq!(notes.len(), if step == "renamed" { 7 } else { 8 }, "{step}");
        assert!(records - notes.last().unwrap().head.size <= 1, "{step}");
        let draft = folder.join(format!("{}.new", folder::checkpoints_name(writer)));
        assert_eq!(draft.exists(), step != "renamed", "{step}");
        let (log, _) = open_at(folder, 40, Arc::new(OsDisk));
        log.close(LONG).unwrap();
        assert!(!draft.exists(), "{step}");
        drop(intact(folder));
    }
}

#[test]
fn a_process_that_is_killed_while_it_removes_segments_leaves_the_rest_to_the_next() {
    for removed in [0, 1, 3] {
        let root = tempfile::tempdir().unwrap();
        let folder = &root.path().join("audit");
        let (old, clock) = open_at(folder, 0, Arc::new(OsDisk));
        write(&old, &clock, 0..20);
        old.close(LONG).unwrap();
        let (newer, _) = open_at(folder, 20, Arc::new(OsDisk));
        newer.close(LONG).unwrap();
        let all = segments_of(folder, old.writer());
        kill_at(folder, &removed.to_string());
        assert_eq!(segments_of(folder, old.writer()), all - removed);
        drop(intact(folder));
        let (next, _) = open_at(folder, 40, Arc::new(OsDisk));
        next.close(LONG).unwrap();
        assert_eq!(segments_of(folder, old.writer()), 0);
        let found = intact(folder);
        // What else the kill left, a segment that was never started, is named too.
        let is_said = |note: &&String| note.contains(old.writer());
        assert_eq!(found.notes.iter().filter(is_said).count(), 1, "{found:?}");
    }
}
