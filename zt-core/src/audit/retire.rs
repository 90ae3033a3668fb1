//! Removes old segments by rule, in a way that an auditor can follow.

use serde::{Deserialize, Serialize};

/// What a record `audit.retired` says about the segments that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retired {
    pub(super) writer: String,
    /// The last segment that is gone.
    pub(super) segment: u32,
    /// Its last record.
    pub(super) seq: u64,
    /// The chain's hash there.
    pub(super) head: String,
    /// The tree over the records up to it, as the roots of its perfect subtrees.
    pub(super) peaks: Vec<String>,
    /// When that record was written.
    pub(super) last: String,
    /// Whether it closed the log.
    pub(super) is_closed: bool,
}
