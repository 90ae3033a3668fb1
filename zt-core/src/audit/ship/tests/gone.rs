//! Segments that another process removes by rule, at any moment: they are gone, and no error.

use super::super::super::{AuditError, BatchLimit, Receipt, SinkBatch, SinkError};
use super::super::trouble::Trouble;
use super::fake::Mood;
use super::*;
use crate::audit::follow::Log;
use crate::port::BoxFuture;

/// Once it has taken a batch of a log, a file is removed.
#[derive(Debug)]
struct Removing {
    inner: Arc<Fake>,
    writer: String,
    file: PathBuf,
}

impl AuditSink for Removing {
    fn deliver<'a>(&'a self, batch: &'a SinkBatch) -> BoxFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move {
            let receipt = self.inner.deliver(batch).await;
            if batch.writer == self.writer {
                let _may_be_gone = fs::remove_file(&self.file);
            }
            receipt
        })
    }

    fn most(&self) -> BatchLimit {
        self.inner.most()
    }
}

#[tokio::test]
async fn what_a_sink_has_of_a_dead_log_may_go_between_two_batches() {
    for restarts in [false, true] {
        let stage = Stage::new();
        let dead = stage.open();
        append(&dead, 0..60);
        let (writer, _) = dead.insides();
        drop(dead);
        let file = stage.folder.path().join(format!("{writer}-000001.jsonl"));
        let first = fs::read_to_string(&file).unwrap().lines().count();
        let all = u64::try_from(lines_of(stage.folder.path()).len()).unwrap();
        let log = stage.open();
        let (own, shared) = log.insides();
        let sink: Arc<dyn AuditSink> = Arc::new(Removing {
            inner: Arc::clone(&stage.sink),
            writer: writer.clone(),
            file,
        });
        // Of its own log everything, of the dead one just the first segment.
        stage.sink.next(Mood::Works);
        stage.sink.next(Mood::Takes(first));
        let (mut shipper, mut state) = stage.shipper_to(Arc::clone(&sink), &own, &shared);
        if restarts {
            let down = SinkError::unavailable("scripted");
            stage.sink.next(Mood::Fails(down));
            assert_eq!(settle(&mut shipper).await, Step::Waits);
            (shipper, state) = stage.shipper_to(sink, &own, &shared);
        }
        assert_eq!(settle(&mut shipper).await, Step::Level);
        assert_eq!(state.health().last_error, None);
        let mut order = stage.sink.order();
        order.retain(|(of, _)| *of == writer);
        let seqs: Vec<u64> = order.iter().map(|(_, seq)| *seq).collect();
        assert_eq!(seqs, (1..=all).collect::<Vec<_>>(), "none twice");
        log.close(LONG).unwrap();
        assert_eq!(notes(stage.folder.path()), []);
    }
}

#[test]
fn a_log_that_goes_while_the_folder_is_searched_is_no_error() {
    let stage = Stage::new();
    let dead: Vec<String> = (0..20)
        .map(|_| {
            let dead = stage.open();
            append(&dead, 0..40);
            dead.insides().0
        })
        .collect();
    let log = stage.open();
    let (mut shipper, state) = stage.shipper(&log);
    std::thread::scope(|scope| {
        let removing = scope.spawn(|| {
            for writer in &dead {
                for number in 1.. {
                    let name = format!("{writer}-{number:06}.jsonl");
                    if fs::remove_file(stage.folder.path().join(name)).is_err() {
                        break;
                    }
                }
            }
        });
        while !removing.is_finished() {
            shipper.survey().unwrap();
        }
    });
    shipper.survey().unwrap();
    assert_eq!(state.health().behind, state.on_disk());
    log.close(LONG).unwrap();
}

#[test]
fn a_file_that_is_gone_and_listed_again_is_trouble() {
    let stage = Stage::new();
    let log = stage.open();
    let (mut shipper, _) = stage.shipper(&log);
    let gone = |file: &str| {
        let gone = std::io::ErrorKind::NotFound.into();
        let error = AuditError::unavailable("read the audit segment", Path::new(file), gone);
        Err(Trouble::from(error))
    };
    let mut pass = |writer: &str, delivered| shipper.passing_over(writer, delivered).ok();
    assert_eq!(pass("a", gone("1")), Some(false));
    assert_eq!(pass("b", gone("1")), Some(false), "of another log");
    assert_eq!(pass("a", gone("2")), Some(false), "retention went on");
    assert_eq!(pass("a", gone("2")), None);
    assert_eq!(pass("a", gone("2")), None, "as long as it is");
    assert_eq!(pass("a", Ok(false)), Some(false));
    assert_eq!(pass("a", gone("2")), Some(false));
    assert_eq!(pass("b", gone("1")), None);
    log.close(LONG).unwrap();
}

#[test]
fn what_is_gone_of_a_log_is_told_apart_from_what_cannot_be_read() {
    let stage = Stage::new();
    let dead = stage.open();
    append(&dead, 0..40);
    let (writer, _) = dead.insides();
    drop(dead);
    let found = Log::dead(stage.folder.path(), "").unwrap();
    let (_, last) = found.first().unwrap();
    assert!(found.len() == 1 && *last > 2, "{found:?}");
    let log = Log {
        folder: stage.folder.path(),
        writer: &writer,
    };
    let start = log.start().unwrap().unwrap();
    assert!(log.last(*last).unwrap().is_some());
    assert!(log.last(last + 1).unwrap_err().is_gone());
    assert!(log.is_end(&start, last + 1).unwrap_err().is_gone());
    // The one before the newest may be gone; nobody holds it.
    fs::remove_file(log.path(last - 1)).unwrap();
    assert_eq!(Log::dead(stage.folder.path(), "").unwrap(), found);
    fs::remove_file(log.path(*last)).unwrap();
    fs::create_dir(log.path(*last)).unwrap();
    let error = log.last(*last).unwrap_err();
    assert!(!error.is_gone(), "{error}");
}
