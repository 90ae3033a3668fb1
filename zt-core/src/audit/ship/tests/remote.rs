//! Whole logs with the threads of their sinks: acknowledgement, back-pressure, the end.

use std::sync::mpsc::channel;

use super::super::super::{AuditError, AuditOptions, Kind, Outcome, Record, SinkError};
use super::fake::Mood;
use super::*;
use crate::adapters::memory::MemoryAuditSink;
use crate::clock::SystemClock;
use crate::error::{Code, Error};

fn with(folder: &Path, sink: &Arc<Fake>) -> AuditOptions {
    options(folder)
        .with_remote_sink(SINK, Arc::clone(sink) as Arc<dyn AuditSink>)
        .with_remote_deadline(LONG)
}

fn start(options: AuditOptions) -> AuditLog {
    AuditLog::open(options, Arc::new(SystemClock::new())).unwrap()
}

#[test]
fn what_was_acknowledged_survives_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(MemoryAuditSink::new());
    let options = options(folder.path())
        .with_remote_sink("memory", Arc::clone(&sink) as Arc<dyn AuditSink>)
        .with_remote_deadline(LONG);
    let log = start(options);
    for number in 0..20 {
        log.append(record(number), Durability::Remote).unwrap();
    }
    let writer = log.writer().to_owned();
    fs::remove_dir_all(folder.path()).unwrap();
    let kept = sink.of(&writer);
    let numbers: Vec<String> = kept
        .iter()
        .filter_map(|record| record.entry().unwrap().detail.remove("number"))
        .collect();
    let expected: Vec<String> = (0..20).map(|number: usize| number.to_string()).collect();
    assert_eq!(numbers, expected);
    let chain: Vec<u64> = kept.iter().map(|record| record.seq).collect();
    assert!(
        chain
            .iter()
            .zip(1..)
            .all(|(seq, expected)| *seq == expected)
    );
}

#[test]
fn without_an_acknowledgement_the_caller_is_refused_and_the_record_stays() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Fake::default());
    sink.is(Mood::Fails(SinkError::refused("no right, scripted")));
    let options = with(folder.path(), &sink).with_remote_deadline(Duration::from_millis(300));
    let log = start(options);
    let error = log.append(record(1), Durability::Remote).unwrap_err();
    assert!(matches!(&error, AuditError::Unacknowledged { sink, .. } if sink == SINK));
    assert_eq!(Error::from(error).code(), Code::AuditUnavailable);
    // Others do not wait for it.
    log.append(record(2), Durability::Durable).unwrap();
    log.append(record(3), Durability::Ordered).unwrap();
    log.flush().unwrap();
    assert_eq!(
        super::super::super::tests::numbers(folder.path()),
        [1, 2, 3]
    );
    let error = log.close(LONG).unwrap_err();
    assert!(matches!(&error, AuditError::Undelivered { .. }), "{error}");
    assert!(error.to_string().contains(SINK), "{error}");

    sink.is(Mood::Works);
    let next = start(with(folder.path(), &sink));
    while next.health().sinks[0].behind > 0 {
        std::thread::yield_now();
    }
    next.close(LONG).unwrap();
    let of_log = lines_of(folder.path());
    assert_eq!(sink.kept().len(), of_log.len());
}

#[test]
fn a_record_that_the_sink_can_never_take_is_not_acknowledged() {
    use super::super::super::Receipt;
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Fake::default());
    let log = start(with(folder.path(), &sink));
    log.append(record(1), Durability::Remote).unwrap();
    sink.next(Mood::Answers(Receipt::up_to(4).refusing(4, "too long")));
    let error = log.append(record(2), Durability::Remote).unwrap_err();
    assert!(error.to_string().contains("set aside"), "{error}");
    log.append(record(3), Durability::Remote).unwrap();
    log.close(LONG).unwrap();
    let writer = lines_of(folder.path())[0].0.clone();
    assert!(sink.has(&writer, 3) && !sink.has(&writer, 4));
}

