//! Whose rights are looked at: a caller, any member of a group, or anyone.
//!
//! In: the rows of Principals and who is told to be in which group; the tables do not know it. Out: requests to decide.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::facts::Stated;
use super::{Action, Context, Projection, Request, Resource};
use crate::clock::Timestamp;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::Snapshot;

/// Who is in which groups.
pub type GroupsOf = BTreeMap<PrincipalId, Vec<PrincipalId>>;

/// Somebody whose rights are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    name: String,
    caller: Option<PrincipalId>,
    groups: Arc<[PrincipalId]>,
    groups_are_complete: bool,
    now: Option<Timestamp>,
    proven: Arc<[Stated]>,
}

impl Holder {
    /// A user or service principal who is in these groups.
    #[must_use]
    pub fn caller(id: PrincipalId, groups: Arc<[PrincipalId]>) -> Self {
        Self {
            name: id.to_string(),
            caller: Some(id),
            groups,
            groups_are_complete: true,
            now: None,
            proven: Arc::from([]),
        }
    }

    /// A member of this group of whom nothing else is known.
    #[must_use]
    pub fn member(group: PrincipalId) -> Self {
        Self {
            name: group.to_string(),
            caller: None,
            groups: Arc::from([group]),
            groups_are_complete: true,
            now: None,
            proven: Arc::from([]),
        }
    }

    /// A verified caller of whom nothing else is known: what everybody may.
    #[must_use]
    pub fn anyone() -> Self {
        Self {
            name: "*".to_owned(),
            caller: None,
            groups: Arc::from([]),
            groups_are_complete: true,
            now: None,
            proven: Arc::from([]),
        }
    }

    /// A verified caller whom no row of Principals names, in these groups.
    #[must_use]
    pub fn unknown(groups: Arc<[PrincipalId]>) -> Self {
        Self {
            groups,
            ..Self::anyone()
        }
    }

    /// The same, who may be in more groups: denies on groups stand.
    #[must_use]
    pub fn with_incomplete_groups(mut self) -> Self {
        self.groups_are_complete = false;
        self
    }

    /// The same, with what a verified token says of attributes. Without it all that only a token says is unknown.
    #[must_use]
    pub(crate) fn with_proven(mut self, proven: Arc<[Stated]>) -> Self {
        self.proven = proven;
        self
    }

    /// The same, asking at this moment. Without one, windows and `time.*` are unknown.
    #[must_use]
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Everybody that the tables tell apart, asking when the tables were loaded: each user and service principal of Principals with the groups it is told to
    /// be in, a member of each group, and anyone. In alphabetical order.
    #[must_use]
    pub fn all(snapshot: &Snapshot, groups: &GroupsOf) -> Vec<Self> {
        Self::of_ids(&ids(snapshot), groups, snapshot.loaded_at())
    }

    /// Everybody that either of two snapshots tells apart.
    pub(super) fn of_both(old: &Snapshot, new: &Snapshot, groups: &GroupsOf) -> Vec<Self> {
        let now = old.loaded_at().max(new.loaded_at());
        Self::of_ids(&[ids(old), ids(new)].concat(), groups, now)
    }

    fn of_ids(ids: &[&PrincipalId], groups: &GroupsOf, now: Timestamp) -> Vec<Self> {
        let holder = |id: &&PrincipalId| match id.kind() {
            PrincipalKind::Group => Self::member((*id).clone()),
            PrincipalKind::User | PrincipalKind::ServicePrincipal => {
                let told = groups.get(*id).cloned().unwrap_or_default();
                Self::caller((*id).clone(), Arc::from(told))
            }
        };
        let all = ids.iter().map(holder).chain([Self::anyone()]);
        let all: BTreeMap<String, Self> = all.map(|holder| (holder.name.clone(), holder)).collect();
        all.into_values().map(|holder| holder.at(now)).collect()
    }

    /// `user:maya`, `group:grp-security` for any member of it, `*` for anyone.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The caller's id; none for a member and anyone.
    #[must_use]
    pub const fn id(&self) -> Option<&PrincipalId> {
        self.caller.as_ref()
    }

    /// When it asks.
    pub(super) const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// What it holds on a snapshot.
    pub(super) fn projection(&self, snapshot: &Snapshot) -> Projection {
        let groups = Arc::clone(&self.groups);
        let projection = Projection::new(snapshot, self.caller.clone(), groups)
            .with_proven(Arc::clone(&self.proven));
        if self.groups_are_complete {
            projection
        } else {
            projection.with_incomplete_groups()
        }
    }

    /// What it asks.
    #[must_use]
    pub fn request(&self, action: Action, resource: Resource, context: Context) -> Request {
        let request = Request::new(self.caller.clone(), action, resource)
            .with_groups(Arc::clone(&self.groups))
            .with_proven(Arc::clone(&self.proven))
            .with_context(context);
        let request = match self.now {
            Some(now) => request.at(now),
            None => request,
        };
        if self.groups_are_complete {
            request
        } else {
            request.with_incomplete_groups()
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn ids(snapshot: &Snapshot) -> Vec<&PrincipalId> {
    let tables = snapshot.tables();
    let bound = tables.role_bindings.iter().map(|row| &row.principal);
    let rows = tables.principals.iter().map(|row| &row.id);
    rows.chain(bound).collect()
}
