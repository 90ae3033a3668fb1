//! A record as it is read back: for viewers, exports and replay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, civil};

/// One record of a log, read and not verified. Unknown fields are passed over, so that a newer log can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// The log it stands in; from the file's name.
    #[serde(default)]
    pub writer: String,
    /// Its number in that log, from 1.
    pub seq: u64,
    /// `decision`, `release`, `authentication`, `admin` or `counted`.
    pub kind: String,
    /// When, in RFC 3339 with milliseconds, UTC.
    pub at: String,
    /// The kind of the records that a `counted` one stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How many records a `counted` one stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// When the first of them happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// When the last of them happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// `allow`, `explicit_deny`, `default_deny`, `refused`, `ok` or `failed`.
    #[serde(default)]
    pub outcome: String,
    /// The readable id of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The Entra tenant of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The Entra object id of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oid: Option<String>,
    /// What was asked.
    #[serde(default)]
    pub action: String,
    /// On what.
    #[serde(default)]
    pub resource: String,
    /// The id of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The rows that decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// The snapshot that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotRef>,
    /// The facts that counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Named details.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
    /// Rows that nearly decided, and what they lacked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub near_misses: Vec<String>,
    /// How many elements of the lists above were left out.
    #[serde(default)]
    pub omitted: u64,
    /// The chain's hash at this record.
    #[serde(default)]
    pub hash: String,
}

impl Entry {
    /// When, as a number to compare; `None` if [`at`](Self::at) is no RFC 3339.
    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        timestamp(&self.at)
    }
}

/// The snapshot of the metadata tables that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SnapshotRef {
    /// Its version.
    pub version: u64,
    /// The short form of its content hash.
    pub content: String,
}

/// Something that was known about the request, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fact {
    /// `job`
    pub name: String,
    /// `201`
    pub value: String,
    /// `asserted`, `token`, `store`, or `default` where the row of Attributes says it and nothing else.
    pub provenance: String,
}

pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    // As our own writer writes it; the calendar reads everything else.
    if let Some(at) = civil::millis(text.as_bytes()) {
        return Some(Timestamp::from_millis(at));
    }
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}
