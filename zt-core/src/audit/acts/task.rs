//! Which task of a distributed computation an account is of.

use serde::{Deserialize, Serialize};

use super::Statement;
use crate::audit::Record;

/// Which try at which part of a distributed computation an executor is, in its engine's own numbers. It is the executor's word,
/// as all of its account is; by it an auditor sees that tries came before, whose accounts may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it is written by name, and a further number would be another text"
)]
pub struct Task {
    /// The engine's stage; not that of a job.
    pub stage: u32,
    /// The part of the data.
    pub partition: u32,
    /// 0 for the first try.
    pub attempt: u32,
}

impl Task {
    pub(super) fn described(self, record: Record) -> Record {
        record
            .with_detail("spark_stage", self.stage.to_string())
            .with_detail("partition", self.partition.to_string())
            .with_detail("attempt", self.attempt.to_string())
    }
}

impl Statement {
    /// Which task it tells of, if its executor was told.
    #[must_use]
    pub const fn task(&self) -> Option<Task> {
        self.head.task
    }
}
