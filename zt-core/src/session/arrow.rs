//! Checks of a whole column of resources.

use arrow_array::{Array, BooleanArray};
use aws_lc_rs::digest;

use super::list::policies_table;
use super::{Session, parse_action};
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::error::{Code, Error, Result};
use crate::policy::NotResources;

/// How a check of many stands in the log beside the action that was asked.
const MANY: &str = "policy.check_many";

impl Session {
    /// Whether the caller may do this to each resource of a column, as [`check`](Self::check) decides: all on one snapshot
    /// and at one moment, each distinct value once. Null stays null. `resources` is `Utf8`, `LargeUtf8`, `Utf8View`, or a
    /// dictionary of one of these.
    ///
    /// One effect in the audit log stands for the column, on disk before the answer: how many rows, how many different
    /// resources, how many of them denied, and the SHA-256 of all of them with their answers (each a line of `+` or `-` and
    /// the resource, in order of the first row), so that an auditor can hold a column against it.
    ///
    /// ```
    /// use arrow_array::{BooleanArray, StringArray};
    /// # fn of(maya: &zt_core::Session) -> zt_core::Result<()> {
    /// let tables = StringArray::from(vec!["table:gold.loan_scores", "table:raw.loan_applications"]);
    /// let may: BooleanArray = maya.check_array("table.read", &tables)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Invalid` for another type of column, and for the first cell that is no resource or that the action does not take,
    /// with its row; else as [`check`](Self::check). After an error nothing has been recorded.
    pub fn check_array(&self, action: &str, resources: &dyn Array) -> Result<BooleanArray> {
        let action = parse_action(action)?;
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        self.refuse_stale(action, &policies_table()?)?;
        let snapshot = self.shared.snapshots.current();
        let resolved = self.resolve(&snapshot)?;
        let now = self.shared.clock.now();
        let mut lines = digest::Context::new(&digest::SHA256);
        let answers = resolved.projection.verdicts_with(
            &snapshot,
            action,
            resources,
            (&self.context, Some(now)),
            |resource, is_allowed| {
                lines.update(if is_allowed { b"+" } else { b"-" });
                lines.update(resource.as_bytes());
                lines.update(b"\n");
            },
        );
        let answers = answers.map_err(|why| invalid(&why))?;
        let record = Record::new(Kind::Effect, now, MANY, action.as_str(), Outcome::Ok)
            .with_snapshot(snapshot.version(), snapshot.hash().to_string())
            .with_detail("rows", resources.len().to_string())
            .with_detail("distinct", answers.distinct.to_string())
            .with_detail("denied", answers.denied.to_string())
            .with_detail("sha256", hex(lines.finish().as_ref()));
        let veil = self.shared.veil();
        let facts = self.context.facts_behind(&veil, snapshot.attributes());
        let record = facts.fold(self.identify(record), |record, (name, value)| {
            record.with_fact(name, value, crate::policy::Provenance::Request.as_str())
        });
        self.shared.audit.append(record, Durability::Durable)?;
        Ok(answers.allowed)
    }
}

fn invalid(why: &NotResources) -> Error {
    Error::new(Code::InvalidArgument, why.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
