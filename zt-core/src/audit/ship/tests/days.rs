//! Outages, crashes and the logs of the dead.

use super::super::super::{SinkError, verify};
use super::fake::Mood;
use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn down() -> Mood {
    Mood::Fails(SinkError::unavailable("scripted"))
}

#[tokio::test]
async fn after_a_day_without_its_sink_the_log_is_delivered_whole_and_in_order() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..10);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    assert_eq!(state.health().behind, 0);
    stage.sink.is(down());
    for minute in 0..24 * 60 {
        append(&log, 10 + minute..11 + minute);
        assert_eq!(settle(&mut shipper).await, Step::Waits);
        state.look();
        stage.clock.advance(MINUTE);
    }
    let health = state.health();
    assert!(health.behind >= 1440 && !health.is_delivering, "{health:?}");
    assert!(health.behind_s >= 86_000, "{health:?}");
    assert_eq!(health.last_error.as_deref(), Some("scripted"));
    assert!(state.is_behind());
    assert!(stage.sink.calls() < 24 * 60 + 10, "the pause was kept");

    stage.sink.is(Mood::Works);
    stage.clock.advance(MINUTE * 2);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    state.look();
    let health = state.health();
    assert_eq!((health.behind, health.behind_s), (0, 0));
    assert!(health.is_delivering && !state.is_behind());
    stage.assert_complete();
    let numbers: Vec<u64> = stage.sink.order().iter().map(|(_, seq)| *seq).collect();
    let expected: Vec<u64> = (1..=state.on_disk()).collect();
    assert_eq!(numbers, expected, "in order, and none twice");
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn a_crash_between_delivery_and_cursor_doubles_at_most_the_last_batch() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..30);
    settle(&mut shipper).await;
    let before = state.on_disk();
    append(&log, 30..60);
    stage.sink.next(Mood::LosesAnswer);
    assert_eq!(settle(&mut shipper).await, Step::Waits);
    // Another process takes over; this one is dead.
    drop(shipper);
    let (writer, _) = log.insides();
    drop(log);
    let next = stage.open();
    let (mut shipper, _) = stage.shipper(&next);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    stage.assert_complete();
    let order = stage.sink.order();
    let mut of_dead: Vec<u64> = order
        .iter()
        .filter(|(of, _)| *of == writer)
        .map(|(_, seq)| *seq)
        .collect();
    let delivered = of_dead.len();
    of_dead.sort_unstable();
    of_dead.dedup();
    assert!(delivered - of_dead.len() <= 50, "one batch at most");
    assert!(of_dead.iter().all(|seq| *seq >= 1) && before > 0);
    next.close(LONG).unwrap();
}

