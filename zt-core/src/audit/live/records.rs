//! What a log says of itself when it opens, before anybody's records.

use serde::Serialize;

use super::super::record::to_fields;
use super::super::recover::Torn;
use super::super::scan::LogLink;
use super::super::{AuditError, Kind, Outcome, Record};
use crate::clock::Timestamp;

/// That a log began, which logs stood beside it, and whether it signs.
pub(super) fn opened(
    at: Timestamp,
    writer: &str,
    links: &[LogLink],
    is_signed: bool,
) -> Result<String, AuditError> {
    #[derive(Serialize)]
    struct Links<'a> {
        #[serde(skip_serializing_if = "<[LogLink]>::is_empty")]
        links: &'a [LogLink],
    }
    let resource = format!("audit:{writer}");
    let mut record = Record::new(Kind::Admin, at, "audit.open", resource, Outcome::Ok);
    if is_signed {
        record = record.with_detail("checkpoints", "signed");
    }
    let record = record.fields(None);
    let links = to_fields(&Links { links })?;
    Ok(if links.is_empty() {
        record
    } else {
        format!("{record},{links}")
    })
}

/// That the torn end of a killed writer was cut.
pub(super) fn recovered(at: Timestamp, torn: &Torn) -> Record {
    let resource = format!("audit:{}", torn.file);
    Record::new(Kind::Admin, at, "audit.recovered", resource, Outcome::Ok)
        .with_detail("file", &torn.file)
        .with_detail("kept_as", &torn.kept_as)
        .with_detail("bytes_cut", torn.bytes_cut.to_string())
        .with_detail("last_good_seq", torn.last_good_seq.to_string())
        .with_detail("sha256", &torn.sha256)
}
