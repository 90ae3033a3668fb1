//! The caller in the words of one snapshot.

use std::sync::Arc;

use crate::error::Result;
use crate::id::PrincipalId;
use crate::identity::{Caller, Groups};
use crate::metadata::Snapshot;
use crate::policy::Projection;

/// Who the caller is, which groups it is proven to be in and what it holds by that.
pub(super) struct Resolved {
    pub(super) snapshot: u64,
    pub(super) id: Option<PrincipalId>,
    pub(super) groups: Arc<[PrincipalId]>,
    pub(super) groups_are_complete: bool,
    pub(super) projection: Projection,
}

impl Resolved {
    pub(super) fn new(caller: &Caller, snapshot: &Snapshot) -> Result<Self> {
        let (groups, groups_are_complete) = match caller.groups().principals(snapshot)? {
            Groups::Complete(ids) => (Arc::from(ids), true),
            // Entra leaves the claim out for a caller without groups.
            Groups::NotInToken => (Arc::from([]), true),
            // Nothing is proven: rows on groups and their roles grant nothing, and their denies stand.
            Groups::Overage => (Arc::from([]), false),
        };
        let id = caller.principal(snapshot)?;
        let mut projection = Projection::new(snapshot, id.clone(), Arc::clone(&groups));
        if !groups_are_complete {
            projection = projection.with_incomplete_groups();
        }
        Ok(Self {
            snapshot: snapshot.version(),
            id,
            groups,
            groups_are_complete,
            projection,
        })
    }
}
