//! Sinks that are down, lie, hang or come back: nothing is lost, and the log never waits.

mod days;
mod fake;
mod gone;
mod lies;
mod remote;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::cursor::{self, folder_of};
use super::super::options::SinkOptions;
use super::super::tests::{LONG, open, options, record};
use super::super::worker;
use super::super::{AuditLog, AuditSink, Durability, Entry, each};
use super::shipper::{Own, Shipper, Step};
use super::state::SinkState;
use crate::clock::{Clock, Timestamp};
use crate::testing::ManualClock;
use fake::Fake;

const SINK: &str = "fake";

/// A log whose sink is driven by hand, on a clock that stands still.
struct Stage {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    sink: Arc<Fake>,
}

impl Stage {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(Timestamp::from_secs(1_790_000_000))),
            sink: Arc::new(Fake::default()),
        }
    }

    fn open(&self) -> AuditLog {
        // The worker looks once a second, by whatever clock the machine has time for: on this one a minute of silence may be over
        // then, and a record more would come while a test compares.
        let options = options(self.folder.path())
            .with_segment_bytes(4096)
            .with_heartbeat(Duration::MAX);
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        AuditLog::open(options, clock).unwrap()
    }

    /// The sink's thread of a process that has this log open, without the thread.
    fn shipper(&self, log: &AuditLog) -> (Shipper, Arc<SinkState>) {
        let (writer, shared) = log.insides();
        self.shipper_of(&writer, &shared)
    }

    fn shipper_of(&self, writer: &str, shared: &Arc<worker::Shared>) -> (Shipper, Arc<SinkState>) {
        self.shipper_to(Arc::clone(&self.sink) as Arc<dyn AuditSink>, writer, shared)
    }

    fn shipper_to(
        &self,
        sink: Arc<dyn AuditSink>,
        writer: &str,
        shared: &Arc<worker::Shared>,
    ) -> (Shipper, Arc<SinkState>) {
        let sink = SinkOptions {
            name: SINK.to_owned(),
            sink,
            is_remote: true,
        };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let state = SinkState::new(
            &sink,
            Some(Duration::from_secs(600)),
            &clock,
            &shared.status,
        );
        let state = Arc::new(state);
        let own = Own::new(self.folder.path(), writer, shared);
        let shipper = Shipper::new(&sink, own, clock, Arc::clone(&state)).unwrap();
        (shipper, state)
    }

    fn cursor(&self, writer: &str) -> PathBuf {
        cursor::path(&folder_of(self.folder.path(), SINK), writer)
    }

    /// All lines of the folder's logs, and all that the sink keeps, as (writer, number, hash).
    fn assert_complete(&self) {
        let mut of_log = lines_of(self.folder.path());
        of_log.sort();
        assert_eq!(self.sink.kept(), of_log);
    }
}

fn append(log: &AuditLog, numbers: std::ops::Range<usize>) {
    for number in numbers {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.flush().unwrap();
}

fn lines_of(folder: &Path) -> Vec<(String, u64, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".jsonl") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let entry: Entry = serde_json::from_str(line).unwrap();
            found.push((name.split_at(33).0.to_owned(), entry.seq, entry.hash));
        }
    }
    found
}

/// Rounds until there is nothing to do for now.
async fn settle(shipper: &mut Shipper) -> Step {
    for _ in 0..10_000 {
        let step = shipper.round(false).await;
        if step != Step::More {
            return step;
        }
    }
    panic!("rounds without end");
}

/// What the log says about its sinks.
fn notes(folder: &Path) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    let about = |entry: Entry| {
        if entry.detail.contains_key("sink") {
            notes.push((entry.action.clone(), entry.detail["reason"].clone()));
        }
    };
    assert_eq!(each(folder, about).unwrap(), 0);
    notes
}
