//! What an executor did, as a chain of its own: made there in memory, checked and merged into the log by the driver.
//!
//! In: acts, equal ones counted. Out: a [`Statement`], lines that are chained as those of the log are, so that none can be
//! changed, removed or moved; its first line names the grant, the process and the chain, its last one the number of acts, and
//! whether it is the account of the whole task. What is not promised: a statement is not signed, since an executor has no key.

mod bounds;
mod task;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};

use super::chain::{Frame, Link, hash, hex};
use super::record::to_fields;
use super::{AuditError, Kind, Outcome, Record};
use crate::clock::Timestamp;

pub(crate) use bounds::Bounds;
pub use task::Task;

/// The most different refusals of one statement; further ones count as one. What was allowed and done is bounded by the grant.
const MOST: usize = 512;
/// The most bytes that different refusals take.
const MOST_REFUSED_BYTES: usize = 1 << 19;
/// The most lines: refusals, 64 rights, as many outputs, and what counts as one.
const MOST_LINES: usize = MOST + 160;
/// The longest statement, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// What asks for columns of tables is called.
pub(crate) const COLUMNS: &str = "executor.columns";
/// What cannot be read is called.
pub(crate) const MALFORMED: &str = "executor.malformed";
/// Refusals without a line of their own are called.
const FURTHER: &str = "executor.further";

/// One act.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    at: Timestamp,
    kind: ActKind,
    outcome: ActOutcome,
    action: String,
    resource: String,
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ActKind {
    Decision,
    Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ActOutcome {
    Allow,
    Refused,
    Ok,
}

impl Act {
    /// A question, not answered yet.
    pub(crate) fn new(at: Timestamp, action: &str, resource: &str) -> Self {
        Self {
            at,
            kind: ActKind::Decision,
            outcome: ActOutcome::Refused,
            action: action.to_owned(),
            resource: resource.to_owned(),
            rows: 0,
        }
    }

    pub(crate) fn allowed(self) -> Self {
        let outcome = ActOutcome::Allow;
        Self { outcome, ..self }
    }

    pub(crate) fn refused(self) -> Self {
        let outcome = ActOutcome::Refused;
        Self { outcome, ..self }
    }

    /// No question: it was done to so many rows.
    pub(crate) fn done(self, rows: u64) -> Self {
        let (kind, outcome) = (ActKind::Effect, ActOutcome::Ok);
        Self {
            kind,
            outcome,
            rows,
            ..self
        }
    }
}

/// The acts of one executor, in order of their first.
#[derive(Debug)]
pub(crate) struct Acts {
    head: Head,
    rows: Vec<Row>,
    places: HashMap<(ActKind, ActOutcome, String, String), usize>,
    refused: usize,
    refused_bytes: usize,
}

/// The first line: whose chain it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    grant: String,
    /// SHA-256 of the grant's text.
    mark: String,
    process: u32,
    chain: String,
    task: Option<Task>,
}

/// The last line, by which a cut shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    acts: usize,
    /// Whether the task came to its end.
    is_whole: bool,
}

/// Each line between: equal acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    first_ms: i64,
    last_ms: i64,
    kind: ActKind,
    outcome: ActOutcome,
    action: String,
    resource: String,
    count: u64,
    rows: u64,
}

impl Acts {
    pub(crate) fn open(grant: &str, mark: &str) -> Result<Self, AuditError> {
        let mut chain = [0; 16];
        rand::fill(&mut chain).map_err(|_| AuditError::Invalid {
            what: "the operating system gives no random bytes".to_owned(),
        })?;
        Ok(Self {
            head: Head {
                grant: grant.to_owned(),
                mark: mark.to_owned(),
                process: std::process::id(),
                chain: hex(&chain),
                task: None,
            },
            rows: Vec::new(),
            places: HashMap::new(),
            refused: 0,
            refused_bytes: 0,
        })
    }

    /// Says which task it is.
    pub(crate) const fn of_task(&mut self, task: Task) {
        self.head.task = Some(task);
    }

    pub(crate) fn add(&mut self, act: Act) {
        let mut key = (act.kind, act.outcome, act.action, act.resource);
        if act.outcome == ActOutcome::Refused && !self.places.contains_key(&key) {
            let bytes = written(&key.2).saturating_add(written(&key.3));
            let bytes = self.refused_bytes.saturating_add(bytes);
            if self.refused < MOST && bytes <= MOST_REFUSED_BYTES {
                self.refused += 1;
                self.refused_bytes = bytes;
            } else {
                key.2 = FURTHER.to_owned();
                key.3 = "*".to_owned();
            }
        }
        let next = self.rows.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if let Some(row) = self.rows.get_mut(place) {
            row.count = row.count.saturating_add(1);
            row.rows = row.rows.saturating_add(act.rows);
            // Threads take the time before they take their turn.
            row.first_ms = row.first_ms.min(act.at.as_millis());
            row.last_ms = row.last_ms.max(act.at.as_millis());
            return;
        }
        self.rows.push(Row {
            first_ms: act.at.as_millis(),
            last_ms: act.at.as_millis(),
            kind: key.0,
            outcome: key.1,
            action: key.2,
            resource: key.3,
            count: 1,
            rows: act.rows,
        });
    }

    /// So far, or of the whole task.
    pub(crate) fn statement(&self, is_whole: bool) -> Result<Statement, AuditError> {
        let mut text = Vec::new();
        let mut link = Link::START.append(&to_fields(&self.head)?, &mut text);
        for row in &self.rows {
            link = link.append(&to_fields(row)?, &mut text);
        }
        let acts = self.rows.len();
        let link = link.append(&to_fields(&End { acts, is_whole })?, &mut text);
        let text = String::from_utf8(text).map_err(|_| wrong("it is no text"))?;
        Ok(Statement {
            text,
            head: self.head.clone(),
            rows: self.rows.clone(),
            is_whole,
            hash: hex(&link.hash),
        })
    }
}

