//! What an executor did, as a chain of its own: made there in memory, checked and merged into the log by the driver.
//!
//! In: acts, equal ones counted. Out: a [`Statement`], lines that are chained as those of the log are, so that none can be
//! changed, removed or moved; its first line names the grant, the process and the chain, its last one the number of acts. What is not
//! promised: a statement is not signed, since an executor has no key; a task that fails brings none.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};

use super::chain::{Frame, Link, hash, hex};
use super::record::to_fields;
use super::{AuditError, Kind, Outcome, Record};
use crate::clock::Timestamp;

/// The most different acts of one statement; further ones count as one.
const MOST: usize = 512;
/// The longest statement, in bytes.
const MOST_BYTES: usize = 1 << 20;

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
    pub(crate) fn decision(at: Timestamp, action: &str, resource: &str) -> Self {
        Self::new(at, ActKind::Decision, action, resource)
    }

    pub(crate) fn effect(at: Timestamp, action: &str, resource: &str) -> Self {
        Self::new(at, ActKind::Effect, action, resource)
    }

    fn new(at: Timestamp, kind: ActKind, action: &str, resource: &str) -> Self {
        Self {
            at,
            kind,
            outcome: ActOutcome::Ok,
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

    pub(crate) fn of_rows(self, rows: u64) -> Self {
        Self { rows, ..self }
    }
}

/// The acts of one executor, in order of their first.
#[derive(Debug)]
pub(crate) struct Acts {
    head: Head,
    rows: Vec<Row>,
    places: HashMap<(ActKind, ActOutcome, String, String), usize>,
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
}

/// The last line, by which a cut shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    acts: usize,
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
            },
            rows: Vec::new(),
            places: HashMap::new(),
        })
    }

    pub(crate) fn add(&mut self, act: Act) {
        let mut key = (act.kind, act.outcome, act.action, act.resource);
        if self.rows.len() >= MOST && !self.places.contains_key(&key) {
            key.2 = "executor.further".to_owned();
            key.3 = "*".to_owned();
        }
        let next = self.rows.len();
        let place = *self.places.entry(key.clone()).or_insert(next);
        if let Some(row) = self.rows.get_mut(place) {
            row.count = row.count.saturating_add(1);
            row.rows = row.rows.saturating_add(act.rows);
            row.last_ms = act.at.as_millis();
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

    pub(crate) fn statement(&self) -> Result<Statement, AuditError> {
        let mut text = Vec::new();
        let mut link = Link::START.append(&to_fields(&self.head)?, &mut text);
        for row in &self.rows {
            link = link.append(&to_fields(row)?, &mut text);
        }
        let acts = self.rows.len();
        let link = link.append(&to_fields(&End { acts })?, &mut text);
        let text = String::from_utf8(text).map_err(|_| wrong("it is no text"))?;
        Ok(Statement {
            text,
            head: self.head.clone(),
            rows: self.rows.clone(),
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

    /// Whether it is about the grant of this mark.
    pub(crate) fn is_of(&self, grant: &str, mark: &str) -> bool {
        self.head.grant == grant && self.head.mark == mark
    }

    /// The record that binds all of it to the driver's log.
    pub(crate) fn merged(&self, at: Timestamp) -> Record {
        let chain = format!("executor:{}", self.head.chain);
        Record::new(Kind::Effect, at, "executor.merged", chain, Outcome::Ok)
            .with_detail("grant", &self.head.grant)
            .with_detail("process", self.head.process.to_string())
            .with_detail("head", &self.hash)
            .with_detail("count", self.rows.len().to_string())
    }

    /// Its acts as records.
    pub(crate) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.rows.iter().enumerate().map(|(at, row)| {
            let when = Timestamp::from_millis(row.first_ms);
            let last = Timestamp::from_millis(row.last_ms);
            let outcome = match row.outcome {
                ActOutcome::Allow => Outcome::Allow,
                ActOutcome::Refused => Outcome::Refused,
                ActOutcome::Ok => Outcome::Ok,
            };
            // Never a decision: there is none of the policy that a replay could ask again.
            let record = Record::new(Kind::Effect, when, &row.action, &row.resource, outcome)
                .with_detail("executor", &self.head.chain)
                .with_detail("executor_seq", (at + 2).to_string())
                .with_detail("grant", &self.head.grant)
                .with_detail("times", row.count.to_string())
                .with_detail("last", last.to_string());
            match row.kind {
                ActKind::Decision => record,
                ActKind::Effect => record.with_detail("rows", row.rows.to_string()),
            }
        })
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
        let End { acts } = line(last, &mut link)?;
        if acts != rows.len() {
            return Err(wrong("it is cut"));
        }
        if rows.len() > MOST + 4 {
            return Err(wrong("it has too many lines"));
        }
        Ok(Self {
            text: text.to_owned(),
            head,
            rows,
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

fn wrong(why: &str) -> AuditError {
    AuditError::Statement {
        why: why.to_owned(),
    }
}
