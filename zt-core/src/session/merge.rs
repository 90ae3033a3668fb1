//! Brings what executors did into the audit log.
//!
//! In: a grant of the session and texts of [`Statement`]s. Out: records. Each statement is judged alone: a bad one is recorded
//! as refused and keeps no other out. Noted as merged is only what is on the disk.

use super::Session;
use crate::audit::{AuditError, Bounds, Durability, Kind, Outcome, Record, Statement};
use crate::error::{Error, Result};
use crate::grant::{Grant, SKEW};

/// What [`Session::merge`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// Statements that came into the log.
    pub statements: usize,
    /// Acts in them.
    pub acts: usize,
    /// Statements that were in it already.
    pub repeated: usize,
    /// Executors that began, and whose account of the whole task is not there: their acts are known in part.
    pub incomplete: usize,
    /// Those of a second or later try at their part: what the tries before it did may be told nowhere.
    pub retried: usize,
}

impl Session {
    /// Brings what executors did under a grant of this session into the audit log: for each statement a record
    /// `executor.merged` that binds its head, number of acts, process and grant, and a record `executor.act` for each act, all
    /// of now: the times that an executor tells are details. On the disk when it returns. A statement that this process merged
    /// already is passed over. One of what was done so far counts where none of the whole task came with it; it is then told
    /// of as incomplete. An expired grant is good for this.
    ///
    /// After an error it can be called again: nothing counts as merged before it is on the disk. Records of the failed call may
    /// then be there twice, with the same `executor` and `executor_seq`.
    ///
    /// # Errors
    /// `Integrity` if a statement was changed, cut, is about another grant or tells of what no executor under this grant can
    /// have done; it is recorded as `executor.refused`, and the others are merged. `Unauthenticated` for a grant that is not of
    /// this session; `Unavailable` when the audit log cannot be written.
    pub fn merge<T: AsRef<str>>(&self, grant: &Grant, statements: &[T]) -> Result<Merged> {
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        self.refuse_foreign(grant).map_err(Error::from)?;
        let mut taken = Vec::with_capacity(statements.len());
        let mut worst = None;
        for text in statements {
            match read(grant, text.as_ref()) {
                Ok(statement) => taken.push(statement),
                Err(why) => {
                    self.record_bad_statement(grant, &why)?;
                    worst.get_or_insert(why);
                }
            }
        }
        let merged = self.take(&taken)?;
        match worst {
            None => Ok(merged),
            Some(why) => Err(why.into()),
        }
    }

    fn take(&self, statements: &[Statement]) -> Result<Merged> {
        let mut known = self.shared.merged.hold();
        let mut merged = Merged::default();
        let mut fresh: Vec<&str> = Vec::new();
        for statement in statements {
            let mut others = statements.iter();
            if !statement.is_whole()
                && others.any(|one| one.is_whole() && one.chain() == statement.chain())
            {
                continue;
            }
            if known.has(statement.head()) || fresh.contains(&statement.head()) {
                merged.repeated += 1;
                continue;
            }
            let now = self.shared.clock.now();
            let records = std::iter::once(statement.merged(now)).chain(statement.records(now));
            for record in records {
                let record = self.identify(record);
                self.shared.audit.append(record, Durability::Ordered)?;
            }
            fresh.push(statement.head());
            merged.statements += 1;
            merged.acts += statement.acts();
            merged.incomplete += usize::from(!statement.is_whole());
            let is_again = statement.task().is_some_and(|task| task.attempt > 0);
            merged.retried += usize::from(is_again);
        }
        self.shared.audit.flush()?;
        fresh.into_iter().for_each(|head| known.note(head));
        Ok(merged)
    }

    fn record_bad_statement(&self, grant: &Grant, why: &AuditError) -> Result<()> {
        let resource = format!("job:{}", grant.job());
        let now = self.shared.clock.now();
        let record = Record::new(
            Kind::Effect,
            now,
            "executor.refused",
            resource,
            Outcome::Refused,
        )
        .with_detail("grant", grant.id())
        .with_detail("reason", why.to_string());
        self.shared
            .audit
            .append(self.identify(record), Durability::Counted)?;
        Ok(())
    }
}

/// A statement that an executor under this grant can have made.
fn read(grant: &Grant, text: &str) -> Result<Statement, AuditError> {
    let statement: Statement = text.parse()?;
    if !statement.is_of(grant.id(), &grant.mark()) {
        let why = "it is about another grant".to_owned();
        return Err(AuditError::Statement { why });
    }
    let skew = i64::try_from(SKEW.as_millis()).unwrap_or(0);
    let from = grant.not_before().as_millis().saturating_sub(skew);
    statement.refuse_impossible(&Bounds {
        rights: grant.rights().iter().map(ToString::to_string).collect(),
        outputs: grant.outputs().collect(),
        has_columns: grant.columns().is_some(),
        from: crate::clock::Timestamp::from_millis(from),
        until: grant.expires_at(),
    })?;
    Ok(statement)
}