/// What an executor did: lines of JSON, each chained to the one before. Prints and reads as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    text: String,
    head: Head,
    rows: Vec<Row>,
    is_whole: bool,
    hash: String,
}

impl Statement {
    /// The id of the grant that the executor worked under.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.head.grant
    }

    /// The chain, a random name.
    #[must_use]
    pub fn chain(&self) -> &str {
        &self.head.chain
    }

    /// How many lines tell of acts.
    #[must_use]
    pub fn acts(&self) -> usize {
        self.rows.len()
    }

    /// Whether it is the account of the whole task. If not, it tells of its beginning, and acts may be missing.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The hash of the last line, which covers the grant, the chain and every act.
    pub(crate) fn head(&self) -> &str {
        &self.hash
    }

    /// Whether it is about the grant of this mark.
    pub(crate) fn is_of(&self, grant: &str, mark: &str) -> bool {
        self.head.grant == grant && self.head.mark == mark
    }

    /// The record that binds all of it to the driver's log.
    pub(crate) fn merged(&self, at: Timestamp) -> Record {
        let chain = format!("executor:{}", self.head.chain);
        let record = Record::new(Kind::Effect, at, "executor.merged", chain, Outcome::Ok)
            .with_detail("grant", &self.head.grant)
            .with_detail("process", self.head.process.to_string())
            .with_detail("head", &self.hash)
            .with_detail("count", self.rows.len().to_string())
            .with_detail("whole", self.is_whole.to_string());
        match self.head.task {
            None => record,
            Some(task) => task.described(record),
        }
    }

    /// Its acts as records of now: an executor's times are its own word, and so details. One action for all of them, so that
    /// nobody takes one for a decision of the policy or for what a runtime did itself.
    pub(crate) fn records(&self, now: Timestamp) -> impl Iterator<Item = Record> + '_ {
        self.rows.iter().enumerate().map(move |(at, row)| {
            let (outcome, answer) = match row.outcome {
                ActOutcome::Allow => (Outcome::Ok, "allowed"),
                ActOutcome::Refused => (Outcome::Refused, "refused"),
                ActOutcome::Ok => (Outcome::Ok, "done"),
            };
            let time = |ms| Timestamp::from_millis(ms).to_string();
            let record = Record::new(Kind::Effect, now, "executor.act", &row.resource, outcome)
                .with_detail("asked", &row.action)
                .with_detail("answer", answer)
                .with_detail("executor", &self.head.chain)
                .with_detail("executor_seq", at.saturating_add(2).to_string())
                .with_detail("grant", &self.head.grant)
                .with_detail("times", row.count.to_string())
                .with_detail("first", time(row.first_ms))
                .with_detail("last", time(row.last_ms));
            match row.kind {
                ActKind::Decision => record,
                ActKind::Effect => record.with_detail("rows", row.rows.to_string()),
            }
        })
    }
}

impl AsRef<str> for Statement {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Statement {
    type Err = AuditError;

    /// Reads a statement and recomputes its chain.
    fn from_str(text: &str) -> Result<Self, AuditError> {
        if text.len() > MOST_BYTES {
            return Err(wrong("it is longer than 1 MiB"));
        }
        let whole = text.strip_suffix('\n').ok_or_else(|| wrong("it is cut"))?;
        let mut lines = whole.split('\n');
        let first = lines.next().ok_or_else(|| wrong("it is empty"))?;
        let mut link = Link::START;
        let head: Head = line(first, &mut link)?;
        let last = lines.next_back().ok_or_else(|| wrong("it is cut"))?;
        let rows = lines.map(|text| line(text, &mut link));
        let rows = rows.collect::<Result<Vec<Row>, _>>()?;
        let End { acts, is_whole } = line(last, &mut link)?;
        if acts != rows.len() {
            return Err(wrong("it is cut"));
        }
        if rows.len() > MOST_LINES {
            return Err(wrong("it has too many lines"));
        }
        Ok(Self {
            text: text.to_owned(),
            head,
            rows,
            is_whole,
            hash: hex(&link.hash),
        })
    }
}

/// A line, if it is the next one and spelled as it was written.
fn line<T: Serialize + for<'a> Deserialize<'a>>(
    text: &str,
    link: &mut Link,
) -> Result<T, AuditError> {
    let frame = Frame::parse(text.as_bytes()).ok_or_else(|| wrong("a line has no hash"))?;
    if frame.hash != hash(&link.hash, frame.body) {
        return Err(wrong(
            "its chain is broken: a line was changed, removed or moved",
        ));
    }
    let prefix = format!("{{\"seq\":{},", link.seq.saturating_add(1));
    let fields = frame.body.strip_prefix(prefix.as_bytes());
    let fields = fields.ok_or_else(|| wrong("its lines are not in order"))?;
    let object = [b"{", fields, b"}"].concat();
    let read: T = serde_json::from_slice(&object).map_err(|_| wrong("a line has other fields"))?;
    if to_fields(&read)?.as_bytes() != fields {
        return Err(wrong("a line is spelled in another way"));
    }
    *link = Link {
        seq: link.seq.saturating_add(1),
        hash: frame.hash,
    };
    Ok(read)
}

/// How many bytes a text takes in JSON, at most.
fn written(text: &str) -> usize {
    let bytes = |byte: u8| match byte {
        b'"' | b'\\' => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    text.bytes().map(bytes).sum()
}

fn wrong(why: &str) -> AuditError {
    AuditError::Statement {
        why: why.to_owned(),
    }
}
