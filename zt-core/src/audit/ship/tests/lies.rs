//! Cursors and sinks that say what is not so.

use super::super::super::{Receipt, SinkError};
use super::super::aside;
use super::fake::Mood;
use super::*;

/// A log of a writer that is dead, delivered whole, and a new log.
async fn delivered(stage: &Stage) -> (String, AuditLog) {
    let dead = stage.open();
    append(&dead, 0..40);
    let (writer, _) = dead.insides();
    drop(dead);
    let log = stage.open();
    let (mut shipper, _) = stage.shipper(&log);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    (writer, log)
}

#[tokio::test]
async fn a_cursor_that_does_not_fit_the_log_is_noticed_and_the_log_delivered_again() {
    let stage = Stage::new();
    let (writer, log) = delivered(&stage).await;
    let path = stage.cursor(&writer);
    let good = fs::read_to_string(&path).unwrap();
    let cursor: serde_json::Value = serde_json::from_str(&good).unwrap();
    let with = |name: &str, value: serde_json::Value| {
        let mut lie = cursor.clone();
        lie[name] = value;
        lie.to_string()
    };
    let lies = [
        with("seq", 1_000_000.into()),
        with("seq", 3.into()),
        with("hash", "0".repeat(64).into()),
        with("hash", "short".into()),
        with("offset", 7.into()),
        with("offset", u64::MAX.into()),
        with("segment", 99.into()),
        with("format", 2.into()),
        with("writer", "somebody".into()),
        good.split_at(good.len() / 2).0.to_owned(),
        String::new(),
    ];
    for (number, lie) in lies.iter().enumerate() {
        stage.sink.forget();
        fs::write(&path, lie).unwrap();
        stage.clock.advance(LONG);
        let (mut shipper, state) = stage.shipper(&log);
        settle(&mut shipper).await;
        assert_eq!(settle(&mut shipper).await, Step::Level, "{lie}");
        assert!((1..=42).all(|seq| stage.sink.has(&writer, seq)), "{lie}");
        log.flush().unwrap();
        let rejected = notes(stage.folder.path());
        let rejected = rejected
            .iter()
            .filter(|(action, _)| action == "audit.cursor_rejected");
        assert_eq!(rejected.count(), number + 1, "{lie}");
        assert!(state.health().last_error.is_some());
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            good,
            "and it fits again"
        );
    }
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn answers_that_are_none_move_no_cursor() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..8);
    let garbage = [
        Mood::Answers(Receipt::up_to(11)),
        Mood::Answers(Receipt::up_to(u64::MAX)),
        Mood::Answers(Receipt::up_to(0)),
        Mood::Answers(Receipt::up_to(10).refusing(11, "never given")),
        Mood::Answers(Receipt::up_to(4).refusing(5, "not acknowledged")),
        Mood::Takes(0),
        Mood::Fails(SinkError::refused("no right")),
        Mood::Fails(SinkError::conflict("another record")),
    ];
    for mood in garbage {
        stage.sink.next(mood.clone());
        stage.clock.advance(Duration::from_secs(7200));
        assert_eq!(settle(&mut shipper).await, Step::Waits, "{mood:?}");
        assert_eq!(state.acknowledged(), 0, "{mood:?}");
    }
    stage.clock.advance(Duration::from_secs(7200));
    assert_eq!(settle(&mut shipper).await, Step::Level);
    stage.assert_complete();
    log.close(LONG).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_never_answers_is_given_up() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..1);
    stage.sink.next(Mood::Hangs);
    assert_eq!(settle(&mut shipper).await, Step::Waits);
    assert!(
        state
            .health()
            .last_error
            .unwrap()
            .contains("does not answer")
    );
    stage.clock.advance(LONG);
    assert_eq!(settle(&mut shipper).await, Step::Level);
    stage.assert_complete();
}

#[tokio::test]
async fn a_sink_may_take_a_few_at_a_time_and_may_ask_for_time() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, _) = stage.shipper(&log);
    append(&log, 0..40);
    stage.sink.is(Mood::Takes(3));
    assert_eq!(settle(&mut shipper).await, Step::Level);
    stage.assert_complete();
    append(&log, 40..41);
    let wait = Duration::from_secs(500);
    stage
        .sink
        .next(Mood::Fails(SinkError::unavailable_for("busy", Some(wait))));
    let calls = stage.sink.calls();
    for _ in 0..499 {
        settle(&mut shipper).await;
        stage.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(stage.sink.calls(), calls + 1, "not before it asked for");
    stage.clock.advance(LONG);
    settle(&mut shipper).await;
    stage.assert_complete();
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn a_sink_that_lost_what_it_had_is_given_it_again() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..70);
    settle(&mut shipper).await;
    stage.sink.forget();
    append(&log, 70..71);
    stage.sink.next(Mood::Answers(Receipt::up_to(30)));
    assert_eq!(settle(&mut shipper).await, Step::Level);
    log.flush().unwrap();
    settle(&mut shipper).await;
    let (writer, _) = log.insides();
    assert!(!stage.sink.has(&writer, 30), "the sink says that it has it");
    assert!((31..=state.on_disk()).all(|seq| stage.sink.has(&writer, seq)));
    let said = notes(stage.folder.path());
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].0, "audit.redelivered");
    log.close(LONG).unwrap();
}

#[tokio::test]
async fn a_record_that_is_never_taken_is_set_aside_and_named_and_the_rest_goes_on() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    append(&log, 0..8);
    let receipt = Receipt::up_to(10).refusing(4, "longer than a field");
    stage.sink.next(Mood::Answers(receipt));
    settle(&mut shipper).await;
    log.flush().unwrap();
    // The record that says so is refused too, and that is said nowhere: else there would be no end.
    stage.sink.next(Mood::Answers(
        Receipt::up_to(11).refusing(11, "longer than a field"),
    ));
    settle(&mut shipper).await;
    log.flush().unwrap();
    settle(&mut shipper).await;
    assert_eq!(state.on_disk(), 11);
    assert_eq!(state.health().refused, 2);
    let said = notes(stage.folder.path());
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].0, "audit.record_refused");
    assert_eq!(said[0].1, "record 4: longer than a field");
    let file = folder_of(stage.folder.path(), SINK).join(aside::FILE);
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((lines.len(), &lines[0]["seq"]), (2, &4.into()));
    let line: Entry = serde_json::from_str(lines[0]["line"].as_str().unwrap()).unwrap();
    assert_eq!(line.detail["number"], "1");
    log.close(LONG).unwrap();
}
