//! What an executor can have done under a grant, by which made-up acts show.
//!
//! In: what the grant carries, and a [`Statement`]. Out: nothing, or the first line that no executor of this grant writes. Not
//! promised: that what is possible was also done.

use super::{ActKind, ActOutcome, COLUMNS, FURTHER, MALFORMED, Row, Statement, wrong};
use crate::audit::AuditError;
use crate::clock::Timestamp;
use crate::policy::Action;

/// The most that one act is counted: more than an hour of asking allows, less than a number that was made up to shock.
const MOST_TIMES: u64 = 1 << 53;

/// What a grant carries.
#[derive(Debug)]
pub(crate) struct Bounds<'a> {
    /// Each `action resource`.
    pub(crate) rights: Vec<String>,
    pub(crate) outputs: Vec<&'a str>,
    pub(crate) has_columns: bool,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Statement {
    /// Refuses a chain or an act that no executor under such a grant writes.
    pub(crate) fn refuse_impossible(&self, bounds: &Bounds<'_>) -> Result<(), AuditError> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.head.chain.len() != 32 || !self.head.chain.bytes().all(is_hex) {
            return Err(wrong("its chain has a name that no executor draws"));
        }
        self.rows.iter().try_for_each(|row| bounds.judge(row))
    }
}

impl Bounds<'_> {
    fn judge(&self, row: &Row) -> Result<(), AuditError> {
        if row.count == 0 || row.count > MOST_TIMES || row.rows > MOST_TIMES {
            return Err(wrong("it counts what cannot be counted"));
        }
        let (from, until) = (self.from.as_millis(), self.until.as_millis());
        if row.first_ms < from || row.last_ms < row.first_ms || row.last_ms > until {
            return Err(wrong("an act of it lies outside the time of the grant"));
        }
        let is_possible = match (row.kind, row.outcome) {
            (ActKind::Decision, ActOutcome::Allow) => row.rows == 0 && self.allows(row),
            (ActKind::Decision, ActOutcome::Refused) => row.rows == 0 && is_question(&row.action),
            (ActKind::Effect, ActOutcome::Ok) => self.seals(row),
            (ActKind::Decision, ActOutcome::Ok)
            | (ActKind::Effect, ActOutcome::Allow | ActOutcome::Refused) => false,
        };
        if is_possible {
            return Ok(());
        }
        Err(wrong("an act of it is not one that the grant covers"))
    }

    fn allows(&self, row: &Row) -> bool {
        if row.action == COLUMNS {
            return self.has_columns && row.resource == "*";
        }
        let right = format!("{} {}", row.action, row.resource);
        self.rights.contains(&right)
    }

    fn seals(&self, row: &Row) -> bool {
        let output = row.resource.strip_prefix("output:");
        row.action == Action::DataSeal.as_str()
            && output.is_some_and(|output| self.outputs.contains(&output))
    }
}

/// Anything may be asked for and refused, in a known word.
fn is_question(action: &str) -> bool {
    [COLUMNS, FURTHER, MALFORMED].contains(&action) || action.parse::<Action>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Act, Acts};

    #[test]
    fn acts_of_threads_that_came_in_another_order_are_possible() {
        let resource = "model:car_loan_scorer";
        let act = |ms| Act::new(Timestamp::from_millis(ms), "model.infer", resource).allowed();
        let mut acts = Acts::open("d-1", "mark").unwrap();
        // The second to take the time was the first to take its turn.
        acts.add(act(5));
        acts.add(act(4));
        acts.add(act(4));
        let bounds = Bounds {
            rights: vec![format!("model.infer {resource}")],
            outputs: Vec::new(),
            has_columns: false,
            from: Timestamp::from_millis(4),
            until: Timestamp::from_millis(5),
        };
        let statement = acts.statement(true).unwrap();
        statement.refuse_impossible(&bounds).unwrap();
        let text = statement.to_string();
        assert!(text.contains("\"first_ms\":4,\"last_ms\":5"), "{text}");
    }
}
