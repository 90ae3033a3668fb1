//! The port to a directory of groups, for callers whose token has no room for theirs (groups overage).

mod directory;

use std::fmt;
use std::time::Duration;

use crate::id::Guid;
use crate::port::BoxFuture;

use super::caller::CallerKind;
pub(crate) use directory::{GroupDirectory, Membership};

/// Whose groups are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "adapters and their tests make it"
)]
pub struct Member {
    /// The tenant (`tid`).
    pub tenant: Guid,
    /// The object id in that tenant (`oid`).
    pub object: Guid,
    /// A person or an application.
    pub kind: CallerKind,
}

/// Answers which groups of a list somebody is in.
pub trait GroupSource: Send + Sync + fmt::Debug {
    /// Those of `candidates` that `member` is in, directly or through other groups. Only these ids are ever sent: the ones
    /// that the policy names. An id that the directory does not know is one that nobody is in.
    fn groups_of<'a>(
        &'a self,
        member: Member,
        candidates: &'a [Guid],
    ) -> BoxFuture<'a, Result<Vec<Guid>, GroupsError>>;
}

/// Why the groups are not known. No text holds a name, a mail address or an answer's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupsError {
    /// The directory cannot be reached, or is busy.
    #[error("the directory gives no answer: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// When to ask again, if it said so.
        retry_in: Option<Duration>,
    },
    /// We may not ask, or there is no such object: asking again changes nothing.
    #[error("the directory refuses to tell: {reason}")]
    Refused {
        /// The directory's error code, and what zt knows of it.
        reason: String,
    },
}