#[tokio::test]
async fn the_logs_of_dead_writers_are_delivered_and_those_of_living_ones_are_left_to_them() {
    let stage = Stage::new();
    for _ in 0..3 {
        let dead = stage.open();
        append(&dead, 0..120);
        drop(dead);
    }
    let living = stage.open();
    append(&living, 0..5);
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    assert_eq!(state.health().behind, 0);
    let (writer, _) = living.insides();
    assert!(!stage.sink.has(&writer, 1));
    let writers: std::collections::BTreeSet<String> = stage
        .sink
        .order()
        .into_iter()
        .map(|(writer, _)| writer)
        .collect();
    assert_eq!(writers.len(), 4);
    // Nothing is delivered twice by a later look.
    let delivered = stage.sink.order().len();
    drop(living);
    stage.clock.advance(MINUTE);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    assert_eq!(stage.sink.order().len(), delivered + 2 + 5);
    stage.assert_complete();
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn a_segment_that_another_process_removed_by_rule_holds_up_nothing() {
    let stage = Stage::new();
    let log = stage.open();
    let (writer, _) = log.insides();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..1);
    settle(&mut shipper).await;
    let name = |number: u32| {
        stage
            .folder
            .path()
            .join(format!("{writer}-{number:06}.jsonl"))
    };
    // Up to the end of the first segment, and not one record beyond.
    let mut number = 1;
    while !name(2).exists() {
        append(&log, number..number + 1);
        number += 1;
    }
    let first = fs::read_to_string(name(1)).unwrap().lines().count();
    let delivered = stage.sink.order().len();
    stage.sink.next(Mood::Takes(first - delivered));
    stage.sink.is(down());
    assert_eq!(settle(&mut shipper).await, Step::Waits);
    assert_eq!(state.acknowledged(), first as u64);
    fs::remove_file(name(1)).unwrap();
    stage.sink.is(Mood::Works);
    stage.clock.advance(MINUTE);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    assert_eq!(state.acknowledged(), state.on_disk());
    assert_eq!(
        stage.sink.order().len() as u64,
        state.on_disk(),
        "none twice"
    );
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn two_processes_do_not_deliver_one_log_at_once() {
    let stage = Stage::new();
    let dead = stage.open();
    append(&dead, 0..400);
    drop(dead);
    let (first, second) = (stage.open(), stage.open());
    let (mut one, _) = stage.shipper(&first);
    let (mut other, _) = stage.shipper(&second);
    loop {
        let steps = (one.round(false).await, other.round(false).await);
        if steps == (Step::Level, Step::Level) {
            break;
        }
    }
    stage.clock.advance(MINUTE);
    settle(&mut one).await;
    stage.assert_complete();
    let mut order = stage.sink.order();
    let delivered = order.len();
    order.sort();
    order.dedup();
    assert_eq!(order.len(), delivered, "none twice");
    first.close(LONG).unwrap();
    second.close(LONG).unwrap();
}

#[tokio::test]
async fn a_torn_end_is_not_delivered_and_holds_nothing_up() {
    let stage = Stage::new();
    let dead = stage.open();
    append(&dead, 0..5);
    let (writer, _) = dead.insides();
    drop(dead);
    let log = stage.open();
    let file = stage.folder.path().join(format!("{writer}-000001.jsonl"));
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"{\"seq\":8,\"kind\":\"release\",\"at\":");
    fs::write(&file, bytes).unwrap();
    let (mut shipper, state) = stage.shipper(&log);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    assert_eq!(state.health().behind, 0);
    assert!(stage.sink.has(&writer, 7) && !stage.sink.has(&writer, 8));
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn a_cursor_that_cannot_be_written_delays_nothing_and_doubles_after_a_restart() {
    let stage = Stage::new();
    let log = stage.open();
    let (writer, _) = log.insides();
    let (mut shipper, state) = stage.shipper(&log);
    // A folder in its place fails like a full disk: for whoever writes, root too.
    fs::create_dir_all(stage.cursor(&writer).join("full")).unwrap();
    append(&log, 0..5);
    // A fresh process reads the cursor first; this one has none to read.
    assert_eq!(settle(&mut shipper).await, Step::Waits);
    fs::remove_dir_all(stage.cursor(&writer)).unwrap();
    stage.clock.advance(MINUTE);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    let cursor = fs::read(stage.cursor(&writer)).unwrap();

    fs::remove_file(stage.cursor(&writer)).unwrap();
    fs::create_dir_all(stage.cursor(&writer).join("full")).unwrap();
    append(&log, 5..90);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    let health = state.health();
    assert_eq!(health.behind, 0, "{health:?}");
    assert!(health.last_error.unwrap().contains("cursor"));
    assert_eq!(
        stage.sink.order().len() as u64,
        state.on_disk(),
        "none twice"
    );

    fs::remove_dir_all(stage.cursor(&writer)).unwrap();
    fs::write(stage.cursor(&writer), cursor).unwrap();
    drop((shipper, log));
    let next = stage.open();
    let (mut shipper, _) = stage.shipper(&next);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    stage.assert_complete();
    next.close(LONG).unwrap();
}

#[tokio::test]
async fn a_damaged_log_is_not_delivered_beyond_the_damage_and_holds_up_no_other() {
    let stage = Stage::new();
    let (damaged, good) = (stage.open(), stage.open());
    for log in [&damaged, &good] {
        append(log, 0..20);
    }
    let (bad, fine) = (damaged.insides().0, good.insides().0);
    drop((damaged, good));
    let log = stage.open();
    let file = stage.folder.path().join(format!("{bad}-000001.jsonl"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replacen("\"number\":\"3\"", "\"number\":\"4\"", 1),
    )
    .unwrap();
    let (mut shipper, state) = stage.shipper(&log);
    settle(&mut shipper).await;
    assert!(stage.sink.has(&fine, 20));
    assert!(stage.sink.has(&bad, 5) && !stage.sink.has(&bad, 6));
    let health = state.health();
    assert!(health.behind > 0, "{health:?}");
    // What never comes is told, and is no reason to refuse everything for ever.
    stage.clock.advance(Duration::from_secs(86_400));
    assert_eq!(settle(&mut shipper).await, Step::Level);
    assert_eq!(state.health().behind_s, 0, "{:?}", state.health());
    assert!(
        health
            .last_error
            .unwrap()
            .contains("is not what was written")
    );
    assert!(!verify(stage.folder.path()).unwrap().is_intact());
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn what_a_failed_segment_holds_beyond_its_good_part_is_not_delivered() {
    use super::super::super::tests::faulty::FaultyDisk;
    use std::sync::atomic::Ordering;
    let stage = Stage::new();
    let disk = FaultyDisk::default();
    let clock: Arc<dyn Clock> = Arc::clone(&stage.clock) as _;
    let log =
        AuditLog::open_on(options(stage.folder.path()), clock, Arc::new(disk.clone())).unwrap();
    let (mut shipper, _) = stage.shipper(&log);
    append(&log, 0..3);
    settle(&mut shipper).await;
    for (number, flag) in [(10, &disk.0.sync), (20, &disk.0.write)] {
        flag.store(true, Ordering::SeqCst);
        log.append(record(number), Durability::Durable).unwrap_err();
        assert_eq!(settle(&mut shipper).await, Step::Level);
        flag.store(false, Ordering::SeqCst);
        log.append(record(number + 1), Durability::Durable).unwrap();
        assert_eq!(settle(&mut shipper).await, Step::Level);
    }
    let numbers: Vec<u64> = stage.sink.order().iter().map(|(_, seq)| *seq).collect();
    assert!(
        numbers
            .iter()
            .zip(1..)
            .all(|(seq, expected)| *seq == expected),
        "{numbers:?}"
    );
    assert!(verify(stage.folder.path()).unwrap().is_intact());
    log.close(LONG).unwrap();
}

/// Each delivery takes a while, and meanwhile there is a record more.
#[derive(Debug)]
struct Loaded {
    inner: Arc<Fake>,
    log: AuditLog,
    clock: Arc<ManualClock>,
}

impl AuditSink for Loaded {
    fn deliver<'a>(
        &'a self,
        batch: &'a crate::audit::SinkBatch,
    ) -> crate::port::BoxFuture<'a, Result<crate::audit::Receipt, SinkError>> {
        append(&self.log, 0..1);
        self.clock.advance(Duration::from_secs(1));
        self.inner.deliver(batch)
    }

    fn most(&self) -> crate::audit::BatchLimit {
        self.inner.most()
    }
}

#[tokio::test]
async fn a_sink_that_is_always_some_records_behind_is_not_further_and_further_behind() {
    let stage = Stage::new();
    let log = stage.open();
    append(&log, 0..1);
    let (writer, shared) = log.insides();
    let sink = Arc::new(Loaded {
        inner: Arc::clone(&stage.sink),
        log,
        clock: Arc::clone(&stage.clock),
    });
    let (mut shipper, state) = stage.shipper_to(sink, &writer, &shared);
    for _ in 0..1000 {
        shipper.round(false).await;
        state.look();
        assert!(!state.is_behind(), "{:?}", state.health());
    }
    let health = state.health();
    assert!(health.behind > 0 && health.behind_s <= 2, "{health:?}");
}

#[tokio::test]
async fn what_somebody_may_wait_for_comes_between_the_batches_of_the_dead() {
    let stage = Stage::new();
    let dead = stage.open();
    append(&dead, 0..600);
    let (dead_writer, _) = dead.insides();
    drop(dead);
    let log = stage.open();
    let (writer, shared) = log.insides();
    let sink = Arc::new(Loaded {
        inner: Arc::clone(&stage.sink),
        log,
        clock: Arc::clone(&stage.clock),
    });
    let (mut shipper, _) = stage.shipper_to(sink, &writer, &shared);
    while !stage.sink.has(&dead_writer, 602) {
        shipper.round(false).await;
    }
    let order = stage.sink.order();
    let longest = order
        .chunk_by(|(a, _), (b, _)| a == b)
        .filter(|run| run[0].0 == dead_writer)
        .map(<[_]>::len)
        .max();
    assert!(longest <= Some(50), "{longest:?}: one batch at a time");
}
