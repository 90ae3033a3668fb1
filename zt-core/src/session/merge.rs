//! Brings what executors did into the audit log.
//!
//! In: a grant of the session and texts of [`Statement`]s. Out: records. Each statement is judged alone: a bad one is recorded
//! as refused and keeps no other out. Noted as merged is only what is on the disk.

use std::collections::HashSet;

use super::Session;
use crate::audit::{AuditError, Bounds, Durability, Kind, Outcome, Record, Statement};
use crate::error::{Error, Result};
use crate::grant::{Grant, SKEW};
use crate::runtime::merged::{Room, Seen};

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
    /// have done; it is recorded as `executor.refused`, and the others are merged. So are those beyond 65,536 statements or
    /// 262,144 acts of one grant: whoever makes them up fills no disk. `Unauthenticated` for a grant that is not of
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
        let (merged, further) = self.take(grant, &taken)?;
        for _ in 0..further {
            let why = "the log takes no more accounts of its grant".to_owned();
            let why = AuditError::Statement { why };
            self.record_bad_statement(grant, &why)?;
            worst.get_or_insert(why);
        }
        match worst {
            None => Ok(merged),
            Some(why) => Err(why.into()),
        }
    }

    /// What came in, and how many came in no more.
    fn take(&self, grant: &Grant, statements: &[Statement]) -> Result<(Merged, usize)> {
        let mut known = self.shared.merged.hold();
        let mut room = known.room(grant.id());
        let taken = Taken::of(statements, &known, &mut room);
        for statement in &taken.fresh {
            let now = self.shared.clock.now();
            let records = std::iter::once(statement.merged(now)).chain(statement.records(now));
            for record in records {
                let record = self.identify(record);
                self.shared.audit.append(record, Durability::Ordered)?;
            }
        }
        self.shared.audit.flush()?;
        known.leave(grant.id(), room);
        for statement in taken.fresh {
            known.note(statement.head());
        }
        Ok((taken.merged, taken.further))
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

/// What of some statements comes into the log.
struct Taken<'a> {
    fresh: Vec<&'a Statement>,
    merged: Merged,
    /// Those for which there is no room.
    further: usize,
}

impl<'a> Taken<'a> {
    fn of(statements: &'a [Statement], known: &Seen, room: &mut Room) -> Self {
        let whole = statements.iter().filter(|one| one.is_whole());
        let whole: HashSet<&str> = whole.map(Statement::chain).collect();
        let mut heads = HashSet::new();
        let mut taken = Self {
            fresh: Vec::new(),
            merged: Merged::default(),
            further: 0,
        };
        for statement in statements {
            if !statement.is_whole() && whole.contains(statement.chain()) {
                continue;
            }
            if known.has(statement.head()) || !heads.insert(statement.head()) {
                taken.merged.repeated += 1;
            } else if room.takes(statement.acts()) {
                taken.fresh.push(statement);
                taken.merged.statements += 1;
                taken.merged.acts += statement.acts();
                taken.merged.incomplete += usize::from(!statement.is_whole());
                let is_again = statement.task().is_some_and(|task| task.attempt > 0);
                taken.merged.retried += usize::from(is_again);
            } else {
                taken.further += 1;
            }
        }
        taken
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Act, Acts};
    use crate::clock::Timestamp;

    fn statement(acts: usize) -> Statement {
        let mut done = Acts::open("d-1", "mark").unwrap();
        for number in 0..acts {
            let resource = format!("table:raw.number_{number}");
            done.add(Act::new(Timestamp::from_millis(1), "table.read", &resource));
        }
        done.statement(true).unwrap()
    }

    #[test]
    fn accounts_of_one_grant_come_in_as_far_as_there_is_room() {
        let statements: Vec<Statement> = [3, 3, 3, 1].map(statement).into();
        let mut seen = Seen::default();
        let mut room = Room::of(3, 7);
        let taken = Taken::of(&statements, &seen, &mut room);
        assert_eq!((taken.merged.statements, taken.merged.acts), (3, 7));
        assert_eq!((taken.further, taken.fresh.len()), (1, 3));
        seen.leave("d-1", room);
        let more = [statement(0)];
        let mut left = seen.room("d-1");
        assert_eq!(Taken::of(&more, &seen, &mut left).further, 1);
        let mut other = seen.room("d-2");
        assert_eq!(Taken::of(&more, &seen, &mut other).further, 0);
    }
}
