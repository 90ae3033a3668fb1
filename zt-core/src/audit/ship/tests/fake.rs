//! A sink that does what a test says, and remembers every delivery.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use super::super::super::{AuditSink, BatchLimit, Receipt, SinkBatch, SinkError};
use crate::port::BoxFuture;

/// What the sink does with the next batches.
#[derive(Debug, Clone)]
pub(super) enum Mood {
    Works,
    Fails(SinkError),
    /// Keeps everything, and the answer gets lost.
    LosesAnswer,
    /// Keeps so many and says so.
    Takes(usize),
    Answers(Receipt),
    Hangs,
    Panics,
}

#[derive(Debug, Default)]
pub(super) struct Fake {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    moods: VecDeque<Mood>,
    lasting: Option<Mood>,
    kept: BTreeMap<(String, u64), String>,
    order: Vec<(String, u64)>,
    calls: usize,
}

impl Fake {
    /// From now on.
    pub(super) fn is(&self, mood: Mood) {
        self.inner.lock().unwrap().lasting = Some(mood);
    }

    /// For one batch, before what lasts.
    pub(super) fn next(&self, mood: Mood) {
        self.inner.lock().unwrap().moods.push_back(mood);
    }

    /// What a reader sees who takes each writer and number once.
    pub(super) fn kept(&self) -> Vec<(String, u64, String)> {
        let inner = self.inner.lock().unwrap();
        let kept = inner.kept.iter();
        kept.map(|((writer, seq), hash)| (writer.clone(), *seq, hash.clone()))
            .collect()
    }

    pub(super) fn has(&self, writer: &str, seq: u64) -> bool {
        let key = (writer.to_owned(), seq);
        self.inner.lock().unwrap().kept.contains_key(&key)
    }

    pub(super) fn forget(&self) {
        self.inner.lock().unwrap().kept.clear();
    }

    /// Every record in the order of its delivery, repeats too.
    pub(super) fn order(&self) -> Vec<(String, u64)> {
        self.inner.lock().unwrap().order.clone()
    }

    pub(super) fn calls(&self) -> usize {
        self.inner.lock().unwrap().calls
    }

    fn keep(&self, batch: &SinkBatch, most: usize) -> u64 {
        let mut inner = self.inner.lock().unwrap();
        let mut last = 0;
        for record in batch.records.iter().take(most) {
            let key = (batch.writer.clone(), record.seq);
            inner.order.push(key.clone());
            let kept = inner.kept.entry(key).or_insert_with(|| record.hash.clone());
            assert_eq!(*kept, record.hash, "two records under one number");
            last = record.seq;
        }
        last
    }
}

impl AuditSink for Fake {
    fn deliver<'a>(&'a self, batch: &'a SinkBatch) -> BoxFuture<'a, Result<Receipt, SinkError>> {
        let mood = {
            let mut inner = self.inner.lock().unwrap();
            inner.calls += 1;
            let next = inner.moods.pop_front();
            next.or_else(|| inner.lasting.clone())
                .unwrap_or(Mood::Works)
        };
        Box::pin(async move {
            match mood {
                Mood::Works => Ok(Receipt::up_to(self.keep(batch, usize::MAX))),
                Mood::Fails(error) => Err(error),
                Mood::LosesAnswer => {
                    self.keep(batch, usize::MAX);
                    Err(SinkError::unavailable("the answer broke off"))
                }
                Mood::Takes(most) => Ok(Receipt::up_to(self.keep(batch, most))),
                Mood::Answers(receipt) => Ok(receipt),
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("scripted"),
            }
        })
    }

    fn most(&self) -> BatchLimit {
        BatchLimit::new(50, 1 << 20)
    }
}
