//! Data collection rules, and the rows that they took.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The endpoint of the sample rule.
pub(super) const HOST: &str = "zt-audit-a1b2.westeurope-1.ingest.monitor.azure.com";
/// The immutable id of the sample rule.
pub(super) const RULE: &str = "dcr-00000000000000000000000000000001";
/// Its stream.
pub(super) const STREAM: &str = "Custom-ZtAudit_CL";

/// The columns of the sample stream, as `docs/azure-monitor` declares them.
const COLUMNS: &[&str] = &[
    "TimeGenerated",
    "EventTime",
    "WriterId",
    "Seq",
    "Hash",
    "Kind",
    "Outcome",
    "Caller",
    "CallerTenantId",
    "CallerObjectId",
    "Action",
    "Resource",
    "DecisionId",
    "Policies",
    "SnapshotVersion",
    "Repeats",
    "Line",
];

/// One rule.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    /// Object ids with the role Monitoring Metrics Publisher.
    pub(super) publishers: BTreeSet<String>,
    /// Each stream and its columns.
    pub(super) streams: BTreeMap<String, BTreeSet<String>>,
    rows: BTreeMap<String, Vec<Value>>,
}

impl Rule {
    pub(super) fn keep(&mut self, stream: &str, rows: Vec<Value>) {
        self.rows.entry(stream.to_owned()).or_default().extend(rows);
    }

    pub(super) fn rows(&self, stream: &str) -> Vec<Value> {
        self.rows.get(stream).cloned().unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }
}

/// All rules, by endpoint and immutable id.
#[derive(Debug)]
pub(crate) struct Rules(BTreeMap<(String, String), Rule>);

impl Rules {
    /// The sample rule, to which these object ids may publish.
    pub(crate) fn sample(publishers: impl Iterator<Item = String>) -> Self {
        let columns = COLUMNS.iter().map(|&name| name.to_owned()).collect();
        let rule = Rule {
            publishers: publishers.collect(),
            streams: BTreeMap::from([(STREAM.to_owned(), columns)]),
            rows: BTreeMap::new(),
        };
        Self(BTreeMap::from([((HOST.to_owned(), RULE.to_owned()), rule)]))
    }

    pub(super) fn find_mut(&mut self, host: &str, id: &str) -> Option<&mut Rule> {
        self.0.get_mut(&(host.to_owned(), id.to_owned()))
    }
}