#[test]
fn a_log_without_a_remote_sink_refuses_what_must_be_remote() {
    let folder = tempfile::tempdir().unwrap();
    let sink: Arc<dyn AuditSink> = Arc::new(MemoryAuditSink::new());
    for options in [
        options(folder.path()),
        options(folder.path()).with_sink("memory", sink),
    ] {
        let log = start(options);
        let error = log.append(record(1), Durability::Remote).unwrap_err();
        assert!(matches!(error, AuditError::Unacknowledged { .. }));
        log.close(LONG).unwrap();
    }
    assert!(super::super::super::tests::numbers(folder.path()).is_empty());
}

#[test]
fn a_sink_that_panics_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Fake::default());
    sink.next(Mood::Panics);
    let log = start(with(folder.path(), &sink));
    while log.append(record(1), Durability::Remote).is_err() {
        std::thread::yield_now();
    }
    let health = &log.health().sinks[0];
    assert!(health.last_error.as_ref().unwrap().contains("panicked"));
    assert!(health.is_delivering);
    log.close(LONG).unwrap();
}

#[test]
fn closing_delivers_the_rest_and_the_record_of_closing() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Fake::default());
    let log = start(with(folder.path(), &sink));
    for number in 0..500 {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.close(LONG).unwrap();
    let mut of_log = lines_of(folder.path());
    of_log.sort();
    assert_eq!(sink.kept(), of_log);
}

#[test]
fn a_sink_that_hangs_holds_up_neither_the_log_nor_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Fake::default());
    sink.is(Mood::Hangs);
    let log = start(with(folder.path(), &sink));
    for number in 0..500 {
        log.append(record(number), Durability::Durable).unwrap();
    }
    let error = log.close(Duration::from_millis(50)).unwrap_err();
    // The disk may need longer than that; then the log says so.
    assert!(matches!(
        error,
        AuditError::Undelivered { .. } | AuditError::Timeout { .. }
    ));
    let (done, dropped) = channel();
    std::thread::spawn(move || {
        drop(log);
        done.send(()).unwrap();
    });
    dropped.recv().unwrap();
}

#[test]
fn effects_are_refused_while_a_sink_is_too_far_behind_and_denies_are_not() {
    let stage = Stage::new();
    stage
        .sink
        .is(Mood::Fails(SinkError::unavailable("scripted")));
    let options = with(stage.folder.path(), &stage.sink).with_most_lag(Duration::from_secs(60));
    let clock: Arc<dyn Clock> = Arc::clone(&stage.clock) as _;
    let log = AuditLog::open(options, clock).unwrap();
    let now = stage.clock.now();
    let deny = || Record::new(Kind::Decision, now, "a.b", "c:d", Outcome::DefaultDeny);
    let tally = log.tally(record(1)).unwrap().unwrap();
    log.append(record(1), Durability::Durable).unwrap();
    stage.clock.advance(Duration::from_secs(120));
    let refused = loop {
        match log.append(record(2), Durability::Ordered) {
            Ok(()) => std::thread::yield_now(),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, AuditError::Behind { .. }), "{refused}");
    assert!(log.count(&tally, now).is_err());
    log.append(deny(), Durability::Durable).unwrap();

    stage.sink.is(Mood::Works);
    stage.clock.advance(Duration::from_secs(400));
    while log.append(record(3), Durability::Durable).is_err() {
        std::thread::yield_now();
    }
    log.count(&tally, now).unwrap();
    log.close(LONG).unwrap();
}

#[test]
fn names_that_are_no_folder_or_taken_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sink = || Arc::new(MemoryAuditSink::new()) as Arc<dyn AuditSink>;
    let good = || options(folder.path()).with_sink("a", sink());
    for bad in ["", "..", "a/b", "A", "a", "ä"] {
        let options = good().with_sink(bad, sink());
        let error = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap_err();
        assert!(matches!(error, AuditError::Invalid { .. }), "{bad}");
    }
    drop(open(folder.path()));
}
