//! Rows of the table, and bodies of calls made of them.
//!
//! The columns are those of `docs/azure-monitor`; a test compares them. `Line` is the whole record, so that the chain can be
//! recomputed from the workspace alone.

use serde::Serialize;

use crate::audit::{Receipt, SinkBatch, SinkError, SinkRecord};

/// The longest value that the service does not cut, in bytes.
const MOST_VALUE: usize = 64_000;

/// One row. Every name is one of the table's columns.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row<'a> {
    /// The service replaces it by the time of arrival where it is more than two days old.
    pub(super) time_generated: &'a str,
    pub(super) event_time: &'a str,
    pub(super) writer_id: &'a str,
    pub(super) seq: u64,
    pub(super) hash: &'a str,
    pub(super) kind: &'a str,
    pub(super) outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller_tenant_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller_object_id: Option<&'a str>,
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) policies: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) snapshot_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repeats: Option<u64>,
    pub(super) line: &'a str,
}

/// A call's body, how many rows it has, and what is acknowledged once it is taken.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) body: Vec<u8>,
    pub(super) rows: usize,
    /// The number of the record in the last row; 0 without one.
    pub(super) last: u64,
    pub(super) receipt: Receipt,
}

/// The first rows of a batch, as many as fit into so many bytes and rows; one at least.
pub(super) fn page(
    batch: &SinkBatch,
    (most_bytes, most_rows): (usize, usize),
) -> Result<Page, SinkError> {
    let mut page = Page {
        body: vec![b'['],
        rows: 0,
        last: 0,
        receipt: Receipt::up_to(batch.first().saturating_sub(1)),
    };
    for record in &batch.records {
        if record.line.len() > MOST_VALUE {
            let reason = format!(
                "its line of {} bytes is longer than a value of Azure Monitor",
                record.line.len()
            );
            page.receipt = page.receipt.refusing(record.seq, reason);
            page.receipt.up_to = record.seq;
            continue;
        }
        let row = row(&batch.writer, record)?;
        let is_full = page.rows >= most_rows || page.body.len() + row.len() + 2 > most_bytes;
        if is_full && page.rows > 0 {
            break;
        }
        if page.rows > 0 {
            page.body.push(b',');
        }
        page.body.extend_from_slice(&row);
        page.rows += 1;
        page.last = record.seq;
        page.receipt.up_to = record.seq;
    }
    page.body.push(b']');
    Ok(page)
}

fn row(writer: &str, record: &SinkRecord) -> Result<Vec<u8>, SinkError> {
    let entry = record.entry()?;
    let row = Row {
        time_generated: &entry.at,
        event_time: &entry.at,
        writer_id: writer,
        seq: record.seq,
        hash: &record.hash,
        kind: &entry.kind,
        outcome: &entry.outcome,
        caller: entry.caller.as_deref(),
        caller_tenant_id: entry.tenant.as_deref(),
        caller_object_id: entry.oid.as_deref(),
        action: &entry.action,
        resource: &entry.resource,
        decision_id: entry.decision.as_deref(),
        policies: &entry.policies,
        snapshot_version: entry.snapshot.as_ref().map(|snapshot| snapshot.version),
        repeats: entry.count,
        line: &record.line,
    };
    serde_json::to_vec(&row).map_err(|_| SinkError::conflict("a record has no JSON"))
}
